package wire

const (
	ssl2Header = 2
	ssl2Fixed  = 9 // type, version, three lengths
)

// parseSSL2 reads a ClientHello in SSL 2.0 form, which old clients send to
// offer SSL 3.0 and TLS (RFC 5246, appendix E.2). Its three-octet cipher
// specs of SSL 2.0 itself have no 16-bit form and are left out of Ciphers.
func (h *Hello) parseSSL2(b []byte) Status {
	if b[0]&0x80 == 0 || len(b) > 2 && b[2] != typeClientHello {
		return Other
	}
	if len(b) < ssl2Header+ssl2Fixed {
		return ssl2Prefix(b)
	}
	n := int(b[0]&0x7f)<<8 | int(b[1])
	if st := ssl2Prefix(b); st == Other {
		return Other
	}
	specs, session, challenge := int(b[5])<<8|int(b[6]), int(b[7])<<8|int(b[8]), int(b[9])<<8|int(b[10])
	if specs == 0 || specs%3 != 0 || session != 0 && session != 16 || challenge < 16 || challenge > 32 ||
		n != ssl2Fixed+specs+session+challenge {
		return Other
	}
	if len(b) < ssl2Header+n {
		return More
	}
	h.clear(OverTCP)
	h.Legacy = uint16(b[3])<<8 | uint16(b[4])
	h.Version = h.Legacy
	h.SSL2 = true
	h.buf = h.buf[:0]
	for s := b[ssl2Header+ssl2Fixed:][:specs]; len(s) > 0; s = s[3:] {
		if s[0] == 0 {
			h.buf = append(h.buf, s[1], s[2])
		}
	}
	h.Ciphers = h.buf
	h.SessionID = b[ssl2Header+ssl2Fixed+specs:][:session]
	return Whole
}

// ssl2Prefix judges the part of the header that is there.
func ssl2Prefix(b []byte) Status {
	if len(b) > 3 && b[3] != 0 && b[3] != 3 || len(b) > 4 && (b[3] == 0 && b[4] != 2 || b[3] == 3 && b[4] > 4) {
		return Other
	}
	return More
}
