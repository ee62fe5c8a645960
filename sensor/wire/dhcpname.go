package wire

import "encoding/hex"

// Message types (RFC 2131, section 9.6; RFC 3203, 4388, 6926; RFC 8415,
// section 7.3).
var (
	dhcp4Types = [...]string{
		"", "discover", "offer", "request", "decline", "ack", "nak", "release", "inform",
		"forcerenew", "leasequery", "leaseunassigned", "leaseunknown", "leaseactive",
	}
	dhcp6Types = [...]string{
		"", "solicit", "advertise", "request", "confirm", "renew", "rebind", "reply", "release", "decline",
		"reconfigure", "information-request", "relay-forward", "relay-reply", "leasequery", "leasequery-reply",
	}
)

// TypeName returns "discover", "offer", "ack", "solicit", "reply" and so on;
// "bootrequest" and "bootreply" for BOOTP; empty for a type not known here.
func (d *DHCP) TypeName() string {
	switch {
	case d.Version == 6 && int(d.Type) < len(dhcp6Types):
		return dhcp6Types[d.Type]
	case d.Version != 4:
		return ""
	case d.Type == 0 && d.FromServer:
		return "bootreply"
	case d.Type == 0:
		return "bootrequest"
	case int(d.Type) < len(dhcp4Types):
		return dhcp4Types[d.Type]
	}
	return ""
}

// Printable returns b as it stands when it is printable ASCII, else in
// hexadecimal. Switches put either into option 82. It allocates: call it for
// what is reported.
func Printable(b []byte) string {
	for _, c := range b {
		if c < ' ' || c > '~' {
			return hex.EncodeToString(b)
		}
	}
	return string(b)
}
