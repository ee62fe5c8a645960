package wire

import "net/netip"

// Message types of DHCPv6 that are told apart (RFC 8415, section 7.3).
const (
	dhcp6Advertise    = 2
	dhcp6Reply        = 7
	dhcp6Reconfigure  = 10
	dhcp6RelayForward = 12
	dhcp6RelayReply   = 13
)

// Options of DHCPv6 that are read (RFC 8415, section 24, unless said).
const (
	opt6ClientID    = 1
	opt6IANA        = 3
	opt6IATA        = 4
	opt6Address     = 5
	opt6Params      = 6
	opt6Relayed     = 9
	opt6UserClass   = 15
	opt6VendorClass = 16
	opt6InterfaceID = 18
	opt6IAPD        = 25
	opt6Prefix      = 26
	opt6RemoteID    = 37 // RFC 4649
	opt6FQDN        = 39 // RFC 4704
	opt6LinkLayer   = 79 // RFC 6939: what the relay saw the client's MAC to be
)

// dhcp6MaxRelays is HOP_COUNT_LIMIT (RFC 8415, section 7.6).
const dhcp6MaxRelays = 8

// Parse6 reads a DHCPv6 message: a UDP payload of ports 546 and 547. Of a
// relayed message it reads the client's or server's inside. With ErrTruncated
// what was read before the cut is in d.
func (d *DHCP) Parse6(b []byte) error {
	d.reset(6)
	for range dhcp6MaxRelays + 1 {
		if len(b) < 4 {
			return ErrTruncated
		}
		switch t := b[0]; t {
		case dhcp6RelayForward, dhcp6RelayReply:
			var err error
			if b, err = d.relay6(b); err != nil {
				return err
			}
		default:
			if t == 0 || int(t) > 36 { // assigned: 1 to 36
				return ErrOther
			}
			d.Type = t
			d.XID = be32(b) & 0xffffff
			d.FromServer = t == dhcp6Advertise || t == dhcp6Reply || t == dhcp6Reconfigure
			return d.options6(b[4:], 0)
		}
	}
	return ErrTooLong
}

// relay6 reads the header and options of a relay's message and returns the
// message inside (RFC 8415, section 9).
func (d *DHCP) relay6(b []byte) (inside []byte, err error) {
	const header = 34 // type, hop count, link address, peer address
	if len(b) < header {
		return nil, ErrTruncated
	}
	if link := netip.AddrFrom16([16]byte(b[2:])); !link.IsUnspecified() {
		d.Relay = link
	}
	b = b[header:]
	for len(b) > 0 {
		code, v, rest, err := option6(b)
		if err != nil {
			return nil, err
		}
		switch code {
		case opt6Relayed:
			inside = v
		case opt6InterfaceID:
			d.CircuitID = v
		case opt6RemoteID:
			if len(v) > 4 {
				d.RemoteID = v[4:]
			}
		case opt6LinkLayer:
			if len(v) == 8 && be16(v) == 1 {
				d.MAC, d.HasMAC = [6]byte(v[2:]), true
			}
		}
		b = rest
	}
	if inside == nil {
		return nil, ErrMalformed
	}
	return inside, nil
}

// option6 cuts the first option off b.
func option6(b []byte) (code uint16, v, rest []byte, err error) {
	if len(b) < 4 {
		return 0, nil, nil, ErrTruncated
	}
	n := int(be16(b[2:]))
	if len(b)-4 < n {
		return 0, nil, nil, ErrTruncated
	}
	return be16(b), b[4 : 4+n], b[4+n:], nil
}

// options6 reads the options of a message (depth 0) or of an identity
// association in it (depth 1).
func (d *DHCP) options6(b []byte, depth int) error {
	for len(b) > 0 {
		code, v, rest, err := option6(b)
		if err != nil {
			return err
		}
		if depth == 0 && len(d.Options) < dhcpMaxPieces {
			d.Options = append(d.Options, code)
		}
		if err = d.option6(code, v, depth); err != nil {
			return err
		}
		b = rest
	}
	return nil
}

func (d *DHCP) option6(code uint16, v []byte, depth int) error {
	switch code {
	case opt6ClientID:
		d.duid(v)
	case opt6Params:
		for ; len(v) >= 2 && len(d.ParamList) < dhcpMaxPieces; v = v[2:] {
			d.ParamList = append(d.ParamList, be16(v))
		}
	case opt6VendorClass:
		d.vendorClass6(v)
	case opt6UserClass:
		if len(v) >= 2 && len(v)-2 >= int(be16(v)) {
			d.UserClass = v[2 : 2+int(be16(v))]
		}
	case opt6FQDN:
		d.HasFQDN = true
		if len(v) > 1 {
			d.FQDN = d.labels(v[1:])
		}
	case opt6LinkLayer:
		if len(v) == 8 && be16(v) == 1 {
			d.MAC, d.HasMAC = [6]byte(v[2:]), true
		}
	case opt6IANA, opt6IAPD: // identity, two times, then options
		if depth == 0 && len(v) >= 12 {
			return d.options6(v[12:], 1)
		}
	case opt6IATA:
		if depth == 0 && len(v) >= 4 {
			return d.options6(v[4:], 1)
		}
	case opt6Address:
		if len(v) >= 24 {
			d.address6(netip.AddrFrom16([16]byte(v)), be32(v[20:]))
		}
	case opt6Prefix:
		if len(v) >= 25 && v[8] <= 128 && len(d.Prefixes) < dhcpMaxAddrs {
			p := netip.PrefixFrom(netip.AddrFrom16([16]byte(v[9:])), int(v[8]))
			d.Prefixes = append(d.Prefixes, p.Masked())
		}
	}
	return nil
}

func (d *DHCP) address6(a netip.Addr, valid uint32) {
	if len(d.Addrs) < dhcpMaxAddrs {
		d.Addrs = append(d.Addrs, a)
	}
	switch {
	case d.FromServer && !d.Given.IsValid():
		d.Given, d.Lease = a, valid
	case !d.FromServer && !d.Requested.IsValid():
		d.Requested = a
	}
}

// duid notes the client's DUID and the MAC inside one of type 1 (link-layer
// plus time) or 3 (link-layer) of hardware type Ethernet (RFC 8415, section
// 11). It is the MAC of some interface of the device, not surely of this one,
// so that what a relay saw (option 79) comes before.
func (d *DHCP) duid(v []byte) {
	d.ClientID = v
	if len(v) < 4 || be16(v[2:]) != 1 || d.HasMAC {
		return
	}
	switch t := be16(v); {
	case t == 1 && len(v) == 14:
		d.MAC, d.HasMAC = [6]byte(v[8:]), true
	case t == 3 && len(v) == 10:
		d.MAC, d.HasMAC = [6]byte(v[4:]), true
	}
}

// vendorClass6 reads option 16: enterprise number, then strings with a 2-byte
// length each (RFC 8415, section 21.16).
func (d *DHCP) vendorClass6(v []byte) {
	d.HasVendorClass = true
	if len(v) < 4 {
		return
	}
	d.Enterprise = be32(v)
	if v = v[4:]; len(v) >= 2 && len(v)-2 >= int(be16(v)) {
		d.VendorClass = v[2 : 2+int(be16(v))]
	}
}
