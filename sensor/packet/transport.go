package packet

// transport reads what stands behind the IP header.
func (p *Packet) transport(b []byte, wire int) Reason {
	switch p.Proto {
	case ProtoTCP:
		return p.tcp(b, wire)
	case ProtoUDP:
		return p.udp(b, wire)
	case ProtoICMP, ProtoICMPv6:
		p.Layer = ICMP
		if p.Proto == ProtoICMPv6 {
			p.Layer = ICMPv6
		}
		p.Payload, p.PayloadLen = b, wire
		if len(b) < 4 {
			return Truncated
		}
		return Decoded
	}
	p.Payload, p.PayloadLen = b, wire
	return p.tunnelProto(b, wire)
}

// tunnelProto reads the tunnels that have an IP protocol number.
func (p *Packet) tunnelProto(b []byte, wire int) Reason {
	switch p.Proto {
	case 4:
		return p.carry(p.over(IPIP, FourInSix), 0, b, wire, (*Packet).ipv4)
	case 41:
		return p.carry(p.over(SixInFour, SixInSix), 0, b, wire, (*Packet).ipv6)
	case 47:
		return p.gre(b, wire)
	case 50:
		p.Layer = ESP
		return EncryptedESP
	case 51: // over IPv4; over IPv6 it is an extension header
		return p.ah(b, wire)
	case 97: // EtherIP (RFC 3378): version 3, reserved
		if len(b) < 2 {
			return Truncated
		}
		return p.carry(EtherIP, 0, b[2:], wire-2, (*Packet).ethernet)
	case 103:
		return p.pim(b, wire)
	case 115:
		return p.l2tp3(b, wire)
	case 137: // MPLS in IP (RFC 4023)
		return p.carry(NoLayer, 0, b, wire, (*Packet).mpls)
	case 143: // Ethernet behind a segment routing header (RFC 8986, section 9)
		return p.carry(EtherIP, 0, b, wire, (*Packet).ethernet)
	}
	return OtherTransport
}

// tcp reads a TCP header (RFC 9293, section 3.1).
func (p *Packet) tcp(b []byte, wire int) Reason {
	p.Layer = TCP
	if len(b) < 20 {
		p.Payload, p.PayloadLen = nil, 0
		if len(b) >= 4 {
			p.SrcPort, p.DstPort = be.Uint16(b), be.Uint16(b[2:])
		}
		return Truncated
	}
	p.SrcPort, p.DstPort = be.Uint16(b[0:2]), be.Uint16(b[2:4])
	p.Seq, p.Ack = be.Uint32(b[4:8]), be.Uint32(b[8:12])
	p.Flags, p.Window, p.Checksum = b[13], be.Uint16(b[14:16]), be.Uint16(b[16:18])
	n := int(b[12]>>4) * 4
	if n < 20 || n > wire {
		return BadLength
	}
	p.PayloadLen = wire - n
	if n > len(b) { // cut inside the options: all that counts is known
		return Decoded
	}
	p.Payload = b[n:]
	if p.Flags&SYN != 0 {
		p.Options = b[20:n]
	}
	return Decoded
}

// udpPlain reads a UDP header (RFC 768) and goes no further.
func (p *Packet) udpPlain(b []byte, wire int) Reason {
	p.Layer = UDP
	if len(b) < 8 {
		p.Payload, p.PayloadLen = nil, 0
		if len(b) >= 4 {
			p.SrcPort, p.DstPort = be.Uint16(b), be.Uint16(b[2:])
		}
		return Truncated
	}
	p.SrcPort, p.DstPort = be.Uint16(b[0:2]), be.Uint16(b[2:4])
	p.Checksum = be.Uint16(b[6:8])
	n := int(be.Uint16(b[4:6]))
	switch {
	case n == 0: // a jumbogram (RFC 2675) or segmentation offload
		n = wire
	case n < 8:
		return BadLength
	case n > wire && p.cut:
		wire = n
	case n > wire:
		if !p.FragMore {
			p.Short = true
		}
		n = wire
	}
	p.PayloadLen = n - 8
	p.Payload = b[8:min(n, len(b))]
	return Decoded
}

// udp reads a UDP header and the tunnels that are recognised by port and by
// their structure: where the inside is no sound packet, it is plain UDP.
func (p *Packet) udp(b []byte, wire int) Reason {
	if r := p.udpPlain(b, wire); r != Decoded {
		return r
	}
	if r, ok := p.udpTunnel(p.DstPort); ok {
		return r
	}
	if r, ok := p.udpTunnel(p.SrcPort); ok {
		return r
	}
	if b := p.Payload; len(b) >= 40 && b[0]>>4 == 6 {
		if r, ok := p.teredoDirect(b, p.PayloadLen); ok {
			return r
		}
	}
	return Decoded
}

// udpTunnel tries the tunnel of a port (IANA; 8472: Linux before 4789 was
// assigned; 37008: TZSP).
func (p *Packet) udpTunnel(port uint16) (Reason, bool) {
	b, wire := p.Payload, p.PayloadLen
	if port < 1701 || port > 37008 {
		return 0, false
	}
	switch port {
	case 4789, 8472, 4790:
		return p.vxlan(b, wire)
	case 6081:
		return p.geneve(b, wire)
	case 2152:
		return p.gtpu(b, wire)
	case 5247:
		return p.capwap(b, wire)
	case 37008:
		return p.tzsp(b, wire)
	case 3544:
		return p.teredo(b, wire)
	case 1701:
		return p.l2tp(b, wire)
	case 3386:
		return p.gtp0(b, wire)
	case 4341:
		return p.lisp(b, wire)
	case 5072:
		return p.ayiya(b, wire)
	case 12222:
		return p.lwapp(b, wire)
	case 6635: // MPLS in UDP (RFC 7510)
		return p.onlyWhole(b, wire, (*Packet).mpls)
	case 4754: // GRE in UDP (RFC 8086)
		return p.onlyWhole(b, wire, (*Packet).gre)
	}
	return 0, false
}

// onlyWhole reads what has next to nothing to know it by, MPLS or GRE over
// UDP: it counts only if it leads to a transport header.
func (p *Packet) onlyWhole(b []byte, wire int, inner func(*Packet, []byte, int) Reason) (Reason, bool) {
	outer := *p
	r, ok := p.inside(NoLayer, 0, b, wire, inner)
	if r != Decoded {
		*p = outer
		return 0, false
	}
	return r, ok
}

// ah skips an authentication header (RFC 4302).
func (p *Packet) ah(b []byte, wire int) Reason {
	p.Layer = AH
	if len(b) < 12 {
		return Truncated
	}
	n := 8 + 4*int(b[1])
	if n < 12 || n > wire {
		return BadLength
	}
	if n > len(b) {
		return Truncated
	}
	if p.NEncap >= maxEncap || b[0] == 51 {
		return TooDeep
	}
	p.Proto = b[0]
	return p.transport(b[n:], wire-n)
}

// pim reads a Register message (RFC 7761, section 4.9.3), which carries a
// multicast datagram, unless it is one that only keeps the state.
func (p *Packet) pim(b []byte, wire int) Reason {
	if len(b) < 8 {
		return Truncated
	}
	if b[0] != 0x21 || b[4]&0x40 != 0 {
		return OtherTransport
	}
	if r, ok := p.inside(PIM, 0, b[8:], wire-8, (*Packet).ip); ok {
		return r
	}
	return OtherTransport
}

// over returns v4 or v6, after the version of the outer header.
func (p *Packet) over(v4, v6 Layer) Layer {
	if p.Version == 6 {
		return v6
	}
	return v4
}
