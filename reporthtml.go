package main

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"picket/alerts"
	"picket/evidence"
)

//go:embed report.html
var reportPage string

// reportView is a report with its drawings.
type reportView struct {
	evidence.Residencies
	Moves  []reportMove
	Charts []reportChart
}

// reportMove is what changed of one maker on one day: all bytes together
// first, then plane by plane.
type reportMove struct {
	Whole  evidence.Change
	Planes []evidence.Change
}

// reportChart stacks the days of one maker by country, in a drawing of
// 900 × 180 units.
type reportChart struct {
	Maker  string
	Legend []reportBand
	Bars   []reportBar
	Gaps   []reportBar // days without bytes
	Marks  []reportMark
	Most   uint64 // bytes of the highest day
	First  time.Time
	Last   time.Time
}

// reportMark is a change.
type reportMark struct {
	X     float64
	Day   time.Time
	Right bool // its word stands left of it: there is no room on the right
}

type reportBand struct{ Name, Colour string }

type reportBar struct {
	X, Y, W, H float64
	Colour     string
	Title      string
}

// reportColours tell eight countries apart, also for most who see colours
// otherwise, and in print.
var reportColours = [...]string{"#0b5c7a", "#c2571a", "#3f7d3a", "#7a4fa3", "#b8901b", "#b03a6b", "#4a76c9", "#6d5a48"}

const (
	otherColour  = "#98a4ad"
	reportWidth  = 900.0
	reportHeight = 180.0
	maxCharts    = 12
)

// writeReportHTML writes one file that needs no other.
func writeReportHTML(w io.Writer, r *evidence.Residencies) error {
	t, err := template.New("report").Funcs(template.FuncMap{
		"bytes":   func(n uint64) string { return alerts.Size(n).String() },
		"percent": func(v float64) string { return strconv.FormatFloat(v*100, 'f', 1, 64) + "\u00a0%" },
		"day":     func(t time.Time) string { return t.UTC().Format(time.DateOnly) },
		"or":      func(otherwise, s string) string { return or(s, otherwise) },
		"few":     func(n int, p []evidence.Part) []evidence.Part { return p[:min(n, len(p))] },
	}).Parse(reportPage)
	if err != nil {
		return err
	}
	v := reportView{Residencies: *r, Moves: movesOf(r)}
	colours := coloursOf(r)
	for _, m := range r.Makers[:min(len(r.Makers), maxCharts)] {
		v.Charts = append(v.Charts, newReportChart(r, m, colours))
	}
	return t.Execute(w, v)
}

// movesOf groups changes by maker and day, the maker with most bytes first.
func movesOf(r *evidence.Residencies) []reportMove {
	var out []reportMove
	for _, m := range r.Makers {
		for _, c := range r.Changes {
			if c.Maker != m.Maker {
				continue
			}
			i := slices.IndexFunc(out, func(o reportMove) bool { return o.Whole.Maker == c.Maker && o.Whole.Day.Equal(c.Day) })
			switch {
			case i < 0:
				out = append(out, reportMove{Whole: c})
			case c.Plane == "":
				out[i].Whole, out[i].Planes = c, append(out[i].Planes, out[i].Whole)
			default:
				out[i].Planes = append(out[i].Planes, c)
			}
		}
	}
	return out
}

// coloursOf gives the countries with most bytes a colour, the same in every
// drawing.
func coloursOf(r *evidence.Residencies) map[string]string {
	sums := map[string]uint64{}
	for _, d := range r.Days {
		for _, p := range d.Parts {
			sums[p.Key] += p.Sent
		}
	}
	keys := slices.SortedFunc(maps.Keys(sums), func(a, b string) int { return cmp.Or(cmp.Compare(sums[b], sums[a]), cmp.Compare(a, b)) })
	colours := map[string]string{}
	for i, k := range keys[:min(len(keys), len(reportColours))] {
		colours[k] = reportColours[i]
	}
	return colours
}

// placesOf are the countries of a maker, those that were left too.
func placesOf(m evidence.MakerReport) []evidence.Part {
	places := slices.Clone(m.Location)
	if m.Compared != nil {
		for _, p := range m.Compared.Location {
			if !slices.ContainsFunc(places, func(o evidence.Part) bool { return o.Key == p.Key }) {
				places = append(places, p)
			}
		}
	}
	return places
}

func newReportChart(r *evidence.Residencies, m evidence.MakerReport, colours map[string]string) reportChart {
	c := reportChart{Maker: or(m.Maker, "unknown")}
	places, others := placesOf(m), false
	for _, p := range places {
		if colour, ok := colours[p.Key]; ok {
			c.Legend = append(c.Legend, reportBand{or(p.Key, "not known"), colour})
		} else {
			others = true
		}
	}
	if others {
		c.Legend = append(c.Legend, reportBand{"others", otherColour})
	}
	shown := r.Shown()
	n := shown.Days()
	step := reportWidth / float64(n)
	first := shown.From.UTC().Truncate(24 * time.Hour)
	at := func(t time.Time) float64 { return step * float64(int(t.Sub(first)/(24*time.Hour))) }
	var most uint64
	for _, d := range r.Days {
		if d.Maker == m.Maker {
			most = max(most, sumOf(d.Parts))
		}
	}
	c.Most, c.First, c.Last = most, shown.From, shown.To
	seen := map[float64]bool{}
	for _, d := range r.Days {
		if d.Maker != m.Maker || most == 0 {
			continue
		}
		seen[at(d.Day)] = true
		c.Bars = append(c.Bars, dayBars(inOrder(d, places), at(d.Day), step, most, colours)...)
	}
	for _, text := range r.Unwatched {
		if t, err := time.Parse(time.DateOnly, text); err == nil && !seen[at(t)] {
			c.Gaps = append(c.Gaps, reportBar{X: at(t), W: step, H: reportHeight, Title: text + ": not watched"})
		}
	}
	for _, x := range r.Changes {
		if x.Maker == m.Maker && shown.Contains(x.Day) && !slices.ContainsFunc(c.Marks, func(o reportMark) bool { return o.Day.Equal(x.Day) }) {
			c.Marks = append(c.Marks, reportMark{at(x.Day), x.Day, at(x.Day) > reportWidth*0.8})
		}
	}
	return c
}

// inOrder puts the parts of a day in the order of the legend, so that a
// country is at the same place every day.
func inOrder(d evidence.ReportDay, legend []evidence.Part) evidence.ReportDay {
	rank := func(p evidence.Part) int {
		return slices.IndexFunc(legend, func(l evidence.Part) bool { return l.Key == p.Key })
	}
	d.Parts = slices.SortedStableFunc(slices.Values(d.Parts), func(a, b evidence.Part) int { return cmp.Compare(rank(a), rank(b)) })
	return d
}

func dayBars(d evidence.ReportDay, x, step float64, most uint64, colours map[string]string) []reportBar {
	var out []reportBar
	y := reportHeight
	for _, p := range d.Parts {
		h := reportHeight * float64(p.Sent) / float64(most)
		y -= h
		out = append(out, reportBar{x + step*0.07, y, step * 0.86, h, or(colours[p.Key], otherColour),
			fmt.Sprintf("%s %s: %s", d.Day.Format(time.DateOnly), or(p.Key, "not known"), alerts.Size(p.Sent))})
	}
	return out
}

func sumOf(parts []evidence.Part) (n uint64) {
	for _, p := range parts {
		n += p.Sent
	}
	return n
}
