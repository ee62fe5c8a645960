package wire

import "net/netip"

// data reads what picket keeps of a record's data, which is the end of b from
// off on. Data that contradicts its type makes the message malformed; types
// that are not read pass as they are.
func (d *DNS) data(b []byte, off int, r *DNSRecord) (err error) {
	rest := b[off:]
	if len(rest) == 0 {
		return nil // an update, or a "deny" of some resolvers: nothing to keep
	}
	skip := 0
	switch r.Type {
	case DNSTypeA:
		if len(rest) != 4 {
			return ErrMalformed
		}
		r.Addr = netip.AddrFrom4([4]byte(rest))
		return nil
	case DNSTypeAAAA:
		if len(rest) != 16 {
			return ErrMalformed
		}
		r.Addr = netip.AddrFrom16([16]byte(rest))
		return nil
	case DNSTypeTXT:
		if n := int(rest[0]); len(rest) > n {
			r.Data = rest[1 : 1+n]
			return nil
		}
		return ErrMalformed
	case DNSTypeHTTPS, DNSTypeSVCB:
		return d.service(b, off, r)
	case DNSTypeCNAME, DNSTypeNS, DNSTypePTR, DNSTypeDNAME:
	case DNSTypeMX:
		skip = 2 // preference
	case DNSTypeSRV:
		skip = 6 // priority, weight, port (RFC 2782)
	default:
		return nil
	}
	if len(rest) <= skip {
		return ErrMalformed
	}
	if r.Type == DNSTypeSRV {
		r.Port = be16(rest[4:])
	}
	r.Data, _, err = d.nameInside(b, off+skip)
	return err
}

// nameInside reads a name that must end inside b, the message up to the end
// of a record's data: running out of bytes there is a fault, not a cut.
func (d *DNS) nameInside(b []byte, off int) ([]byte, int, error) {
	name, next, err := d.name(b, off)
	if err == ErrTruncated {
		err = ErrMalformed
	}
	return name, next, err
}

// Keys of service parameters (RFC 9460, section 14.3.2; ech: RFC 9848).
const (
	svcALPN     = 1
	svcIPv4Hint = 4
	svcECH      = 5
	svcIPv6Hint = 6
)

// service reads SVCB and HTTPS data (RFC 9460, section 2.2).
func (d *DNS) service(b []byte, off int, r *DNSRecord) (err error) {
	if len(b)-off < 3 {
		return ErrMalformed
	}
	if r.Data, off, err = d.nameInside(b, off+2); err != nil {
		return err
	}
	alpns, hints := len(d.alpns), len(d.hints)
	for off < len(b) {
		if len(b)-off < 4 {
			return ErrMalformed
		}
		key, n := be16(b[off:]), int(be16(b[off+2:]))
		off += 4
		if len(b)-off < n {
			return ErrMalformed
		}
		value := b[off : off+n]
		off += n
		switch key {
		case svcALPN:
			if !d.alpn(value) {
				return ErrMalformed
			}
		case svcIPv4Hint:
			for ; len(value) >= 4 && len(d.hints) < dnsMaxHints; value = value[4:] {
				d.hints = append(d.hints, netip.AddrFrom4([4]byte(value)))
			}
		case svcIPv6Hint:
			for ; len(value) >= 16 && len(d.hints) < dnsMaxHints; value = value[16:] {
				d.hints = append(d.hints, netip.AddrFrom16([16]byte(value)))
			}
		case svcECH:
			r.ECH = n > 0
			r.ConfigID, r.Public = firstECHConfig(value)
		}
	}
	r.ALPN = d.alpns[alpns:len(d.alpns):len(d.alpns)]
	r.Hints = d.hints[hints:len(d.hints):len(d.hints)]
	return nil
}

// alpn splits a list of protocol names, each with its length before it.
func (d *DNS) alpn(v []byte) bool {
	for len(v) > 0 {
		n := int(v[0])
		if n == 0 || len(v) <= n {
			return false
		}
		if len(d.alpns) < dnsMaxALPN {
			d.alpns = append(d.alpns, v[1:1+n])
		}
		v = v[1+n:]
	}
	return true
}
