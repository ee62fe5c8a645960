package wire

import "net/netip"

// DHCP is one DHCPv4 or DHCPv6 message. The zero value is ready for use;
// Parse4 and Parse6 overwrite it. Its slices refer to the input or to
// scratch inside it. It is not safe for concurrent use.
type DHCP struct {
	Version    uint8 // 4 or 6
	Type       uint8 // option 53 (0: BOOTP), or msg-type of DHCPv6 (innermost, inside relays)
	FromServer bool
	XID        uint32
	MAC        [6]byte // chaddr; the link-layer address of a DUID-LLT or DUID-LL
	HasMAC     bool

	Hostname, FQDN, VendorClass, UserClass []byte   // as sent, FQDN also when compressed or in wire form: lower-case dotted
	HasHostname, HasFQDN, HasVendorClass   bool     // sent, perhaps empty
	ParamList                              []uint16 // option 55, or 6 of DHCPv6; wire order
	Options                                []uint16 // option codes in wire order
	ClientID                               []byte   // option 61, or the client DUID; raw
	ServerID                               netip.Addr
	Client                                 netip.Addr     // ciaddr
	Requested                              netip.Addr     // option 50; the address a DHCPv6 client asks for
	Given                                  netip.Addr     // yiaddr; the first IA address of a server's message
	Addrs                                  []netip.Addr   // all IA addresses (DHCPv6)
	Prefixes                               []netip.Prefix // delegated prefixes (DHCPv6)
	Lease                                  uint32         // seconds; the valid lifetime of DHCPv6
	Relay                                  netip.Addr     // giaddr; the outermost relay's link-address
	CircuitID, RemoteID                    []byte         // option 82.1 and .2; Interface-Id 18 and Remote-ID 37; raw, see Printable
	Enterprise                             uint32         // of the DHCPv6 vendor class

	long []byte // options joined from several pieces (RFC 3396)
	name []byte
}

// Parse4 reads a DHCPv4 or BOOTP message: a UDP payload of ports 67 and 68.
func (d *DHCP) Parse4(b []byte) error { return ErrOther }

// TypeName returns "discover", "offer", "ack", "solicit", "reply" and so on;
// "bootrequest" and "bootreply" for BOOTP; empty for a type not assigned.
func (d *DHCP) TypeName() string { return "" }

// Printable returns b as it stands when it is printable ASCII, and in
// hexadecimal when not. It allocates: call it for what is reported.
func Printable(b []byte) string { return string(b) }
