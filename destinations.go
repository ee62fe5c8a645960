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
	name            string    // the first of names
	more            *[]string // the others; nil for most
	sent, handshake uint64
	route           route
}

// names are those under which data went there, at most maxNamesShown.
func (c *carried) names() []string {
	switch {
	case c.name == "":
		return nil
	case c.more == nil:
		return []string{c.name}
	}
	return append([]string{c.name}, *c.more...)
}

func (c *carried) addName(name string) {
	switch {
	case name == "" || name == c.name:
	case c.name == "":
		c.name = name
	case c.more == nil:
		c.more = &[]string{name}
	case len(*c.more) < maxNamesShown-1 && !slices.Contains(*c.more, name):
		*c.more = append(*c.more, name)
	}
}

// maxDestinations bounds what one run adds up, maxNamesShown the names kept
// of each.
const (
	maxDestinations = 1 << 16
	maxNamesShown   = 8
)

// otherPlaces stands for those beyond maxDestinations.
var otherPlaces = destination{operator: "others"}

// destinations adds up where data went. The zero value is ready. Sums lie
// side by side and are found by open addressing, since there is a look-up for
// every flow.
type destinations struct {
	known map[destination]uint32 // number in ends
	ends  []*destination
	slots []sumSlot // a power of two
	sums  [][]carried
	count int
}

type route struct{ device, to uint32 }

type sumSlot struct{ hash, sum uint32 } // sum: its number plus one; 0 for a free slot

// sumChunk is how many sums are made at once.
const sumChunk = 1 << 8

// add counts a transfer to the place where its server is.
func (d *destinations) add(t *sensor.Transfer, at *geo.Jurisdiction) {
	if geo.Placeless(t.Server.Addr()) {
		return
	}
	c := d.sum(t.Device, destination{at.Location, at.Operator.Name, at.Operator.Home, at.Owner.Name, at.Owner.Home})
	c.sent += t.Sent
	c.handshake += t.Handshake
	c.addName(t.Name)
}

func (d *destinations) sum(v *device.View, to destination) *carried {
	if d.known == nil {
		d.known, d.slots = map[destination]uint32{}, make([]sumSlot, sumChunk)
	}
	r := route{v.Seq, d.number(to)}
	slot, c := d.find(r)
	if c != nil {
		return c
	}
	if d.count >= maxDestinations {
		r.to = d.number(otherPlaces)
		if slot, c = d.find(r); c != nil {
			return c
		}
	}
	if 4*(d.count+1) > 3*len(d.slots) {
		d.grow()
		slot, _ = d.find(r)
	}
	if d.count%sumChunk == 0 {
		d.sums = append(d.sums, make([]carried, sumChunk))
	}
	d.count++
	d.slots[slot] = sumSlot{r.hash(), uint32(d.count)}
	c = d.at(d.count - 1)
	c.device, c.route = v.ID, r
	return c
}

// to is where c went.
func (d *destinations) to(c *carried) *destination { return d.ends[c.route.to] }

func (d *destinations) at(n int) *carried { return &d.sums[n/sumChunk][n%sumChunk] }

// hash needs no key: numbers are given by us, and nobody can choose them to
// meet.
func (r route) hash() uint32 {
	return uint32((uint64(r.device)<<32 | uint64(r.to)) * 0x9E3779B97F4A7C15 >> 32)
}

// find returns the sum of r, or the slot where it belongs.
func (d *destinations) find(r route) (slot int, c *carried) {
	mask, h := len(d.slots)-1, r.hash()
	for slot = int(h) & mask; d.slots[slot].sum != 0; slot = (slot + 1) & mask {
		if s := d.slots[slot]; s.hash == h {
			if c = d.at(int(s.sum - 1)); c.route == r {
				return slot, c
			}
		}
	}
	return slot, nil
}

func (d *destinations) grow() {
	old := d.slots
	d.slots = make([]sumSlot, 2*len(old))
	mask := len(d.slots) - 1
	for _, s := range old {
		if s.sum == 0 {
			continue
		}
		at := int(s.hash) & mask
		for d.slots[at].sum != 0 {
			at = (at + 1) & mask
		}
		d.slots[at] = s
	}
}

// all yields every sum.
func (d *destinations) all(yield func(*carried) bool) {
	for n := range d.count {
		if !yield(d.at(n)) {
			return
		}
	}
}

func (d *destinations) number(to destination) uint32 {
	n, ok := d.known[to]
	if !ok {
		if len(d.ends) >= maxDestinations && to != otherPlaces {
			return d.number(otherPlaces)
		}
		n = uint32(len(d.ends))
		kept := to
		d.known[kept] = n
		d.ends = append(d.ends, &kept)
	}
	return n
}

// first returns the first n in the order of compare.
func (d *destinations) first(n int) []*carried {
	out := make([]*carried, 0, n+1)
	for c := range d.all {
		if len(out) == n && d.compare(c, out[n-1]) > 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(out, c, d.compare)
		out = slices.Insert(out, at, c)
		out = out[:min(len(out), n)]
	}
	return out
}

// compare puts the destinations of a device together, the most bytes first.
func (d *destinations) compare(a, b *carried) int {
	if n := cmp.Or(cmp.Compare(a.device, b.device), cmp.Compare(b.sent, a.sent)); n != 0 {
		return n
	}
	x, y := d.to(a), d.to(b)
	return cmp.Or(cmp.Compare(x.operator, y.operator), cmp.Compare(x.owner, y.owner), cmp.Compare(x.location, y.location),
		cmp.Compare(x.home, y.home), cmp.Compare(x.ownerIn, y.ownerIn))
}
