package capture

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/bpf"
)

// onEthernet is the origin of a program that is given whole Ethernet frames,
// as the interpreter of x/net/bpf is, which knows no kernel offsets.
var onEthernet = origin{net: 14, proto: bpf.LoadAbsolute{Off: 12, Size: 2}}

var home = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.128/25"),
	netip.MustParsePrefix("2001:db8:1::/48"), netip.MustParsePrefix("fd00::/7"), netip.MustParsePrefix("2001:db8:2:3:4::/77"),
}

// ip writes an IP header with payload; proto 6 or 17 gets ports first.
func ip(src, dst string, proto byte, payload string) string {
	s, d := netip.MustParseAddr(src), netip.MustParseAddr(dst)
	if s.Is6() {
		return string([]byte{0x60, 0, 0, 0, byte(len(payload) >> 8), byte(len(payload)), proto, 64}) +
			string(s.AsSlice()) + string(d.AsSlice()) + payload
	}
	n := 20 + len(payload)
	return string([]byte{0x45, 0, byte(n >> 8), byte(n), 0, 0, 0, 0, 64, proto, 0, 0}) + string(s.AsSlice()) + string(d.AsSlice()) + payload
}

func ports(src, dst uint16) string {
	return string([]byte{byte(src >> 8), byte(src), byte(dst >> 8), byte(dst)})
}

// ether writes an Ethernet header and what follows; tags are EtherType and VLAN.
func ether(packet string, tags ...uint16) string {
	kind := uint16(etherIPv4)
	if packet[0]>>4 == 6 {
		kind = etherIPv6
	}
	b := strings.Repeat("\x02", 12)
	for n := 0; n < len(tags); n += 2 {
		b += ports(tags[n], tags[n+1])
	}
	return b + ports(kind, 0)[:2] + packet
}

func unhex(s string) string {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return string(b)
}

func machine(t *testing.T, code []bpf.Instruction) func(frame string) int {
	t.Helper()
	if _, err := bpf.Assemble(code); err != nil {
		t.Fatal(err)
	}
	vm, err := bpf.NewVM(code)
	if err != nil {
		t.Fatal(err)
	}
	return func(frame string) int {
		n, err := vm.Run([]byte(frame))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
}

func spread(t *testing.T, tunnel Tunnel) func(string) int {
	code, err := spreadProgram(onEthernet, home, tunnel)
	if err != nil {
		t.Fatal(err)
	}
	return machine(t, code)
}

func TestSpreadByAddressAtHome(t *testing.T) {
	run := spread(t, TunnelNone)
	phone4 := run(ether(ip("10.1.2.3", "198.51.100.1", 6, ports(40000, 443)+"x")))
	phone6 := run(ether(ip("2001:db8:1::7", "2001:db8:ffff::1", 17, ports(40000, 443)+"x")))
	if phone4 == 0 || phone6 == 0 || phone4 == phone6 {
		t.Fatalf("hashes %d and %d", phone4, phone6)
	}
	for name, c := range map[string]struct {
		frame string
		want  int
	}{
		"the way back":        {ether(ip("198.51.100.1", "10.1.2.3", 6, ports(443, 40000))), phone4},
		"another server":      {ether(ip("10.1.2.3", "203.0.113.9", 17, ports(5, 6))), phone4},
		"ICMP":                {ether(ip("203.0.113.9", "10.1.2.3", 1, "\x08\x00")), phone4},
		"campus resolver":     {ether(ip("10.1.2.3", "10.0.0.53", 17, ports(40000, 53))), phone4},
		"its answer":          {ether(ip("10.0.0.53", "10.1.2.3", 17, ports(53, 40000))), phone4},
		"802.1Q":              {ether(ip("10.1.2.3", "198.51.100.1", 6, ""), etherVLAN, 10), phone4},
		"QinQ":                {ether(ip("198.51.100.1", "10.1.2.3", 6, ""), etherQinQ, 10, etherVLAN, 20), phone4},
		"IPv6, the way back":  {ether(ip("2001:db8:ffff::1", "2001:db8:1::7", 17, ports(443, 40000))), phone6},
		"IPv6 resolver":       {ether(ip("2001:db8:1::53", "2001:db8:1::7", 17, ports(53, 40000))), phone6},
		"IPv6, tagged":        {ether(ip("2001:db8:1::7", "2001:db8:ffff::1", 6, ""), etherVLAN, 1), phone6},
		"IPv6, not TCP at us": {ether(ip("2001:db8:1::7", "2600::1", 58, "xxxx")), phone6},
	} {
		if got := run(c.frame); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	if run(ether(ip("10.1.2.4", "198.51.100.1", 6, ports(40000, 443)))) == phone4 {
		t.Error("the neighbour has the same hash")
	}
	for name, ends := range map[string][2]string{ // no end, or no client: only symmetric
		"neither at home": {"198.51.100.1", "203.0.113.9"}, "neither, IPv6": {"2600::1", "2600::2"},
		"outside /25": {"192.0.2.1", "203.0.113.9"}, "outside /77": {"2001:db8:2:3:8::1", "2600::2"},
	} {
		if a, b := run(ether(ip(ends[0], ends[1], 6, ports(1, 2)))), run(ether(ip(ends[1], ends[0], 6, ports(2, 1)))); a != b {
			t.Errorf("%s: %d one way, %d the other", name, a, b)
		}
	}
	if a, b := run(ether(ip("2001:db8:2:3:7::1", "2600::2", 6, ports(1, 2)))), run(ether(ip("2001:db8:2:3:7::1", "2600::9", 6, ports(1, 2)))); a != b {
		t.Error("a prefix that ends inside a word does not match")
	}
}

// Addresses one after the other are spread evenly.
func TestSpreadIsEven(t *testing.T) {
	run := spread(t, TunnelNone)
	for _, rings := range []int{2, 3, 4, 8} {
		count := make([]int, rings)
		for n := range 4096 {
			a := netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)})
			count[run(ether(ip(a.String(), "198.51.100.1", 6, "")))%rings]++
		}
		for r, n := range count {
			if n < 4096/rings*8/10 || n > 4096/rings*12/10 {
				t.Errorf("%d rings: ring %d has %d of 4096", rings, r, n)
			}
		}
	}
}

func TestSpreadInTunnels(t *testing.T) {
	inner := ip("198.51.100.1", "10.1.2.3", 6, ports(443, 40000))
	inner6 := ip("2001:db8:1::7", "2600::1", 6, ports(40000, 443))
	bare := spread(t, TunnelNone)
	want, want6 := bare(ether(inner)), bare(ether(inner6))
	gre := func(b string) string { return ether(ip("10.255.0.1", "10.255.0.2", protoGRE, b)) }
	udp := func(port uint16, b string) string {
		return ether(ip("10.255.0.1", "10.255.0.2", protoUDP, ports(5000, port)+"\x00\x00\x00\x00"+b))
	}
	llc := unhex("aaaa03000000 0800")
	station := strings.Repeat("\x02", 22)
	for _, c := range []struct {
		name   string
		tunnel Tunnel
		frame  string
		want   int
	}{
		{"GRE", TunnelGRE, gre(unhex("0000 0800") + inner), want},
		{"GRE with checksum, key, sequence", TunnelGRE, gre(unhex("b000 86dd 11111111 22222222 33333333") + inner6), want6},
		{"GRE, Ethernet", TunnelGRE, gre(unhex("2000 6558 00000001") + ether(inner)), want},
		{"ERSPAN I", TunnelERSPAN, gre(unhex("0000 88be") + ether(inner)), want},
		{"ERSPAN II", TunnelERSPAN, gre(unhex("1000 88be 00000001 1001 0001 00000000") + ether(inner, etherVLAN, 7)), want},
		{"ERSPAN III", TunnelERSPAN, gre(unhex("1000 22eb 00000001 2001 0001 00000000 0000 0000") + ether(inner6)), want6},
		{"ERSPAN III with subheader", TunnelERSPAN, gre(unhex("1000 22eb 00000001 2001 0001 00000000 0000 0001 0000000000000000") + ether(inner)), want},
		{"VXLAN", TunnelVXLAN, udp(4789, unhex("0800000000000100")+ether(inner)), want},
		{"VXLAN over IPv6", TunnelVXLAN, ether(ip("fd00::1", "fd00::2", protoUDP, ports(1, 4789)+"\x00\x00\x00\x00"+unhex("0800000000000100")+ether(inner))), want},
		{"CAPWAP, 802.3", TunnelCAPWAP, udp(5247, unhex("00 10 00 00 00000000")+ether(inner)), want},
		{"CAPWAP, 802.11", TunnelCAPWAP, udp(5247, unhex("00 10 01 00 00000000 0801")+station+llc+inner), want},
		{"CAPWAP, 802.11 QoS, longer header", TunnelCAPWAP, udp(5247, unhex("00 20 01 00 00000000 0000000000000000 8801")+station+"\x00\x00"+llc+inner), want},
		{"CAPWAP, four addresses, HT", TunnelCAPWAP, udp(5247, unhex("00 10 01 00 00000000 8883")+station+"aaaaaa"+"\x00\x00"+"hhhh"+llc+inner), want},
		{"not in the tunnel", TunnelVXLAN, ether(inner), want},
		{"not in the tunnel, tagged", TunnelGRE, ether(inner, etherVLAN, 9), want},
		{"DTLS in CAPWAP: the outer addresses", TunnelCAPWAP, udp(5247, unhex("01 00 00 00")+strings.Repeat("x", 60)), bare(udp(5247, ""))},
		{"encrypted 802.11: the outer addresses", TunnelCAPWAP, udp(5247, unhex("00 10 01 00 00000000 0841")+station+llc+inner), bare(udp(5247, ""))},
		{"another port: the outer addresses", TunnelVXLAN, udp(4790, unhex("0800000000000100")+ether(inner)), bare(udp(4790, ""))},
	} {
		if got := spread(t, c.tunnel)(c.frame); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestTooManyPrefixes(t *testing.T) {
	var many []netip.Prefix
	for n := range 1000 {
		many = append(many, netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64, byte(n >> 8), byte(n)}), 32))
	}
	if _, err := spreadProgram(onEthernet, many, TunnelNone); err == nil || !strings.Contains(err.Error(), "1000 prefixes are too many") {
		t.Errorf("%v", err)
	}
}

func TestRestraint(t *testing.T) {
	const snap = 2000
	run := machine(t, restraintProgram(onEthernet, home, 14, snap))
	tcp := func(src, dst uint16, flags, words byte, payload string) string {
		return ports(src, dst) + "seqnackn" + string([]byte{words << 4, flags}) + "wwccuu" + strings.Repeat("o", int(words-5)*4) + payload
	}
	udp := func(src, dst uint16, payload string) string { return ports(src, dst) + "llcc" + payload }
	long := func(s string) string { return s + strings.Repeat("z", 1200) }
	down := func(proto byte, b string) string { return ip("198.51.100.1", "10.1.2.3", proto, b) }
	data := unhex("170303")
	for name, c := range map[string]struct {
		frame string
		want  int
	}{
		"bulk":                            {ether(down(6, tcp(443, 40000, 0x10, 5, long(data)))), 14 + 20 + 20},
		"bulk with options":               {ether(down(6, tcp(443, 40000, 0x18, 8, long(data)))), 14 + 20 + 32},
		"bulk behind a tag":               {ether(down(6, tcp(443, 40000, 0x10, 5, long(data))), etherVLAN, 10), 18 + 20 + 20},
		"bulk, IPv6":                      {ether(ip("2600::1", "2001:db8:1::7", 6, tcp(443, 40000, 0x10, 8, long(data)))), 14 + 40 + 32},
		"QUIC bulk":                       {ether(down(17, udp(443, 40000, long("\x43")))), 14 + 20 + 8 + 21},
		"small":                           {ether(down(6, tcp(443, 40000, 0x10, 5, string(make([]byte, 500))))), snap},
		"upstream":                        {ether(ip("10.1.2.3", "198.51.100.1", 6, tcp(40000, 443, 0x10, 5, long(data)))), snap},
		"upstream QUIC":                   {ether(ip("10.1.2.3", "198.51.100.1", 17, udp(40000, 443, long("\x43")))), snap},
		"both at home":                    {ether(ip("10.1.2.3", "10.1.2.4", 6, tcp(443, 40000, 0x10, 5, long(data)))), snap},
		"neither at home":                 {ether(ip("198.51.100.1", "198.51.100.2", 6, tcp(443, 40000, 0x10, 5, long(data)))), snap},
		"handshake record":                {ether(down(6, tcp(443, 40000, 0x10, 5, long("\x16\x03\x03")))), snap},
		"HTTP":                            {ether(down(6, tcp(80, 40000, 0x10, 5, long("HTTP/1.1 200")))), snap},
		"DNS over TCP":                    {ether(down(6, tcp(53, 40000, 0x10, 5, long("\x17")))), snap},
		"FIN":                             {ether(down(6, tcp(443, 40000, 0x11, 5, long(data)))), snap},
		"QUIC long header":                {ether(down(17, udp(443, 40000, long("\xc3")))), snap},
		"UDP of another port":             {ether(down(17, udp(3478, 40000, long("\x43")))), snap},
		"tunnel":                          {ether(down(protoGRE, long("\x00\x00\x08\x00"))), snap},
		"ARP":                             {long(strings.Repeat("\x02", 12) + "\x08\x06"), snap},
		"first fragment":                  {ether(fragment(down(6, tcp(443, 40000, 0x10, 5, long(data))), 0x2000)), snap},
		"later fragment":                  {ether(fragment(down(6, tcp(443, 40000, 0x10, 5, long(data))), 0x0010)), snap},
		"headers longer than they can be": {ether(down(6, tcp(443, 40000, 0x10, 15, long(data)))), 14 + 20 + 60},
	} {
		if got := run(c.frame); got != c.want {
			t.Errorf("%s: %d bytes of %d, want %d", name, got, len(c.frame), c.want)
		}
	}
	if got := machine(t, restraintProgram(onEthernet, home, 14, 64))(ether(down(6, tcp(443, 40000, 0x10, 15, long(data))))); got != 64 {
		t.Errorf("snap length 64: %d bytes", got)
	}
}

func fragment(packet string, field uint16) string {
	return packet[:6] + ports(field, 0)[:2] + packet[8:]
}

// No frame is lost for being malformed: what is large enough to be looked at
// has all the headers that can be asked for.
func FuzzRestraint(f *testing.F) {
	f.Add([]byte(ether(ip("198.51.100.1", "10.1.2.3", 6, strings.Repeat("x", 900)))))
	f.Add([]byte(ether(ip("2600::1", "2001:db8:1::7", 17, strings.Repeat("x", 900)), etherQinQ, 1, etherVLAN, 2)))
	vm, err := bpf.NewVM(restraintProgram(onEthernet, home, 14, 2000))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		if n, err := vm.Run(frame); err != nil || n < 14 {
			t.Errorf("%d, %v", n, err)
		}
	})
}

func TestChain(t *testing.T) {
	user, _ := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 0, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 'a', SkipFalse: 1},
		bpf.RetConstant{Val: 0x40000},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 'b', SkipFalse: 1},
		bpf.RetConstant{Val: 0x40000},
		bpf.RetConstant{Val: 0},
	})
	last, _ := bpf.Assemble([]bpf.Instruction{bpf.RetConstant{Val: 99}})
	code, ok := bpf.Disassemble(chain(user, last))
	if !ok {
		t.Fatal("not BPF")
	}
	run := machine(t, code)
	for frame, want := range map[string]int{"a": 99, "b": 99, "c": 0} {
		if got := run(frame); got != want {
			t.Errorf("%s: %d, want %d", frame, got, want)
		}
	}
}
