package geo

import "net/netip"

// placeless are the IPv4 prefixes that are nobody's on the Internet: the
// IANA IPv4 Special-Purpose Address Registry (RFC 6890) without what is
// globally reachable, multicast (RFC 5771) and the reserved class E.
var placeless = [...]netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"),
	netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("224.0.0.0/3"),
}

// placeless6 are the parts of 2000::/3 that are nobody's: the IANA IPv6
// Special-Purpose Address Registry. Nothing outside 2000::/3 is global.
var placeless6 = [...]netip.Prefix{
	netip.MustParsePrefix("2001::/23"), // protocol assignments; Teredo is translated before
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("3fff::/20"),
	netip.MustParsePrefix("2002::/16"),
}

var global6 = netip.MustParsePrefix("2000::/3")

// placelessFirst are the first octets of placeless: most addresses begin with
// another.
var placelessFirst = func() (first [256]bool) {
	for _, p := range placeless {
		from := int(p.Addr().As4()[0])
		for o := range max(1, 256>>p.Bits()) {
			first[from+o] = true
		}
	}
	return first
}()

// Placeless reports whether a can have no country: private, shared,
// loopback, link-local, multicast, documentation, reserved, malformed.
func Placeless(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsValid() {
		return true
	}
	if a.Is4() {
		if !placelessFirst[a.As4()[0]] {
			return false
		}
		for i := range placeless {
			if placeless[i].Contains(a) {
				return true
			}
		}
		return false
	}
	if !global6.Contains(a) {
		return true
	}
	for i := range placeless6 {
		if placeless6[i].Contains(a) {
			return true
		}
	}
	return false
}
