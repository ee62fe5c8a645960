package flow

import "picket/sensor/packet"

// Stream says how the first bytes of a direction fare.
type Stream uint8

// The states of a stream.
const (
	Flowing     Stream = iota // contiguous so far, or with a gap that may yet fill
	MissedStart               // as Flowing, but it begins in the middle
	Broken                    // a gap that cannot be filled: the capture lost or cut it
	Full                      // given up for want of room
	Released                  // no longer collected
)

var streamNames = [...]string{"flowing", "missed-start", "broken", "full", "released"}

// String returns the state's name.
func (s Stream) String() string { return streamNames[s] }

// Collect takes p's payload into the stream of its direction and lends the
// contiguous bytes from the stream's front: p.Payload itself when nothing is
// held. They are valid until the next call of any method; nil means that
// nothing new is contiguous, or that the direction was released. After bytes
// were lent, call Hold, Consume or Release: bytes lent and neither held nor
// consumed are gone. A datagram is always lent whole, and none is kept.
//
// Where segments overlap, the bytes that came first stay, as most hosts do
// and as RFC 9293, section 3.10.7.4, has it ("new data").
func (t *Table) Collect(f *Flow, d Dir, p *packet.Packet) []byte {
	t.lent = nil
	if f.key.Proto != packet.ProtoTCP {
		return p.Payload
	}
	s := f.side(d)
	if s.state&(released|seqKnown) != seqKnown || len(p.Payload) == 0 || p.Flags&packet.RST != 0 {
		return nil
	}
	seq := p.Seq
	if p.Flags&packet.SYN != 0 {
		seq++
	}
	if s.state&(midway|consumed) == midway && s.stream == 0 && int32(seq-s.front) > 0 {
		s.front = seq // nothing is known of the start: begin with what there is
	}
	off, b := int(int32(seq-s.front)), p.Payload
	if off < 0 {
		if -off >= len(b) {
			return nil
		}
		b, off = b[-off:], 0
	}
	if s.stream == 0 && off == 0 {
		t.lent, t.lentOf = b, s
		return b
	}
	return t.buffer(f, s, off, b)
}

// buffer puts b, off bytes behind the front, into the stream's buffer, and
// lends what is contiguous if that grew.
func (t *Table) buffer(f *Flow, s *side, off int, b []byte) []byte {
	if off+len(b) > t.streams.each {
		if off >= t.streams.each {
			if s.stream == 0 {
				return nil // far ahead: perhaps forged
			}
			t.overflow(f, s)
			return nil
		}
		b = b[:t.streams.each-off]
	}
	if !t.room(f, s, off+len(b)) {
		return nil
	}
	st := t.streams.at(s.stream)
	s.state |= consumed
	if !st.insert(off, b) {
		return nil
	}
	return st.data[:st.have]
}

// Hold keeps the lent bytes at the front: the parser wants more. It reports
// false when there is no room; the direction is then released.
func (t *Table) Hold(f *Flow, d Dir) bool { return t.Consume(f, d, 0) }

// Consume drops n bytes from the front and keeps the rest of the lent bytes.
// It reports false when there is no room for the rest; the direction is then
// released.
func (t *Table) Consume(f *Flow, d Dir, n int) bool {
	s := f.side(d)
	if f.key.Proto != packet.ProtoTCP || s.state&released != 0 {
		return true
	}
	s.state |= consumed
	if s.stream != 0 {
		st := t.streams.at(s.stream)
		n = min(max(n, 0), st.have)
		s.front += uint32(n)
		if st.drop(n); st.have == 0 && st.n == 0 {
			t.streams.give(s.stream)
			s.stream = 0
		}
		return true
	}
	if t.lentOf != s {
		t.lent = nil
	}
	n = min(max(n, 0), len(t.lent))
	s.front += uint32(n)
	if t.lent = t.lent[n:]; len(t.lent) == 0 {
		return true
	}
	if len(t.lent) > t.streams.each {
		t.overflow(f, s)
		return false
	}
	if !t.room(f, s, len(t.lent)) {
		return false
	}
	t.streams.at(s.stream).insert(0, t.lent)
	t.lent = nil
	return true
}

// room sees to it that s has a buffer of n bytes.
func (t *Table) room(f *Flow, s *side, n int) bool {
	if t.streams.grow(&s.stream, n, func(owner uint32, i uint8) { t.evicted(owner, i) }, f.ref, uint8(s.index(f))) {
		return true
	}
	t.overflow(f, s)
	return false
}

// index returns which side of f s is.
func (s *side) index(f *Flow) int {
	if s == &f.sides[0] {
		return 0
	}
	return 1
}

// evicted is told that the buffer of a side was taken for another.
func (t *Table) evicted(ref uint32, i uint8) {
	f := t.slab.at(ref)
	f.sides[i&1].stream = 0
	f.sides[i&1].state |= released | overfull
	f.Inspect &^= 1 << ((i ^ f.opener()) & 1)
}

// overflow releases a direction for want of room.
func (t *Table) overflow(f *Flow, s *side) {
	s.state |= overfull
	t.streams.evicted++
	t.Release(f, Dir(uint8(s.index(f))^f.opener()))
}

// Release gives the buffer of a direction back and stops collecting it.
func (t *Table) Release(f *Flow, d Dir) {
	s := f.side(d)
	if s.stream != 0 {
		t.streams.give(s.stream)
		s.stream = 0
	}
	s.state |= released
	f.Inspect &^= 1 << (d & 1)
	if t.lentOf == s { // what the other direction was lent may yet be consumed
		t.lent = nil
	}
}

// stallsBroken is how many segments behind a gap, arriving after the other
// end acknowledged the gap, prove that the capture lost it: one alone may be
// a reordering between the two directions of the span.
const stallsBroken = 2

// Stream returns the state of a direction.
func (t *Table) Stream(f *Flow, d Dir) Stream {
	s, o := f.side(d), f.side(d.Other())
	switch {
	case s.state&overfull != 0:
		return Full
	case s.state&released != 0:
		return Released
	}
	if s.stream != 0 {
		st := t.streams.at(s.stream)
		missing := s.front + uint32(st.have)
		if st.n > 0 && (st.stalls >= stallsBroken && o.state&ackKnown != 0 && int32(o.ack-missing) > 0 || st.stalls >= 64) {
			return Broken
		}
	}
	if s.state&midway != 0 {
		return MissedStart
	}
	return Flowing
}

// Resync moves the front of a stream with a gap to the first bytes held
// behind it, and lends what is contiguous there; nil when nothing is held.
func (t *Table) Resync(f *Flow, d Dir) []byte {
	s := f.side(d)
	if s.stream == 0 {
		return nil
	}
	st := t.streams.at(s.stream)
	if st.n == 0 {
		return nil
	}
	s.front += uint32(st.skip())
	return st.data[:st.have]
}
