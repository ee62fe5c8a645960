package wire

// ParseStream reads the first message of a TCP stream (2-byte length, RFC
// 1035, section 4.2.2) and returns how many bytes of b it took: call it again
// with the rest. With More it took none and the message is not all there.
// Bad: a message of that length is there (n bytes) but malformed; what was
// read before the fault is in d, and the next message may be good.
func (d *DNS) ParseStream(b []byte, kind DNSKind) (n int, s Status) {
	d.reset(kind)
	if len(b) < 2 {
		return 0, More
	}
	n = 2 + int(be16(b))
	if n < 2+dnsHeader {
		return 0, Other
	}
	if len(b) < n {
		if len(b) >= 2+dnsHeader && !plausibleDNSHeader(b[2:], n-2) {
			return 0, Other
		}
		return 0, More
	}
	switch d.Parse(b[2:n], kind) {
	case nil:
		return n, Whole
	case ErrOther:
		return 0, Other
	}
	return n, Bad
}

// LooksLikeDNS reports whether b, the payload of a datagram on a port that
// says nothing, is a DNS message beyond reasonable doubt: every count, name
// and length right to the last byte, one question of class IN, an assigned
// type, a host-like name, and flags that a client or resolver would send.
func LooksLikeDNS(b []byte) bool {
	if len(b) < dnsHeader+5 || !plausibleDNSHeader(b, len(b)) {
		return false
	}
	off, ok := plausibleDNSQuestion(b)
	if !ok {
		return false
	}
	for range int(be16(b[6:])) + int(be16(b[8:])) + int(be16(b[10:])) {
		var err error
		if off, err = skipDNSName(b, off); err != nil || len(b)-off < 10 {
			return false
		}
		off += 10 + int(be16(b[off+8:]))
		if off > len(b) {
			return false
		}
	}
	return off == len(b)
}

// LooksLikeDNSStream is LooksLikeDNS for the first bytes of a TCP stream.
func LooksLikeDNSStream(b []byte) Status {
	switch {
	case len(b) < 2:
		return More
	case be16(b) < dnsHeader+5:
		return Other
	case len(b) < 2+dnsHeader:
		return More
	}
	n := int(be16(b))
	if !plausibleDNSHeader(b[2:], n) {
		return Other
	}
	if len(b) < 2+n {
		if _, ok := plausibleDNSQuestion(b[2:]); !ok && len(b) > 2+dnsHeader+dnsMaxName+4 {
			return Other
		}
		return More
	}
	if LooksLikeDNS(b[2 : 2+n]) {
		return Whole
	}
	return Other
}

// plausibleDNSHeader checks the twelve bytes of a header against the length of the
// message: counts that would not fit, opcodes and flags that nobody sends.
func plausibleDNSHeader(b []byte, length int) bool {
	response := b[2]&0x80 != 0
	opcode := b[2] >> 3 & 0x0f
	questions, answers, authority, additional := int(be16(b[4:])), int(be16(b[6:])), int(be16(b[8:])), int(be16(b[10:]))
	switch {
	case opcode != dnsQuery, b[3]&0x40 != 0, questions != 1: // Z is zero (RFC 1035, section 4.1.1)
		return false
	case !response && (answers > 0 || authority > 0 || additional > 2 || b[3]&0x8f != 0 || b[2]&0x04 != 0):
		return false
	case b[3]&0x0f > 10: // RCODEs of the header in use: 0 to 10
		return false
	}
	const question, record = 5, 11 // the least either takes
	return dnsHeader+questions*question+(answers+authority+additional)*record <= length
}

// plausibleDNSQuestion checks that the question asks for a host-like name, of
// an assigned type, in class IN.
func plausibleDNSQuestion(b []byte) (off int, ok bool) {
	off = dnsHeader
	letters := 0
	netbios := false
	for {
		if off >= len(b) {
			return off, false
		}
		n := int(b[off])
		off++
		if n == 0 {
			break
		}
		if n > 63 || len(b)-off < n || off+n > dnsHeader+dnsMaxName {
			return off, false
		}
		for _, c := range b[off : off+n] {
			if !isNameByte[c] {
				return off, false
			}
		}
		netbios = netbios || letters == 0 && n == 32
		letters += n
		off += n
	}
	if len(b)-off < 4 || be16(b[off+2:]) != 1 {
		return off, false
	}
	t := be16(b[off:])
	if netbios && (t == 32 || t == 33) {
		return off, false // NetBIOS name service (RFC 1002, section 4.2.1.2)
	}
	assigned := t >= 1 && t <= 65 || t >= 99 && t <= 109 || t >= 249 && t <= 257
	// The root is asked for its servers, not for addresses.
	return off + 4, assigned && (letters > 0 || t == DNSTypeNS || t == 6 || t == 48)
}

// isNameByte: what host names and service names are made of.
var isNameByte = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '*'
	}
	return t
}()
