package packet

import (
	"encoding/binary"
	"testing"
)

// rare is one frame for each seldom link type and encapsulation, all carrying
// inner(): part of good().
func rare() []frameCase {
	in := inner()
	e := eth(0x800, in)
	llc := snap(0x800, in)
	u := func(port int, body []byte) []byte { return eth(0x800, ip4(17, udp(50000, port, body))) }
	gre := func(flags, proto int, body []byte) []byte {
		return eth(0x800, ip4(47, join(u16(flags), u16(proto), body)))
	}
	zero := func(n int) []byte { return make([]byte, n) }
	junos := func(flags byte, body ...[]byte) []byte { return join([]byte{'M', 'G', 'C', flags}, join(body...)) }
	identity := join([]byte{0x44, 0x52, 0x11, 4}, u32(1700000000), zero(16+20))
	return []frameCase{
		{"nflog", 239, nflogRecord(binary.LittleEndian, 0x800, in), nil},
		{"nflog-big", 239, nflogRecord(binary.BigEndian, 0x800, in), nil},
		{"pflog", 117, join([]byte{61, 2, 0, 0}, zero(60), in), nil},
		{"enc", 109, join([]byte{2, 0, 0, 0}, zero(8), in), nil},
		{"ipnet", 226, join(zero(24), in), nil},
		{"pktap", 258, join([]byte{108, 0, 0, 0, 1, 0, 0, 0, 12, 0, 0, 0}, zero(96), in), nil},
		{"pktap-ethernet", 149, join([]byte{108, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0}, zero(96), e), nil},
		{"erf", 197, join(zero(8), []byte{2, 4}, u16(18+len(e)), u16(0), u16(len(e)), u16(0), e), nil},
		{"erf-extension", 197, join(zero(8), []byte{0x82, 4}, zero(6), []byte{0x85}, zero(7), []byte{5}, zero(7), u16(0), e), nil},
		{"erf-hdlc", 197, join(zero(8), []byte{1, 4}, zero(6), []byte{0x0f, 0, 8, 0}, in), nil},
		{"erf-ipv4", 197, join(zero(8), []byte{22, 4}, zero(6), in), nil},
		{"netanalyzer", 240, join(u32(1), e, u32(0)), nil},
		{"netanalyzer-raw", 241, join(u32(1), []byte{0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0xd5}, e), nil},
		{"mpacket", 274, join([]byte{0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0xd5}, e), nil},
		{"frame-relay", 107, join([]byte{0x18, 0x41, 3, 0xcc}, in), nil},
		{"frame-relay-four-octets", 107, join([]byte{0x18, 0x40, 0x40, 0x41, 3, 0xcc}, in), nil},
		{"frame-relay-snap", 107, join([]byte{0x18, 0x41, 3, 0, 0x80, 0, 0, 0, 8, 0}, in), nil},
		{"frame-relay-bridged", 107, join([]byte{0x18, 0x41, 3, 0, 0x80, 0, 0x80, 0xc2, 0, 7}, e), []string{"etherip"}},
		{"frame-relay-cisco", 107, join([]byte{0x18, 0x41, 8, 0}, in), nil},
		{"atm", 100, llc, nil},
		{"atm-iso", 100, join([]byte{0xfe, 0xfe, 3, 0xcc}, in), nil},
		{"atm-bridged", 100, join([]byte{0xaa, 0xaa, 3, 0, 0x80, 0xc2, 0, 7, 0, 0}, e), []string{"etherip"}},
		{"atm-classic", 106, llc, nil},
		{"atm-classic-bare", 106, in, nil},
		{"sun-atm", 123, join([]byte{2, 0, 0, 5}, llc), nil},
		{"sun-atm-lane", 123, join([]byte{1, 0, 0, 5, 0, 1}, e), nil},
		{"fddi", 10, join([]byte{0x50}, macB, macA, llc), nil},
		{"token-ring", 6, join([]byte{0x10, 0x40}, macB, macA, llc), nil},
		{"token-ring-routed", 6, join([]byte{0x10, 0x40}, macB, []byte{0x82}, macA[1:], []byte{6, 0x30, 0, 0x12, 0, 0x20}, llc), nil},
		{"ip-over-fc", 122, join(u16(0), macB, u16(0), macA, llc), nil},
		{"firewire", 138, join(zero(16), u16(0x800), in), nil},
		{"infiniband", 242, join(zero(40), u16(0x800), u16(0), in), nil},
		{"mpls-link", 219, join(u32(16<<12|0x140), in), []string{"mpls:16"}},
		{"slip", 8, join(zero(16), in), nil},
		{"brcm-tag", 281, join(macB, macA, u32(0x20000001), u16(0x800), in), nil},
		{"brcm-tag-before", 282, join(u32(0x20000001), e), nil},
		{"dsa", 284, join(macB, macA, u32(0x40180005), u16(0x800), in), nil},
		{"edsa", 285, join(macB, macA, u16(0xdada), u16(0), u32(0x40180005), u16(0x800), in), nil},
		{"junos", 178, junos(0, e), nil},
		{"junos-extensions", 178, junos(0x80, u16(6), zero(6), e), nil},
		{"junos-no-link", 178, junos(2, zero(4), in), nil},
		{"junos-ppp", 179, junos(1, u16(0x21), in), nil},
		{"junos-frame-relay", 180, junos(0, []byte{0x18, 0x41, 3, 0xcc}, in), nil},
		{"junos-hdlc", 181, junos(0, []byte{0x0f, 0, 8, 0}, in), nil},
		{"trill", 1, eth(0x22f3, join([]byte{0, 0x7f}, u32(0x10002), u32(0), e)), []string{"trill"}},
		{"hsr", 1, eth(0x892f, join(u16(len(in)+4), u16(1), u16(0x800), in)), []string{"hsr"}},
		{"fabric-path", 1, eth(0x8903, join(u16(0x60), e)), []string{"etherip"}},
		{"gre-routed", 1, gre(0x4000, 0x800, join(u32(0), u16(0x800), []byte{4, 4}, u32(1), u32(0), in)), []string{"gre"}},
		{"gre-aruba", 1, gre(0, 0x8210, wifiData(1, true, llc)), []string{"gre"}},
		{"vxlan-reserved", 1, u(4789, join([]byte{8, 0, 0, 0}, u32(42<<8|1), e)), []string{"vxlan:42"}},
		{"gtpu-ethernet", 1, u(2152, join([]byte{0x30, 0xff}, u16(len(e)), u32(99), e)), []string{"gtpu:99"}},
		{"gtpu-claims-more", 1, u(2152, join([]byte{0x30, 0xff}, u16(len(in)+8), u32(99), in)), []string{"gtpu:99"}},
		{"gtp-version-0", 1, u(3386, join([]byte{0x1e, 0xff}, u16(len(in)), u16(1), u16(7), zero(12), in)), []string{"gtpu:7"}},
		{"l2tp3-udp", 1, u(1701, join(u16(3), u16(0), u32(7), e)), []string{"l2tp"}},
		{"l2tp3-ppp", 1, eth(0x800, ip4(115, join(u32(7), []byte{0xff, 3, 0, 0x21}, in))), []string{"l2tp"}},
		{"ayiya", 1, u(5072, join(identity, in)), []string{"ayiya"}},
		{"lisp", 1, u(4341, join(u32(0xc0000001), u32(1), in)), []string{"lisp"}},
		{"lwapp", 1, u(12222, join(u16(0), u16(len(wifiData(1, false, llc))), u16(0), wifiData(1, false, llc))), []string{"lwapp"}},
		{"pim-register", 1, eth(0x800, ip4(103, join([]byte{0x21, 0, 0, 0}, u32(0), in))), []string{"pim"}},
		{"ethernet-in-ipv6", 1, eth(0x86dd, ip6(143, e)), []string{"etherip"}},
	}
}

// nflogRecord is a record of netfilter with some of the attributes it has.
func nflogRecord(order binary.ByteOrder, proto int, body []byte) []byte {
	attribute := func(kind int, v []byte) []byte {
		b := make([]byte, 4, 4+len(v)+3)
		order.PutUint16(b, uint16(4+len(v)))
		order.PutUint16(b[2:], uint16(kind))
		return append(append(b, v...), make([]byte, -len(v)&3)...)
	}
	b := join([]byte{2, 0, 0, 1}, attribute(1, join(u16(proto), []byte{3, 0})), attribute(10, []byte("in")),
		attribute(8, join(u16(6), u16(0), macA, u16(0))))
	payload := attribute(9, body)
	return join(b, payload[:4+len(body)])
}

// The kernel logs ARP too.
func TestNFLOGARP(t *testing.T) {
	body := join(u16(1), u16(0x800), []byte{6, 4}, u16(1), macA, []byte{10, 0, 0, 1}, make([]byte, 6), []byte{10, 0, 0, 2})
	f := nflogRecord(binary.LittleEndian, int(EtherTypeARP), body)
	var p Packet
	if r := p.Decode(239, f, 0, len(f)); r != Decoded || p.EtherType != EtherTypeARP || len(p.Payload) != 28 || p.LinkSrc != MAC(macA) {
		t.Errorf("%v, type %#x, %d bytes from %v", r, p.EtherType, len(p.Payload), p.LinkSrc)
	}
}

// Between two Teredo clients any port is used; what only looks like IPv6 stays.
func TestTeredoBetweenClients(t *testing.T) {
	for _, c := range []struct {
		prefix int
		port   uint16
	}{{0x20010000, 443}, {0x20010db8, 40000}} {
		in := ip6(6, tcp("hello, world"))
		copy(in[24:], u32(c.prefix))
		f := eth(0x800, ip4(17, udp(40000, 50000, in)))
		var p Packet
		want := c.port
		if r := p.Decode(1, f, 0, len(f)); r != Decoded || p.DstPort != want && p.SrcPort != want {
			t.Errorf("prefix %08x: %v, ports %d %d", c.prefix, r, p.SrcPort, p.DstPort)
		}
	}
}
