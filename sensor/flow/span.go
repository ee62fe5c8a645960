package flow

import (
	"math/bits"

	"picket/sensor/packet"
)

// Two copies of a frame on a doubled span arrive within this time of packet
// time; identical copies, made by a switch that mirrors ingress and egress of
// one port, within much less.
const (
	copyWithin = int64(10e6)
	twinWithin = int64(100e3)
)

// When the span counts as doubled: out of the frames that are never alike by
// nature, so many were copies. Copies that differ in TTL, VLAN, MAC or
// encapsulation while checksum and identification agree have no other cause,
// so a few suffice; between VLANs only routed traffic comes twice.
const (
	learnFrames = 4096
	movedLeast  = 8
	movedShare  = 20 // one in 20
	twinLeast   = 16
	twinShare   = 5
	forgetShare = 4 // what was learnt is given up below a quarter of the share
)

const windowSize = 4096

// span learns what kind of span this is: doubled, or one way.
type span struct {
	window       [windowSize]glimpse
	frames       int // eligible frames since the last look
	moved, twins int // copies among them
	movedOn      bool
	twinsOn      bool
	bothWays     int // TCP flows seen in both directions
	oneWay       int // answered TCP flows seen in one
	pending      [64]pending
	nPending     int
	wasMoved     bool // the latest copy differed in path
}

// glimpse is what is remembered of a frame.
type glimpse struct {
	at   int64
	sum  uint32 // what two copies have in common
	path uint32 // what may differ
}

// pending is a UDP copy that was counted before the span was known to be
// doubled.
type pending struct {
	id    uint64
	ref   uint32
	bytes uint32
	side  uint8
	moved bool
}

// copyKind says what to do with a frame.
type copyKind uint8

const (
	first    copyKind = iota
	unsure            // a copy, but the span is not known to be doubled: counted
	suppress          // a copy on a doubled span
)

func (s *span) doubled() bool { return s.movedOn || s.twinsOn }

// seen looks the frame up among the latest.
func (s *span) seen(p *packet.Packet, l *Place) copyKind {
	sum, path := l.sum, l.path
	alike := p.PayloadLen >= 200 || p.Proto == packet.ProtoTCP && p.PayloadLen > 1
	if alike {
		if s.frames++; s.frames >= learnFrames {
			s.look()
		}
	}
	g := &s.window[sum>>32&(windowSize-1)]
	age := p.At - g.at
	if g.sum != uint32(sum) || age > copyWithin || age < -copyWithin || g.at == 0 {
		*g = glimpse{p.At, uint32(sum), path}
		return first
	}
	s.wasMoved = g.path != path
	if s.wasMoved {
		if alike {
			s.moved++
			s.learn()
		}
		if s.movedOn {
			return suppress
		}
		return unsure
	}
	if age > twinWithin || age < -twinWithin {
		g.at = p.At
		return first
	}
	if alike {
		s.twins++
		s.learn()
	}
	if s.twinsOn {
		return suppress
	}
	return unsure
}

// glimpse sums up a frame whose key is known: what both copies share, and what
// may differ. The sum is not keyed as that of the index is, so that a capture
// reads the same each time: who knows it can hide a copy, or have one seen
// that is none, and can do so by sending the same frame twice as well.
func (l *Place) glimpse(p *packet.Packet) {
	k := &l.key
	h := fold(le.Uint64(k.A[8:])^le.Uint64(k.B[:8])^0x8ebc6af09c88c6e3, le.Uint64(k.B[8:])^bits.RotateLeft64(le.Uint64(k.A[:8]), 32)^
		(uint64(k.APort)|uint64(k.BPort)<<16|uint64(k.Realm)<<32|uint64(k.Proto)<<48)*0x589965cc75374cc3)
	a := uint64(p.Seq)<<32 | uint64(p.Ack)
	b := uint64(p.FragID)<<32 | uint64(p.Checksum)<<16 | uint64(p.Flags)<<8 | uint64(l.from)
	if len(p.Payload) >= 8 && p.Proto == packet.ProtoUDP {
		a ^= le.Uint64(p.Payload)
		b ^= le.Uint64(p.Payload[len(p.Payload)-8:])
	}
	l.sum = fold(h^a, 0x9e3779b97f4a7c15^b^uint64(p.PayloadLen)<<40)
	m := uint64(le.Uint32(p.LinkSrc[2:]))<<32 | uint64(le.Uint32(p.LinkDst[2:]))
	v := uint64(p.TTL)<<48 | uint64(p.NEncap)<<40 | uint64(p.VLAN())<<16
	if p.NEncap > 0 {
		v ^= uint64(p.Encap[0].ID)
	}
	l.path = uint32(fold(m^0xa0761d6478bd642f, v^0xe7037ed1a0b428db))
}

// learn is called with each copy.
func (s *span) learn() {
	if s.moved >= movedLeast && s.moved*movedShare >= s.frames {
		s.movedOn = true
	}
	if s.twins >= twinLeast && s.twins*twinShare >= s.frames {
		s.twinsOn = true
	}
}

// look ends one learning window.
func (s *span) look() {
	if s.moved*movedShare*forgetShare < s.frames {
		s.movedOn = false
	}
	if s.twins*twinShare*forgetShare < s.frames {
		s.twinsOn = false
	}
	s.frames, s.moved, s.twins, s.nPending = 0, 0, 0, 0
}

// unsure remembers a counted UDP copy, and takes all such back once the span
// is known to be doubled. TCP needs none of it: sequence numbers count each
// byte once.
func (t *Table) unsure(f *Flow, p *packet.Packet, from uint8) {
	s := &t.span
	if p.Proto != packet.ProtoUDP || s.nPending == len(s.pending) {
		return
	}
	s.pending[s.nPending] = pending{f.ID, f.ref, uint32(p.PayloadLen), from, s.wasMoved}
	s.nPending++
}

// takeBack corrects what was counted twice before the span was known. What
// was told already stays as it is.
func (t *Table) takeBack() {
	left := 0
	for _, c := range t.span.pending[:t.span.nPending] {
		if c.moved && !t.span.movedOn || !c.moved && !t.span.twinsOn {
			t.span.pending[left] = c
			left++
			continue
		}
		f := t.slab.at(c.ref)
		s := &f.sides[c.side&1]
		if f.flags&live == 0 || f.ID != c.id || s.total.Bytes-s.told.Bytes < uint64(c.bytes) {
			continue
		}
		s.total.Bytes -= uint64(c.bytes)
		s.total.Packets--
		s.total.Handshake = min(s.total.Handshake, s.total.Bytes)
		t.stats.Duplicates++
	}
	t.span.nPending = left
}

// learnWays notes at the end of a TCP flow whether both directions were
// seen.
func (t *Table) learnWays(f *Flow) {
	if f.key.Proto != packet.ProtoTCP || f.flags&answered == 0 {
		return
	}
	if f.sides[0].total.Packets != 0 && f.sides[1].total.Packets != 0 {
		t.span.bothWays++
	} else {
		t.span.oneWay++
	}
	if t.span.bothWays+t.span.oneWay >= 1<<12 { // recent flows count most
		t.span.bothWays /= 2
		t.span.oneWay /= 2
	}
}

// blind reports that the span shows one direction only: of the TCP flows
// that were answered, nearly all were seen from one end.
func (t *Table) blind() bool { return t.span.oneWay >= 4 && t.span.oneWay > 9*t.span.bothWays }
