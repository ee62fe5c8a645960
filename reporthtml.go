package main

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
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
	Charts []reportChart
}

// reportChart stacks the days of one maker by country, in a drawing of
// 900 × 180 units.
type reportChart struct {
	Maker  string
	Legend []reportBand
	Bars   []reportBar
	Gaps   []reportBar // days without bytes
	Marks  []float64   // changes
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
		"percent": func(v float64) string { return strconv.FormatFloat(v*100, 'f', 1, 64) + " %" },
		"day":     func(t time.Time) string { return t.UTC().Format(time.DateOnly) },
		"or":      func(otherwise, s string) string { return or(s, otherwise) },
		"few":     func(n int, p []evidence.Part) []evidence.Part { return p[:min(n, len(p))] },
	}).Parse(reportPage)
	if err != nil {
		return err
	}
	v := reportView{Residencies: *r}
	for _, m := range r.Makers[:min(len(r.Makers), maxCharts)] {
		v.Charts = append(v.Charts, newReportChart(r, m))
	}
	return t.Execute(w, v)
}

func newReportChart(r *evidence.Residencies, m evidence.MakerReport) reportChart {
	c := reportChart{Maker: or(m.Maker, "unknown")}
	colours := map[string]string{}
	for i, p := range m.Location[:min(len(m.Location), len(reportColours))] {
		colours[p.Key] = reportColours[i]
		c.Legend = append(c.Legend, reportBand{or(p.Key, "not known"), reportColours[i]})
	}
	if len(m.Location) > len(reportColours) {
		c.Legend = append(c.Legend, reportBand{"others", otherColour})
	}
	n := r.Period.Days()
	step := reportWidth / float64(n)
	first := r.Period.From.UTC().Truncate(24 * time.Hour)
	at := func(t time.Time) float64 { return step * float64(int(t.Sub(first)/(24*time.Hour))) }
	var most uint64
	for _, d := range r.Days {
		if d.Maker == m.Maker {
			most = max(most, sumOf(d.Parts))
		}
	}
	seen := map[float64]bool{}
	for _, d := range r.Days {
		if d.Maker != m.Maker || most == 0 {
			continue
		}
		seen[at(d.Day)] = true
		c.Bars = append(c.Bars, dayBars(inOrder(d, m.Location), at(d.Day), step, most, colours)...)
	}
	for _, text := range r.Unwatched {
		if t, err := time.Parse(time.DateOnly, text); err == nil && !seen[at(t)] {
			c.Gaps = append(c.Gaps, reportBar{X: at(t), W: step, H: reportHeight, Title: text + ": not watched"})
		}
	}
	for _, x := range r.Changes {
		if x.Maker == m.Maker && r.Period.Contains(x.Day) && !slices.Contains(c.Marks, at(x.Day)) {
			c.Marks = append(c.Marks, at(x.Day))
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
