package handset

import (
	"testing"
	"time"
)

var benchNames = [...]string{
	"update.intl.miui.com", "data.mistat.intl.xiaomi.com", "www.google.com", "component-ota-eu.allawnos.com",
	"eu-vcode-or.vivoglobal.com", "grs.dbankcloud.eu.home", "a.very.long.name.of.nobody.example.org", "connectivitycheck.gstatic.com",
}

func BenchmarkName(b *testing.B) {
	s := shipped(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s.Name(benchNames[i%len(benchNames)])
	}
}

func TestNameAllocatesNothing(t *testing.T) {
	s := shipped(t)
	for _, n := range benchNames {
		if a := testing.AllocsPerRun(100, func() { s.Name(n) }); a != 0 {
			t.Errorf("Name(%s): %v allocations", n, a)
		}
	}
}

func BenchmarkVerdict(b *testing.B) {
	s := shipped(b)
	c := readCases(b, "testdata/cases.jsonl")[0]
	var d Dossier
	for _, e := range c.evidence() {
		d.Add(s, e)
	}
	now := time.Unix(1700000000, 0)
	b.ReportAllocs()
	for b.Loop() {
		d.Verdict(s, now, Network{})
	}
}

func BenchmarkAddName(b *testing.B) {
	s := shipped(b)
	var d Dossier
	e := Evidence{At: time.Unix(1700000000, 0), Family: "dns", Field: "qname", Value: "update.intl.miui.com"}
	b.ReportAllocs()
	for b.Loop() {
		d.Add(s, e)
	}
}
