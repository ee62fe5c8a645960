package wire

import "net/netip"

// ParseND reads an ICMPv6 neighbour-discovery message (RFC 4861) from its
// ICMP type on; src is the source of the IPv6 header and hops its hop limit
// (any other than 255 is refused, section 6.1 and 7.1).
func (n *Neighbour) ParseND(b []byte, src netip.Addr, hops uint8) error { return ErrOther }
