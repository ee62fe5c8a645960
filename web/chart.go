package web

import (
	"time"

	"picket/evidence"
)

// Chart is bytes by day or week, stacked in bands. It is drawn here, and again
// by charts.js, to be asked and looked into, from the table of its numbers.
type Chart struct {
	ID        string // of the table
	Title     string // of the chart, in words
	Episodes  bool   // days have a number of them
	Bands     []Band
	Days      []ChartDay
	Ticks     []Tick
	Unwatched int // days or weeks that nobody watched
	Partly    int // that were watched for a part only
	units     units
}

// Band is what bytes are stacked by: a country, all the others, a severity.
type Band struct {
	Code, Name string
	Others     bool
	Class      string // of its colour
}

// ChartDay is one column: a day, or a week by its Monday. Numbers are of a
// drawing of 1000 × 300 units.
type ChartDay struct {
	Day      time.Time
	Sent     uint64
	Sums     []uint64 // by band
	X, W     float64
	Bars     []Bar
	Episodes int
	Watched  evidence.Watched
	Mark     string // "none": nobody watched; "part": not all of it; empty: all
}

// Bar is the part of a column that is of one band.
type Bar struct {
	Class string
	Name  string
	Sent  uint64
	Y, H  float64
}

// Tick is a mark of the axis of bytes.
type Tick struct {
	Y     float64
	Bytes uint64
}

// Unit is what one column stands for.
func (c Chart) Unit() string { return c.units.name }

// From and To are the first and the last column.
func (c Chart) From() time.Time { return c.Days[0].Day }
func (c Chart) To() time.Time   { return c.Days[len(c.Days)-1].Day }

// Unnamed is the share of the bytes of a column that went to servers without
// a name; below 0 when nothing was seen.
func (d ChartDay) Unnamed() float64 {
	if all := d.Watched.Named + d.Watched.Unnamed; all > 0 {
		return float64(d.Watched.Unnamed) / float64(all)
	}
	return -1
}

// units are the days or weeks that a period is drawn by.
type units struct {
	name  string // day, week
	first time.Time
	step  time.Duration
	n     int
}

// unitsOf chooses days, or weeks from Monday for a long period.
func unitsOf(p evidence.Period) units {
	u := units{name: "day", first: p.From.UTC().Truncate(24 * time.Hour), step: 24 * time.Hour}
	if p.Days() > weeksBeyond {
		u.name, u.step = "week", 7*24*time.Hour
		u.first = u.first.AddDate(0, 0, -(int(u.first.Weekday())+6)%7)
	}
	u.n = int(p.To.UTC().Truncate(24*time.Hour).Sub(u.first)/u.step) + 1
	return u
}

// at is where a time is among them; -1: not among them.
func (u units) at(t time.Time) int {
	if i := int(t.Sub(u.first) / u.step); !t.Before(u.first) && i < u.n {
		return i
	}
	return -1
}

// The drawing.
const (
	chartWidth  = 1000.0
	chartHeight = 300.0
)

// newChart has the columns, empty.
func newChart(u units, bands []Band) Chart {
	c := Chart{Bands: bands, units: u}
	step := chartWidth / float64(u.n)
	for i := range u.n {
		c.Days = append(c.Days, ChartDay{Day: u.first.Add(time.Duration(i) * u.step), Sums: make([]uint64, len(bands)), X: step * float64(i), W: max(step*0.86, step-6)})
	}
	return c
}

// add counts bytes; those of a time that is not drawn are left out.
func (c *Chart) add(at time.Time, band int, sent uint64) {
	if i := c.units.at(at); i >= 0 {
		c.Days[i].Sums[band] += sent
		c.Days[i].Sent += sent
	}
}

// wellWatched is the part of its time for which a day was watched at least,
// to stand for a whole one: a restart is no blind day.
const wellWatched = 0.9

// watch says how well each column was watched, of what has passed of it.
func (c *Chart) watch(p evidence.Period, days []evidence.DayWatched, now time.Time) {
	for _, w := range days {
		if i := c.units.at(w.Day); i >= 0 {
			d := &c.Days[i].Watched
			d.Seconds, d.Named, d.Unnamed, d.Lost = d.Seconds+w.Seconds, d.Named+w.Named, d.Unnamed+w.Unnamed, d.Lost+w.Lost
		}
	}
	end := p.To.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)
	if now.Before(end) {
		end = now
	}
	for i := range c.Days {
		d := &c.Days[i]
		from, to := d.Day, d.Day.Add(c.units.step)
		if from.Before(p.From) {
			from = p.From.UTC().Truncate(24 * time.Hour)
		}
		if end.Before(to) {
			to = end
		}
		switch passed := to.Sub(from); {
		case passed < time.Hour: // it is yet to come, or too young to say
		case d.Watched.Seconds == 0 && d.Sent == 0:
			d.Mark = "none"
			c.Unwatched++
		case d.Watched.Seconds > 0 && float64(d.Watched.Seconds) < wellWatched*passed.Seconds():
			d.Mark = "part"
			c.Partly++
		}
	}
}

// draw stacks the bands.
func (c *Chart) draw() {
	var most uint64
	for i := range c.Days {
		most = max(most, c.Days[i].Sent)
	}
	top := niceBytes(most)
	for i := range c.Days {
		day := &c.Days[i]
		y := chartHeight
		for k, sent := range day.Sums {
			if sent == 0 {
				continue
			}
			h := chartHeight * float64(sent) / float64(top)
			y -= h
			day.Bars = append(day.Bars, Bar{Class: c.Bands[k].Class, Name: c.Bands[k].Name, Sent: sent, Y: y, H: h})
		}
	}
	for i := range 5 {
		c.Ticks = append(c.Ticks, Tick{Y: chartHeight * float64(4-i) / 4, Bytes: top / 4 * uint64(i)})
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
