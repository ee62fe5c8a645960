package flow

import "picket/sensor/packet"

// maxJump is the largest distance between two sequence numbers that one
// window spans (RFC 7323, section 2.3). Beyond it counting starts afresh.
const maxJump = 1 << 30

// tcp counts a segment that s sent and o receives.
func (t *Table) tcp(f *Flow, s, o *side, p *packet.Packet) {
	s.tcp |= p.Flags
	seq, n := p.Seq, p.PayloadLen
	if p.Flags&packet.RST != 0 {
		t.close(f)
		return
	}
	if p.Flags&packet.SYN != 0 {
		seq++
		t.synchronise(s, seq)
	}
	if s.state&seqKnown == 0 || s.total.Packets == 1 && s.overtaken(seq) {
		s.begin(seq, p)
	}
	if d := int32(seq - s.next); d == 0 && s.state&records == 0 {
		s.next += uint32(n)
		s.total.Bytes += uint64(n)
	} else if (d != 0 || n != 0) && !s.behindFIN(d, n) {
		t.take(s, seq, n, p.Payload)
	}
	if f.flags&(answered|closed) != answered || p.Flags&packet.FIN != 0 {
		t.progress(f, s, o, p)
	}
	if p.Flags&packet.ACK != 0 {
		if t.acknowledge(s, o, p.Ack) {
			f.flags |= answered
		}
	}
}

// behindFIN reports that a segment without data stands where the sender's FIN
// says: it counts as one in the sequence (RFC 9293, section 3.4), and no byte is
// missing before it.
func (s *side) behindFIN(d int32, n int) bool { return d == 1 && n == 0 && s.state&finSeen != 0 }

// begin sets the base of a direction met in the middle. One byte without
// PSH is most likely a keep-alive probe, whose byte is stale (RFC 9293,
// section 3.8.4).
func (s *side) begin(seq uint32, p *packet.Packet) {
	if p.PayloadLen == 1 && p.Flags&(packet.PSH|packet.FIN) == 0 {
		seq++
	}
	s.next, s.base, s.front = seq, seq, seq
	s.state |= seqKnown | midway
}

// maxOvertaken is how far the answer to a segment may be ahead of it.
const maxOvertaken = 1 << 16

// overtaken reports that the first segment seen of a direction stands before
// what the other end acknowledged, by which alone the direction was known: its
// answer came in first.
func (s *side) overtaken(seq uint32) bool {
	d := int32(seq - s.next)
	if s.state&midway == 0 || d >= 0 || d < -maxOvertaken {
		return false
	}
	s.total.Missed -= min(s.total.Missed, uint32(-d))
	return true
}

// synchronise takes the base from a SYN; a later one is believed as long as
// nothing was sent after the first.
func (t *Table) synchronise(s *side, first uint32) {
	if s.state&seqKnown != 0 && (s.base == first || s.total.Bytes != 0) {
		return
	}
	t.forget(s)
	s.next, s.base, s.front = first, first, first
	s.state = s.state&^midway | seqKnown
}

// progress moves the flow's state: answered, closed.
func (t *Table) progress(f *Flow, s, o *side, p *packet.Packet) {
	fromServer := s == f.side(Down)
	if fromServer || p.Flags&(packet.SYN|packet.ACK) == packet.ACK && f.flags&missedStart == 0 {
		f.flags |= answered // the server speaks, or the client completes the handshake
	}
	if p.Flags&packet.FIN != 0 {
		s.state |= finSeen
		if o.state&finSeen != 0 || o.total.Packets == 0 {
			t.close(f)
		}
		return
	}
	if f.flags&closed != 0 && p.PayloadLen > 0 && (s.state|o.state)&finSeen == 0 {
		f.flags &^= closed // data behind a RST: the reset was not taken
	}
}

// close lets f linger for late segments.
func (t *Table) close(f *Flow) {
	f.flags |= closed
	due := f.last + t.c.IdleClosed
	if t.c.Prompt != nil && f.reportAt != 0 { // however leisurely: this is all that there will be to tell
		due = f.last + t.c.FirstReport
		f.reportAt = min(f.reportAt, t.wheel.moment(due))
	}
	t.wheel.sooner(&t.slab, f, due)
}

// take counts a segment that is not simply the next: n bytes from seq.
func (t *Table) take(s *side, seq uint32, n int, payload []byte) {
	d := int32(seq - s.next)
	if d > maxJump || d < -maxJump {
		t.forget(s)
		s.next, d = seq, 0
	}
	if d > 0 {
		t.hole(s, s.next, seq)
		t.skipRecords(s, d, payload)
		s.next, d = seq, 0
	}
	end := seq + uint32(n)
	if fresh := int(int32(end - s.next)); fresh > 0 {
		t.countRecords(s, payload[min(n-fresh, len(payload)):], fresh)
		s.total.Bytes += uint64(fresh)
		s.next = end
		n -= fresh
	}
	if d < 0 && s.holes != 0 {
		filled := t.holes.fill(&s.holes, seq, seq+uint32(n))
		s.total.Bytes += uint64(filled)
		s.fillRecords(filled)
	}
}

// acknowledge notes that s acknowledged what o sent before ack, and reports
// that this proves an answer: the number moved on. What was never seen of
// it becomes a hole, as if a later segment had shown it. One byte more than
// was seen is taken for a FIN.
func (t *Table) acknowledge(s, o *side, ack uint32) (moved bool) {
	if s.state&ackKnown == 0 {
		s.ack = ack
		s.state |= ackKnown
		if o.state&seqKnown == 0 {
			o.next, o.base, o.front = ack, ack, ack
			o.state |= seqKnown | midway
			return false
		}
	} else if d := int32(ack - s.ack); d > 0 {
		s.ack = ack
		moved = true
	} else {
		return false
	}
	gap := int32(ack - o.next)
	if gap <= 1 || gap > maxJump {
		return moved
	}
	if o.total.Packets == 0 { // never seen at all: no hole is worth keeping
		o.total.Missed += uint32(gap)
		o.front = ack
	} else {
		t.hole(o, o.next, ack)
		t.skipRecords(o, gap, nil)
	}
	o.next = ack
	return moved
}

// hole notes that [from, to) of s was not seen.
func (t *Table) hole(s *side, from, to uint32) {
	if !t.holes.add(&s.holes, from, to) {
		s.total.Missed += to - from
	}
}

// forget gives up the holes of s.
func (t *Table) forget(s *side) {
	if s.holes != 0 {
		t.holes.give(s.holes)
		s.holes = 0
	}
}
