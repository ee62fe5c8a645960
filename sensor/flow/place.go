package flow

import "picket/sensor/packet"

// Place is where in the table the flow of a packet lies, as far as could be
// told before its turn. Looking for the places of several packets at once lets
// the waits for memory overlap, which are most of what a frame costs when the
// table is larger than the cache. The zero value says nothing.
type Place struct {
	key   Key
	hash  uint64
	ref   uint32
	from  uint8
	known bool // key, hash, from, sum and path are those of the packet
	path  uint32
	sum   uint64 // of span.window
}

// Key takes the key of p, decoded and with its realm: what Touch would follow.
func (l *Place) Key(t *Table, p *packet.Packet) {
	if l.known = followed(p); l.known {
		l.from = l.key.of(p)
		l.hash = t.index.hashOf(&l.key)
		l.glimpse(p)
	}
}

// Seek finds the places of packets whose keys were taken, and has what counting
// them needs fetched.
func (t *Table) Seek(places []Place) {
	var sum uint64
	for i := range places {
		if l := &places[i]; l.known {
			p := &t.index.parts[l.hash&(indexParts-1)]
			sum += p.slots[l.hash>>32&uint64(len(p.slots)-1)] + uint64(t.span.window[l.sum>>32&(windowSize-1)].sum)
		}
	}
	for i := range places {
		l := &places[i]
		if l.ref = 0; !l.known {
			continue
		}
		if l.ref = t.index.likely(l.hash); l.ref != 0 {
			t.fetch(t.slab.at(l.ref))
		}
	}
	t.sum += sum
}

// fetch has the parts of f fetched that every frame needs. Nothing waits for
// them.
func (t *Table) fetch(f *Flow) {
	t.sum += uint64(f.key.A[0]) + uint64(f.Worker) + f.sides[0].total.Bytes + f.sides[1].total.Bytes + uint64(f.sides[1].next)
}

// likely returns the number of the first flow whose hash has the same upper
// half, 0 for none.
func (x *index) likely(h uint64) uint32 {
	p := &x.parts[h&(indexParts-1)]
	mask := uint64(len(p.slots) - 1)
	for i := h >> 32; ; i++ {
		v := p.slots[i&mask]
		if v == 0 || v>>32 == h>>32 {
			return uint32(v)
		}
	}
}

// at returns the flow with the key of l, nil for none. The table may have
// changed since Seek.
func (t *Table) at(l *Place) *Flow {
	if l.ref != 0 {
		if f := t.slab.at(l.ref); f.flags&(live|orphan) == live && f.key.is(&l.key) {
			return f
		}
	}
	return t.index.find(&t.slab, &l.key, l.hash)
}
