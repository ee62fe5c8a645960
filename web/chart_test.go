package web

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"picket/evidence"
)

func TestUnits(t *testing.T) {
	day := func(s string) time.Time {
		at, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for _, c := range []struct {
		from, to, name, first string
		n                     int
	}{
		{"2026-05-31", "2026-05-31", "day", "2026-05-31", 1},
		{"2026-05-02", "2026-05-31", "day", "2026-05-02", 30},
		{"2025-08-01", "2026-05-31", "week", "2025-07-28", 44},
	} {
		u := unitsOf(evidence.Period{From: day(c.from), To: day(c.to).Add(13 * time.Hour)})
		if u.name != c.name || !u.first.Equal(day(c.first)) || u.n != c.n {
			t.Errorf("%s to %s: %d of a %s from %s", c.from, c.to, u.n, u.name, u.first)
		}
		if u.at(u.first) != 0 || u.at(u.first.Add(-time.Second)) != -1 || u.at(day(c.to)) != u.n-1 || u.at(u.first.Add(time.Duration(u.n)*u.step)) != -1 {
			t.Errorf("%s to %s: a time is at the wrong place", c.from, c.to)
		}
	}
}

// TestWatchMarks: a day that nobody watched is no quiet day, and one watched
// for an hour says little; today is judged by what has passed of it.
func TestWatchMarks(t *testing.T) {
	now := time.Date(2026, 5, 31, 12, 0, 0, 0, time.UTC)
	p := evidence.Period{From: now.AddDate(0, 0, -4), To: now.AddDate(0, 0, 1)}
	c := newChart(unitsOf(p), []Band{{}})
	c.add(now.AddDate(0, 0, -1), 0, 7)
	var days []evidence.DayWatched
	for i, hours := range []uint64{24, 3, 0, 0, 11} {
		days = append(days, evidence.DayWatched{Day: c.Days[i].Day, Watched: evidence.Watched{Seconds: hours * 3600}})
	}
	c.watch(p, days, now)
	var marks []string
	for _, d := range c.Days {
		marks = append(marks, d.Mark)
	}
	// Of the fourth something is known, though not how well it was watched; the last is yet to come.
	if got := strings.Join(marks, ","); got != ",part,none,,," || c.Unwatched != 1 || c.Partly != 1 {
		t.Errorf("%q, %d not watched, %d partly", got, c.Unwatched, c.Partly)
	}
}

func TestLanes(t *testing.T) {
	server := func(name, addr string, first, last int, sent uint64) evidence.Server {
		s := evidence.Server{Name: name, Sent: sent, First: noon.Add(time.Duration(first) * time.Minute), Last: noon.Add(time.Duration(last) * time.Minute)}
		if addr != "" {
			s.Addr = netip.MustParseAddrPort(addr)
		}
		return s
	}
	l := lanes([]evidence.Server{server("a.example", "192.0.2.1:443", 0, 50, 60), server("", "[2001:db8::1]:443", 100, 100, 30), server("a.example", "192.0.2.2:443", 90, 95, 10), {Name: "asked.example"}})
	if len(l.List) != 2 || l.List[0].Name != "a.example" || l.List[0].Sent != 70 || l.List[0].Share != 0.7 || l.List[1].Name != "2001:db8::1" {
		t.Fatalf("%+v", l)
	}
	if s := l.List[0].Spans; len(s) != 2 || s[0].X != 0 || s[0].W != 500 || s[1].X != 891 || s[1].W < 10 {
		t.Errorf("%+v", s)
	}
	if s := l.List[1].Spans[0]; s.X+s.W > 1000 {
		t.Errorf("a moment at the end is out of the drawing: %+v", s)
	}
	var many []evidence.Server
	for i := range maxLanes + 3 {
		many = append(many, server(strings.Repeat("x", i+1), "", i, i+1, 1))
	}
	if l := lanes(many); len(l.List) != maxLanes || l.More != 3 {
		t.Errorf("%d lanes and %d more", len(l.List), l.More)
	}
	if l := lanes(many[:0]); len(l.List) != 0 {
		t.Errorf("of nothing: %+v", l)
	}
}

// TestTrend: what is drawn on the first page is what the API lists.
func TestTrend(t *testing.T) {
	body := get(site(t, 60), "/").Body.String()
	for _, want := range []string{`<td class="num" data-n="4926079">4.7 MiB</td><td class="num">3 episodes</td>`, `data-day="2026-05-22" data-mark="none"`} {
		if !strings.Contains(body, want) {
			t.Errorf("not there: %s", want)
		}
	}
}

// TestStatic: what is not evidence may stay with the browser until it changes;
// what is of others is as they published it.
func TestStatic(t *testing.T) {
	h := site(t, 6)
	for _, path := range []string{"/static/chart.js", "/static/uplot/uPlot.iife.min.js", "/static/style.css"} {
		first := get(h, path)
		tag := first.Header().Get("Etag")
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("If-None-Match", tag)
		again := httptest.NewRecorder()
		h.ServeHTTP(again, r)
		if first.Code != http.StatusOK || tag == "" || again.Code != http.StatusNotModified || first.Header().Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %d with tag %q, again %d", path, first.Code, tag, again.Code)
		}
	}
	if c := get(h, "/residency").Header().Get("Cache-Control"); c != "no-store" {
		t.Errorf("evidence: %s", c)
	}
	list, err := VendoredFiles()
	if err != nil || len(list) != len(vendored) {
		t.Errorf("%d files of others: %v", len(list), err)
	}
}
