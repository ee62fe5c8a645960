package web

import (
	"fmt"
	"math"
	"strings"

	"picket/evidence"
)

// sparkBars is how many bars a small drawing has at most: of a longer period
// each stands for several days.
const sparkBars = 30

// sparks draws in every cell of the matrix what was sent over the period.
func (d *Residency) sparks(daily []evidence.Cell) {
	n := d.units.n
	each := (n + sparkBars - 1) / sparkBars
	bars := (n + each - 1) / each
	row := map[string]int{}
	sums := make([][][]uint64, len(d.Rows))
	for i := range d.Rows {
		row[d.Rows[i].Maker] = i
		sums[i] = make([][]uint64, len(d.Bands))
	}
	most := make([]uint64, len(d.Rows))
	for _, c := range daily {
		i, k, at := row[c.Maker], d.column(c.Country), d.units.at(c.Day)
		if at < 0 {
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
