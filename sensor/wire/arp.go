package wire

import "net/netip"

// Neighbour is what an ARP or a neighbour-discovery message states: that an
// address is at a MAC. The zero value is ready for use; the Parse methods
// overwrite it. Prefixes refers to scratch inside the value.
type Neighbour struct {
	Op         NeighbourOp
	Addr       netip.Addr // whose MAC is stated; of a probe the address asked for
	MAC        [6]byte    // the link-layer address stated
	HasMAC     bool
	Target     netip.Addr // the address asked for (requests, NS)
	Gratuitous bool       // ARP: sender and target address are the same
	Router     bool       // RA, or NA with the R flag
	Prefixes   []netip.Prefix
	Lifetime   uint16 // RA: router lifetime, seconds

	prefixes [ndMaxPrefixes]netip.Prefix
}

// NeighbourOp is the kind of statement.
type NeighbourOp uint8

// The kinds, named as in the event lines.
const (
	NoNeighbour NeighbourOp = iota
	ARPRequest
	ARPReply
	ARPProbe // RFC 5227, section 1.1: asks for an address that the sender does not have yet
	NeighbourSolicitation
	NeighbourAdvertisement
	RouterAdvertisement
	RouterSolicitation
	NeighbourProbe // NS from the unspecified address: duplicate address detection (RFC 4862, section 5.4)
)

var neighbourNames = [...]string{"", "request", "reply", "probe", "ns", "na", "ra", "rs", "probe"}

// String returns request, reply, probe, ns, na, ra or rs.
func (o NeighbourOp) String() string {
	if int(o) < len(neighbourNames) {
		return neighbourNames[o]
	}
	return ""
}

// ParseARP reads an ARP packet for IPv4 over Ethernet (RFC 826), from its
// hardware type on. Other hardware or protocol types, reverse and inverse ARP
// are ErrOther; a sender with a group, broadcast or zero MAC is ErrMalformed.
func (n *Neighbour) ParseARP(b []byte) error {
	*n = Neighbour{}
	if len(b) < 8 {
		return ErrTruncated
	}
	if be16(b) != 1 && be16(b) != 6 || be16(b[2:]) != 0x0800 || b[4] != 6 || b[5] != 4 {
		return ErrOther
	}
	op := be16(b[6:])
	if op != 1 && op != 2 {
		return ErrOther
	}
	if len(b) < 28 {
		return ErrTruncated
	}
	n.MAC = [6]byte(b[8:])
	sender, target := netip.AddrFrom4([4]byte(b[14:])), netip.AddrFrom4([4]byte(b[24:]))
	if n.MAC[0]&1 != 0 || n.MAC == [6]byte{} {
		return ErrMalformed
	}
	n.HasMAC = true
	n.Addr, n.Target = sender, target
	n.Gratuitous = sender == target
	switch {
	case op == 2:
		n.Op = ARPReply
	case sender.IsUnspecified():
		n.Op, n.Addr = ARPProbe, target
	default:
		n.Op = ARPRequest
	}
	return nil
}
