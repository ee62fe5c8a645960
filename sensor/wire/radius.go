package wire

import (
	"bytes"
	"net/netip"
)

// RADIUS is an accounting request (RFC 2866): which device has which address,
// and where. The User-Name and every other attribute that is not a field here
// are dropped in the parser and leave no trace. The slices refer to the input.
type RADIUS struct {
	Status   uint8   // Acct-Status-Type: see the constants
	MAC      [6]byte // Calling-Station-Id
	HasMAC   bool
	Addr     netip.Addr   // Framed-IP-Address
	Addr6    netip.Addr   // Framed-IPv6-Address (RFC 6911)
	Prefix6  netip.Prefix // Framed-IPv6-Prefix (RFC 3162)
	BSSID    [6]byte      // of Called-Station-Id (RFC 3580, section 3.20)
	HasBSSID bool
	APName   []byte // of Called-Station-Id, where it begins with a name instead
	SSID     []byte // of Called-Station-Id, after the colon
	PortID   []byte // NAS-Port-Id (RFC 2869, section 5.17)
	Port     uint32 // NAS-Port
	NAS      []byte // NAS-Identifier
	NASAddr  netip.Addr
	Event    uint32 // Event-Timestamp, seconds since 1970; 0: not sent
}

// Acct-Status-Type (RFC 2866, section 5.1).
const (
	AcctStart   = 1
	AcctStop    = 2
	AcctInterim = 3
	AcctOn      = 7
	AcctOff     = 8
)

// Codes and attributes that are read (RFC 2865, 2866, 2869, 3162, 6911).
const (
	radiusAccounting = 4

	attrNASIP          = 4
	attrNASPort        = 5
	attrFramedIP       = 8
	attrCalled         = 30
	attrCalling        = 31
	attrNASIdentifier  = 32
	attrAcctStatus     = 40
	attrEventTimestamp = 55
	attrNASPortID      = 87
	attrNASIPv6        = 95
	attrFramedPrefix6  = 97
	attrFramedAddress6 = 168
)

// Parse reads an Accounting-Request: a UDP payload of port 1813 (or 1646).
// Other codes are ErrOther. The authenticator cannot be checked without the
// shared secret: what a RADIUS packet says is as good as the network it came
// from.
func (r *RADIUS) Parse(b []byte) error {
	*r = RADIUS{}
	const header = 20
	if len(b) < header {
		return ErrTruncated
	}
	if b[0] != radiusAccounting {
		return ErrOther
	}
	length := int(be16(b[2:]))
	if length < header || length > 4096 { // RFC 2865, section 3
		return ErrMalformed
	}
	if length > len(b) {
		return ErrTruncated
	}
	for b = b[header:length]; len(b) > 0; {
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			return ErrMalformed
		}
		r.attribute(b[0], b[2:b[1]])
		b = b[b[1]:]
	}
	if r.Status == 0 {
		return ErrMalformed // section 5.1: it MUST be there
	}
	return nil
}

func (r *RADIUS) attribute(kind uint8, v []byte) {
	switch kind {
	case attrAcctStatus:
		if len(v) == 4 && be32(v) <= 15 {
			r.Status = v[3]
		}
	case attrFramedIP:
		r.Addr = radiusFramed(v)
	case attrNASIP:
		if len(v) == 4 {
			r.NASAddr = netip.AddrFrom4([4]byte(v))
		}
	case attrNASIPv6:
		if len(v) == 16 && !r.NASAddr.IsValid() {
			r.NASAddr = netip.AddrFrom16([16]byte(v))
		}
	case attrNASPort:
		if len(v) == 4 {
			r.Port = be32(v)
		}
	case attrCalling:
		r.MAC, _, r.HasMAC = macText(v)
	case attrCalled:
		r.called(v)
	case attrNASIdentifier:
		r.NAS = v
	case attrNASPortID:
		r.PortID = v
	case attrEventTimestamp:
		if len(v) == 4 {
			r.Event = be32(v)
		}
	case attrFramedAddress6:
		if len(v) == 16 {
			r.Addr6 = netip.AddrFrom16([16]byte(v))
		}
	case attrFramedPrefix6:
		r.prefix6(v)
	}
}

// radiusFramed: 255.255.255.255 and 255.255.255.254 are instructions to the
// NAS and not addresses (RFC 2865, section 5.8).
func radiusFramed(v []byte) netip.Addr {
	if len(v) != 4 || be32(v) >= 0xfffffffe || be32(v) == 0 {
		return netip.Addr{}
	}
	return netip.AddrFrom4([4]byte(v))
}

// prefix6: a reserved byte, the length in bits, as many bytes as it needs
// (RFC 3162, section 2.3).
func (r *RADIUS) prefix6(v []byte) {
	if len(v) < 2 || len(v) > 18 || v[1] > 128 || int(v[1]) > 8*(len(v)-2) {
		return
	}
	var a [16]byte
	copy(a[:], v[2:])
	r.Prefix6 = netip.PrefixFrom(netip.AddrFrom16(a), int(v[1])).Masked()
}

// called reads "00-11-22-33-44-55:SSID", or "name:SSID" of controllers that
// are set so.
func (r *RADIUS) called(v []byte) {
	mac, rest, ok := macText(v)
	if ok {
		r.BSSID, r.HasBSSID = mac, true
		if len(rest) > 1 && rest[0] == ':' {
			r.SSID = rest[1:]
		}
		return
	}
	if i := bytes.LastIndexByte(v, ':'); i > 0 {
		r.APName, r.SSID = v[:i], v[i+1:]
	}
}

// macText reads a MAC at the start of v in any usual spelling: six pairs with
// colons or hyphens, three groups with dots, or twelve digits. rest is what
// follows. The zero, broadcast and group addresses are none.
func macText(v []byte) (mac [6]byte, rest []byte, ok bool) {
	digits, i := 0, 0
	for ; i < len(v) && digits < 12; i++ {
		d := hexDigit(v[i])
		if d < 16 {
			mac[digits/2] = mac[digits/2]<<4 | d
			digits++
			continue
		}
		pairs := (v[i] == ':' || v[i] == '-') && digits%2 == 0
		groups := v[i] == '.' && digits%4 == 0
		if !pairs && !groups || digits == 0 || hexDigit(v[i-1]) > 15 {
			return [6]byte{}, v, false
		}
	}
	separators := i - digits
	if digits < 12 || separators != 0 && separators != 5 && separators != 2 || mac[0]&1 != 0 || mac == [6]byte{} {
		return [6]byte{}, v, false
	}
	if i < len(v) && hexDigit(v[i]) < 16 {
		return [6]byte{}, v, false // longer than a MAC
	}
	return mac, v[i:], true
}
