package device

import (
	"encoding/binary"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"time"

	"picket/sensor/handset"
	"picket/sensor/observation"
	"picket/sensor/packet"
)

// shipped is the Judge with the signatures that picket ships.
func shipped(t testing.TB) *Signatures {
	set, err := handset.Load(os.DirFS("../../configs/signatures"))
	if err != nil {
		t.Fatal(err)
	}
	return NewSignatures(set)
}

func realBench(t *testing.T) *bench { return &bench{t, New(Config{Judge: shipped(t)}), start} }

func xiaomiLease() observation.DHCPMessage {
	m := said0("Redmi-Note-12")
	m.ParamList = []int{1, 3, 6, 15, 26, 28, 51, 58, 59, 43, 114, 108}
	return m
}

// visits says which of the names are asked as a page asks them: together.
func (b *bench) page(client, m, site string, names ...string) *Device {
	d := b.hello("", client, m, site)
	for _, n := range names {
		b.now = b.now.Add(100 * time.Millisecond)
		b.hello("", client, m, n)
	}
	return d
}

var xiaomiSystem = []string{"update.intl.miui.com", "find.api.micloud.xiaomi.net", "api.sec.intl.miui.com", "tracking.intl.miui.com"}

func TestShippedSignaturesNameAXiaomiPhone(t *testing.T) {
	b := realBench(t)
	b.lease("", random, "10.0.0.5", xiaomiLease())
	d := b.hello("", "10.0.0.5", random, "www.google.com")
	for _, n := range xiaomiSystem {
		b.wait(2 * time.Second)
		b.hello("", "10.0.0.5", random, n)
	}
	if v := b.table.View(d).Verdict; v.Maker != "xiaomi" || v.Confidence != handset.Certain || v.Handset != "yes" {
		t.Errorf("%s %v, handset %s", v.Maker, v.Confidence, v.Handset)
	}
}

func TestAPageFramesNobodyWithTheShippedSignatures(t *testing.T) {
	b := realBench(t)
	m := said0("iPhone")
	m.HasVendorClass, m.VendorClass = false, ""
	m.ParamList = []int{1, 121, 3, 6, 15, 108, 114, 119, 252}
	b.lease("", random, "10.0.0.5", m)
	d := b.hello("", "10.0.0.5", random, "captive.apple.com")
	b.wait(time.Minute)
	for range 20 { // reads the same page all day
		b.page("10.0.0.5", random, "www.news.example", xiaomiSystem...)
		b.wait(20 * time.Minute)
	}
	if v := b.table.View(d).Verdict; v.Maker == "xiaomi" && v.Confidence > handset.Weak {
		t.Errorf("framed: %s %v %+v", v.Maker, v.Confidence, v.Reasons)
	}
}

func TestShippedEvidenceSurvivesARestart(t *testing.T) {
	b := realBench(t)
	b.lease("", random, "10.0.0.5", xiaomiLease())
	d := b.hello("", "10.0.0.5", random, xiaomiSystem[0])
	b.hello("", "10.0.0.5", random, xiaomiSystem[1])
	want := b.table.View(d)
	c := realBench(t)
	if err := b.table.Export(func(r Record) bool {
		if err := c.table.Import(r); err != nil {
			t.Fatal(err)
		}
		return true
	}); err != nil {
		t.Fatal(err)
	}
	got := c.table.Find(want.ID)
	if got == nil || got.Verdict.Maker != want.Verdict.Maker || got.Verdict.Confidence != want.Verdict.Confidence || got.Verdict.Posterior != want.Verdict.Posterior {
		t.Errorf("after the restart %+v\nbefore %+v", got, want)
	}
}

// The whole cost of a device: indexes, evidence by the shipped signatures, a
// View while it is active. What is the same for any number of devices, as the
// DHCP requests that wait, is in it. Bounds are what was reached, and a
// twentieth: a device that takes more is a mistake, or must be said in
// docs/scale.md.
func TestMemoryOfADevice(t *testing.T) {
	for _, c := range []struct {
		title        string
		fill         func(*Table, int, time.Time)
		active, rest int // bytes
	}{
		{"DHCP, three addresses, a model", fill, 1310, 860},
		{"ARP, one address, names that say nothing", fillUnknown, 640, 490},
	} {
		t.Run(c.title, func(t *testing.T) {
			const devices = 50_000 // a quarter of the default maximum: the indexes are as full
			b, warm := realBench(t), realBench(t)
			warm.table.cfg.Judge, warm.table.judge = b.table.cfg.Judge, b.table.judge
			c.fill(warm.table, 1, warm.now) // what the set itself keeps once it was asked is no device's
			before := heapNow()
			c.fill(b.table, devices, b.now)
			active := (heapNow() - before) / devices
			b.wait(time.Hour)
			for range devices/sweepPerTick + 2 {
				b.wait(time.Second)
			}
			b.table.Changes()
			b.table.changes, b.table.sweep = nil, nil
			rest := (heapNow() - before) / devices
			t.Logf("%d bytes a device that is active, %d at rest", active, rest)
			if active > c.active || rest > c.rest {
				t.Errorf("%d bytes a device that is active, %d at rest: want at most %d, %d", active, rest, c.active, c.rest)
			}
			runtime.KeepAlive(b)
		})
	}
}

func heapNow() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// fillUnknown makes devices as most are at first: an address proven by ARP,
// conversations with servers that no signature knows.
func fillUnknown(t *Table, n int, at time.Time) {
	for i := range n {
		fillOne(t, i, at)
	}
}

var unknownNames = []string{"host1.service1.example.net", "host2.service2.example.net"}

func fillOne(t *Table, i int, at time.Time) {
	m := packet.MAC{2, 1}
	binary.BigEndian.PutUint32(m[2:], uint32(i))
	a := [4]byte{}
	binary.BigEndian.PutUint32(a[:], 10<<24|uint32(i%(1<<24)+1))
	addr := netip.AddrFrom4(a)
	t.Observe(&observation.Observation{Kind: observation.ARP, At: at, MAC: m, VLAN: 7,
		Neighbour: &observation.Neighbour{Addr: addr, MAC: m, Op: "request"}})
	for _, name := range unknownNames {
		o := observation.Observation{Kind: observation.TLS, At: at, ClientHome: true, Answered: true, MAC: m, VLAN: 7, Hello: &observation.Hello{SNI: name},
			Client: netip.AddrPortFrom(addr, 40000), Server: netip.MustParseAddrPort("203.0.113.7:443")}
		t.View(t.Observe(&o))
		t.Changes()
	}
}

// What a device says again allocates nothing, with the shipped signatures:
// neither its observation nor its View.
func TestWhatIsKnownAllocatesNothing(t *testing.T) {
	b := realBench(t)
	fill(b.table, 10, b.now)
	client, server := netip.MustParseAddrPort("10.0.0.4:40000"), netip.MustParseAddrPort("203.0.113.7:443")
	m := packet.MAC{2, 0, 0, 0, 0, 3}
	say := func(o observation.Observation) observation.Observation {
		o.At, o.ClientHome, o.Answered, o.MAC, o.ServerMAC, o.Client, o.Server = b.now, true, true, m, packet.MAC{0, 1, 2, 3, 4, 5}, client, server
		return o
	}
	flow := flowObservation(3, b.now)
	for title, o := range map[string]observation.Observation{
		"flow":  flow,
		"hello": say(observation.Observation{Kind: observation.TLS, Hello: &observation.Hello{SNI: fillName, JA4: "t13d1516h2_8daaf6152771_02713d6af862"}}),
		"DNS answer": say(observation.Observation{Kind: observation.DNS, DNS: &observation.DNSMessage{Response: true, QName: "api.example.org",
			Answers: []observation.Answer{{Type: 1, TTL: 60, Addr: server.Addr()}}}}),
		"ARP": {Kind: observation.ARP, At: b.now, MAC: m, VLAN: 7, Neighbour: &observation.Neighbour{Addr: client.Addr(), MAC: m, Op: "reply"}},
	} {
		observe := func() {
			if d := b.table.Observe(&o); d != nil {
				b.table.View(d)
			}
		}
		observe()
		if n := testing.AllocsPerRun(1000, observe); n != 0 {
			t.Errorf("%s: %v allocations, want none", title, n)
		}
	}
}

// BenchmarkNewDevice is what a device costs that was never seen: ARP, two
// conversations, its Views.
func BenchmarkNewDevice(b *testing.B) {
	t := New(Config{Judge: shipped(b), MaxDevices: 50_000})
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		fillOne(t, n, start)
		n++
	}
}
