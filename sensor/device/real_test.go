package device

import (
	"os"
	"runtime"
	"testing"
	"time"

	"picket/sensor/handset"
	"picket/sensor/observation"
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

// The whole cost of a device: maps, evidence by the shipped signatures, a
// lease, three addresses. Devices that spoke within ten minutes have a View
// besides.
func TestMemoryOfADevice(t *testing.T) {
	const devices = 25_000 // an eighth of the default maximum: the maps are as full
	var before, after runtime.MemStats
	b := realBench(t)
	warm := realBench(t) // what the set itself keeps once it was asked is no device's
	warm.table.cfg.Judge = b.table.cfg.Judge
	warm.table.judge = b.table.judge
	fill(warm.table, 1, warm.now)
	runtime.GC()
	runtime.ReadMemStats(&before)
	fill(b.table, devices, b.now)
	b.wait(time.Hour)
	for range devices/sweepPerTick + 2 {
		b.wait(time.Second)
	}
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := (int(after.HeapAlloc) - int(before.HeapAlloc)) / devices
	t.Logf("%d bytes a device at rest", each)
	if each > 1024 {
		t.Errorf("%d bytes a device, want at most 1024", each)
	}
	runtime.KeepAlive(b)
}
