package flow

import "picket/sensor/packet"

// orient decides which end opened f, from its first frame.
func (f *Flow) orient(p *packet.Packet, from uint8) {
	client := from
	switch {
	case p.Proto != packet.ProtoTCP:
		if answers(p.SrcPort, p.DstPort) {
			client = from ^ 1
			f.flags |= missedStart
		}
	case p.Flags&(packet.SYN|packet.ACK) == packet.SYN:
		f.flags |= bySignal
	case p.Flags&packet.SYN != 0:
		client = from ^ 1
		f.flags |= bySignal
	default:
		f.flags |= missedStart
		if p.SrcPort < p.DstPort {
			client = from ^ 1
		}
	}
	if client != 0 {
		f.flags |= openerB
	}
}

// answers reports that a first datagram with these ports is an answer whose
// question was missed: from a well-known port (RFC 6335, section 6) to one
// that is not registered to a service.
func answers(src, dst uint16) bool { return src < 1024 && dst >= 1024 && src != 0 }

// reuseAfter is the silence after which a SYN with another sequence number
// means a new conversation although no end of the old one was seen. A SYN
// earlier than that is more likely forged: a living TCP ignores it (RFC
// 9293, section 3.10.7.4).
const reuseAfter = 1e9

// reused reports that p, a SYN, begins another conversation on the same
// ports: another initial sequence number after an end or a silence.
func (f *Flow) reused(p *packet.Packet, from uint8) bool {
	s := &f.sides[from&1]
	if s.state&seqKnown != 0 && s.base == p.Seq+1 {
		return false // retransmitted
	}
	if f.flags&(closed|ended) != 0 {
		return true
	}
	quiet := p.At-f.last >= reuseAfter
	if f.sides[0].total.Bytes+f.sides[1].total.Bytes == 0 && f.flags&answered == 0 {
		return false // the same attempt, tried anew
	}
	return quiet
}
