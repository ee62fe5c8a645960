package wire

import "net/netip"

// ICMPv6 types of neighbour discovery (RFC 4861, section 4).
const (
	icmpRS = 133
	icmpRA = 134
	icmpNS = 135
	icmpNA = 136
)

// Options of neighbour discovery (RFC 4861, section 4.6).
const (
	ndSourceLinkLayer = 1
	ndTargetLinkLayer = 2
	ndPrefix          = 3
)

const ndMaxPrefixes = 8 // a router advertises one or two

// ParseND reads an ICMPv6 neighbour-discovery message (RFC 4861) from its
// ICMP type on; src is the source of the IPv6 header and hops its hop limit:
// any other than 255 came from outside the link and is ErrMalformed (sections
// 6.1 and 7.1). Other ICMPv6 types, Redirect among them, are ErrOther.
func (n *Neighbour) ParseND(b []byte, src netip.Addr, hops uint8) error {
	*n = Neighbour{}
	if len(b) < 8 {
		return ErrTruncated
	}
	fixed := 0
	switch b[0] {
	case icmpRS:
		n.Op, fixed = RouterSolicitation, 8
	case icmpRA:
		n.Op, fixed = RouterAdvertisement, 16
	case icmpNS:
		n.Op, fixed = NeighbourSolicitation, 24
	case icmpNA:
		n.Op, fixed = NeighbourAdvertisement, 24
	default:
		return ErrOther
	}
	if b[1] != 0 || hops != 255 {
		return ErrMalformed
	}
	if len(b) < fixed {
		return ErrTruncated
	}
	n.Addr = src
	option := uint8(ndSourceLinkLayer)
	switch n.Op {
	case RouterAdvertisement:
		n.Router, n.Lifetime = true, be16(b[6:])
	case NeighbourSolicitation:
		n.Target = netip.AddrFrom16([16]byte(b[8:]))
		if src.IsUnspecified() {
			n.Op, n.Addr = NeighbourProbe, n.Target
		}
	case NeighbourAdvertisement:
		n.Router = b[4]&0x80 != 0
		n.Addr = netip.AddrFrom16([16]byte(b[8:]))
		n.Target = n.Addr
		option = ndTargetLinkLayer
	}
	if n.Target.IsMulticast() {
		return ErrMalformed
	}
	return n.options(b[fixed:], option)
}

// options reads prefixes, and the link-layer address in the option of the
// kind that this message may state.
func (n *Neighbour) options(b []byte, linkLayer uint8) error {
	kept := 0
	for len(b) > 0 {
		if len(b) < 2 {
			return ErrTruncated
		}
		size := int(b[1]) * 8
		if size == 0 {
			return ErrMalformed // RFC 4861, section 4.6: discard
		}
		if len(b) < size {
			return ErrTruncated
		}
		switch {
		case b[0] == linkLayer && size == 8:
			n.MAC = [6]byte(b[2:])
			n.HasMAC = n.MAC != [6]byte{} && n.MAC[0]&1 == 0
		case b[0] == ndPrefix && size == 32 && n.Op == RouterAdvertisement && b[2] <= 128 && kept < ndMaxPrefixes:
			n.prefixes[kept] = netip.PrefixFrom(netip.AddrFrom16([16]byte(b[16:])), int(b[2])).Masked()
			kept++
		}
		b = b[size:]
	}
	n.Prefixes = n.prefixes[:kept]
	return nil
}
