package alerts

import (
	"net/netip"

	"picket/geo"
	"picket/sensor"
)

// Placer says under whose law a server is; geo.Geo does.
type Placer interface {
	Judge(geo.Query) geo.Jurisdiction
}

// maxPlaces bounds each of the two generations of judged servers.
const maxPlaces = 1 << 14

// places remembers judged servers. When the young generation is full it
// becomes the old one, and what is used again is taken over: a lookup
// allocates nothing and nothing needs a list.
type places struct {
	young, old map[placeKey]*place
	key        placeKey // asked for last
	last       *place   // its place; nil for none
}

// placeKey is what a jurisdiction depends on. Of a chain of CNAMEs the last
// one stands for all.
type placeKey struct {
	addr     netip.Addr
	name     string
	cname    string
	tunnel   bool
	question bool
}

// place is a judged server, and what each rule says of it.
type place struct {
	geo.Jurisdiction
	location geo.Country
	hits     [][]geo.Basis // by rule
	any      bool          // some rule is hit
}

func newPlaces() places {
	return places{young: make(map[placeKey]*place, 64), old: map[placeKey]*place{}}
}

func (p *places) get(k placeKey) *place {
	if e, ok := p.young[k]; ok {
		return e
	}
	e, ok := p.old[k]
	if !ok {
		return nil
	}
	p.put(k, e)
	return e
}

func (p *places) put(k placeKey, e *place) {
	if len(p.young) >= maxPlaces {
		p.old, p.young = p.young, make(map[placeKey]*place, 64)
	}
	p.young[k] = e
}

func keyOf(t *sensor.Transfer) placeKey {
	k := placeKey{addr: t.Server.Addr(), name: t.Name, tunnel: t.Tunnel != ""}
	if n := len(t.CNAMEs); n > 0 {
		k.cname = t.CNAMEs[n-1]
	}
	return k
}

func (k placeKey) query(cnames []string) geo.Query {
	if cnames == nil && k.cname != "" {
		cnames = []string{k.cname}
	}
	return geo.Query{Addr: k.addr, Name: k.name, CNAMEs: cnames, Tunnel: k.tunnel, Question: k.question}
}

// place judges a server, from memory if it can.
func (j *Judge) place(k placeKey, cnames []string) *place {
	if j.places.last != nil && j.places.key == k {
		return j.places.last
	}
	p := j.places.get(k)
	if p == nil {
		p = j.placeAnew(k, cnames)
	}
	j.places.key, j.places.last = k, p
	return p
}

func (j *Judge) placeAnew(k placeKey, cnames []string) *place {
	p := &place{Jurisdiction: j.geo.Judge(k.query(cnames))}
	if p.LocationConfidence == geo.High || p.LocationConfidence == geo.Medium {
		p.location = p.Location
	}
	for _, r := range j.rules {
		hits := r.Places(p.Jurisdiction)
		p.hits = append(p.hits, hits)
		p.any = p.any || len(hits) > 0
	}
	j.places.put(k, p)
	return p
}
