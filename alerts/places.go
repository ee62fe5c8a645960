package alerts

import (
	"hash/maphash"
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
// allocates nothing and nothing needs a list. The maps are keyed by a keyed
// hash, which is quicker to look up than its text; of two keys of one hash the
// later stays.
type places struct {
	seed       maphash.Seed
	young, old map[uint64]*place
	last       *place // asked for last; nil for none
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
	key      placeKey
	location geo.Country
	hits     [][]geo.Basis // by rule
	any      bool          // some rule is hit
}

func newPlaces() places {
	return places{seed: maphash.MakeSeed(), young: make(map[uint64]*place, 64), old: map[uint64]*place{}}
}

func (p *places) hash(k *placeKey) uint64 {
	addr := k.addr.As16()
	h := maphash.Bytes(p.seed, addr[:])
	h = h*0x9E3779B97F4A7C15 + maphash.String(p.seed, k.name)
	if k.cname != "" {
		h = h*0x9E3779B97F4A7C15 + maphash.String(p.seed, k.cname)
	}
	if k.question {
		h++
	}
	return h
}

func (p *places) get(h uint64, k *placeKey) *place {
	if e := p.young[h]; e != nil && e.key == *k {
		return e
	}
	e := p.old[h]
	if e == nil || e.key != *k {
		return nil
	}
	p.put(h, e)
	return e
}

func (p *places) put(h uint64, e *place) {
	if len(p.young) >= maxPlaces {
		p.old, p.young = p.young, make(map[uint64]*place, 64)
	}
	p.young[h] = e
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
	if last := j.places.last; last != nil && last.key == k {
		return last
	}
	h := j.places.hash(&k)
	p := j.places.get(h, &k)
	if p == nil {
		p = j.placeAnew(k, cnames)
		j.places.put(h, p)
	}
	j.places.last = p
	return p
}

func (j *Judge) placeAnew(k placeKey, cnames []string) *place {
	p := &place{Jurisdiction: j.geo.Judge(k.query(cnames)), key: k}
	if p.LocationConfidence == geo.High || p.LocationConfidence == geo.Medium {
		p.location = p.Location
	}
	for _, r := range j.rules {
		hits := r.Places(p.Jurisdiction)
		p.hits = append(p.hits, hits)
		p.any = p.any || len(hits) > 0
	}
	return p
}
