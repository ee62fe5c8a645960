package packet

// Protocol types of GRE that are no EtherTypes of their own.
const (
	greERSPAN  = 0x88be // types I and II
	greERSPAN3 = 0x22eb
	greWCCP    = 0x883e
	grePPP     = 0x880b
)

// gre reads a GRE header (RFC 2784, RFC 2890), or that of PPTP (RFC 2637).
func (p *Packet) gre(b []byte, wire int) Reason {
	if len(b) < 4 {
		p.Layer = GRE
		return Truncated
	}
	flags, proto := be.Uint16(b), be.Uint16(b[2:])
	switch flags & 7 {
	case 0:
	case 1:
		return p.pptp(flags, proto, b, wire)
	default:
		return BadVersion
	}
	n, key := 4, uint32(0)
	if flags&0xc000 != 0 { // checksum and offset: there if either is meant
		n += 4
	}
	if flags&0x2000 != 0 {
		if len(b) < n+4 {
			return Truncated
		}
		key = be.Uint32(b[n:])
		n += 4
	}
	if flags&0x1000 != 0 {
		n += 4
	}
	if flags&0x4000 != 0 {
		n = greRouting(n, b)
	}
	if len(b) < n {
		return Truncated
	}
	b, wire = b[n:], wire-n
	switch proto {
	case greERSPAN, greERSPAN3:
		return p.erspan(proto, flags&0x1000 != 0, b, wire)
	case greWCCP:
		return p.wccp(b, wire)
	case typeTEB:
		if flags&0x2000 != 0 {
			p.VNI = key >> 8 // NVGRE (RFC 7637, section 3.2)
		}
		return p.carry(GRE, key, b, wire, (*Packet).ethernet)
	case grePPP:
		return p.carry(GRE, key, b, wire, (*Packet).ppp)
	case 0: // keep-alive of Cisco routers
		return Control
	case 0x8200, 0x8210, 0x8220, 0x8230, 0x8240, 0x8250, 0x8260, 0x8270, 0x8280, 0x8290,
		0x82a0, 0x82b0, 0x82c0, 0x82d0, 0x82e0, 0x82f0, 0x8300, 0x8310, 0x8320, 0x8330, 0x8340, 0x8350,
		0x8360, 0x8370, 0x8380, 0x8390: // Aruba's access points, one number for each radio and SSID
		return p.carry(GRE, key, b, wire, (*Packet).wifi)
	case typeIPv4, 0x0021:
		return p.carry(GRE, key, b, wire, (*Packet).ipv4)
	case typeIPv6:
		return p.carry(GRE, key, b, wire, (*Packet).ipv6)
	}
	return p.greOther(proto, key, b, wire)
}

// maxRoutes bounds the source route entries followed.
const maxRoutes = 16

// greRouting skips the source routes at n (RFC 1701), each of which states its
// length; one without length and family is the last.
func greRouting(n int, b []byte) int {
	for range maxRoutes {
		if len(b) < n+4 {
			break
		}
		family, size := be.Uint16(b[n:]), int(b[n+3])
		if n += 4; family == 0 && size == 0 {
			return n
		}
		n += size
	}
	return len(b) + 1
}

// greOther reads any other EtherType.
func (p *Packet) greOther(proto uint16, key uint32, b []byte, wire int) Reason {
	outer := *p
	if !p.push(GRE, key) {
		return TooDeep
	}
	p.resetNetwork()
	p.LinkSrc, p.LinkDst = MAC{}, MAC{}
	r := p.etherType(proto, b, wire)
	if broken(r) {
		*p = outer
	}
	return r
}

// erspan reads ERSPAN type I (nothing), II or III (draft-foschiano-erspan-03).
func (p *Packet) erspan(proto uint16, sequence bool, b []byte, wire int) Reason {
	if !p.push(GRE, 0) {
		return TooDeep
	}
	return p.erspanHeader(proto, sequence, b, wire)
}

func (p *Packet) erspanHeader(proto uint16, sequence bool, b []byte, wire int) Reason {
	p.Layer = ERSPAN
	if proto == greERSPAN && !sequence {
		return p.carry(ERSPAN, 0, b, wire, (*Packet).ethernet)
	}
	n, session := 8, uint32(0)
	inner := (*Packet).ethernet
	if len(b) < 8 {
		return Truncated
	}
	session = uint32(be.Uint16(b[2:])) & 0x3ff
	if b[2]&0x04 != 0 {
		p.cut = true
	}
	if b[0]>>4 == 2 || proto == greERSPAN3 {
		n = 12
		if len(b) < n {
			return Truncated
		}
		if b[11]&1 != 0 { // platform subheader
			n += 8
		}
		if ft := b[10] >> 2 & 0x1f; ft == 2 {
			inner = (*Packet).ip
		}
	}
	if len(b) < n {
		return Truncated
	}
	return p.carry(ERSPAN, session, b[n:], wire-n, inner)
}

// wccp skips the redirect header of WCCP version 2, which may be absent
// (draft-mclaggan-wccp-v2rev1).
func (p *Packet) wccp(b []byte, wire int) Reason {
	if len(b) < 4 {
		return Truncated
	}
	if b[0]>>4 != 4 {
		b, wire = b[4:], wire-4
	}
	return p.carry(GRE, 0, b, wire, (*Packet).ipv4)
}

// pptp reads enhanced GRE (RFC 2637, section 4.1), which carries PPP.
func (p *Packet) pptp(flags, proto uint16, b []byte, wire int) Reason {
	n := 8
	if flags&0x1000 != 0 {
		n += 4
	}
	if flags&0x0080 != 0 {
		n += 4
	}
	if proto != grePPP || flags&0x2000 == 0 {
		return BadVersion
	}
	if len(b) < n {
		return Truncated
	}
	size := int(be.Uint16(b[4:]))
	b, wire = b[n:], wire-n
	if flags&0x1000 == 0 || size == 0 { // acknowledgement alone
		p.Layer = GRE
		return Control
	}
	if size < wire {
		wire, b = size, b[:min(size, len(b))]
	}
	return p.carry(GRE, 0, b, wire, (*Packet).ppp)
}
