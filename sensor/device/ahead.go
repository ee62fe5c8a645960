package device

import (
	"picket/sensor/observation"
	"picket/sensor/packet"
)

// aheadMost is how many observations Ahead looks at: what it brings in must
// still be in the cache when the last of them is observed.
const aheadMost = 64

// Ahead looks up whom the next observations are about, so that what is known
// of them is in the processor's cache when Observe asks for it: the look-ups
// of many devices do not wait for each other, those of one do. It changes
// nothing, and looks at the first aheadMost. It returns the Views of those
// that it found, good until the next call.
func (t *Table) Ahead(next []observation.Observation) []*View {
	t.near = t.near[:0]
	if len(next) > aheadMost {
		next = next[:aheadMost]
	}
	var found [aheadMost]struct {
		table *index
		hash  uint32
		addr  packet.Addr
		b     *binding
	}
	for i := range next {
		o, f := &next[i], &found[i]
		end := o.Client.Addr()
		switch {
		case o.Neighbour != nil:
			end = o.Neighbour.Addr
		case o.Kind == observation.FlowReport && !o.ClientHome:
			end = o.Server.Addr()
		}
		if o.Realm != t.lastRealm || !end.IsValid() || int(t.lastNum) >= len(t.byAddr.realms) {
			continue
		}
		f.table = &t.byAddr.realms[t.lastNum]
		f.addr = packet.AddrFrom(end)
		f.hash = t.byAddr.hash(f.addr)
		if n := len(f.table.slots); n > 0 {
			t.warm += uint64(f.table.slots[int(f.hash)&(n-1)].hash)
		}
	}
	for i := range next {
		if f := &found[i]; f.table != nil && f.table.count > 0 {
			f.b = t.byAddr.find(f.table, f.hash, f.addr)
		}
	}
	for i := range next {
		if b := found[i].b; b != nil {
			d := t.of(b)
			t.warm += uint64(d.seq) + uint64(d.queued) + uint64(d.visit.start) + uint64(d.judged)
		}
	}
	for i := range next {
		if b := found[i].b; b != nil {
			d := t.of(b)
			t.warmAround(d)
			found[i].hash = t.aheadName(&next[i], d)
		}
	}
	for i := range next {
		if h := found[i].hash; found[i].b != nil && next[i].Kind == observation.FlowReport {
			if s := t.names.slots[int(h)&(len(t.names.slots)-1)]; s.hash == h && s.n != 0 {
				t.warm += uint64(t.names.at(s.n - 1).from)
			}
		}
	}
	return t.near
}

// aheadName asks for the slot of the name that a conversation goes to.
func (t *Table) aheadName(o *observation.Observation, d *Device) uint32 {
	if o.Kind != observation.FlowReport || !o.Server.Addr().IsValid() {
		return 0
	}
	k := nameKey{packet.AddrFrom(o.Server.Addr()), d.root().seq}
	h := t.names.hash(&k)
	t.warm += uint64(t.names.slots[int(h)&(len(t.names.slots)-1)].n)
	return h
}

// warmAround asks for what hangs on d.
func (t *Table) warmAround(d *Device) {
	if v := d.root().view; v != nil {
		t.warm += uint64(v.Seq) + uint64(v.Verdict.Confidence)
		t.near = append(t.near, v)
	}
	if d.dossier != nil && d.dossier.Enough() {
		t.warm++
	}
	if d.place != nil {
		t.warm += uint64(d.place.vlan)
	}
}
