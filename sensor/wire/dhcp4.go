package wire

import "net/netip"

// DHCP is one DHCPv4 or DHCPv6 message. The zero value is ready for use;
// Parse4 and Parse6 overwrite it. Its slices refer to the input or to
// scratch inside it and are valid until the following call. It is not safe
// for concurrent use.
type DHCP struct {
	Version    uint8 // 4 or 6
	Type       uint8 // option 53 (0: BOOTP), or msg-type of DHCPv6 (innermost, inside relays)
	FromServer bool
	XID        uint32
	MAC        [6]byte // chaddr; the link-layer address of a client's DUID-LLT or DUID-LL
	HasMAC     bool

	Hostname    []byte // option 12, as sent
	FQDN        []byte // option 81, 39: dotted text, also when sent in DNS wire form
	VendorClass []byte // option 60, 16 (its first string)
	UserClass   []byte // option 77, 15

	// Sent, perhaps empty.
	HasHostname, HasFQDN, HasVendorClass bool

	ParamList  []uint16       // option 55, or 6 of DHCPv6; wire order
	Options    []uint16       // option codes in wire order
	ClientID   []byte         // option 61, or the client DUID; raw
	Server     netip.Addr     // option 54
	Client     netip.Addr     // ciaddr
	Requested  netip.Addr     // option 50; the address that a DHCPv6 client asks for
	Given      netip.Addr     // yiaddr; the first IA address of a DHCPv6 server's message
	Addrs      []netip.Addr   // all IA addresses (DHCPv6)
	Prefixes   []netip.Prefix // delegated prefixes (DHCPv6)
	Lease      uint32         // seconds; of DHCPv6 the valid lifetime of the first address
	Relay      netip.Addr     // giaddr; link-address of the relay next to the client
	CircuitID  []byte         // option 82.1, Interface-Id 18; raw, see Printable
	RemoteID   []byte         // option 82.2, Remote-ID 37 after its enterprise number; raw
	Enterprise uint32         // of the DHCPv6 vendor class

	pieces [dhcpMaxPieces]dhcpPiece
	long   []byte
	name   []byte
}

// dhcpPiece is one option as it stood; one that was sent several times is one
// option (RFC 3396).
type dhcpPiece struct {
	code  uint8
	value []byte
}

const (
	dhcpFixed     = 236 // up to the magic cookie (RFC 2131, section 2)
	dhcpCookie    = 0x63825363
	dhcpMaxPieces = 128 // real messages have up to 25
	dhcpMaxAddrs  = 32
)

// Options of DHCPv4 that are read (RFC 2132 unless said).
const (
	optPad         = 0
	optHostname    = 12
	optRequested   = 50
	optLease       = 51
	optOverload    = 52
	optType        = 53
	optServer      = 54
	optParams      = 55
	optVendorClass = 60
	optClientID    = 61
	optUserClass   = 77 // RFC 3004
	optFQDN        = 81 // RFC 4702
	optRelayAgent  = 82 // RFC 3046
	optEnd         = 255
)

// Parse4 reads a DHCPv4 or BOOTP message: a UDP payload of ports 67 and 68.
// With ErrTruncated, the fixed fields and the options before the cut are in
// d and right.
func (d *DHCP) Parse4(b []byte) error {
	d.reset(4)
	if len(b) < dhcpFixed {
		return ErrTruncated
	}
	op, htype, hlen := b[0], b[1], b[2]
	if op != 1 && op != 2 || hlen > 16 {
		return ErrOther
	}
	d.FromServer = op == 2
	d.XID = be32(b[4:])
	if htype == 1 && hlen == 6 {
		d.MAC = [6]byte(b[28:])
		d.HasMAC = d.MAC != [6]byte{}
	}
	d.Client, d.Given, d.Relay = dhcpAddr(b[12:]), dhcpAddr(b[16:]), dhcpAddr(b[24:])
	if len(b) < dhcpFixed+4 {
		if len(b) == dhcpFixed {
			return nil // BOOTP without a vendor area
		}
		return ErrTruncated
	}
	if be32(b[dhcpFixed:]) != dhcpCookie {
		return nil // BOOTP with a vendor area of its own (RFC 1048)
	}
	return d.options4(b)
}

func (d *DHCP) reset(version uint8) {
	long, name := d.long[:0], d.name[:0]
	options, params := d.Options[:0], d.ParamList[:0]
	addrs, prefixes := d.Addrs[:0], d.Prefixes[:0]
	d.head(version)
	d.long, d.name = long, name
	d.Options, d.ParamList = options, params
	d.Addrs, d.Prefixes = addrs, prefixes
}

// head forgets everything but the pieces, which are overwritten as needed.
func (d *DHCP) head(version uint8) {
	d.Version, d.Type, d.FromServer, d.XID, d.MAC, d.HasMAC = version, 0, false, 0, [6]byte{}, false
	d.Hostname, d.FQDN, d.VendorClass, d.UserClass = nil, nil, nil, nil
	d.HasHostname, d.HasFQDN, d.HasVendorClass = false, false, false
	d.ClientID, d.CircuitID, d.RemoteID = nil, nil, nil
	d.Server, d.Client, d.Requested, d.Given, d.Relay = netip.Addr{}, netip.Addr{}, netip.Addr{}, netip.Addr{}, netip.Addr{}
	d.Lease, d.Enterprise = 0, 0
}

// dhcpAddr returns the address at the start of b, the zero Addr for 0.0.0.0.
func dhcpAddr(b []byte) netip.Addr {
	a := [4]byte(b)
	if a == [4]byte{} {
		return netip.Addr{}
	}
	return netip.AddrFrom4(a)
}

// options4 reads the options, then those that an overload option moved into
// the file and sname fields (RFC 2131, section 4.1; RFC 3396, section 5).
func (d *DHCP) options4(b []byte) error {
	n, err := d.collect(b[dhcpFixed+4:], 0)
	for i := range n {
		if p := d.pieces[i]; p.code == optOverload && len(p.value) == 1 {
			if p.value[0]&1 != 0 {
				n, _ = d.collect(b[108:236], n) // file
			}
			if p.value[0]&2 != 0 {
				n, _ = d.collect(b[44:108], n) // sname
			}
			break
		}
	}
	for i := range n {
		if p := d.pieces[i]; !d.seenBefore(i) {
			d.option4(p.code, d.joined(i, n))
		}
	}
	return err
}

// collect notes the options in b after the n already known.
func (d *DHCP) collect(b []byte, n int) (int, error) {
	for len(b) > 0 {
		code := b[0]
		if code == optPad {
			b = b[1:]
			continue
		}
		if code == optEnd {
			return n, nil
		}
		if len(b) < 2 || len(b)-2 < int(b[1]) {
			return n, ErrTruncated
		}
		if n == dhcpMaxPieces {
			return n, ErrTooLong
		}
		d.pieces[n] = dhcpPiece{code, b[2 : 2+int(b[1])]}
		d.Options = append(d.Options, uint16(code))
		n++
		b = b[2+int(b[1]):]
	}
	return n, nil // many clients leave the end option out
}

func (d *DHCP) seenBefore(i int) bool {
	for _, p := range d.pieces[:i] {
		if p.code == d.pieces[i].code {
			return true
		}
	}
	return false
}

// joined returns the value of the option at i, with the later pieces of the
// same option appended (RFC 3396, section 7).
func (d *DHCP) joined(i, n int) []byte {
	whole := d.pieces[i].value
	start := -1
	for _, p := range d.pieces[i+1 : n] {
		if p.code != d.pieces[i].code {
			continue
		}
		if start < 0 {
			start = len(d.long)
			d.long = append(d.long, whole...)
		}
		d.long = append(d.long, p.value...)
		whole = d.long[start:len(d.long):len(d.long)]
	}
	return whole
}

func (d *DHCP) option4(code uint8, v []byte) {
	switch code {
	case optType:
		if len(v) > 0 {
			d.Type = v[0]
		}
	case optHostname:
		d.Hostname, d.HasHostname = trimNUL(v), true
	case optVendorClass:
		d.VendorClass, d.HasVendorClass = trimNUL(v), true
	case optUserClass:
		d.UserClass = v
	case optParams:
		for _, c := range v {
			d.ParamList = append(d.ParamList, uint16(c))
		}
	case optClientID:
		d.ClientID = v
	case optFQDN:
		d.fqdn4(v)
	case optRequested:
		if len(v) == 4 {
			d.Requested = dhcpAddr(v)
		}
	case optServer:
		if len(v) == 4 {
			d.Server = dhcpAddr(v)
		}
	case optLease:
		if len(v) == 4 {
			d.Lease = be32(v)
		}
	case optRelayAgent:
		d.relayAgent(v)
	}
}

// fqdn4 reads option 81: flags, two RCODEs, then the name as DNS labels when
// the E flag (bit 2) says so, else as ASCII (RFC 4702, section 2.1 and 2.3).
func (d *DHCP) fqdn4(v []byte) {
	d.HasFQDN = true
	if len(v) < 3 {
		return
	}
	if v[0]&4 == 0 {
		d.FQDN = trimNUL(v[3:])
		return
	}
	d.FQDN = d.labels(v[3:])
}

// labels returns DNS labels without compression as dotted text; a partial
// name has no root label at its end (RFC 4702, section 2.3.1).
func (d *DHCP) labels(v []byte) []byte {
	start := len(d.name)
	for len(v) > 0 && v[0] != 0 {
		n := int(v[0])
		if n > 63 || len(v) <= n {
			break
		}
		if len(d.name) > start {
			d.name = append(d.name, '.')
		}
		d.name = append(d.name, v[1:1+n]...)
		v = v[1+n:]
	}
	return d.name[start:len(d.name):len(d.name)]
}

// relayAgent reads the suboptions of option 82 (RFC 3046, section 3).
func (d *DHCP) relayAgent(v []byte) {
	for len(v) >= 2 && len(v)-2 >= int(v[1]) {
		value := v[2 : 2+int(v[1])]
		switch v[0] {
		case 1:
			d.CircuitID = value
		case 2:
			d.RemoteID = value
		}
		v = v[2+int(v[1]):]
	}
}

// trimNUL cuts the NUL bytes that some clients end a string with (RFC 2132,
// section 2, forbids them and tells receivers to expect them).
func trimNUL(v []byte) []byte {
	for len(v) > 0 && v[len(v)-1] == 0 {
		v = v[:len(v)-1]
	}
	return v
}
