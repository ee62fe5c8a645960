package wire

import "encoding/binary"

// QUICType is the type of a QUIC packet with a long header.
type QUICType uint8

// The types, whatever number a version gives them.
const (
	QUICOther QUICType = iota
	QUICInitial
	QUICZeroRTT
	QUICHandshake
	QUICRetry
	QUICVersionNegotiation
)

var quicTypeNames = [...]string{"other", "initial", "0-rtt", "handshake", "retry", "version-negotiation"}

// String returns the name of the type.
func (t QUICType) String() string { return quicTypeNames[t] }

// maxCID is the longest connection id of the versions read here (RFC 9000, section 17.2).
const maxCID = 20

// QUICLong is the header of one packet with a long header. The slices refer
// to the datagram.
type QUICLong struct {
	Version QUICVersion
	Type    QUICType
	DCID    []byte
	SCID    []byte
	Token   []byte // Initial only
	Packet  []byte // the packet, cut to its length; Retry and Version Negotiation have the rest

	number int // offset of the packet number in Packet
}

// IsQUICLong reports whether the datagram b starts with a QUIC long header,
// judged by its bytes alone: a version this package reads, or one that asks
// for or performs version negotiation. The fixed bit is not asked for
// (RFC 9287).
func IsQUICLong(b []byte) bool {
	if len(b) < 7 || b[0]&0x80 == 0 {
		return false
	}
	v := QUICVersion(binary.BigEndian.Uint32(b[1:]))
	switch {
	case v.known():
		if v.clearHello() {
			return true
		}
		n := int(b[5])
		return n <= maxCID && len(b) > 6+n && b[6+n] <= maxCID
	case v == quicNegotiation:
		h, _, st := ParseQUICLong(b)
		return st == Whole && quicOffers(h.Packet[7+len(h.DCID)+len(h.SCID):])
	case v.reserved():
		n := int(b[5])
		return b[0]&0x40 != 0 && n >= 8 && n <= maxCID && len(b) > 6+n && b[6+n] <= maxCID && len(b) >= 1200
	}
	return false
}

// quicOffers reports whether list, the Supported Version field of a Version
// Negotiation packet, has a version that exists.
func quicOffers(list []byte) bool {
	if len(list) == 0 || len(list)%4 != 0 {
		return false
	}
	for ; len(list) > 0; list = list[4:] {
		if v := QUICVersion(binary.BigEndian.Uint32(list)); v.known() || v.google() || v.draft() != 0 {
			return true
		}
	}
	return false
}

// ParseQUICLong reads the long header at the start of b (RFC 9000, section
// 17.2; RFC 9369, section 3) and returns what follows its packet in the
// datagram: a coalesced packet, or nothing. Other: a short header, another
// protocol, or a version whose layout is not known.
func ParseQUICLong(b []byte) (h QUICLong, rest []byte, st Status) {
	if len(b) < 7 || b[0]&0x80 == 0 {
		return h, nil, Other
	}
	h.Version = QUICVersion(binary.BigEndian.Uint32(b[1:]))
	if !h.Version.known() && h.Version != quicNegotiation {
		return h, nil, Other
	}
	if h.Version.clearHello() {
		h.Type, h.Packet = QUICInitial, b
		return h, nil, Whole
	}
	var ok1, ok2 bool
	body := b[5:]
	h.DCID, body, ok1 = tlsCut8(body)
	h.SCID, body, ok2 = tlsCut8(body)
	if !ok1 || !ok2 {
		return h, nil, Bad
	}
	if h.Version == quicNegotiation {
		h.Type, h.Packet = QUICVersionNegotiation, b
		return h, nil, Whole
	}
	if len(h.DCID) > maxCID || len(h.SCID) > maxCID {
		return h, nil, Bad
	}
	h.Type = quicType(b[0], h.Version)
	if h.Type == QUICRetry {
		h.Packet = b
		return h, nil, Whole
	}
	return h.cut(b, body)
}

// cut reads token and length, and cuts the packet to it.
func (h QUICLong) cut(b, body []byte) (QUICLong, []byte, Status) {
	if h.Type == QUICInitial {
		n, rest, ok := quicVarint(body)
		if !ok || n > uint64(len(rest)) {
			return h, nil, Bad
		}
		h.Token, body = rest[:n], rest[n:]
	}
	n, body, ok := quicVarint(body)
	if !ok || n > uint64(len(body)) || n < 4 {
		return h, nil, Bad
	}
	h.number = len(b) - len(body)
	end := h.number + int(n)
	h.Packet = b[:end]
	return h, b[end:], Whole
}

func quicType(first byte, v QUICVersion) QUICType {
	t := first >> 4 & 3
	if v.second() {
		t = (t - 1) & 3 // RFC 9369, section 3.2: each type is one higher
	}
	return [...]QUICType{QUICInitial, QUICZeroRTT, QUICHandshake, QUICRetry}[t]
}

// QUICLongBytes returns how many octets at the start of datagram b belong to
// packets with long headers: handshake, but for 0-RTT, whose octets carry
// application data and are returned apart. The rest has a short header, or is
// no QUIC.
func QUICLongBytes(b []byte) (handshake, zeroRTT int) {
	for len(b) > 0 {
		h, rest, st := ParseQUICLong(b)
		switch {
		case st == Other:
			return handshake, zeroRTT
		case st == Bad:
			return handshake + len(b), zeroRTT
		case h.Type == QUICZeroRTT:
			zeroRTT += len(b) - len(rest)
		default:
			handshake += len(b) - len(rest)
		}
		b = rest
	}
	return handshake, zeroRTT
}

// IsQUICShort reports whether b may be a packet with a short header
// (RFC 9000, section 17.3): only meaningful on a conversation known to be QUIC.
func IsQUICShort(b []byte) bool {
	const shortest = 21 // first octet, packet number and sample without a connection id: section 10.3
	return len(b) >= shortest && b[0]&0x80 == 0
}

// quicVarint reads a variable-length integer (RFC 9000, section 16).
func quicVarint(b []byte) (v uint64, rest []byte, ok bool) {
	if len(b) == 0 {
		return 0, nil, false
	}
	n := 1 << (b[0] >> 6)
	if len(b) < n {
		return 0, nil, false
	}
	v = uint64(b[0] & 0x3f)
	for _, c := range b[1:n] {
		v = v<<8 | uint64(c)
	}
	return v, b[n:], true
}
