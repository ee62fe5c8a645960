package web

import (
	"fmt"
	"math"
	"strings"
	"time"

	"picket/evidence"
)

// sparkBars is how many bars a small drawing has at most: of a longer period
// each stands for several days.
const sparkBars = 30

// sparks draws in every cell of the matrix what was sent over the period.
func (d *Residency) sparks(daily []evidence.Cell) {
	n := d.count()
	each := (n + sparkBars - 1) / sparkBars
	bars := (n + each - 1) / each
	row := map[string]int{}
	sums := make([][][]uint64, len(d.Rows))
	for i := range d.Rows {
		row[d.Rows[i].Maker] = i
		sums[i] = make([][]uint64, len(d.Countries))
	}
	most := make([]uint64, len(d.Rows))
	for _, c := range daily {
		i, k, at := row[c.Maker], d.column(c.Country), d.at(c.Day)
		if at < 0 || at >= n {
			continue
		}
		at /= each
		if sums[i][k] == nil {
			sums[i][k] = make([]uint64, bars)
		}
		sums[i][k][at] += c.Sent
		most[i] = max(most[i], sums[i][k][at])
	}
	for i := range d.Rows {
		for k := range d.Rows[i].Cells {
			d.Rows[i].Cells[k].Spark = spark(sums[i][k], most[i])
		}
	}
}

// spark is the path of bars, the largest 20 high.
func spark(values []uint64, most uint64) string {
	if most == 0 {
		return ""
	}
	var b strings.Builder
	step := 100 / float64(len(values))
	for i, v := range values {
		if v > 0 {
			h := math.Max(0.6, 20*float64(v)/float64(most))
			fmt.Fprintf(&b, "M%.1f 20v-%.1fh%.1fv%.1fz", step*float64(i), h, step*0.8, h)
		}
	}
	return b.String()
}

// The drawing.
const (
	chartWidth  = 1000.0
	chartHeight = 300.0
)

// chart stacks the bytes of each day or week by country.
func (d *Residency) chart(parts []evidence.Cell, watched []evidence.DayWatched) {
	n := d.count()
	step := chartWidth / float64(n)
	var most uint64
	sums := make([][]uint64, n)
	for i := range n {
		sums[i] = make([]uint64, len(d.Countries))
		d.Days = append(d.Days, ResidencyDay{Day: d.first.Add(time.Duration(i) * d.step), X: step * float64(i), W: max(step*0.86, step-6)})
	}
	for _, c := range parts {
		if i := d.at(c.Day); i >= 0 && i < n {
			sums[i][d.column(c.Country)] += c.Sent
			d.Days[i].Sent += c.Sent
			most = max(most, d.Days[i].Sent)
		}
	}
	for _, w := range watched {
		if i := d.at(w.Day); i >= 0 && i < n && w.Seconds > 0 {
			d.Days[i].Watched = true
		}
	}
	top := niceBytes(most)
	for i := range d.Days {
		day := &d.Days[i]
		y := chartHeight
		for k, sent := range sums[i] {
			if sent == 0 {
				continue
			}
			h := chartHeight * float64(sent) / float64(top)
			y -= h
			day.Bars = append(day.Bars, Bar{Class: d.Countries[k].Class, Name: d.Countries[k].Name, Sent: sent, Y: y, H: h})
		}
		if !day.Watched && day.Sent == 0 {
			d.Unwatched++
		}
	}
	for i := range 5 {
		d.Ticks = append(d.Ticks, Tick{Y: chartHeight * float64(4-i) / 4, Bytes: top / 4 * uint64(i)})
	}
}

// niceBytes is the least number not below n whose quarters read well.
func niceBytes(n uint64) uint64 {
	for unit := uint64(1); unit < 1<<60; unit <<= 10 {
		for _, f := range [...]uint64{1, 2, 3, 4, 6, 8, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256, 320, 384, 512, 640, 768} {
			if f*unit >= max(n, 4) {
				return f * unit
			}
		}
	}
	return max(n, 4)
}
