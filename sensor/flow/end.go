package flow

import "picket/sensor/packet"

// idleAt returns when f will have been silent too long.
func (t *Table) idleAt(f *Flow) int64 {
	limit := t.c.IdleUDP
	switch {
	case f.flags&closed != 0:
		limit = t.c.IdleClosed
	case f.flags&(answered|missedStart) == 0:
		limit = t.c.IdleUnanswered
	case f.key.Proto == packet.ProtoTCP:
		limit = t.c.IdleTCP
		if (f.sides[0].state|f.sides[1].state)&finSeen != 0 {
			limit = min(limit, t.c.IdleUDP) // half closed
		}
	case f.flags&patient != 0:
		limit = min(limit, t.c.IdlePatient)
	}
	return f.last + limit
}

// risen reports an increase of bytes that was not told.
func (f *Flow) risen() bool {
	return f.sides[0].total.Bytes != f.sides[0].told.Bytes || f.sides[1].total.Bytes != f.sides[1].told.Bytes
}

// over reports that both ends of f said goodbye and that nothing of it is
// missing: its report can be the final one, though late copies may still
// come. A reset is not enough: it may be forged, and the flow go on.
func (f *Flow) over() bool {
	a, b := &f.sides[0], &f.sides[1]
	return f.flags&closed != 0 && a.state&b.state&finSeen != 0 && a.holes|b.holes == 0
}

// tell reports f, and keeps the increase if the report was refused.
func (t *Table) tell(f *Flow, final bool) bool {
	if f.key.Proto == packet.ProtoUDP && f.flags&answered == 0 && t.blind() {
		f.flags |= blind
	}
	if !t.report(f, final) {
		return false
	}
	f.sides[0].told, f.sides[1].told = f.sides[0].total, f.sides[1].total
	return true
}

// finish gives f its final report and takes it out. Refused, it stays in the
// wheel until the report is taken; if its ports are in use again it leaves
// the index.
func (t *Table) finish(f *Flow, end End, now int64) {
	t.settle(f)
	if f.flags&told != 0 && !f.risen() || t.tell(f, true) {
		t.remove(f, end)
		return
	}
	t.stats.Refused++
	f.flags |= ended
	if end == EndReused {
		t.unindex(f)
	}
	t.wheel.drop(&t.slab, f)
	t.wheel.put(&t.slab, f, now+t.c.FirstReport)
}

// settle adds what the other end acknowledged and was never seen.
func (t *Table) settle(f *Flow) {
	for i := range f.sides {
		s, o := &f.sides[i], &f.sides[1-i]
		if s.holes != 0 {
			if o.state&ackKnown != 0 {
				s.total.Missed += t.holes.acknowledged(s.holes, o.ack)
			}
			t.holes.give(s.holes)
			s.holes = 0
		}
	}
}

// remove forgets f.
func (t *Table) remove(f *Flow, end End) {
	t.learnWays(f)
	for i := range f.sides {
		if r := f.sides[i].stream; r != 0 {
			t.streams.give(r)
		}
		if r := f.sides[i].holes; r != 0 {
			t.holes.give(r)
		}
	}
	t.unindex(f)
	t.wheel.drop(&t.slab, f)
	t.slab.give(f)
	t.stats.Evicted[end]++
}

func (t *Table) unindex(f *Flow) {
	if f.flags&orphan == 0 {
		f.flags |= orphan
		t.index.remove(f.ref, f.fullHash())
	}
}

// evictSample is how many flows are compared when room is needed. The one
// nearest to its idle limit goes: with 16 it is among the oldest 6 % on
// average, at no cost for the frames that need no room.
const evictSample = 16

// evict makes room for one flow. Its report comes first; if it is refused,
// the bytes are lost and counted.
func (t *Table) evict(now int64) {
	var oldest *Flow
	best := int64(never)
	for n := 0; n < evictSample && n < t.slab.count; {
		if t.hand++; t.hand > t.slab.used {
			t.hand = 1
		}
		f := t.slab.at(t.hand)
		if f.flags&live == 0 {
			continue
		}
		n++
		if at := t.idleAt(f); at < best {
			oldest, best = f, at
		}
	}
	if oldest == nil {
		return
	}
	t.settle(oldest)
	if !t.tell(oldest, true) {
		t.stats.Refused++
		t.stats.LostBytes += oldest.Increase(Up).Bytes + oldest.Increase(Down).Bytes
	}
	t.remove(oldest, EndTableFull)
}
