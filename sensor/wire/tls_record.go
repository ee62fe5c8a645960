package wire

// Content types of TLS records (RFC 8446, section 5.1; heartbeat RFC 6520).
const (
	tlsChangeCipherSpec = 20
	tlsAlert            = 21
	tlsHandshake        = 22
	tlsApplicationData  = 23
	tlsHeartbeat        = 24
)

const (
	tlsRecordHeader = 5
	// maxTLSRecord is the longest record: RFC 5246, section 6.2.3, 2^14+2048.
	maxTLSRecord = 1<<14 + 2048
)

// IsTLSRecord reports whether b starts with the header of a TLS record, by
// its bytes alone, and of which content type: 20 to 24. It needs five bytes.
// With this a stream whose start was missed is still known to be TLS.
func IsTLSRecord(b []byte) (contentType byte, ok bool) {
	if len(b) < tlsRecordHeader || b[0] < tlsChangeCipherSpec || b[0] > tlsHeartbeat || b[1] != 3 || b[2] > 4 {
		return 0, false
	}
	n := int(b[3])<<8 | int(b[4])
	return b[0], n > 0 && n <= maxTLSRecord
}

// IsClientHello reports whether b starts with a TLS record that starts with a
// ClientHello: with eleven bytes that agree with each other, cheap enough to
// ask of every segment of a stream whose start was missed, or that began
// with a protocol nobody knows.
func IsClientHello(b []byte) bool {
	if len(b) < tlsRecordHeader+handshakeHeader+2 {
		return false
	}
	typ, ok := IsTLSRecord(b)
	m := b[tlsRecordHeader:]
	n := tlsMessageLength(m)
	return ok && typ == tlsHandshake && m[0] == typeClientHello &&
		n > fixedHelloPrefix && n <= maxHelloMessage && m[4] == 3 && m[5] <= 4
}

// ParseStream reads the ClientHello at the start of b, the contiguous first
// bytes that the client sent over TCP: over any number of records (RFC 8446,
// section 5.1), up to 64 KiB, or in SSL 2.0 form (RFC 5246, appendix E.2).
// More says that a longer b may complete it; Other that b is not a hello,
// which is not to say that it is not TLS: see IsTLSRecord.
func (h *Hello) ParseStream(b []byte) Status {
	if len(b) == 0 {
		return More
	}
	if b[0] != tlsHandshake {
		return h.parseSSL2(b)
	}
	msg, st := h.message(b)
	if st != Whole {
		return st
	}
	switch h.Parse(msg) {
	case nil:
		return Whole
	case ErrOther:
		return Other
	}
	return Bad
}

// message gathers the first handshake message of the records in b; in h.buf
// when it spans several.
func (h *Hello) message(b []byte) ([]byte, Status) {
	frag, rest, st := tlsFragment(b)
	if st != Whole && st != More || len(frag) == 0 {
		return nil, st
	}
	if frag[0] != typeClientHello {
		return nil, Other
	}
	if len(frag) >= handshakeHeader {
		n := handshakeHeader + tlsMessageLength(frag)
		if n > maxHelloMessage {
			return nil, Bad
		}
		if n <= len(frag) {
			return frag[:n], Whole
		}
	}
	if st == More {
		return nil, More
	}
	h.buf = append(h.buf[:0], frag...)
	for {
		frag, rest, st = tlsFragment(rest)
		if st == Other {
			return nil, Bad // a handshake message is not interleaved: RFC 8446, section 5.1
		}
		if st == Bad {
			return nil, Bad
		}
		h.buf = append(h.buf, frag...)
		if len(h.buf) >= handshakeHeader {
			n := handshakeHeader + tlsMessageLength(h.buf)
			if n > maxHelloMessage {
				return nil, Bad
			}
			if n <= len(h.buf) {
				return h.buf[:n], Whole
			}
		}
		if st == More {
			return nil, More
		}
	}
}

// tlsMessageLength returns the length a handshake header claims.
func tlsMessageLength(b []byte) int { return int(b[1])<<16 | int(b[2])<<8 | int(b[3]) }

// tlsFragment cuts the first handshake record off b. With More frag is the
// part of the record that is there.
func tlsFragment(b []byte) (frag, rest []byte, st Status) {
	if len(b) > 0 && b[0] != tlsHandshake || len(b) > 1 && b[1] != 3 || len(b) > 2 && b[2] > 4 {
		return nil, nil, Other
	}
	if len(b) < tlsRecordHeader {
		return nil, nil, More
	}
	n := int(b[3])<<8 | int(b[4])
	if n == 0 || n > maxTLSRecord { // RFC 8446, section 5.1: no empty handshake fragment
		return nil, nil, Bad
	}
	if b = b[tlsRecordHeader:]; len(b) < n {
		return b, nil, More
	}
	return b[:n], b[n:], Whole
}

// Records tells the bytes of one direction of a TLS stream apart: those of
// records that carry application data, and the rest, which is handshake.
// Feed it the stream in order, in pieces of any size, from the first record.
// The zero value is ready to use; it holds no bytes of the stream.
type Records struct {
	head  [tlsRecordHeader]byte
	have  uint8  // octets of head
	left  uint16 // octets of the current record to come
	data  bool   // the current record is application data
	stray bool   // the stream stopped being records
}

// Count takes the next piece of the stream and returns how many of its octets
// are not application data, headers of such records included. Once the bytes
// are no records (STARTTLS apart, a fault or a gap) all count as data.
func (r *Records) Count(b []byte) (handshake int) {
	for len(b) > 0 && !r.stray {
		if r.left > 0 {
			n := min(int(r.left), len(b))
			if !r.data {
				handshake += n
			}
			r.left -= uint16(n)
			b = b[n:]
			continue
		}
		n := copy(r.head[r.have:], b)
		r.have += uint8(n)
		b = b[n:]
		if r.have < tlsRecordHeader {
			return handshake + r.partial(n)
		}
		typ, ok := IsTLSRecord(r.head[:])
		if !ok {
			r.stray = true
			return handshake
		}
		r.data, r.have = typ == tlsApplicationData, 0
		r.left = uint16(r.head[3])<<8 | uint16(r.head[4])
		if !r.data {
			handshake += n
		}
	}
	return handshake
}

// partial counts n octets of a header that is not complete, by its first octet.
func (r *Records) partial(n int) int {
	if r.head[0] == tlsApplicationData {
		return 0
	}
	return n
}

// Lost says that octets of the stream are missing: from here on everything
// counts as data until Resume finds a record at the start of a piece.
func (r *Records) Lost() { *r = Records{stray: true} }

// Resume starts anew when b, the next piece of the stream, starts with a record.
func (r *Records) Resume(b []byte) bool {
	if _, ok := IsTLSRecord(b); !ok {
		return false
	}
	*r = Records{}
	return true
}
