package wire

import "strconv"

// QUICVersion is the version field of a long header.
type QUICVersion uint32

// Versions that are read differently from their neighbours.
const (
	quicNegotiation QUICVersion = 0
	quicV1          QUICVersion = 1          // RFC 9000
	quicV2          QUICVersion = 0x6b3343cf // RFC 9369
	quicV2Draft     QUICVersion = 0x709a50c4 // draft-ietf-quic-v2-01 and later, same keys
	quicDraft0      QUICVersion = 0xff000000
	quicGoogle      QUICVersion = 0x51303030 // "Q000"
	quicGoogle43    QUICVersion = 0x51303433 // last with the public header
	quicGoogle50    QUICVersion = 0x51303530 // CHLO inside a protected Initial
	quicGoogleTLS50 QUICVersion = 0x54303530 // "T050": TLS, own salt
	quicGoogleTLS51 QUICVersion = 0x54303531
	quicMvfst1      QUICVersion = 0xfaceb001 // draft-22
	quicMvfst2      QUICVersion = 0xfaceb002 // draft-27
	quicMvfstE      QUICVersion = 0xfaceb00e // draft-27
)

// String names v as events print it: "v1", "v2", "draft-29", "Q046",
// "mvfst-2"; "" for a number that is none of these.
func (v QUICVersion) String() string {
	switch v {
	case quicV1:
		return "v1"
	case quicV2:
		return "v2"
	case quicV2Draft:
		return "v2-draft"
	case quicMvfst1:
		return "mvfst-1"
	case quicMvfst2:
		return "mvfst-2"
	case quicMvfstE:
		return "mvfst-e"
	}
	if d := v.draft(); d != 0 {
		return "draft-" + strconv.Itoa(d)
	}
	if v.google() {
		return string([]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
	}
	return ""
}

// draft returns the number of an IETF draft, 0 for another version.
func (v QUICVersion) draft() int {
	if v&^0xff != quicDraft0 || v&0xff == 0 || v&0xff > 34 {
		return 0
	}
	return int(v & 0xff)
}

// google reports whether v is Qnnn or Tnnn.
func (v QUICVersion) google() bool {
	return (v>>24 == 'Q' || v>>24 == 'T') && v>>16&0xff == '0' &&
		v>>8&0xff >= '0' && v>>8&0xff <= '9' && v&0xff >= '0' && v&0xff <= '9'
}

// reserved reports whether v only forces version negotiation (RFC 9000, section 15).
func (v QUICVersion) reserved() bool { return v&0x0f0f0f0f == 0x0a0a0a0a }

// known reports whether the long header of v is one this package reads.
func (v QUICVersion) known() bool {
	switch v {
	case quicV1, quicV2, quicV2Draft, quicMvfst1, quicMvfst2, quicMvfstE, quicGoogleTLS50, quicGoogleTLS51:
		return true
	}
	return v.draft() >= 22 || v > quicGoogle43 && v <= quicGoogle50 && v.google()
}

// second reports whether v numbers its packet types as RFC 9369, section 3.2, does.
func (v QUICVersion) second() bool { return v == quicV2 || v == quicV2Draft }

// clearHello reports whether v is a Google version whose CHLO is not protected.
func (v QUICVersion) clearHello() bool { return v.google() && v>>24 == 'Q' && v < quicGoogle50 }
