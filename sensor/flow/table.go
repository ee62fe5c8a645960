package flow

import (
	"math"

	"picket/sensor/packet"
)

// Table holds the flows of one worker. Use New. It is not safe for
// concurrent use.
type Table struct {
	c       Config
	report  Report
	slab    slab
	index   index
	wheel   *wheel
	stats   Stats
	nextID  uint64
	hurried uint64 // Prompt.changes, as of the last hurry
	hurryAt int64  // when the next may come
	hand    uint32 // where the search for a flow to evict goes on

	holes   holeSets
	streams streams
	lent    []byte // what Collect lent last, when it is not in a buffer
	lentOf  *side  // whose it is
	span    span
	sum     uint64 // of what fetch read, so that it is read
}

// New returns an empty table. report is called from Touch (when the table is
// full or ports are reused), Expire and Close; nil takes every report.
func New(c Config, report Report) *Table {
	c.setDefaults()
	if report == nil {
		report = func(*Flow, bool) bool { return true }
	}
	t := &Table{c: c, report: report, index: newIndex(), wheel: new(wheel), nextID: c.FirstID}
	t.slab.flows = reserve(c.MaxFlows+1, t)
	t.holes.limit = c.Reordered
	t.streams.limit, t.streams.each = c.StreamBytes, c.StreamBytesFlow
	return t
}

// Touch counts p to its flow, made if need be, and returns it with the
// direction of p. It returns nil when there is nothing to follow: no TCP or
// UDP, a fragment, or the second copy of a frame on a doubled span.
func (t *Table) Touch(p *packet.Packet) (*Flow, Dir) {
	var l Place
	l.Key(t, p)
	return t.TouchAt(p, &l)
}

// followed reports that p belongs to a flow.
func followed(p *packet.Packet) bool {
	return p.Stop == packet.Decoded && (p.Proto == packet.ProtoTCP || p.Proto == packet.ProtoUDP) && p.Version != 0 && !p.IsFragment()
}

// TouchAt is Touch for a packet whose place was looked for.
func (t *Table) TouchAt(p *packet.Packet, l *Place) (*Flow, Dir) {
	if !l.known {
		return nil, Up
	}
	h, from := l.hash, l.from
	t.stats.Frames++
	t.stats.Bytes += uint64(p.Wire)
	second := t.span.seen(p, l)
	if second == suppress {
		t.stats.Duplicates++
		if t.span.nPending != 0 {
			t.takeBack()
		}
		return nil, Up
	}
	f := t.at(l)
	if f != nil && p.Flags&(packet.SYN|packet.ACK) == packet.SYN && p.Proto == packet.ProtoTCP && f.reused(p, from) {
		t.finish(f, EndReused, p.At)
		f = nil
	}
	if f == nil {
		f = t.open(&l.key, h, p, from)
	}
	t.count(f, p, from)
	if second == unsure {
		t.unsure(f, p, from)
	}
	return f, Dir(from ^ f.opener())
}

// count adds p to f.
func (t *Table) count(f *Flow, p *packet.Packet, from uint8) {
	if f.flags&(homeA|homeB|offNet) == 0 {
		t.stats.NoHome += uint64(p.Wire)
	} else if f.flags&(homeA|homeB) == homeA|homeB {
		t.stats.BothHome += uint64(p.Wire)
	}
	f.last = max(f.last, p.At)
	s := &f.sides[from&1]
	s.total.Packets++
	if s.total.Packets == 1 {
		f.macs[from&1] = p.LinkSrc
	}
	before := s.total.Bytes
	if p.Proto == packet.ProtoTCP {
		t.tcp(f, s, &f.sides[(from^1)&1], p)
	} else {
		s.total.Bytes += uint64(p.PayloadLen)
		if from != f.opener() {
			f.flags |= answered
		}
	}
	if s.total.Bytes != before && f.reportAt == 0 {
		f.reportAt = t.wheel.moment(p.At + t.c.FirstReport)
		t.wheel.sooner(&t.slab, f, p.At+t.c.FirstReport)
	}
}

// open makes the flow that p begins.
func (t *Table) open(k *Key, h uint64, p *packet.Packet, from uint8) *Flow {
	t.wheel.start(p.At)
	if t.slab.count >= t.c.MaxFlows {
		t.evict(p.At)
	}
	f := t.slab.take()
	f.key, f.hash = *k, uint32(h>>32)
	f.flags |= flag(h&(indexParts-1)) << partShift
	f.First, f.last = p.At, p.At
	f.ID = t.nextID
	t.nextID++
	t.stats.New++
	f.VLAN, f.Inspect = p.VLAN(), InspectUp|InspectDown
	if t.c.Home.Contains(k.Realm, k.A) {
		f.flags |= homeA
	}
	if t.c.Home.Contains(k.Realm, k.B) {
		f.flags |= homeB
	}
	if !k.A.Routed() || !k.B.Routed() {
		f.flags |= offNet
	}
	f.orient(p, from)
	t.index.add(f.ref, h)
	t.wheel.put(&t.slab, f, t.idleAt(f))
	return f
}

// Expire reports what is due at now, the time of the latest frame: flows
// that ended or were idle too long (final), and living flows with an
// unreported increase, the earliest due first. Its cost is that of what is
// due; call it as often as once a batch.
func (t *Table) Expire(now int64) {
	w := t.wheel
	if !w.set {
		return
	}
	t.hurry(now)
	last := now >> tickBits
	if last-w.tick > buckets { // a long silence: once round is enough
		w.tick = last - buckets
	}
	for w.tick < last {
		b := w.tick & (buckets - 1)
		w.tick++
		for w.heads[b] != 0 {
			f := t.slab.at(w.heads[b])
			if f.next != 0 {
				t.fetch(t.slab.at(f.next))
			}
			w.drop(&t.slab, f)
			t.due(f, now)
		}
	}
}

// patience is how long the increase of a patient flow may wait: longer than
// it takes a question's flow to end by itself.
const patience = int64(300e9)

// due looks at a flow whose bucket has come, and which is out of the wheel.
// What became due later than the bucket goes to its own, even if that has
// passed too: flows end in the order in which they fell silent, however
// rarely Expire is called.
func (t *Table) due(f *Flow, now int64) {
	idle, passed := t.idleAt(f), t.wheel.tick<<tickBits
	if f.flags&ended != 0 || idle < passed {
		end := EndIdle
		if f.flags&closed != 0 {
			end = EndClosed
		}
		t.wheel.put(&t.slab, f, now) // finish unlinks it
		t.finish(f, end, now)
		return
	}
	if f.reportAt != 0 && t.wheel.time(f.reportAt) < passed {
		switch {
		case !f.risen():
			f.reportAt = 0
		case f.flags&patient != 0 && now-f.First < patience:
			f.reportAt = t.wheel.moment(f.First + patience)
		case f.over() && t.tell(f, true):
			f.flags |= told
			f.reportAt = 0
			t.Release(f, Up) // who was told forgets the flow: nothing more of it is inspected
			t.Release(f, Down)
			f.Inspect = 0
		case now-f.First < leisure && t.unhurried(f):
			f.reportAt = t.wheel.moment(f.First + leisure)
		case t.tell(f, false):
			f.reportAt = t.next(f, now)
		default:
			f.reportAt = t.wheel.moment(now + t.c.FirstReport)
		}
	}
	if f.reportAt != 0 {
		idle = min(idle, t.wheel.time(f.reportAt))
	}
	t.wheel.put(&t.slab, f, idle)
}

// next is when a flow that has been reported is reported again: as long after
// as it has lived, ReportEvery at most, so that what a young flow carries is
// known within as long again. One that has only shaken hands has not begun:
// its next byte counts as its first.
func (t *Table) next(f *Flow, now int64) moment {
	f.flags |= introduced
	up := f.side(Up).total
	switch {
	case up.Bytes == up.Handshake:
		return 0
	case t.unhurried(f):
		return t.wheel.moment(now + leisure)
	}
	return t.wheel.moment(now + min(max(now-f.First, t.c.FirstReport), t.c.ReportEvery))
}

// Close reports every flow as final, the earliest due first: the end of the
// input. The table can be used on; flows whose report is refused stay, and
// Close may be called again for them.
func (t *Table) Close() {
	for i := range int64(buckets) {
		for ref := t.wheel.heads[(t.wheel.tick+i)&(buckets-1)]; ref != 0; {
			f := t.slab.at(ref)
			if ref = f.next; ref != 0 {
				t.fetch(t.slab.at(ref)) // while f is told
			}
			t.settle(f)
			if f.flags&told != 0 && !f.risen() || t.tell(f, true) {
				t.remove(f, EndInput)
			} else {
				t.stats.Refused++
			}
		}
	}
}

// Stats returns the counts.
func (t *Table) Stats() Stats {
	s := t.stats
	s.Flows = t.slab.count
	s.Doubled, s.OneWay = t.span.doubled(), t.blind()
	s.StreamBytes, s.StreamEvicted = t.streams.bytes, t.streams.evicted
	s.HolesDiscarded = t.holes.discarded
	return s
}

// never is later than any packet time.
const never = math.MaxInt64
