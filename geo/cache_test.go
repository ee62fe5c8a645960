package geo

import (
	"encoding/binary"
	"net/netip"
	"runtime"
	"syscall"
	"testing"
)

var known1 = Query{Addr: netip.MustParseAddr("52.28.1.1"), Name: "fr.app.chat.global.xiaomi.net", CNAMEs: []string{"fr-app-chat-global.eu-central-1.elb.amazonaws.com"}}

func TestCachedJudgingAllocatesNothing(t *testing.T) {
	g := shipped(t, nil)
	first := g.Judge(known1)
	var j Jurisdiction
	if n := testing.AllocsPerRun(1000, func() { j = g.Judge(known1) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if j.Location != first.Location || j.Location != "DE" || g.Stats().Judged != 1 {
		t.Errorf("cached %+v, first %+v, judged %d", j, first, g.Stats().Judged)
	}
}

func TestCacheTellsQueriesApart(t *testing.T) {
	g := shipped(t, nil)
	a := known1
	b := known1
	b.CNAMEs = nil
	c := known1
	c.Tunnel = true
	d := known1
	d.Name = "www.apple.com"
	for range 2 {
		for i, want := range []struct {
			q     Query
			how   Confidence
			owner Country
		}{{a, High, "CN"}, {b, Medium, "CN"}, {c, NoIdea, "CN"}, {d, High, "US"}} {
			if j := g.Judge(want.q); j.LocationConfidence != want.how || j.Owner.Home != want.owner {
				t.Errorf("%d: %s %s, want %s %s", i, j.LocationConfidence, j.Owner.Home, want.how, want.owner)
			}
		}
	}
}

func nth(i int) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(i)*2654435761)
	return netip.AddrFrom4(b)
}

func TestMillionServersInBoundedMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("a million judgements take some seconds")
	}
	g := shipped(t, func(c *Config) { c.Cache = 1 << 12 })
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range 1_000_000 {
		g.Judge(Query{Addr: nth(i), Name: "api.io.mi.com"})
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	s := g.Stats()
	if s.Cached > 1<<12 || s.Evicted < 900_000 {
		t.Errorf("kept %d, evicted %d", s.Cached, s.Evicted)
	}
	grown := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("%d kept, %d thrown out, heap grew by %d KiB", s.Cached, s.Evicted, grown>>10)
	if grown > 8<<20 {
		t.Errorf("heap grew by %d bytes", grown)
	}
}

// TestDisagreementTextsAreKept asks for more texts than are kept.
func TestDisagreementTextsAreKept(t *testing.T) {
	var p phrases
	all := allCountries()
	for range 2 {
		for _, a := range all {
			for _, b := range all[:16] {
				j := Jurisdiction{Location: a, Owner: Party{Home: b}}
				if got, want := p.of(&j, ""), "location "+string(a)+", owner "+string(b); got != want {
					t.Fatalf("%q, want %q", got, want)
				}
			}
		}
	}
	j := Jurisdiction{Location: "DE", Owner: Party{Home: "CN"}}
	if got := p.of(&j, "databases: a DE b FR"); got != "location DE, owner CN; databases: a DE b FR" {
		t.Errorf("%q", got)
	}
	if n := testing.AllocsPerRun(100, func() { p.of(&j, "") }); n > 0 {
		t.Errorf("%v allocations for a text that is kept", n)
	}
}

// TestUncachedJudgingAllocatesWhatIsKept: the entry. The name is one of those
// kept.
func TestUncachedJudgingAllocatesWhatIsKept(t *testing.T) {
	g, i := shipped(t, nil), 0
	judge := func() {
		i++
		g.Judge(Query{Addr: nth(i), Name: "api.io.mi.com"})
	}
	for range 10_000 { // until the texts that recur are kept
		judge()
	}
	n := testing.AllocsPerRun(10_000, judge)
	if n > 1 {
		t.Errorf("%v allocations for a server not seen before, want 1", n)
	}
}

func TestHugeQueriesAreNotKept(t *testing.T) {
	g := shipped(t, nil)
	g.Judge(Query{Addr: nth(7), Name: string(make([]byte, 4096))})
	g.Judge(Query{Addr: nth(7), CNAMEs: make([]string, 100)})
	if n := g.Stats().Cached; n != 0 {
		t.Errorf("%d kept", n)
	}
}

func BenchmarkJudgeCached(b *testing.B) {
	g := shipped(b, nil)
	b.ReportAllocs()
	defer reportCPU(b)()
	for b.Loop() {
		g.Judge(known1)
	}
}

func BenchmarkJudgeUncached(b *testing.B) {
	g := shipped(b, nil)
	names := []string{"api.io.mi.com", "fr.app.chat.global.xiaomi.net", "www.example.co.uk", "d111111abcdef8.cloudfront.net"}
	b.ReportAllocs()
	defer reportCPU(b)()
	for i := 0; b.Loop(); i++ {
		g.Judge(Query{Addr: nth(i), Name: names[i&3]})
	}
}

// reportCPU adds the CPU time of the process to a benchmark: on a machine
// that others use too it says more than the time on the clock.
func reportCPU(b *testing.B) func() {
	before := cpuTime(b)
	return func() { b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op") }
}

func cpuTime(b *testing.B) int64 {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return r.Utime.Nano() + r.Stime.Nano()
}
