package main

import (
	"cmp"
	"slices"

	"picket/geo"
	"picket/sensor"
	"picket/sensor/device"
)

// destination is where data went, by the three bases that people ask for.
type destination struct {
	location geo.Country
	operator string
	home     geo.Country // of the operator
	owner    string
	ownerIn  geo.Country
}

// carried is what one device sent to one destination.
type carried struct {
	device          device.ID
	to              *destination
	sent, handshake uint64
	names           []string
}

// maxDestinations bounds what one run adds up, maxNamesShown the names kept
// of each.
const (
	maxDestinations = 1 << 16
	maxNamesShown   = 8
)

// otherPlaces stands for those beyond maxDestinations.
var otherPlaces = destination{operator: "others"}

// destinations adds up where data went. The zero value is ready. Keys are
// short, since there is a look-up for every flow.
type destinations struct {
	known map[destination]uint32 // number in ends
	ends  []*destination
	sums  map[route]*carried
	slab  []carried // the next sums are taken from here
}

type route struct{ device, to uint32 }

// add counts a transfer to the place where its server is.
func (d *destinations) add(t *sensor.Transfer, at *geo.Jurisdiction) {
	if geo.Placeless(t.Server.Addr()) {
		return
	}
	c := d.sum(t.Device, destination{at.Location, at.Operator.Name, at.Operator.Home, at.Owner.Name, at.Owner.Home})
	c.sent += t.Sent
	c.handshake += t.Handshake
	if t.Name != "" && len(c.names) < maxNamesShown && !slices.Contains(c.names, t.Name) {
		c.names = append(c.names, t.Name)
	}
}

func (d *destinations) sum(v *device.View, to destination) *carried {
	if d.sums == nil {
		d.known, d.sums = map[destination]uint32{}, map[route]*carried{}
	}
	r := route{v.Seq, d.number(to)}
	if c := d.sums[r]; c != nil {
		return c
	}
	if len(d.sums) >= maxDestinations {
		r.to = d.number(otherPlaces)
		if c := d.sums[r]; c != nil {
			return c
		}
	}
	if len(d.slab) == 0 {
		d.slab = make([]carried, 256)
	}
	c := &d.slab[0]
	d.slab = d.slab[1:]
	c.device, c.to = v.ID, d.ends[r.to]
	d.sums[r] = c
	return c
}

func (d *destinations) number(to destination) uint32 {
	n, ok := d.known[to]
	if !ok {
		if len(d.ends) >= maxDestinations && to != otherPlaces {
			return d.number(otherPlaces)
		}
		n = uint32(len(d.ends))
		d.known[to] = n
		d.ends = append(d.ends, &to)
	}
	return n
}

// first returns the first n in the order of compareCarried.
func (d *destinations) first(n int) []*carried {
	out := make([]*carried, 0, n+1)
	for _, c := range d.sums {
		if len(out) == n && compareCarried(c, out[n-1]) > 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(out, c, compareCarried)
		out = slices.Insert(out, at, c)
		out = out[:min(len(out), n)]
	}
	return out
}

// compareCarried puts the destinations of a device together, the most bytes
// first.
func compareCarried(a, b *carried) int {
	return cmp.Or(cmp.Compare(a.device, b.device), cmp.Compare(b.sent, a.sent), cmp.Compare(a.to.operator, b.to.operator),
		cmp.Compare(a.to.owner, b.to.owner), cmp.Compare(a.to.location, b.to.location),
		cmp.Compare(a.to.home, b.to.home), cmp.Compare(a.to.ownerIn, b.to.ownerIn))
}
