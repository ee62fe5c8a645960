package alerts

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"net/netip"

	"picket/geo"
	"picket/sensor"
)

// Placer says under whose law a server is; geo.Geo does.
type Placer interface {
	Judge(geo.Query) geo.Jurisdiction
}

// sharer is a Placer that can answer without a copy; geo.Geo is one. Nobody
// changes what it answers with.
type sharer interface {
	Of(geo.Query) *geo.Jurisdiction
}

// maxPlaces bounds each of the two generations of judged servers.
const maxPlaces = 1 << 14

// places remembers judged servers. When the young generation is full it
// becomes the old one, and what is used again is taken over: a lookup
// allocates nothing and nothing needs a list.
type places struct {
	seed       maphash.Seed
	high, low  uint64 // odd, secret: of the two halves of an address
	young, old placeTable
	last       *place        // asked for last; nil for none
	none       [][]geo.Basis // of a server that no rule is about
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
	key placeKey
	*geo.Jurisdiction
	location geo.Country
	hits     [][]geo.Basis // by rule
	any      bool          // some rule is hit
}

func newPlaces() places {
	p := places{seed: maphash.MakeSeed()}
	p.high, p.low = maphash.String(p.seed, "high")|1, maphash.String(p.seed, "low")|1
	return p
}

// hash is keyed: who chooses addresses and names cannot choose where they
// meet.
func (p *places) hash(k *placeKey) uint64 {
	h := maphash.String(p.seed, k.name)
	if k.addr.Is4() { // As16 writes two halves that are slow to read back at once
		b := k.addr.As4()
		h ^= uint64(binary.BigEndian.Uint32(b[:])) * p.low
	} else {
		b := k.addr.As16()
		h ^= binary.BigEndian.Uint64(b[:8])*p.high ^ bits.RotateLeft64(binary.BigEndian.Uint64(b[8:])*p.low, 32)
	}
	if k.cname != "" {
		h = h*0x9E3779B97F4A7C15 + maphash.String(p.seed, k.cname)
	}
	if k.question {
		h++
	}
	return h
}

func (p *places) get(h uint64, k *placeKey) *place {
	if e := p.young.find(h, k); e != nil {
		return e
	}
	e := p.old.find(h, k)
	if e != nil {
		p.put(h, e)
	}
	return e
}

func (p *places) put(h uint64, e *place) {
	if p.young.held >= maxPlaces {
		spare := p.old.slots
		clear(spare)
		p.old, p.young = p.young, placeTable{slots: spare}
	}
	p.young.put(h, e)
}

// placeTable finds places by the hash of their keys: open addressing, at most
// half full, so that the next slots are nearly always in the line of cache
// that was read.
type placeTable struct {
	slots []placeSlot // a power of two; nil for none
	held  int
}

// placeSlot is free when it has no place.
type placeSlot struct {
	hash  uint64
	place *place
}

func (t *placeTable) find(h uint64, k *placeKey) *place {
	if len(t.slots) == 0 {
		return nil
	}
	for i := t.first(h); ; i++ {
		s := &t.slots[i&uint64(len(t.slots)-1)]
		if s.place == nil || s.hash == h && s.place.key == *k {
			return s.place
		}
	}
}

// put takes e over, which is not there yet.
func (t *placeTable) put(h uint64, e *place) {
	if 2*(t.held+1) > len(t.slots) {
		bigger := placeTable{slots: make([]placeSlot, max(128, 2*len(t.slots)))}
		for _, s := range t.slots {
			if s.place != nil {
				bigger.put(s.hash, s.place)
			}
		}
		*t = bigger
	}
	i := t.first(h)
	for t.slots[i&uint64(len(t.slots)-1)].place != nil {
		i++
	}
	t.slots[i&uint64(len(t.slots)-1)] = placeSlot{h, e}
	t.held++
}

// first is where a place of this hash stands, unless others took the slot.
func (t *placeTable) first(h uint64) uint64 { return h >> 32 }

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
	p := &place{key: k, Jurisdiction: j.jurisdiction(k.query(cnames))}
	if p.LocationConfidence == geo.High || p.LocationConfidence == geo.Medium {
		p.location = p.Location
	}
	for i, r := range j.rules {
		hits := r.Places(*p.Jurisdiction)
		if len(hits) == 0 {
			continue
		}
		if !p.any {
			p.any, p.hits = true, make([][]geo.Basis, len(j.rules))
		}
		p.hits[i] = hits
	}
	if !p.any {
		p.hits = j.places.noHits(len(j.rules))
	}
	return p
}

func (j *Judge) jurisdiction(q geo.Query) *geo.Jurisdiction {
	if g, ok := j.geo.(sharer); ok {
		return g.Of(q)
	}
	answer := j.geo.Judge(q)
	return &answer
}

// noHits is what all servers share that none of n rules is about.
func (p *places) noHits(n int) [][]geo.Basis {
	if len(p.none) != n {
		p.none = make([][]geo.Basis, n)
	}
	return p.none
}
