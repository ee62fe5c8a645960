package packet

import "encoding/binary"

// maxDepth bounds the IP headers inside one another.
const maxDepth = 8

// be reads the network's byte order.
var be = binary.BigEndian

// reset makes p as if nothing of frame had been read. It stores field by
// field: clearing the whole struct, with its arrays, costs more than the
// decoding of an ordinary frame.
func (p *Packet) reset(frame []byte, at int64, wire int) {
	p.At, p.Frame, p.Wire = at, frame, max(wire, len(frame))
	p.Layer, p.NVLAN, p.NEncap, p.depth, p.cut, p.VNI = NoLayer, 0, 0, 0, false, 0
	p.LinkSrc, p.LinkDst, p.BSSID, p.EtherType = MAC{}, MAC{}, MAC{}, 0
	p.resetNetwork()
}

// resetNetwork forgets all from the IP header inwards.
func (p *Packet) resetNetwork() {
	p.Version, p.TTL, p.Proto, p.Flags = 0, 0, 0, 0
	p.Src, p.Dst, p.SrcPort, p.DstPort = Addr{}, Addr{}, 0, 0
	p.Seq, p.Ack, p.Window, p.Checksum = 0, 0, 0, 0
	p.FragID, p.FragOffset, p.FragMore = 0, 0, false
	p.Super, p.Short = false, false
	p.Payload, p.PayloadLen, p.Options, p.datagram = nil, 0, nil, nil
}

// push records that the frame goes on inside layer l. False means that it
// has nested too often.
func (p *Packet) push(l Layer, id uint32) bool {
	p.Layer = l
	if p.NEncap >= maxEncap {
		return false
	}
	p.Encap[p.NEncap] = Encap{l, id}
	p.NEncap++
	return true
}

// inside reads what a tunnel of layer l (NoLayer: one that names itself)
// carries: b, wire bytes long. If that
// is no sound packet, p is as before, describes the tunnel's own packet, and
// ok is false; the reason is then that of the inside.
func (p *Packet) inside(l Layer, id uint32, b []byte, wire int, inner func(*Packet, []byte, int) Reason) (r Reason, ok bool) {
	outer := *p
	if l != NoLayer && !p.push(l, id) {
		return TooDeep, true
	}
	p.resetNetwork()
	p.LinkSrc, p.LinkDst, p.EtherType = MAC{}, MAC{}, 0
	r = inner(p, b, wire)
	switch {
	case r == NotIP, r == BadLength, r == BadVersion, r == Truncated && len(b) == wire && !p.cut:
		*p = outer
		return r, false
	}
	return r, true
}

// carry is inside for layers whose header says for certain what they carry.
func (p *Packet) carry(l Layer, id uint32, b []byte, wire int, inner func(*Packet, []byte, int) Reason) Reason {
	r, _ := p.inside(l, id, b, wire, inner)
	return r
}
