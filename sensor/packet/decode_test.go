package packet

import (
	"bytes"
	"slices"
	"testing"
)

type frameCase struct {
	name  string
	link  uint16
	frame []byte
	encap []string // of a frame that ends in the inner TCP segment
}

// good is one real frame for each encapsulation, all carrying inner().
func good() []frameCase {
	in := inner()
	e := eth(0x800, in)
	u := func(port int, body []byte) []byte { return eth(0x800, ip4(17, udp(50000, port, body))) }
	gre := func(flags, proto int, body []byte) []byte {
		return eth(0x800, ip4(47, join(u16(flags), u16(proto), body)))
	}
	vni := u32(42 << 8)
	return append(rare(), []frameCase{
		{"ethernet", 1, e, nil},
		{"padded", 1, join(e, make([]byte, 6)), nil},
		{"llc-snap", 1, eth8023(snap(0x800, in)), nil},
		{"802.1q", 1, eth(0x8100, dot1q(10, 0x800, in)), []string{"vlan:10"}},
		{"qinq", 1, eth(0x88a8, dot1q(10, 0x8100, dot1q(20, 0x9100, dot1q(30, 0x8100, dot1q(40, 0x800, in))))), []string{"vlan:10", "vlan:20", "vlan:30", "vlan:40"}},
		{"cooked", 113, join(u16(0), u16(1), u16(6), macA, u16(0), u16(0x800), in), nil},
		{"cooked2", 276, join(u16(0x800), u16(0), u32(3), u16(1), []byte{0, 6}, macA, u16(0), in), nil},
		{"raw", 101, in, nil},
		{"raw-ipv4", 228, in, nil},
		{"null-little", 0, join([]byte{2, 0, 0, 0}, in), nil},
		{"loop-big", 108, join([]byte{0, 0, 0, 2}, in), nil},
		{"ppp", 9, join([]byte{0xff, 3, 0, 0x21}, in), nil},
		{"ppp-short-protocol", 9, join([]byte{0x21}, in), nil},
		{"ppp-hdlc", 50, join([]byte{0x0f, 0}, u16(0x800), in), nil},
		{"ppp-direction", 204, join([]byte{1, 0xff, 3, 0, 0x21}, in), nil},
		{"chdlc", 104, join([]byte{0x0f, 0}, u16(0x800), in), nil},
		{"pppoe", 1, eth(0x8864, join([]byte{0x11, 0}, u16(7), u16(2+len(in)), u16(0x21), in)), []string{"pppoe"}},
		{"mpls", 1, eth(0x8847, join(u32(16<<12|0x140), in)), []string{"mpls:16"}},
		{"mpls-pseudowire", 1, eth(0x8847, join(u32(16<<12), u32(17<<12|0x100), u32(0), e)), []string{"mpls:16", "mpls:17", "pw"}},
		{"mpls-pseudowire-no-word", 1, eth(0x8847, join(u32(17<<12|0x100), e)), []string{"mpls:17", "pw"}},
		{"vntag", 1, eth(0x8926, join(u32(0x12345), u16(0x800), in)), []string{"vntag"}},
		{"nsh", 1, eth(0x894f, join([]byte{0, 6, 1, 3}, u32(0x1ff), make([]byte, 16), e)), []string{"nsh"}},
		{"gre", 1, gre(0, 0x800, in), []string{"gre"}},
		{"gre-key-sequence-checksum", 1, gre(0xb000, 0x800, join(u32(0), u32(9), u32(1), in)), []string{"gre"}},
		{"gre-ethernet", 1, gre(0, 0x6558, e), []string{"gre"}},
		{"pptp", 1, gre(0x3081, 0x880b, join(u16(len(in)+4), u16(5), u32(1), u32(2), []byte{0xff, 3, 0, 0x21}, in)), []string{"gre"}},
		{"erspan1", 1, gre(0, 0x88be, e), []string{"gre", "erspan:0"}},
		{"erspan2", 1, gre(0x1000, 0x88be, join(u32(1), []byte{0x10, 0x0a, 0, 1}, u32(0), e)), []string{"gre", "erspan:1"}},
		{"erspan3", 1, gre(0x1000, 0x22eb, join(u32(1), []byte{0x20, 0x0a, 0, 5}, u32(0), []byte{0, 0, 0, 0}, e)), []string{"gre", "erspan:5"}},
		{"erspan3-subheader", 1, gre(0x1000, 0x22eb, join(u32(1), []byte{0x20, 0x0a, 0, 5}, u32(0), []byte{0, 0, 0, 1}, u32(0), u32(0), e)), []string{"gre", "erspan:5"}},
		{"erspan2-without-gre", 1, eth(0x88be, join([]byte{0x10, 0x0a, 0, 1}, u32(0), e)), []string{"erspan:1"}},
		{"gre-in-udp", 1, u(4754, join(u16(0), u16(0x800), in)), []string{"gre"}},
		{"gre-in-udp-ethernet", 1, u(4754, join(u16(0x2000), u16(0x6558), u32(9), e)), []string{"gre"}},
		{"vxlan", 1, u(4789, join([]byte{8, 0, 0, 0}, vni, e)), []string{"vxlan:42"}},
		{"vxlan-8472", 1, u(8472, join([]byte{8, 0, 0, 0}, vni, e)), []string{"vxlan:42"}},
		{"vxlan-gpe", 1, u(4790, join([]byte{0x0c, 0, 0, 1}, vni, in)), []string{"vxlan-gpe:42"}},
		{"geneve", 1, u(6081, join([]byte{1, 0}, u16(0x6558), vni, u32(0), e)), []string{"geneve:42"}},
		{"gtpu", 1, u(2152, join([]byte{0x30, 0xff}, u16(len(in)), u32(99), in)), []string{"gtpu:99"}},
		{"gtpu-extension", 1, u(2152, join([]byte{0x34, 0xff}, u16(8+len(in)), u32(99), []byte{0, 0, 0, 0x85, 1, 0, 9, 0}, in)), []string{"gtpu:99"}},
		{"capwap-802.11", 1, u(5247, capwap(1, 0, wifiData(1, false, snap(0x800, in)))), []string{"capwap"}},
		{"capwap-qos-ht", 1, u(5247, capwap(1, 0, wifiData(0x81, true, snap(0x800, in)))), []string{"capwap"}},
		{"capwap-swapped", 1, u(5247, capwap(1, 0, swap(wifiData(1, false, snap(0x800, in))))), []string{"capwap"}},
		{"capwap-802.3", 1, u(5247, capwap(0, 0, e)), []string{"capwap"}},
		{"tzsp", 1, u(37008, join([]byte{1, 0, 0, 1, 10, 1, 0xc8, 0, 1}, e)), []string{"tzsp"}},
		{"tzsp-802.11", 1, u(37008, join([]byte{1, 0, 0, 18, 1}, wifiData(1, true, snap(0x800, in)))), []string{"tzsp"}},
		{"l2tp", 1, u(1701, join([]byte{0x40, 2}, u16(len(in)+12), u32(7), []byte{0xff, 3, 0, 0x21}, in)), []string{"l2tp"}},
		{"ipip", 1, eth(0x800, ip4(4, in)), []string{"ipip"}},
		{"4in6", 1, eth(0x86dd, ip6(4, in)), []string{"4in6"}},
		{"etherip", 1, eth(0x800, ip4(97, join([]byte{0x30, 0}, e))), []string{"etherip"}},
		{"802.11", 105, wifiData(1, false, snap(0x800, in)), nil},
		{"radiotap", 127, join([]byte{0, 0, 8, 0, 0, 0, 0, 0}, wifiData(1, true, snap(0x800, in))), nil},
		{"vxlan-in-gre", 1, gre(0, 0x800, ip4(17, udp(50000, 4789, join([]byte{8, 0, 0, 0}, vni, eth(0x8100, dot1q(3, 0x800, in)))))), []string{"gre", "vxlan:42", "vlan:3"}},
	}...)
}

func swap(b []byte) []byte {
	b[0], b[1] = b[1], b[0]
	return b
}

func TestEncapsulations(t *testing.T) {
	for _, c := range good() {
		t.Run(c.name, func(t *testing.T) {
			var p Packet
			if r := p.Decode(c.link, c.frame, 5, len(c.frame)); r != Decoded {
				t.Fatalf("stopped: %v at %v, want decoded", r, p.Layer)
			}
			checkInner(t, &p)
			if got := p.Layers(); !slices.Equal(got, c.encap) {
				t.Errorf("layers %v, want %v", got, c.encap)
			}
		})
	}
}

func checkInner(t *testing.T, p *Packet) {
	t.Helper()
	if string(p.Payload) != "hello, world" || p.PayloadLen != 12 {
		t.Errorf("payload %q (%d), want the greeting (12)", p.Payload, p.PayloadLen)
	}
	if p.Src.Netip().String() != "10.0.0.1" || p.Dst.Netip().String() != "192.0.2.9" || p.Version != 4 || p.TTL != 64 {
		t.Errorf("%v → %v version %d ttl %d", p.Src.Netip(), p.Dst.Netip(), p.Version, p.TTL)
	}
	if p.SrcPort != 40000 || p.DstPort != 443 || p.Seq != 1000 || p.Ack != 2000 || p.Flags != PSH|ACK || p.Window != 512 || p.Checksum != 0xbeef {
		t.Errorf("transport header: %+v", p)
	}
}

// A frame cut anywhere must not panic, must not claim more payload than the
// whole has, and once the inner TCP header is there must count in full.
func TestEveryPrefix(t *testing.T) {
	for _, c := range good() {
		var p Packet
		start := bytes.Index(c.frame, []byte("hello, world"))
		for n := range len(c.frame) {
			r := p.Decode(c.link, c.frame[:n:n], 5, len(c.frame))
			if n >= start && (r != Decoded || p.PayloadLen != 12) {
				t.Errorf("%s: first %d bytes: %v, %d bytes of payload claimed, want decoded and 12", c.name, n, r, p.PayloadLen)
			}
			if n < start && r == Decoded && p.Payload != nil && len(p.Layers()) == len(c.encap) && p.Proto == ProtoTCP && p.SrcPort == 40000 && n < start-20 {
				t.Errorf("%s: first %d bytes are read as TCP", c.name, n)
			}
			p.Decode(c.link, c.frame[:n:n], 5, n)
		}
	}
}

func TestLinkAddresses(t *testing.T) {
	for _, c := range good() {
		var p Packet
		p.Decode(c.link, c.frame, 5, len(c.frame))
		switch c.name {
		case "ethernet", "llc-snap", "qinq", "pppoe", "vxlan", "erspan2", "mpls-pseudowire", "capwap-802.3", "tzsp":
			if p.LinkSrc != MAC(macA) || p.LinkDst != MAC(macB) {
				t.Errorf("%s: %v → %v", c.name, p.LinkSrc, p.LinkDst)
			}
		case "802.11", "radiotap", "capwap-802.11", "capwap-swapped", "capwap-qos-ht":
			if p.LinkSrc != MAC(macA) || p.LinkDst != MAC(macB) || p.BSSID != MAC(macC) {
				t.Errorf("%s: %v → %v by %v", c.name, p.LinkSrc, p.LinkDst, p.BSSID)
			}
		case "raw", "gre", "gtpu", "ipip", "l2tp":
			if p.LinkSrc != (MAC{}) {
				t.Errorf("%s: link source %v, want none", c.name, p.LinkSrc)
			}
		}
	}
}

func TestVLANFromKernel(t *testing.T) {
	var p Packet
	f := eth(0x8100, dot1q(20, 0x800, inner()))
	if r := p.DecodeTagged(1, f, 0, len(f), 10); r != Decoded {
		t.Fatal(r)
	}
	if got := p.Layers(); !slices.Equal(got, []string{"vlan:10", "vlan:20"}) || p.VLAN() != 20 {
		t.Errorf("layers %v, vlan %d", got, p.VLAN())
	}
}

func TestStops(t *testing.T) {
	esp := ip4(50, make([]byte, 40))
	long := inner()
	copy(long[2:], u16(9)) // total length below the header's
	deep := inner()
	for range 10 {
		deep = ip4(4, deep)
	}
	tags := inner()
	kind := 0x800
	for range 5 {
		tags, kind = dot1q(9, kind, tags), 0x8100
	}
	for _, c := range []struct {
		name  string
		link  uint16
		frame []byte
		want  Reason
	}{
		{"empty", 1, nil, Truncated},
		{"link type", 999, inner(), UnknownLink},
		{"LLDP", 1, eth(0x88cc, make([]byte, 46)), Control},
		{"spanning tree", 1, eth8023([]byte{0x42, 0x42, 3, 0, 0, 0, 0}), Control},
		{"unknown EtherType", 1, eth(0x1234, make([]byte, 46)), NotIP},
		{"version 5", 101, []byte{0x55, 0, 0, 0}, BadVersion},
		{"short total length", 101, long, BadLength},
		{"header length 4", 101, join([]byte{0x41}, inner()[1:]), BadLength},
		{"ESP", 101, esp, EncryptedESP},
		{"OSPF", 101, ip4(89, make([]byte, 30)), OtherTransport},
		{"ten levels", 101, deep, TooDeep},
		{"five tags", 1, eth(kind, tags), TooDeep},
		{"later fragment", 101, frag4(1, 800, false, 17, make([]byte, 30)), LaterFragment},
		{"first fragment of a tunnel", 101, frag4(1, 0, true, 47, make([]byte, 32)), TunnelFragment},
		{"protected", 105, wifiData(0x41, false, make([]byte, 40)), ProtectedWiFi},
		{"beacon", 105, append([]byte{0x80, 0}, make([]byte, 40)...), WiFiNoData},
		{"PPP LCP", 9, []byte{0xff, 3, 0xc0, 0x21, 1, 1, 0, 4}, Control},
		{"PPPoE discovery", 1, eth(0x8863, make([]byte, 40)), Control},
		{"CAPWAP fragment", 101, ip4(17, udp(5247, 5247, capwap(1, 0x80, make([]byte, 40)))), CapwapFragment},
		{"CAPWAP keep-alive", 101, ip4(17, udp(5247, 5247, capwap(1, 0x08, make([]byte, 20)))), Control},
		{"TCP header of 16", 101, ip4(6, join(tcp("")[:12], []byte{0x40}, tcp("")[13:])), BadLength},
	} {
		var p Packet
		if r := p.Decode(c.link, c.frame, 0, len(c.frame)); r != c.want {
			t.Errorf("%s: %v at %v, want %v", c.name, r, p.Layer, c.want)
		}
	}
}

// An ordinary datagram on a tunnel's port is not lost.
func TestPlainDatagramOnTunnelPort(t *testing.T) {
	for _, port := range []int{4789, 8472, 4790, 6081, 2152, 5247, 37008, 3544, 1701, 6635, 4754, 3386, 4341, 5072, 12222} {
		for _, body := range [][]byte{[]byte("an ordinary datagram, long enough to hold a header of any tunnel there is"), make([]byte, 64), {}} {
			var p Packet
			f := ip4(17, udp(port, 40000, body))
			if r := p.Decode(101, f, 0, len(f)); port != 5247 && (r != Decoded || p.SrcPort != uint16(port) || len(p.Payload) != len(body) || p.NEncap != 0) {
				t.Errorf("port %d, %d bytes: %v, ports %d %d, %d bytes of payload", port, len(body), r, p.SrcPort, p.DstPort, len(p.Payload))
			}
		}
	}
}

func TestLengths(t *testing.T) {
	f := inner()
	var p Packet
	p.Decode(101, f[:41], 0, len(f))
	if p.PayloadLen != 12 || len(p.Payload) != 1 {
		t.Errorf("snapped: %d claimed, %d captured", p.PayloadLen, len(p.Payload))
	}
	copy(f[2:], u16(0)) // segmentation offload
	p.Decode(101, f[:40], 0, 3040)
	if p.PayloadLen != 3000 || !p.Super {
		t.Errorf("offloaded: %d claimed, super %v", p.PayloadLen, p.Super)
	}
	copy(f[2:], u16(1000))
	p.Decode(101, f, 0, len(f))
	if p.PayloadLen != 12 || !p.Short {
		t.Errorf("header claims too much: %d claimed, short %v", p.PayloadLen, p.Short)
	}
}

func TestIPv6Extensions(t *testing.T) {
	ext := func(next int, words int, fill byte) []byte {
		return join([]byte{byte(next), byte(words)}, bytes.Repeat([]byte{fill}, 6+8*words))
	}
	ah := join([]byte{6, 4, 0, 0}, make([]byte, 20))
	body := join(ext(43, 0, 1), ext(60, 1, 0), ext(44, 0, 0), []byte{51, 0, 0, 0, 0, 0, 0, 9}, ah, tcp("hello"))
	f := ip6(0, body)
	var p Packet
	if r := p.Decode(101, f, 0, len(f)); r != Decoded || string(p.Payload) != "hello" || p.Proto != ProtoTCP || p.FragID != 9 {
		t.Errorf("%v at %v: %q, proto %d, id %d", r, p.Layer, p.Payload, p.Proto, p.FragID)
	}
	loop := ip6(0, bytes.Repeat([]byte{0, 0, 1, 4, 0, 0, 0, 0}, 30))
	if r := p.Decode(101, loop, 0, len(loop)); r != TooDeep {
		t.Errorf("30 extension headers: %v, want too-deep", r)
	}
}

func TestTeredo(t *testing.T) {
	in := ip6(6, tcp("hello, world"))
	auth := join([]byte{0, 1, 0, 0}, make([]byte, 9))
	origin := join([]byte{0, 0}, make([]byte, 6))
	for _, c := range [][]byte{in, join(origin, in), join(auth, origin, in)} {
		f := eth(0x800, ip4(17, udp(50000, 3544, c)))
		var p Packet
		if r := p.Decode(1, f, 0, len(f)); r != Decoded || p.Version != 6 || string(p.Payload) != "hello, world" || p.Layers()[0] != "teredo" {
			t.Errorf("%v: %v version %d %q", r, p.Layers(), p.Version, p.Payload)
		}
	}
}

func TestARP(t *testing.T) {
	body := join(u16(1), u16(0x800), []byte{6, 4}, u16(1), macA, []byte{10, 0, 0, 1}, make([]byte, 6), []byte{10, 0, 0, 2})
	f := eth(0x806, join(body, make([]byte, 18)))
	var p Packet
	if r := p.Decode(1, f, 0, len(f)); r != Decoded || p.EtherType != EtherTypeARP || !bytes.Equal(p.Payload, body) || p.Version != 0 {
		t.Errorf("%v, type %#x, %d bytes", r, p.EtherType, len(p.Payload))
	}
}

// Decode overwrites all that the frame before left.
func TestDecodeOverwrites(t *testing.T) {
	cases := good()
	var used Packet
	for _, a := range cases {
		for _, b := range cases {
			var fresh Packet
			used.Decode(a.link, a.frame, 1, len(a.frame))
			used.Decode(b.link, b.frame, 2, len(b.frame))
			fresh.Decode(b.link, b.frame, 2, len(b.frame))
			got, want := used, fresh
			for i := range maxEncap {
				if i >= int(got.NEncap) {
					got.Encap[i], want.Encap[i] = Encap{}, Encap{}
				}
			}
			for i := range maxVLANs {
				if i >= int(got.NVLAN) {
					got.VLANs[i], want.VLANs[i] = 0, 0
				}
			}
			if !equal(&got, &want) {
				t.Fatalf("%s after %s differs:\n%+v\n%+v", b.name, a.name, got, want)
			}
		}
	}
}

func equal(a, b *Packet) bool {
	x, y := *a, *b
	ok := bytes.Equal(x.Payload, y.Payload) && bytes.Equal(x.Options, y.Options) && bytes.Equal(x.Frame, y.Frame)
	for _, p := range []*Packet{&x, &y} {
		p.Payload, p.Options, p.Frame, p.datagram = nil, nil, nil, nil
		p.header, p.nextAt, p.fragLen = 0, 0, 0
	}
	return ok && x.At == y.At && x.Layers() == nil == (y.Layers() == nil) && slices.Equal(x.Layers(), y.Layers()) &&
		x.Src == y.Src && x.Dst == y.Dst && x.Seq == y.Seq && x.LinkSrc == y.LinkSrc && x.LinkDst == y.LinkDst && x.BSSID == y.BSSID &&
		x.VNI == y.VNI && x.VLANs == y.VLANs && x.EtherType == y.EtherType && x.Stop == y.Stop && x.Layer == y.Layer &&
		x.FragID == y.FragID && x.cut == y.cut && x.depth == y.depth && x.Super == y.Super && x.Short == y.Short && x.TTL == y.TTL
}

func TestNoAllocation(t *testing.T) {
	var p Packet
	cases := good()
	if n := testing.AllocsPerRun(100, func() {
		for _, c := range cases {
			p.Decode(c.link, c.frame, 1, len(c.frame))
		}
	}); n != 0 {
		t.Errorf("Decode: %v allocations, want none", n)
	}
}

func TestReasonNames(t *testing.T) {
	seen := map[string]bool{}
	for r := range Reasons {
		s := Reason(r).String()
		if s == "" || seen[s] {
			t.Errorf("reason %d: %q", r, s)
		}
		seen[s] = true
	}
}

func FuzzDecode(f *testing.F) {
	for _, c := range good() {
		f.Add(c.link, c.frame, uint16(0))
	}
	f.Fuzz(func(t *testing.T, link uint16, frame []byte, more uint16) {
		var p Packet
		wire := len(frame) + int(more)
		r := p.Decode(link, frame, 1, wire)
		if r != p.Stop || int(r) >= Reasons || p.NEncap > maxEncap || p.NVLAN > maxVLANs {
			t.Fatalf("%v: %+v", r, p)
		}
		if len(p.Payload) > p.PayloadLen && p.EtherType != EtherTypeARP || p.PayloadLen < 0 {
			t.Fatalf("%d bytes captured of %d", len(p.Payload), p.PayloadLen)
		}
		p.Layers()
	})
}

func BenchmarkDecode(b *testing.B) {
	var p Packet
	for _, c := range good() {
		switch c.name {
		case "ethernet", "802.1q", "vxlan", "erspan2", "capwap-802.11":
			b.Run(c.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					p.Decode(c.link, c.frame, 1, len(c.frame))
				}
			})
		}
	}
}
