package traffic

import "net/netip"

// EtherTypes.
const (
	etherIPv4 = 0x0800
	etherARP  = 0x0806
	etherIPv6 = 0x86dd
)

var (
	gateway4 = netip.MustParseAddr("10.0.0.1")
	gateway6 = netip.MustParseAddr("fe80::1")
)

// Bits of generator.met.
const (
	met4 = 1 << iota
	met6
)

// introduce writes what every host sends before it speaks over an address:
// it asks for the hardware address of its router, by ARP or by IPv6 neighbour
// discovery, and is answered. It returns the number of frames.
func (g *generator) introduce(f *flow) (frames int) {
	if g.met == nil {
		g.met = make([]uint8, g.Devices)
	}
	for _, of := range [...]*Flow{f.dns, f.truth} {
		switch {
		case of == nil:
		case of.Client.Is4() && g.met[f.device.n]&met4 == 0:
			g.met[f.device.n] |= met4
			g.arp(f.device, true)
			g.arp(f.device, false)
			frames += 2
		case of.Client.Is6() && g.met[f.device.n]&met6 == 0:
			g.met[f.device.n] |= met6
			g.neighbour(f.device, true)
			g.neighbour(f.device, false)
			frames += 2
		}
	}
	return frames
}

// arp writes a request of d for the router (RFC 826), or the reply.
func (g *generator) arp(d device, request bool) {
	b := g.link(d, request, etherARP, 28)
	b = append(b, 0, 1, 8, 0, 6, 4, 0)
	mac, v4, router := d.mac(), d.v4.As4(), gateway4.As4()
	if request {
		b = append(append(append(b, 1), mac[:]...), v4[:]...)
		b = append(append(b, 0, 0, 0, 0, 0, 0), router[:]...)
	} else {
		b = append(append(append(b, 2), gateway[:]...), router[:]...)
		b = append(append(b, mac[:]...), v4[:]...)
	}
	g.write(b)
}

// neighbour writes a solicitation of d for the router (RFC 4861, section 4.3),
// or the advertisement that answers it (section 4.4).
func (g *generator) neighbour(d device, solicit bool) {
	from, to, mac := d.v6, gateway6, d.mac()
	kind, flags, option := byte(135), byte(0), byte(1) // source link-layer address
	if !solicit {
		from, to, mac = gateway6, d.v6, gateway
		kind, flags, option = 136, 0xe0, 2 // router, solicited, override; target link-layer address
	}
	const size = 32
	b := g.link(d, solicit, etherIPv6, 40+size)
	b = ipHeader(b, from, to, 58, size)
	b[len(b)-33] = 255 // hop limit
	at := len(b)
	target := gateway6.As16()
	b = append(b, kind, 0, 0, 0, flags, 0, 0, 0)
	b = append(append(b, target[:]...), option, 1)
	b = append(b, mac[:]...)
	be.PutUint16(b[at+2:], checksum6(from, to, 58, b[at:]))
	g.write(b)
}

// checksum6 is that of RFC 8200, section 8.1; the field in b is zero.
func checksum6(from, to netip.Addr, proto byte, b []byte) uint16 {
	sum := uint32(len(b)) + uint32(proto)
	add := func(b []byte) {
		for i := 0; i+1 < len(b); i += 2 {
			sum += uint32(be.Uint16(b[i:]))
		}
	}
	f, t := from.As16(), to.As16()
	add(f[:])
	add(t[:])
	add(b)
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}
