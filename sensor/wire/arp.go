package wire

import "net/netip"

// Neighbour is what an ARP or a neighbour-discovery message states.
// Prefixes refers to scratch inside the value.
type Neighbour struct {
	Op         NeighbourOp
	Addr       netip.Addr // whose MAC is stated; the probed or asked address for probes
	MAC        [6]byte    // zero when no link-layer address was stated
	HasMAC     bool
	Target     netip.Addr // the address asked for
	Gratuitous bool       // ARP: sender and target address are the same
	Router     bool       // NA with the R flag, RA
	Prefixes   []netip.Prefix
	Lifetime   uint16 // RA: router lifetime, seconds

	prefixes [8]netip.Prefix
}

// NeighbourOp is the kind of statement.
type NeighbourOp uint8

// The kinds, named as in the event lines.
const (
	NoNeighbour NeighbourOp = iota
	ARPRequest
	ARPReply
	ARPProbe // RFC 5227: asks for an address that the sender does not have yet
	NeighbourSolicitation
	NeighbourAdvertisement
	RouterAdvertisement
	RouterSolicitation
	NeighbourProbe // NS from the unspecified address (duplicate address detection, RFC 4862)
)

var neighbourNames = [...]string{"", "request", "reply", "probe", "ns", "na", "ra", "rs", "probe"}

// String returns request, reply, probe, ns, na, ra or rs.
func (o NeighbourOp) String() string { return neighbourNames[o] }

// ParseARP reads an ARP packet for IPv4 over Ethernet (RFC 826), from its
// hardware type on.
func (n *Neighbour) ParseARP(b []byte) error { return ErrOther }
