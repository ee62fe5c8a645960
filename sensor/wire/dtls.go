package wire

const (
	dtlsRecordHeader    = 13
	dtlsHandshakeHeader = 12
	maxDTLSHello        = 16 << 10 // a hello larger than this is not put together
	maxDTLSFragments    = 32
	typeVerifyRequest   = 3
)

// IsDTLS reports whether datagram b starts with a DTLS record (RFC 6347,
// section 4.1; RFC 9147, section 4, for plaintext records), or with one inside
// a CAPWAP control channel, judged by its bytes, and of which content type.
func IsDTLS(b []byte) (contentType byte, ok bool) {
	if inner, ok := dtlsInCAPWAP(b); ok {
		b = inner
	}
	return dtlsRecordType(b)
}

func dtlsRecordType(b []byte) (contentType byte, ok bool) {
	if len(b) < dtlsRecordHeader || b[0] < tlsChangeCipherSpec || b[0] > tlsHeartbeat {
		return 0, false
	}
	v := uint16(b[1])<<8 | uint16(b[2])
	if v != 0xfeff && v != 0xfefd && v != 0x0100 {
		return 0, false
	}
	n := int(b[11])<<8 | int(b[12])
	return b[0], n > 0 && n <= maxTLSRecord
}

// DTLSHello puts together the ClientHello of one DTLS conversation, whose
// fragments come in any order, overlap, and are mixed with those of the
// second hello, the one with the cookie that a HelloVerifyRequest asked for
// (RFC 6347, section 4.2). The zero value is ready; Reset keeps its memory,
// which is at most 16 KiB.
type DTLSHello struct {
	Via       string // "capwap" inside a CAPWAP control channel, else ""
	Datagrams int    // that brought a part of the hello
	Hellos    int    // complete ClientHellos seen: 2 after a cookie exchange
	Verify    bool   // the server sent HelloVerifyRequest

	seq    uint16 // message_seq of the hello in crypto
	begun  bool
	total  int
	pieces int
	crypto quicCrypto
}

// Reset forgets the conversation and keeps the memory.
func (s *DTLSHello) Reset() {
	buf := s.crypto.buf
	*s = DTLSHello{}
	s.crypto.buf = buf[:0]
}

// Add takes the next datagram from the side that may be the client. Whole:
// a ClientHello is complete and in h, whose slices refer to d, h or s. More
// may be returned for datagrams that bring nothing; Other: no DTLS; Bad: a
// malformed hello, or one over a bound.
func (s *DTLSHello) Add(d []byte, h *Hello) Status {
	if _, ok := dtlsRecordType(d); !ok {
		if d, ok = dtlsInCAPWAP(d); !ok {
			return Other
		}
		s.Via = "capwap"
	}
	st, brought := More, false
	for len(d) >= dtlsRecordHeader {
		typ, ok := dtlsRecordType(d)
		if !ok {
			break
		}
		n := int(d[11])<<8 | int(d[12])
		if len(d)-dtlsRecordHeader < n {
			break
		}
		epoch := int(d[3])<<8 | int(d[4])
		record := d[dtlsRecordHeader:][:n]
		d = d[dtlsRecordHeader+n:]
		if typ != tlsHandshake || epoch != 0 || st != More {
			continue
		}
		got, part := s.record(record, h)
		brought = brought || part
		st = got
	}
	if brought {
		s.Datagrams++
	}
	return st
}

// dtlsInCAPWAP strips the DTLS header of CAPWAP (RFC 5415, section 4.2): type
// 1 and three reserved octets.
func dtlsInCAPWAP(d []byte) ([]byte, bool) {
	if len(d) < 4 || d[0] != 1 || d[1]|d[2]|d[3] != 0 {
		return nil, false
	}
	_, ok := dtlsRecordType(d[4:])
	return d[4:], ok
}

// record reads the handshake fragments of one record.
func (s *DTLSHello) record(b []byte, h *Hello) (st Status, part bool) {
	for len(b) >= dtlsHandshakeHeader {
		total := tlsMessageLength(b)
		seq := uint16(b[4])<<8 | uint16(b[5])
		off := int(b[6])<<16 | int(b[7])<<8 | int(b[8])
		n := int(b[9])<<16 | int(b[10])<<8 | int(b[11])
		if n > len(b)-dtlsHandshakeHeader || off+n > total {
			return More, part // encrypted, or damaged
		}
		typ, frag := b[0], b[dtlsHandshakeHeader:][:n]
		b = b[dtlsHandshakeHeader+n:]
		if typ == typeVerifyRequest {
			s.Verify = true
		}
		if typ != typeClientHello {
			continue
		}
		got, used := s.fragment(seq, total, off, frag, h)
		if part = part || used; got != More {
			return got, part
		}
	}
	return More, part
}

// fragment takes one fragment of a ClientHello; used is false for one of a
// hello before the current one.
func (s *DTLSHello) fragment(seq uint16, total, off int, frag []byte, h *Hello) (st Status, used bool) {
	if total > maxDTLSHello {
		return Bad, true
	}
	if off == 0 && len(frag) == total {
		s.begun, s.seq, s.Datagrams = false, seq, 0
		return s.hello(frag, h), true
	}
	if !s.begun || seq > s.seq || seq == s.seq && total != s.total {
		if s.Hellos > 0 && seq < s.seq {
			return More, false
		}
		s.crypto.reset()
		s.begun, s.seq, s.total, s.pieces, s.Datagrams = true, seq, total, 0, 0
	}
	if seq != s.seq {
		return More, false
	}
	if s.pieces++; s.pieces > maxDTLSFragments || !s.crypto.add(uint64(off), frag) {
		return Bad, true
	}
	body := s.crypto.contiguous()
	if len(body) < total {
		return More, true
	}
	s.begun = false
	return s.hello(body[:total], h), true
}

// hello reads a whole message body.
func (s *DTLSHello) hello(body []byte, h *Hello) Status {
	h.clear(OverDTLS)
	if h.parseBody(body) != nil {
		return Bad
	}
	s.Hellos++
	return Whole
}

// DTLSPlainBytes returns how many octets of datagram b are DTLS records that
// are not application data: the handshake part of it. RFC 9147 records with a
// unified header hide their type and count as data.
func DTLSPlainBytes(b []byte) (n int) {
	for len(b) >= dtlsRecordHeader {
		typ, ok := dtlsRecordType(b)
		if !ok {
			return n
		}
		size := min(len(b), dtlsRecordHeader+int(b[11])<<8+int(b[12]))
		if typ != tlsApplicationData {
			n += size
		}
		b = b[size:]
	}
	return n
}
