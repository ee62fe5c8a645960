package wire

import (
	"bytes"
	"encoding/binary"
)

// The public header of gQUIC up to Q043 (Google's QUIC Wire Layout
// Specification, "Public Packet Header").
const (
	gquicVersion  = 0x01
	gquicReset    = 0x02
	gquicCID      = 0x08
	gquicReserved = 0x40 | 0x80

	// The CHLO starts after header, hash and a STREAM frame header, which are
	// at most this long together; bytes further on are not searched.
	gquicPreamble = 80
	maxCHLOTags   = 128 // the specification's bound
)

// isQUICGoogleClear reports whether d is a client's gQUIC packet whose
// handshake is not protected: Q021 to Q043 by public header, Q044 to Q049 by
// long header.
func isQUICGoogleClear(d []byte) bool {
	if len(d) < 14 {
		return false
	}
	if d[0]&0x80 != 0 {
		return QUICVersion(binary.BigEndian.Uint32(d[1:])).clearHello()
	}
	_, ok := gquicPublicVersion(d)
	return ok
}

// gquicPublicVersion returns the version in a public header.
func gquicPublicVersion(d []byte) (QUICVersion, bool) {
	if d[0]&gquicVersion == 0 || d[0]&(gquicReset|gquicReserved) != 0 {
		return 0, false
	}
	at := 1
	if d[0]&gquicCID != 0 {
		at += 8
	}
	if len(d) < at+4 {
		return 0, false
	}
	v := QUICVersion(binary.BigEndian.Uint32(d[at:]))
	return v, v.google() && v>>24 == 'Q' && v <= quicGoogle43
}

// IsQUICGoogle reports whether d is a gQUIC packet by its bytes: a public
// header that names its version, or a long header of Q044 to Q050.
func IsQUICGoogle(d []byte) bool {
	if isQUICGoogleClear(d) {
		return true
	}
	return len(d) >= 14 && d[0]&0x80 != 0 && QUICVersion(binary.BigEndian.Uint32(d[1:])) == quicGoogle50
}

// addGoogle reads the CHLO in a packet in clear. It fits one packet: clients
// pad it to fill one.
func (s *Initials) addGoogle(d []byte, side bool, h *Hello) Status {
	v := QUICVersion(binary.BigEndian.Uint32(d[1:]))
	if d[0]&0x80 == 0 {
		v, _ = gquicPublicVersion(d)
	}
	at := bytes.Index(d[:min(len(d), gquicPreamble)], []byte("CHLO"))
	if at < 0 {
		return More // a packet without a hello: a rejected client sends another
	}
	s.Version, s.client, s.fromClient = v, side, true
	st := h.parseCHLO(d[at:])
	if st == More {
		return Bad
	}
	if st == Whole {
		s.Datagrams++
	}
	return st
}

// parseCHLO reads the tag-value message of gQUIC's crypto handshake: SNI and
// UAID.
func (h *Hello) parseCHLO(b []byte) Status {
	const fixed, entry = 8, 8
	if len(b) < fixed {
		return More
	}
	if string(b[:4]) != "CHLO" {
		return Bad
	}
	n := int(binary.LittleEndian.Uint16(b[4:]))
	if n == 0 || n > maxCHLOTags {
		return Bad
	}
	if len(b) < fixed+n*entry {
		return More
	}
	tags, values := b[fixed:fixed+n*entry], b[fixed+n*entry:]
	h.clear(OverQUIC)
	h.Google = true
	var from, to uint32
	for ; len(tags) > 0; tags = tags[entry:] {
		from, to = to, binary.LittleEndian.Uint32(tags[4:])
		if to < from || to > maxCrypto {
			return Bad
		}
		if int(to) > len(values) {
			return More
		}
		switch v := values[from:to]; string(tags[:4]) {
		case "SNI\x00":
			h.HasServerName, h.ServerName = true, v
			h.Name, h.NameReason = cleanName(&h.name, v)
		case "UAID":
			h.UserAgent = v
		}
	}
	return Whole
}
