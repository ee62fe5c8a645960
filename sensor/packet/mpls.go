package packet

// Labels with a meaning (RFC 3032, section 2.1; RFC 5586).
const (
	labelNull4 = 0
	labelNull6 = 2
)

// mpls reads a label stack (RFC 3032) and guesses what it carries, which no
// field says: IP by its version, a pseudowire's control word by its zero
// nibble (RFC 4385, section 2), otherwise Ethernet.
func (p *Packet) mpls(b []byte, wire int) Reason {
	for {
		p.Layer = MPLS
		if len(b) < 4 {
			return Truncated
		}
		e := be.Uint32(b)
		label := e >> 12
		if !p.push(MPLS, label) {
			return TooDeep
		}
		b, wire = b[4:], wire-4
		if e&0x100 == 0 {
			continue
		}
		switch label {
		case labelNull4:
			return p.ipv4(b, wire)
		case labelNull6:
			return p.ipv6(b, wire)
		}
		return p.underLabel(b, wire)
	}
}

// underLabel reads what stands behind the last label. A pseudowire without
// control word may begin with a zero nibble too, that of a MAC: both are
// tried, and the one that leads to an IP header is right.
func (p *Packet) underLabel(b []byte, wire int) Reason {
	if len(b) < 4 {
		return Truncated
	}
	outer := *p
	word := NotIP
	switch b[0] >> 4 {
	case 4, 6:
		if word = p.ip(b, wire); !broken(word) {
			return word
		}
		*p = outer
	case 1: // associated channel (RFC 4385, section 5)
		return Control
	case 0:
		word, _ = p.inside(PseudoWire, 0, b[4:], wire-4, (*Packet).ethernet)
		if word == Decoded || p.Version != 0 {
			return word
		}
	}
	withWord := *p
	*p = outer
	if r, ok := p.inside(PseudoWire, 0, b, wire, (*Packet).ethernet); ok && (r == Decoded || p.Version != 0) {
		return r
	}
	*p = withWord
	return word
}

// broken reports a reason that means the bytes were not what they were
// taken for.
func broken(r Reason) bool { return r == BadLength || r == BadVersion || r == NotIP }
