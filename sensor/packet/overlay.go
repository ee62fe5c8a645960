package packet

// vxlan reads VXLAN (RFC 7348, section 5), with or without the protocol
// field of VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe).
func (p *Packet) vxlan(b []byte, wire int) (Reason, bool) {
	if len(b) < 8 || b[0]&0x08 == 0 {
		return 0, false
	}
	vni := be.Uint32(b[4:]) >> 8
	layer, inner := VXLAN, (*Packet).ethernet
	if b[0]&0x04 != 0 {
		layer = VXLANGPE
		if inner = nextProto(b[3]); inner == nil {
			return 0, false
		}
	}
	r, ok := p.inside(layer, vni, b[8:], wire-8, inner)
	if ok {
		p.VNI = p.innerVNI(layer, vni)
	}
	return r, ok
}

// innerVNI returns the VNI of the innermost overlay, vni if that is layer.
func (p *Packet) innerVNI(layer Layer, vni uint32) uint32 {
	for i := int(p.NEncap) - 1; i >= 0; i-- {
		switch e := p.Encap[i&(maxEncap-1)]; e.Layer {
		case VXLAN, VXLANGPE, Geneve:
			return e.ID
		case GRE:
			if e.ID != 0 && p.VNI == e.ID>>8 {
				return p.VNI
			}
		}
	}
	return vni
}

// nextProto returns the reader of a next-protocol number of VXLAN-GPE and
// NSH (RFC 8300, section 2.2), nil for those not read.
func nextProto(n byte) func(*Packet, []byte, int) Reason {
	switch n {
	case 1:
		return (*Packet).ipv4
	case 2:
		return (*Packet).ipv6
	case 3:
		return (*Packet).ethernet
	case 4:
		return (*Packet).nsh
	case 5:
		return (*Packet).mpls
	}
	return nil
}

// nsh reads a network service header (RFC 8300, section 2).
func (p *Packet) nsh(b []byte, wire int) Reason {
	p.Layer = NSH
	if len(b) < 8 {
		return Truncated
	}
	n := int(b[1]&0x3f) * 4
	if b[0]>>6 != 0 {
		return BadVersion
	}
	if n < 8 || n > wire {
		return BadLength
	}
	if n > len(b) {
		return Truncated
	}
	switch b[3] {
	case 1, 2, 3, 4, 5:
	default:
		return NotIP
	}
	if !p.push(NSH, 0) {
		return TooDeep
	}
	return nextProto(b[3])(p, b[n:], wire-n)
}

// geneve reads Geneve (RFC 8926, section 3.4).
func (p *Packet) geneve(b []byte, wire int) (Reason, bool) {
	if len(b) < 8 || b[0]>>6 != 0 {
		return 0, false
	}
	n := 8 + int(b[0]&0x3f)*4
	if n > len(b) {
		return 0, false
	}
	vni := be.Uint32(b[4:]) >> 8
	var inner func(*Packet, []byte, int) Reason
	switch be.Uint16(b[2:]) {
	case typeTEB:
		inner = (*Packet).ethernet
	case typeIPv4:
		inner = (*Packet).ipv4
	case typeIPv6:
		inner = (*Packet).ipv6
	case typeMPLS:
		inner = (*Packet).mpls
	default:
		return 0, false
	}
	r, ok := p.inside(Geneve, vni, b[n:], wire-n, inner)
	if ok {
		p.VNI = p.innerVNI(Geneve, vni)
	}
	return r, ok
}

// gtpu reads a GTP-U G-PDU (3GPP TS 29.281, section 5.1). Other messages,
// echo and error indication among them, are plain UDP.
func (p *Packet) gtpu(b []byte, wire int) (Reason, bool) {
	if len(b) < 8 || b[0]>>4 != 3 || b[1] != 0xff {
		return 0, false
	}
	teid := be.Uint32(b[4:])
	length := 8 + int(be.Uint16(b[2:]))
	if n := length; n < wire {
		wire, b = n, b[:min(n, len(b))]
	}
	n := 8
	if b[0]&7 != 0 {
		if len(b) < 12 {
			return 0, false
		}
		n = 12
		next := b[11]
		for b[0]&4 != 0 && next != 0 { // each step is at least four bytes
			if len(b) <= n || b[n] == 0 {
				return 0, false
			}
			n += 4 * int(b[n])
			if len(b) < n {
				return 0, false
			}
			next = b[n-1]
		}
	}
	if wire < n {
		return 0, false
	}
	if length > wire { // it claims more than there is: what is inside must be the better
		return p.sound(GTPU, teid, b[n:], wire-n, (*Packet).ip)
	}
	if r, ok := p.inside(GTPU, teid, b[n:], wire-n, (*Packet).ip); ok {
		return r, true
	}
	return p.sound(GTPU, teid, b[n:], wire-n, (*Packet).ethernet) // a session of type Ethernet (TS 23.501, section 5.6.10.2)
}

// teredo reads IPv6 over UDP (RFC 4380, section 5.1.1), behind the
// authentication and origin indications. The lengths must agree exactly.
func (p *Packet) teredo(b []byte, wire int) (Reason, bool) {
	if len(b) >= 4 && b[0] == 0 && b[1] == 1 {
		n := 4 + int(b[2]) + int(b[3]) + 9
		if len(b) < n {
			return 0, false
		}
		b, wire = b[n:], wire-n
	}
	if len(b) >= 8 && b[0] == 0 && b[1] == 0 {
		b, wire = b[8:], wire-8
	}
	if len(b) < 40 || b[0]>>4 != 6 || 40+int(be.Uint16(b[4:])) != wire {
		return 0, false
	}
	return p.inside(Teredo, 0, b, wire, (*Packet).ipv6)
}
