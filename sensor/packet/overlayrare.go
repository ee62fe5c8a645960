package packet

// Overlays over UDP that are seldom met. Each is believed only where the
// lengths of its inside agree.

// ayiya reads Anything In Anything (draft-massar-v6ops-ayiya-02, section 3):
// identity, hash and signature have lengths in words, the inside a protocol
// number.
func (p *Packet) ayiya(b []byte, wire int) (Reason, bool) {
	if len(b) < 8 || b[2]&0x0f != 1 { // 1: forward
		return 0, false
	}
	n := 8 + 1<<(b[0]>>4) + 4*int(b[1]>>4)
	if len(b) < n {
		return 0, false
	}
	switch b[3] {
	case 41:
		return p.sound(AYIYA, 0, b[n:], wire-n, (*Packet).ipv6)
	case 4:
		return p.sound(AYIYA, 0, b[n:], wire-n, (*Packet).ipv4)
	}
	return 0, false
}

// lisp reads a LISP data packet (RFC 9300, section 5.3): eight octets, then IP.
func (p *Packet) lisp(b []byte, wire int) (Reason, bool) {
	if len(b) < 8 {
		return 0, false
	}
	return p.sound(LISP, 0, b[8:], wire-8, (*Packet).ip)
}

// lwapp reads a data message of LWAPP (RFC 5412, section 3.2), which carries
// an 802.11 frame.
func (p *Packet) lwapp(b []byte, wire int) (Reason, bool) {
	if len(b) < 6 || b[0]&0xc0 != 0 || b[0]&0x06 != 0 || 6+int(be.Uint16(b[2:])) != wire {
		return 0, false // another version, a control message, a fragment
	}
	return p.sound(LWAPP, 0, b[6:], wire-6, (*Packet).wifi)
}

// gtp0 reads a T-PDU of GTP version 0 (3GPP TS 09.60, section 6).
func (p *Packet) gtp0(b []byte, wire int) (Reason, bool) {
	if len(b) < 20 || b[0]&0xf0 != 0x10 || b[1] != 0xff || 20+int(be.Uint16(b[2:])) != wire {
		return 0, false
	}
	return p.inside(GTPU, uint32(be.Uint16(b[6:])), b[20:], wire-20, (*Packet).ip)
}

// sound is inside for what has little to be known by: the inside must lead to
// a transport header.
func (p *Packet) sound(l Layer, id uint32, b []byte, wire int, inner func(*Packet, []byte, int) Reason) (Reason, bool) {
	outer := *p
	r, ok := p.inside(l, id, b, wire, inner)
	if !ok || r != Decoded && r != LaterFragment || p.Short {
		*p = outer
		return 0, false
	}
	return r, true
}

// teredoPrefix is the address block of Teredo (RFC 4380, section 2.6).
const teredoPrefix = 0x20010000

// teredoDirect reads Teredo between two clients, which use any ports (RFC 4380,
// section 5.2.4): told by the length and by the prefix of an address.
func (p *Packet) teredoDirect(b []byte, wire int) (Reason, bool) {
	if len(b) < 40 || 40+int(be.Uint16(b[4:])) != wire || be.Uint32(b[8:]) != teredoPrefix && be.Uint32(b[24:]) != teredoPrefix {
		return 0, false
	}
	return p.sound(Teredo, 0, b, wire, (*Packet).ipv6)
}
