package packet

// pppoe reads a PPPoE session header (RFC 2516, section 4).
func (p *Packet) pppoe(b []byte, wire int) Reason {
	p.Layer = PPPoE
	if len(b) < 6 {
		return Truncated
	}
	if b[0] != 0x11 {
		return BadVersion
	}
	if b[1] != 0 { // discovery
		return Control
	}
	if !p.push(PPPoE, uint32(be.Uint16(b[2:]))) {
		return TooDeep
	}
	n := int(be.Uint16(b[4:]))
	b, wire = b[6:], wire-6
	if n < wire {
		wire, b = n, b[:min(n, len(b))]
	}
	return p.pppProto(b, wire)
}

// ppp reads a PPP frame, with or without address and control field (RFC
// 1662), or Cisco HDLC, which shares its link type.
func (p *Packet) ppp(b []byte, wire int) Reason {
	p.Layer = PPP
	if len(b) < 2 {
		return Truncated
	}
	switch {
	case b[0] == 0xff && b[1] == 0x03:
		return p.pppProto(b[2:], wire-2)
	case b[0] == 0x0f || b[0] == 0x8f:
		return p.hdlc(b, wire)
	}
	return p.pppProto(b, wire)
}

// pppProto reads the protocol field (RFC 1661, section 2), which is one byte
// long where that was agreed: the last byte is odd.
func (p *Packet) pppProto(b []byte, wire int) Reason {
	p.Layer = PPP
	if len(b) < 2 {
		return Truncated
	}
	proto, n := be.Uint16(b), 2
	if b[0]&1 != 0 {
		proto, n = uint16(b[0]), 1
	}
	b, wire = b[n:], wire-n
	switch {
	case proto == 0x21:
		return p.ipv4(b, wire)
	case proto == 0x57:
		return p.ipv6(b, wire)
	case proto == 0x281, proto == 0x283:
		return p.mpls(b, wire)
	case proto == 0x31: // bridging (RFC 3518): flags, MAC type
		if len(b) < 2 {
			return Truncated
		}
		return p.carry(PPP, 0, b[2:], wire-2, (*Packet).ethernet)
	case proto >= 0x8000: // network and link control protocols
		return Control
	}
	return NotIP
}

// hdlc reads Cisco HDLC: address, control, EtherType.
func (p *Packet) hdlc(b []byte, wire int) Reason {
	p.Layer = HDLC
	if len(b) < 4 {
		return Truncated
	}
	t := be.Uint16(b[2:])
	if b[1] != 0 || t < 0x600 {
		return NotIP
	}
	return p.etherType(t, b[4:], wire-4)
}

// l2tp reads an L2TP version 2 data message (RFC 2661, section 3.1).
func (p *Packet) l2tp(b []byte, wire int) (Reason, bool) {
	if len(b) < 6 {
		return 0, false
	}
	flags, n := be.Uint16(b), 2
	if flags == 3 { // version 3 (RFC 3931, section 4.1.2): two octets reserved
		return p.l2tp3Session(b[4:], wire-4)
	}
	if flags&0x000f != 2 || flags&0x8000 != 0 { // control messages are plain UDP
		return 0, false
	}
	if flags&0x4000 != 0 { // length
		if l := int(be.Uint16(b[2:])); l > wire || l < 8 {
			return 0, false
		} else if l < wire {
			wire, b = l, b[:min(l, len(b))]
		}
		n += 2
	}
	n += 4 // tunnel, session
	if flags&0x0800 != 0 {
		n += 4
	}
	if flags&0x0200 != 0 {
		if len(b) < n+2 {
			return 0, false
		}
		n += 2 + int(be.Uint16(b[n:]))
	}
	if len(b) < n {
		return 0, false
	}
	return p.inside(L2TP, 0, b[n:], wire-n, (*Packet).ppp)
}

// l2tp3 reads an L2TP version 3 data message over IP (RFC 3931, section
// 4.1.1) that carries Ethernet. The length of the cookie is agreed out of
// band: each is tried.
func (p *Packet) l2tp3(b []byte, wire int) Reason {
	if len(b) < 4 {
		return Truncated
	}
	if be.Uint32(b) == 0 {
		return Control
	}
	if r, ok := p.l2tp3Session(b, wire); ok {
		return r
	}
	return OtherTransport
}

// l2tp3Session reads a session's frame: behind its number and a cookie of zero,
// four or eight octets, the word of the default sublayer or none.
func (p *Packet) l2tp3Session(b []byte, wire int) (Reason, bool) {
	if len(b) < 4 || be.Uint32(b) == 0 {
		return 0, false
	}
	for _, n := range [...]int{4, 8, 12, 16} {
		if len(b) < n {
			break
		}
		outer := *p
		if r, ok := p.inside(L2TP, 0, b[n:], wire-n, (*Packet).ethernet); ok && r != Control {
			return r, true
		}
		*p = outer
		if r, ok := p.sound(L2TP, 0, b[n:], wire-n, (*Packet).ppp); ok {
			return r, true
		}
	}
	return 0, false
}
