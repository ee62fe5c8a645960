package wire

import (
	"bytes"
	"encoding/binary"
	"slices"
)

const (
	// maxQUICDecrypts bounds the decryption attempts on one conversation. A
	// hello spans two or three Initials; Retry and version negotiation repeat it.
	maxQUICDecrypts = 48
	maxDatagram     = 65527
	// minFirstCID is the least a client makes of its first destination
	// connection id (RFC 9000, section 7.2).
	minFirstCID = 8

	frameCrypto       = 6
	frameCryptoGoogle = 8 // of Q050, T050, T051: Chromium's QuicFrameType
)

// Initials puts together the ClientHello of one QUIC conversation from its
// Initial packets: in any order, over several datagrams, with packets of
// other types before, between and behind. Keys come from the destination
// connection id of the client's first Initial and stay when that id changes;
// after Retry, or when another connection begins, they are made anew.
//
// The zero value is ready. The memory it holds is bounded (maxCrypto) and is
// kept by Reset for the next conversation. It is not safe for concurrent use.
type Initials struct {
	Version   QUICVersion // of the last Initial that could be opened, or of a CHLO in clear
	Datagrams int         // that brought a part of the hello
	Pieces    int         // CRYPTO frames that did
	Decrypts  int         // decryption attempts so far: the work to budget
	Failed    int         // of these, attempts that did not authenticate
	Cut       int         // datagrams that are shorter than their packets say: cut by the capture
	Retried   bool        // the server answered with Retry

	fromClient bool // a packet was opened with the client's keys ...
	client     bool // ... and this is the side it came from
	keyed      bool
	first      QUICVersion // version of keys
	dcidLen    uint8
	dcid       [maxCID]byte // the id that keys were made of
	keys       quicKeys
	crypto     quicCrypto
}

// Reset forgets the conversation and keeps the memory.
func (s *Initials) Reset() {
	buf := s.crypto.buf
	*s = Initials{}
	s.crypto.buf = buf[:0]
}

// Client reports which side opened the conversation, as the side given to Add;
// known is false before an Initial was opened.
func (s *Initials) Client() (side, known bool) { return s.client, s.fromClient }

// Add takes the next datagram of the conversation. side tells the two ends
// apart, either way round: Initials of the server cannot be opened with the
// client's keys and are passed over. When the hello is complete it is read
// into h, whose slices then refer to h, d or s, and Whole is returned.
//
// More: the hello may come with later datagrams; s.Cut tells of datagrams
// that the capture cut, which never open. Other: d does not start with a long
// header of a version that is read. Bad: the hello is malformed or over a
// bound; waiting is no use.
//
// h's buffer holds the opened packets, so that s stays small.
func (s *Initials) Add(d []byte, side bool, h *Hello) Status {
	if len(d) > maxDatagram {
		return Bad
	}
	if isQUICGoogleClear(d) {
		return s.addGoogle(d, side, h)
	}
	st, pieces := More, s.Pieces
	for b := d; len(b) > 0; {
		p, rest, got := ParseQUICLong(b)
		if got == Other && len(b) == len(d) {
			return Other
		}
		if got != Whole {
			if got == Bad {
				s.Cut++
			}
			break
		}
		if st == More {
			st = s.packet(&p, side, h)
		}
		b = rest
	}
	if s.Pieces > pieces {
		s.Datagrams++
	}
	if st == More && s.Decrypts >= maxQUICDecrypts {
		return Bad
	}
	return st
}

// packet takes one packet of a datagram.
func (s *Initials) packet(p *QUICLong, side bool, h *Hello) Status {
	if p.Type == QUICRetry {
		s.Retried = true
	}
	if p.Type != QUICInitial || s.fromClient && side != s.client {
		return More
	}
	if !s.keyed && len(p.DCID) < minFirstCID {
		return More // of the server, or of a client that moved on before the capture began
	}
	if !s.open(p, side, h) {
		return More
	}
	return s.frames(h)
}

// open opens p into h.buf: with the keys there are, else with new ones. Keys
// that opened something are given up only for others that do.
func (s *Initials) open(p *QUICLong, side bool, h *Hello) bool {
	h.buf = slices.Grow(h.buf[:0], len(p.Packet))
	same := s.keyed && p.Version == s.first
	if same && s.try(p, side, h) {
		return true
	}
	if same && bytes.Equal(p.DCID, s.dcid[:s.dcidLen]) {
		return false
	}
	keys, v, id, n := s.keys, s.first, s.dcid, s.dcidLen
	if s.keyed && !same && s.rekey(p.Version, id[:n]) && s.try(p, side, h) {
		return true // compatible version negotiation: RFC 9369, section 4.1
	}
	if s.rekey(p.Version, p.DCID) && s.try(p, side, h) {
		s.crypto.reset() // after Retry or version negotiation the hello starts anew
		return true
	}
	if s.fromClient {
		s.keys, s.first, s.dcid, s.dcidLen, s.keyed = keys, v, id, n, true
	}
	return false
}

// rekey makes the keys of another version or connection id.
func (s *Initials) rekey(v QUICVersion, dcid []byte) bool {
	if s.Decrypts >= maxQUICDecrypts {
		return false
	}
	id := s.dcid
	n := copy(id[:], dcid)
	s.keyed = s.keys.derive(v, id[:n])
	s.first, s.dcid, s.dcidLen = v, id, uint8(n)
	return s.keyed
}

// try attempts one decryption.
func (s *Initials) try(p *QUICLong, side bool, h *Hello) bool {
	if s.Decrypts >= maxQUICDecrypts {
		return false
	}
	s.Decrypts++
	out, ok := s.keys.open(h.buf[:0], p.Packet, p.number)
	if !ok {
		s.Failed++
		return false
	}
	s.fromClient, s.client, s.Version = true, side, p.Version
	h.plain = out
	return true
}

// frames reads the frames of the opened payload (RFC 9000, section 12.4) and
// the hello, once it is complete.
func (s *Initials) frames(h *Hello) Status {
	before := s.Pieces
	b := h.plain
	for len(b) > 0 {
		var data []byte
		var off uint64
		typ := b[0]
		if typ == frameCryptoGoogle && s.Version.google() {
			typ = frameCrypto
		}
		ok := true
		switch typ {
		case 0, 1: // PADDING, PING
			b = quicSkipPadding(b[1:])
			continue
		case 2, 3:
			b, ok = quicSkipACK(b)
		case frameCrypto:
			off, data, b, ok = quicCryptoFrame(b[1:])
		default: // CONNECTION_CLOSE ends it; nothing else belongs here: section 17.2.2
			b = nil
			continue
		}
		if !ok {
			break
		}
		if typ == frameCrypto && len(data) > 0 {
			s.Pieces++
			if !s.crypto.add(off, data) {
				return Bad
			}
		}
	}
	if s.Pieces == before {
		return More
	}
	return s.hello(h)
}

// hello reads the message if all of it is there.
func (s *Initials) hello(h *Hello) Status {
	b := s.crypto.contiguous()
	if len(b) < handshakeHeader {
		return More
	}
	if s.Version == quicGoogle50 {
		return h.parseCHLO(b)
	}
	if b[0] != typeClientHello {
		return Bad
	}
	n := handshakeHeader + tlsMessageLength(b)
	if n > maxCrypto {
		return Bad
	}
	if n > len(b) {
		return More
	}
	if h.Parse(b[:n]) != nil {
		return Bad
	}
	h.Transport = OverQUIC
	return Whole
}

// quicSkipPadding passes over PADDING frames: most of many Initials.
func quicSkipPadding(b []byte) []byte {
	for len(b) >= 8 && binary.NativeEndian.Uint64(b) == 0 {
		b = b[8:]
	}
	for len(b) > 0 && b[0] == 0 {
		b = b[1:]
	}
	return b
}

// quicSkipACK passes over an ACK frame (RFC 9000, section 19.3).
func quicSkipACK(b []byte) (rest []byte, ok bool) {
	ecn := b[0] == 3
	b = b[1:]
	var ranges uint64
	for i := range 4 { // largest, delay, range count, first range
		var v uint64
		if v, b, ok = quicVarint(b); !ok {
			return nil, false
		}
		if i == 2 {
			ranges = v
		}
	}
	fields := 2 * min(ranges, uint64(len(b)))
	if ecn {
		fields += 3
	}
	for ; fields > 0; fields-- {
		if _, b, ok = quicVarint(b); !ok {
			return nil, false
		}
	}
	return b, true
}

// quicCryptoFrame reads a CRYPTO frame after its type (RFC 9000, section 19.6).
func quicCryptoFrame(b []byte) (off uint64, data, rest []byte, ok bool) {
	if off, b, ok = quicVarint(b); !ok {
		return 0, nil, nil, false
	}
	n, b, ok := quicVarint(b)
	if !ok || n > uint64(len(b)) {
		return 0, nil, nil, false
	}
	return off, b[:n], b[n:], true
}
