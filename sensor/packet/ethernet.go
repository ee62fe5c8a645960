package packet

// EtherTypes (IEEE 802 numbers, IANA).
const (
	typeIPv4      = 0x0800
	typeVLAN      = 0x8100
	typeQinQ      = 0x88a8
	typeIPv6      = 0x86dd
	typeMPLS      = 0x8847
	typeMPLSMulti = 0x8848
	typeDiscovery = 0x8863
	typePPPoE     = 0x8864
	typeTEB       = 0x6558 // transparent Ethernet bridging
)

// ethernetOuter reads the frame's own Ethernet header: the tag that the
// kernel took off stays.
func (p *Packet) ethernetOuter(b []byte, wire int) Reason {
	p.Layer = Ethernet
	if len(b) < 14 {
		return Truncated
	}
	p.LinkDst, p.LinkSrc = MAC(b[0:6]), MAC(b[6:12])
	t := be.Uint16(b[12:14])
	if t == typeIPv4 {
		p.EtherType = t
		return p.ipv4(b[14:], wire-14)
	}
	if t < 0x600 {
		return p.llcLength(int(t), b[14:], wire-14)
	}
	return p.etherType(t, b[14:], wire-14)
}

// ethernet reads an Ethernet frame inside a tunnel.
func (p *Packet) ethernet(b []byte, wire int) Reason {
	p.NVLAN = 0
	return p.ethernetOuter(b, wire)
}

// llcLength reads an 802.3 frame, whose type field is a length.
func (p *Packet) llcLength(n int, b []byte, wire int) Reason {
	if n < wire {
		wire = n
		b = b[:min(n, len(b))]
	}
	return p.llc(b, wire)
}

// etherType reads what an EtherType announces.
func (p *Packet) etherType(t uint16, b []byte, wire int) Reason {
	p.EtherType = t
	switch t {
	case typeIPv4:
		return p.ipv4(b, wire)
	case typeIPv6:
		return p.ipv6(b, wire)
	case typeVLAN, typeQinQ, 0x9100, 0x9200, 0x9300:
		return p.vlan(b, wire)
	case EtherTypeARP:
		return p.arp(b)
	case typeMPLS, typeMPLSMulti:
		return p.mpls(b, wire)
	case typePPPoE:
		return p.pppoe(b, wire)
	}
	return p.rareType(t, b, wire)
}

// rareType keeps the seldom ones out of the way of the frequent ones.
func (p *Packet) rareType(t uint16, b []byte, wire int) Reason {
	switch t {
	case 0x8926: // VN-Tag: 4 bytes, then the EtherType
		return p.tag(VNTag, 4, b, wire)
	case 0x893f: // 802.1BR E-TAG: 6 bytes
		return p.tag(VNTag, 6, b, wire)
	case 0x8909: // Cisco metadata: version, length, option, SGT
		return p.tag(CiscoMetadata, 6, b, wire)
	case 0x894f:
		return p.nsh(b, wire)
	case 0x88e7: // 802.1ah: I-TAG, then the customer's frame
		if len(b) < 4 {
			return Truncated
		}
		p.VNI = be.Uint32(b) & 0xffffff
		return p.carry(VLAN, p.VNI, b[4:], wire-4, (*Packet).ethernet)
	case greERSPAN, greERSPAN3: // a mirror that leaves the GRE header out: type I has nothing to know it by
		return p.erspanHeader(t, true, b, wire)
	case typeTEB:
		return p.carry(EtherIP, 0, b, wire, (*Packet).ethernet)
	case 0x880b:
		return p.ppp(b, wire)
	case 0x22f3:
		return p.trill(b, wire)
	case 0x892f: // HSR: path and size, sequence number (IEC 62439-3)
		return p.tag(HSR, 4, b, wire)
	case 0x8903: // FabricPath: tree and TTL, then the frame
		if len(b) < 2 {
			return Truncated
		}
		return p.carry(EtherIP, 0, b[2:], wire-2, (*Packet).ethernet)
	case 0x88e5: // MACsec
		return TunnelEncrypted
	case 0x88cc, 0x8809, 0x888e, 0x9000, 0x8902, 0x88f7, 0x8899, 0x88e3, typeDiscovery, 0x2000, 0x8035:
		return Control // LLDP, slow protocols, EAPOL, loop, CFM, PTP, RRCP, MRP, PPPoE discovery, CDP, SLARP
	}
	return NotIP
}

// vlan reads one 802.1Q or 802.1ad tag.
func (p *Packet) vlan(b []byte, wire int) Reason {
	p.Layer = VLAN
	if len(b) < 4 {
		return Truncated
	}
	id := be.Uint16(b) & 0xfff
	if p.NVLAN >= maxVLANs || !p.push(VLAN, uint32(id)) {
		return TooDeep
	}
	p.VLANs[p.NVLAN] = id
	p.NVLAN++
	t := be.Uint16(b[2:])
	if t < 0x600 {
		return p.llcLength(int(t), b[4:], wire-4)
	}
	return p.etherType(t, b[4:], wire-4)
}

// tag skips n bytes of a tag, behind which stands the next EtherType.
func (p *Packet) tag(l Layer, n int, b []byte, wire int) Reason {
	if !p.push(l, 0) {
		return TooDeep
	}
	if len(b) < n+2 {
		return Truncated
	}
	t := be.Uint16(b[n:])
	if t < 0x600 {
		return p.llcLength(int(t), b[n+2:], wire-n-2)
	}
	return p.etherType(t, b[n+2:], wire-n-2)
}

// arp hands the ARP message over, padding cut off (RFC 826).
func (p *Packet) arp(b []byte) Reason {
	p.Layer = ARP
	if len(b) < 8 {
		return Truncated
	}
	n := 8 + 2*(int(b[4])+int(b[5]))
	p.PayloadLen, p.Payload = n, b[:min(n, len(b))]
	return Decoded
}

// llc reads an IEEE 802.2 header, with SNAP (RFC 1042).
func (p *Packet) llc(b []byte, wire int) Reason {
	p.Layer = LLC
	if len(b) < 3 {
		return Truncated
	}
	switch {
	case b[0] == 0xaa && b[1] == 0xaa:
		return p.snap(b, wire)
	case b[0] == 0x06 && b[1] == 0x06: // IP
		return p.ip(b[3:], wire-3)
	case b[0] == 0xfe && b[1] == 0xfe && len(b) > 3 && b[2] == 3: // ISO network layer (RFC 2684, section 5.2)
		return p.networkID(b[3:], wire-3)
	case b[0] == 0x42, b[0] == 0xfe, b[0] == 0: // spanning tree, IS-IS, null
		return Control
	}
	return NotIP
}

func (p *Packet) snap(b []byte, wire int) Reason {
	if len(b) < 8 {
		return Truncated
	}
	return p.snapBody(b[3:], wire-3)
}

// snapBody reads organisation and protocol, and what they announce.
func (p *Packet) snapBody(b []byte, wire int) Reason {
	if len(b) < 5 {
		return Truncated
	}
	oui, t := be.Uint32(b)>>8, be.Uint16(b[3:])
	switch {
	case oui == 0x00000c, oui == 0x00e02b, oui == 0x0180c2: // Cisco and Extreme discovery
		return Control
	case oui == 0x0080c2 && (t == 7 || t == 1): // bridged Ethernet, without or with FCS; padded on ATM (RFC 2684, section 5.2)
		if r, ok := p.inside(EtherIP, 0, b[5:], wire-5, (*Packet).ethernet); ok || len(b) < 7 {
			return r
		}
		return p.carry(EtherIP, 0, b[7:], wire-7, (*Packet).ethernet)
	case oui != 0 && oui != 0x0000f8 || t < 0x600:
		return NotIP
	}
	return p.etherType(t, b[5:], wire-5)
}

// trill reads TRILL (RFC 6325, section 3): options in words, an Ethernet frame.
func (p *Packet) trill(b []byte, wire int) Reason {
	if len(b) < 6 {
		return Truncated
	}
	n := 6 + 4*int(be.Uint16(b)>>6&0x1f)
	if len(b) < n {
		return Truncated
	}
	return p.carry(TRILL, 0, b[n:], wire-n, (*Packet).ethernet)
}
