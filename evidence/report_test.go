package evidence

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// month writes thirty days of one maker: shares by country come from at, the
// epoch too; a day for which at gives none was not watched.
func month(t *testing.T, s *Store, at func(day int) (cn, sg, us float64, epoch string)) Period {
	t.Helper()
	r := rand.New(rand.NewPCG(7, 7))
	first := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for d := range 30 {
		day := first.AddDate(0, 0, d)
		cn, sg, us, epoch := at(d + 1)
		if cn+sg+us == 0 {
			continue
		}
		s.Watch(day, Watched{Seconds: 86000, Named: 90, Unnamed: 10})
		for country, share := range map[string]float64{"CN": cn, "SG": sg, "US": us} {
			home := map[string]string{"CN": "CN", "SG": "US", "US": "US"}[country]
			n := uint64(share * 1e6 * (0.9 + 0.2*r.Float64()))
			s.Count(Residence{Maker: "xiaomi", Class: "handset", Plane: "os", Location: country, OperatorHome: home, OwnerHome: "CN", Owner: "Xiaomi", Operator: home + " cloud", Epoch: epoch},
				Flow{At: day, Device: uint32(d % 9), Sent: n, Flows: 1})
		}
	}
	return Period{first, first.AddDate(0, 0, 29)}
}

func moves(d int) (cn, sg, us float64, epoch string) {
	if d < 12 {
		return 0.9, 0.07, 0.03, "e1"
	}
	return 0.15, 0.6, 0.25, "e1"
}

// TestReportFindsTheDay: a maker moves on the 12th, its owner stays.
func TestReportFindsTheDay(t *testing.T) {
	s := open(t, t.TempDir())
	r, err := s.Report(ReportQuery{Period: month(t, s, moves)})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Changes) != 2 { // of all planes, and of os
		t.Fatalf("%+v, want the change of all bytes and of the os bytes", r.Changes)
	}
	c := r.Changes[0]
	if c.Day.Day() != 12 || !c.Attributable || c.Moved < 0.70 || c.Moved > 0.80 || strings.Join(c.From, " ") != "CN" || strings.Join(c.To, " ") != "SG US" {
		t.Errorf("%+v, want a move from CN to SG and US on the 12th", c)
	}
	if !strings.HasPrefix(c.Sentence, "From 12 May 2026, 7") || !strings.HasSuffix(c.Sentence, "owner unchanged.") {
		t.Errorf("sentence: %s", c.Sentence)
	}
	if r.Watched != 30 || r.Unnamed != 0.1 || r.Makers[0].Devices != 9 {
		t.Errorf("%d days, %v unnamed, %d devices", r.Watched, r.Unnamed, r.Makers[0].Devices)
	}
}

// TestReportOfTheSame: days that wander are no change.
func TestReportOfTheSame(t *testing.T) {
	s := open(t, t.TempDir())
	r, err := s.Report(ReportQuery{Period: month(t, s, func(d int) (float64, float64, float64, string) {
		wander := 0.1 * float64(d%3-1)
		return 0.6 + wander, 0.3 - wander, 0.1, "e1"
	})})
	if err != nil || len(r.Changes) != 0 {
		t.Errorf("%+v %v, want no change", r.Changes, err)
	}
}

// TestReportOnlyTheDatabaseChanged: the same servers are said to be
// elsewhere from the day on which another database judges. That is no move.
func TestReportOnlyTheDatabaseChanged(t *testing.T) {
	for shift := -1; shift <= 1; shift++ {
		s := open(t, t.TempDir())
		r, err := s.Report(ReportQuery{Period: month(t, s, func(d int) (float64, float64, float64, string) {
			cn, sg, us, epoch := moves(d)
			if d >= 12+shift {
				epoch = "e2"
			}
			return cn, sg, us, epoch
		})})
		if err != nil || len(r.Changes) == 0 {
			t.Fatal(r.Changes, err)
		}
		for _, c := range r.Changes {
			if c.Attributable || !strings.Contains(c.Sentence, "not attributable: other databases or signatures judged from") {
				t.Errorf("shift %d: %s", shift, c.Sentence)
			}
		}
	}
}

// TestReportOutage: what changed while nobody watched is not told as a move.
func TestReportOutage(t *testing.T) {
	s := open(t, t.TempDir())
	r, err := s.Report(ReportQuery{Period: month(t, s, func(d int) (float64, float64, float64, string) {
		if d >= 12 && d < 15 {
			return 0, 0, 0, ""
		}
		return moves(d)
	})})
	if err != nil || len(r.Changes) == 0 || r.Changes[0].Attributable || !strings.Contains(r.Changes[0].Why, "from 2026-05-12 to 2026-05-14") || len(r.Unwatched) != 3 {
		t.Errorf("%+v %v %v", r.Changes, r.Unwatched, err)
	}
}

// TestReportCompares: before and after, with one set and with two.
func TestReportCompares(t *testing.T) {
	for _, c := range []struct{ second, want string }{{"e1", "of the bytes moved from CN to SG and US by location; owner unchanged"}, {"e2", "not attributable"}} {
		s := open(t, t.TempDir())
		p := month(t, s, func(d int) (float64, float64, float64, string) {
			cn, sg, us, epoch := moves(d)
			if d >= 20 {
				epoch = c.second
			}
			return cn, sg, us, epoch
		})
		before := Period{p.From, p.From.AddDate(0, 0, 9)}
		r, err := s.Report(ReportQuery{Period: Period{p.From.AddDate(0, 0, 14), p.To}, Before: &before})
		if err != nil || r.Makers[0].Compared == nil || !strings.Contains(r.Makers[0].Compared.Verdict, c.want) {
			t.Errorf("%s: %+v %v", c.second, r.Makers[0].Compared, err)
		}
	}
}

// TestLedgerIsBounded: a day has so many rows and no more, and loses no byte.
func TestLedgerIsBounded(t *testing.T) {
	s := open(t, t.TempDir())
	s.c.Limits.LedgerDay = 10
	for i := range 200 {
		s.Count(Residence{Maker: "xiaomi", Owner: "owner " + string(rune('A'+i%100)), Operator: "op", Location: "CN"}, Flow{At: noon, Sent: 1, Flows: 1})
		if i%20 == 0 {
			_ = s.Flush()
		}
	}
	rows, sent := 0, uint64(0)
	_ = s.Flush()
	err := s.Ledger(Period{noon, noon}, "", func(r LedgerRow) error { rows++; sent += r.Sent; return nil })
	if err != nil || rows > 11 || sent != 200 || s.Stats().Folded == 0 {
		t.Errorf("%d rows, %d bytes, %d folded (%v)", rows, sent, s.Stats().Folded, err)
	}
}

func TestSketch(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{0, 1, 17, 64, 65, 300, 5000, 100_000} {
		var a, b sketch
		for i := range n {
			h := r.Uint32()
			a = a.add(h)
			a = a.add(h) // twice is once
			if i%2 == 0 {
				b = b.add(h)
			}
		}
		got, joined := float64(a.count()), float64(b.join(a).count())
		slack := 0.0
		if n > sketchExact {
			slack = 0.2 * float64(n)
		}
		if got < float64(n)-slack || got > float64(n)+slack || joined != got {
			t.Errorf("%d devices: counted %v, joined %v", n, got, joined)
		}
	}
}
