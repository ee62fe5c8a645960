package wire

import "net/netip"

// NameReason says why a server name that was sent is not reported.
type NameReason uint8

// Why a name was kept out. The zero value: it was not.
const (
	NameKept NameReason = iota
	NameEmpty
	NameIPLiteral // RFC 6066, section 3, permits none
	NameTooLong   // above 253 octets, or a label above 63: RFC 1035, section 2.3.4
	NameNotAName  // octets that no host name has, or an empty label
)

var nameReasons = [...]string{"", "empty", "ip-literal", "too-long", "not-a-name"}

// String returns the reason as events print it, "" for a name that was kept.
func (r NameReason) String() string { return nameReasons[r] }

// maxName is the longest host name in text form without the trailing dot
// (RFC 1035, section 2.3.4: 255 octets with lengths and root).
const maxName = 253

// cleanName writes raw to buf in lower case without a trailing dot, when it
// is a host name. Underscores pass: names in use have them.
func cleanName(buf *[maxName]byte, raw []byte) ([]byte, NameReason) {
	if n := len(raw); n > 0 && raw[n-1] == '.' {
		raw = raw[:n-1]
	}
	if len(raw) == 0 {
		return nil, NameEmpty
	}
	if len(raw) > maxName {
		return nil, NameTooLong
	}
	label, digits := 0, true
	for i, c := range raw {
		t := nameOctet[c]
		switch {
		case t == 0:
			if nameIsIP(raw) {
				return nil, NameIPLiteral
			}
			return nil, NameNotAName
		case t == '.':
			if label == 0 {
				return nil, NameNotAName
			}
			label = 0
		default:
			if label++; label > 63 {
				return nil, NameTooLong
			}
			digits = digits && t <= '9' && t >= '0'
		}
		buf[i] = t
	}
	if label == 0 {
		return nil, NameNotAName
	}
	if digits && nameIsIP(raw) {
		return nil, NameIPLiteral
	}
	return buf[:len(raw)], NameKept
}

// nameIsIP reports whether raw is an IPv4 or IPv6 address in text form,
// possibly in brackets.
func nameIsIP(raw []byte) bool {
	if len(raw) > 2 && raw[0] == '[' && raw[len(raw)-1] == ']' {
		raw = raw[1 : len(raw)-1]
	}
	const longest = 64 // an IPv6 address with a zone of sane length
	if len(raw) > longest {
		return false
	}
	_, err := netip.ParseAddr(string(raw))
	return err == nil
}

// nameOctet maps an octet to its lower case, 0 for one that no host name has.
var nameOctet = func() (t [256]byte) {
	for c := byte('0'); c <= '9'; c++ {
		t[c] = c
	}
	for c := byte('a'); c <= 'z'; c++ {
		t[c], t[c-'a'+'A'] = c, c
	}
	t['-'], t['_'], t['.'] = '-', '_', '.'
	return t
}()
