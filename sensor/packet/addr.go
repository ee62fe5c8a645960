package packet

import "net/netip"

// Addr is an IP address as a flat value: IPv4 in its IPv4-mapped form
// (::ffff:a.b.c.d). It holds no pointer, so that keys made of it cost the
// garbage collector nothing. The zero value is "no address".
type Addr [16]byte

// MAC is a 48-bit hardware address. The zero value is "not seen".
type MAC [6]byte

// AddrFrom flattens a.
func AddrFrom(a netip.Addr) Addr {
	if !a.IsValid() {
		return Addr{}
	}
	return a.As16()
}

// Netip returns a as a netip.Addr, IPv4 unmapped.
func (a Addr) Netip() netip.Addr { return netip.AddrFrom16(a).Unmap() }

// Routed reports whether a may stand for a host beyond the local link:
// neither unspecified, loopback, link-local, multicast nor limited broadcast.
func (a Addr) Routed() bool {
	n := a.Netip()
	return n.IsGlobalUnicast() // which excludes them all
}
