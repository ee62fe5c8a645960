package packet

// Link types of wide area networks and of local ones other than Ethernet.
const (
	linkTokenRing  = 6
	linkSLIP       = 8
	linkFDDI       = 10
	linkATM        = 100 // LLC (RFC 2684)
	linkATMClassic = 106 // Linux Classical IP over ATM: LLC or none
	linkFrameRelay = 107
	linkIPFC       = 122 // RFC 2625
	linkSunATM     = 123
	linkFireWire   = 138 // RFC 2734
	linkMPLS       = 219
	linkInfiniband = 242 // RFC 4391
	linkBrcmTag    = 281
	linkBrcmBefore = 282
	linkDSA        = 284
	linkEDSA       = 285
)

// wanLink reads the seldom link types of wires.
func (p *Packet) wanLink(link uint16, b []byte, wire int) Reason {
	switch link {
	case linkFrameRelay:
		return p.frameRelay(b, wire)
	case linkTokenRing:
		return p.tokenRing(b, wire)
	case linkFDDI:
		return p.macs(1, 13, b, wire, (*Packet).llc)
	case linkIPFC:
		if len(b) < 16 {
			return Truncated
		}
		p.LinkDst, p.LinkSrc = MAC(b[2:8]), MAC(b[10:16])
		return p.llc(b[16:], wire-16)
	case linkATM:
		return p.llc(b, wire)
	case linkATMClassic:
		if len(b) > 0 && b[0] == 0xaa {
			return p.llc(b, wire)
		}
		p.Layer = RawIP
		return p.ip(b, wire)
	case linkSunATM:
		return p.sunATM(b, wire)
	case linkFireWire:
		return p.typeAt(16, 18, b, wire)
	case linkInfiniband: // a global routing header comes first
		return p.typeAt(40, 44, b, wire)
	case linkMPLS:
		return p.mpls(b, wire)
	case linkSLIP: // direction and the compressed header, if any
		p.Layer = RawIP
		return p.after(16, b, wire, (*Packet).ip)
	}
	return p.switchTag(link, b, wire)
}

// macs reads destination and source address at n, and goes on at body.
func (p *Packet) macs(n, body int, b []byte, wire int, inner func(*Packet, []byte, int) Reason) Reason {
	p.Layer = Ethernet
	if len(b) < body {
		return Truncated
	}
	p.LinkDst, p.LinkSrc = MAC(b[n:n+6]), MAC(b[n+6:n+12])
	return inner(p, b[body:], wire-body)
}

// typeAt reads the EtherType at n, and what it announces at body.
func (p *Packet) typeAt(n, body int, b []byte, wire int) Reason {
	p.Layer = Ethernet
	if len(b) < body {
		return Truncated
	}
	t := be.Uint16(b[n:])
	if t < 0x600 {
		return p.llcLength(int(t), b[body:], wire-body)
	}
	return p.etherType(t, b[body:], wire-body)
}

// switchTag reads the tag that a switch chip writes for its processor: between
// source address and EtherType, or before the frame.
func (p *Packet) switchTag(link uint16, b []byte, wire int) Reason {
	n := 4
	switch link {
	case linkBrcmBefore:
		return p.after(n, b, wire, (*Packet).ethernetOuter)
	case linkEDSA: // an EtherType of its own and two octets reserved, then the tag
		n = 8
	}
	p.Layer = Ethernet
	if len(b) < 12 {
		return Truncated
	}
	p.LinkDst, p.LinkSrc = MAC(b[0:6]), MAC(b[6:12])
	return p.typeAt(12+n, 14+n, b, wire)
}

// tokenRing reads IEEE 802.5, with the routing field that the first bit of
// the source address announces.
func (p *Packet) tokenRing(b []byte, wire int) Reason {
	n := 14
	if len(b) > n && b[8]&0x80 != 0 {
		n += int(b[14] & 0x1f)
	}
	if len(b) > 1 && b[1]&0xc0 != 0x40 {
		return Control
	}
	r := p.macs(2, n, b, wire, (*Packet).llc)
	p.LinkSrc[0] &= 0x7f
	return r
}

// sunATM reads direction and kind, VPI, VCI, then LLC or emulated Ethernet.
func (p *Packet) sunATM(b []byte, wire int) Reason {
	p.Layer = LLC
	if len(b) < 4 {
		return Truncated
	}
	switch b[0] & 0x0f {
	case 1:
		return p.after(6, b, wire, (*Packet).ethernetOuter)
	case 2:
		return p.llc(b[4:], wire-4)
	}
	return Control
}

// frameRelay reads an address of two to four octets (Q.922, section 3.2), then
// RFC 2427 (a network layer identifier behind control 3), or Cisco's
// EtherType.
func (p *Packet) frameRelay(b []byte, wire int) Reason {
	p.Layer = FrameRelay
	n := 1
	for n < 4 && n < len(b) && b[n]&1 == 0 {
		n++
	}
	if n++; len(b) < n+3 {
		return Truncated
	}
	if b[0]&1 != 0 || b[n-1]&1 == 0 {
		return BadLength
	}
	b, wire = b[n:], wire-n
	if b[0] != 3 {
		if t := be.Uint16(b); t >= 0x600 {
			return p.etherType(t, b[2:], wire-2)
		}
		return Control
	}
	n = 1
	if b[1] == 0 { // padding
		n = 2
	}
	return p.networkID(b[n:], wire-n)
}

// networkID reads a network layer protocol identifier (ISO/IEC TR 9577; RFC
// 2427, section 3).
func (p *Packet) networkID(b []byte, wire int) Reason {
	if len(b) < 1 {
		return Truncated
	}
	switch b[0] {
	case 0xcc:
		return p.ipv4(b[1:], wire-1)
	case 0x8e:
		return p.ipv6(b[1:], wire-1)
	case 0x80: // SNAP without LLC
		return p.snapBody(b[1:], wire-1)
	case 0xcf:
		return p.ppp(b[1:], wire-1)
	}
	return Control // link management, OSI routing
}
