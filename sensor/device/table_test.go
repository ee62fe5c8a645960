package device

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"picket/sensor/observation"
	"picket/sensor/packet"
)

func TestIdleAndUnremarkableGoFirst(t *testing.T) {
	b := newBench(t, Config{MaxDevices: 4})
	known := b.hello("", "10.0.0.1", "", "update.miui.example")
	b.wait(time.Second)
	plain := b.hello("", "10.0.0.2", "", "www.example.org")
	b.wait(time.Second)
	b.say("", "10.0.0.3", "", "", false)
	b.say("", "10.0.0.4", "", "", false)
	for i := range 10 {
		b.wait(time.Second)
		b.say("", fmt.Sprintf("10.0.1.%d", i+1), "", "", false)
	}
	if known.is(dead) || plain.is(dead) {
		t.Errorf("known let go: %v, answered let go: %v", known.is(dead), plain.is(dead))
	}
	for i := range 10 {
		b.wait(time.Second)
		b.hello("", fmt.Sprintf("10.0.2.%d", i+1), "", "")
	}
	if known.is(dead) || !plain.is(dead) {
		t.Errorf("known let go: %v, the plain one kept: %v", known.is(dead), !plain.is(dead))
	}
	if s := b.table.Stats(); s.Devices != 4 || s.Evicted["full"] != 20 {
		t.Errorf("%d devices, evicted %v", s.Devices, s.Evicted)
	}
	if n := b.table.byAddr.len(); n != 4 {
		t.Errorf("%d addresses, want 4", n)
	}
}

func TestEveryMapHasAMaximum(t *testing.T) {
	b := newBench(t, Config{MaxDevices: 50, MaxAddrs: 4, MaxNames: 30, MaxPending: 20, MaxRealms: 3})
	b.arp("", "10.0.0.1", phone)
	for i := range 500 {
		b.wait(11 * time.Minute)
		a := fmt.Sprintf("fd00::%x", i+1)
		b.hello("", a, phone, "")
		b.answer(a, phone, fmt.Sprintf("n%d.example", i), fmt.Sprintf("198.51.100.%d", i%250), 60)
		b.dhcpAsk("", fmt.Sprintf("02:00:00:00:%02x:%02x", i/256, i%256), said0("x"))
		b.hello(fmt.Sprintf("realm%d", i), "10.0.0.1", "", "")
		b.lease("", fmt.Sprintf("06:00:00:00:%02x:%02x", i/256, i%256), fmt.Sprintf("10.2.%d.%d", i/250, 1+i%250), withID(fmt.Sprintf("0004%032x", i)))
	}
	tb := b.table
	for what, n := range map[string][2]int{
		"devices": {tb.byID.count, 50}, "addresses": {tb.byAddr.len(), 200}, "MACs": {tb.byMAC.count, 50}, "marks": {len(tb.byMark), 100},
		"names": {tb.names.count, 30}, "name slots": {len(tb.names.slots), nameChunk}, "requests": {len(tb.pending.by), 20}, "realms": {len(tb.realms), 3},
	} {
		if n[0] > n[1] {
			t.Errorf("%s: %d, at most %d", what, n[0], n[1])
		}
	}
	for _, what := range []string{"full", "address", "name", "dhcp", "realm"} {
		if tb.Stats().Evicted[what] == 0 {
			t.Errorf("%s: evictions are not counted", what)
		}
	}
}

func (b *bench) answer(client, m, name, addr string, ttl uint32) *Device {
	o := observation.Observation{Kind: observation.DNS, At: b.now, ClientHome: true, MAC: mac(m), Answered: true,
		DNS: &observation.DNSMessage{QName: name, Response: true, Answers: []observation.Answer{
			{Name: name, Type: 5, Data: "edge.cdn.example"}, {Name: "edge.cdn.example", Type: 1, TTL: ttl, Addr: addrOf(addr)}}}}
	o.Client, o.Server = ends(client, "10.0.0.53")
	return b.table.Observe(&o)
}

func TestNamesAreTheDevicesWhateverItsAddress(t *testing.T) {
	b := newBench(t, Config{})
	b.arp("", "10.0.0.5", phone)
	d := b.answer("fd00::5", phone, "api.example.org", "198.51.100.7", 30)
	b.mustBe(b.hello("", "10.0.0.5", phone, ""), d, "dual stack")
	server := packet.AddrFrom(addrOf("198.51.100.7"))
	if n, c := b.table.NameOf(d, server, b.now.Add(5*time.Minute)); n != "api.example.org" || len(c) != 1 {
		t.Errorf("name %q through %v", n, c)
	}
	if n, _ := b.table.NameOf(d, server, b.now.Add(11*time.Minute)); n != "" {
		t.Errorf("still %q after the TTL", n)
	}
	stranger := b.hello("", "10.0.0.6", other, "")
	if n, _ := b.table.NameOf(stranger, server, b.now); n != "" {
		t.Errorf("another device knows %q", n)
	}
	b.answer("10.0.0.5", phone, "long.example.org", "198.51.100.8", 1<<31)
	if n, _ := b.table.NameOf(d, packet.AddrFrom(addrOf("198.51.100.8")), b.now.Add(25*time.Hour)); n != "" {
		t.Errorf("%q is believed for more than a day", n)
	}
}

func TestViewsAreSharedUntilSomethingChanges(t *testing.T) {
	b := newBench(t, Config{})
	d := b.hello("", "10.0.0.5", phone, "update.miui.example")
	v := b.table.View(d)
	if len(b.table.Changes()) != 1 {
		t.Error("the first verdict was not told once")
	}
	b.flowTo("", "10.0.0.5", phone, "203.0.113.9", "", b.now)
	if b.table.View(d) != v {
		t.Error("a new View, and nothing changed")
	}
	b.hello("", "10.0.0.5", phone, "find.miui.example")
	w := b.table.View(d)
	if w == v || v.Verdict.Confidence == w.Verdict.Confidence {
		t.Error("new evidence, and the View is the old one")
	}
	if c := b.table.Changes(); len(c) != 1 || c[0].Before.Confidence != v.Verdict.Confidence || c[0].Device != w {
		t.Errorf("changes %+v", c)
	}
}

func TestVerdictWaitsForTickUnlessATransferAsks(t *testing.T) {
	b := newBench(t, Config{Refresh: 5 * time.Second})
	b.hello("", "10.0.0.5", phone, "update.miui.example")
	b.wait(time.Second)
	if len(b.table.Changes()) != 1 {
		t.Error("the first verdict waited")
	}
	b.hello("", "10.0.0.5", phone, "find.miui.example")
	b.wait(time.Second)
	if n := len(b.table.Changes()); n != 0 {
		t.Errorf("%d changes within Refresh", n)
	}
	b.wait(5 * time.Second)
	if n := len(b.table.Changes()); n != 1 {
		t.Errorf("%d changes after Refresh, want 1", n)
	}
}

func TestLearningAndGroups(t *testing.T) {
	b := newBench(t, Config{})
	b.hello("", "10.0.0.5", "", "update.miui.example")
	d := b.hello("", "10.0.0.6", "", "update.miui.example")
	for _, n := range []string{"find.miui.example", "push.miui.example"} {
		b.hello("", "10.0.0.6", "", n)
	}
	b.table.Flush()
	s := b.table.Stats()
	if s.Active != 2 || s.Learning != 1 || s.LearningRatio() != 0.5 {
		t.Errorf("active %d, learning %d", s.Active, s.Learning)
	}
	if s.Groups[Group{"xiaomi", "unknown", "certain"}] != 1 || s.Groups[Group{"xiaomi", "unknown", "likely"}] != 1 {
		t.Errorf("groups %v", s.Groups)
	}
	if b.table.View(d).Learning {
		t.Error("still learning")
	}
}

const fillName = "update.intl.miui.com"

// fill makes devices with an IPv4 lease, two IPv6 addresses and some names.
func fill(t *Table, n int, at time.Time) {
	for i := range n {
		m := packet.MAC{2, 0, 0, 0, 0, 0}
		binary.BigEndian.PutUint32(m[2:], uint32(i))
		four := [4]byte{10}
		binary.BigEndian.PutUint32(four[:], 10<<24|uint32(i+1))
		addr := netip.AddrFrom4(four)
		t.Observe(&observation.Observation{Kind: observation.DHCP, At: at, DHCP: &observation.DHCPMessage{Version: 4, Type: "request", MAC: m,
			Hostname: "Redmi-Note-12", HasHostname: true, ParamList: []int{1, 3, 6, 15}}})
		t.Observe(&observation.Observation{Kind: observation.DHCP, At: at, DHCP: &observation.DHCPMessage{Version: 4, Type: "ack", FromServer: true, MAC: m, Given: addr, Lease: time.Hour}})
		six := [16]byte{0xfd}
		binary.BigEndian.PutUint32(six[12:], uint32(i+1))
		link := [16]byte{0xfe, 0x80}
		binary.BigEndian.PutUint32(link[12:], uint32(i+1))
		for _, a := range []netip.Addr{addr, netip.AddrFrom16(six), netip.AddrFrom16(link)} {
			o := observation.Observation{Kind: observation.TLS, At: at, ClientHome: true, Answered: true, MAC: m, Hello: &observation.Hello{SNI: fillName},
				Client: netip.AddrPortFrom(a, 40000), Server: netip.MustParseAddrPort("203.0.113.7:443")}
			t.View(t.Observe(&o))
			t.Changes()
		}
	}
}

func flowObservation(i int, at time.Time) observation.Observation {
	four := [4]byte{}
	binary.BigEndian.PutUint32(four[:], 10<<24|uint32(i+1))
	m := packet.MAC{2}
	binary.BigEndian.PutUint32(m[2:], uint32(i))
	return observation.Observation{Kind: observation.FlowReport, At: at, ClientHome: true, MAC: m, ServerMAC: packet.MAC{0, 1, 2, 3, 4, 5},
		Client: netip.AddrPortFrom(netip.AddrFrom4(four), 40000), Server: netip.MustParseAddrPort("203.0.113.7:443"),
		Flow: observation.Flow{Proto: 6, Name: "update.miui.example", Visibility: observation.BySNI, Sent: 100, First: at, Last: at}}
}

func TestKnownFlowAllocatesNothing(t *testing.T) {
	b := newBench(t, Config{})
	fill(b.table, 10, b.now)
	o := flowObservation(3, b.now)
	b.table.View(b.table.Observe(&o))
	if n := testing.AllocsPerRun(1000, func() { b.table.View(b.table.Observe(&o)) }); n != 0 {
		t.Errorf("%v allocations for a flow of a known device, want none", n)
	}
}

func BenchmarkObserveKnownFlow(b *testing.B) {
	t := New(Config{Judge: counted{}})
	const devices = 50_000
	fill(t, devices, start)
	os := make([]observation.Observation, devices)
	for i := range os {
		os[i] = flowObservation(i, start)
		t.View(t.Observe(&os[i]))
	}
	t.Changes()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		t.View(t.Observe(&os[i]))
		if i++; i == devices {
			i = 0
		}
	}
}

func TestAskingAgainTakesNoNameAway(t *testing.T) {
	b := newBench(t, Config{})
	d := b.answer("10.0.0.5", phone, "api.example.org", "198.51.100.7", 30)
	server, began := packet.AddrFrom(addrOf("198.51.100.7")), b.now
	b.wait(5 * time.Minute)
	b.answer("10.0.0.5", phone, "api.example.org", "198.51.100.7", 30)
	if n, _ := b.table.NameOf(d, server, began); n != "api.example.org" {
		t.Errorf("a conversation from between has the name %q", n)
	}
	b.wait(5 * time.Minute)
	b.answer("10.0.0.5", phone, "other.example.org", "198.51.100.7", 30)
	if n, _ := b.table.NameOf(d, server, began); n != "" {
		t.Errorf("a conversation from before is named %q by a later answer", n)
	}
	b.wait(20 * time.Minute)
	b.answer("10.0.0.5", phone, "other.example.org", "198.51.100.7", 30)
	if n, _ := b.table.NameOf(d, server, b.now.Add(-time.Minute)); n != "" {
		t.Errorf("%q was believed while it was not", n)
	}
}
