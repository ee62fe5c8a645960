package web

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"picket/evidence"
)

const (
	residencyDays = 30  // shown unless asked otherwise
	weeksBeyond   = 120 // days, drawn by weeks
	maxDays       = 1100
	maxCountries  = 8 // columns of the matrix and bands of the chart; the others are summed
)

// bases by which a country is given, with what they mean.
var bases = []struct{ Name, Title string }{
	{"location", "where the server is"},
	{"registration", "where its address is registered"},
	{"operator", "home of the network's operator"},
	{"owner", "home of the name's owner"},
}

// Residency is maker × country, over time.
type Residency struct {
	Chart
	Query  evidence.ResidencyQuery
	Bases  []struct{ Name, Title string }
	Basis  string // in words
	Makers []string
	Rows   []ResidencyRow
	Sent   uint64
	Tiles  []Tile
	Grid   []Region
}

// ResidencyRow is one maker.
type ResidencyRow struct {
	Maker   string
	Sent    uint64
	Devices uint64
	Cells   []ResidencyCell
}

// ResidencyCell is what one maker sent to one country.
type ResidencyCell struct {
	Sent  uint64
	Share float64 // of the maker's bytes
	Heat  int
	Spark string // path of bars over the period, 100 × 20 units, to the maker's largest
}

func residencyQuery(v url.Values, now time.Time) (evidence.ResidencyQuery, error) {
	q := evidence.ResidencyQuery{Basis: cmp.Or(v.Get("basis"), "location"), Maker: v.Get("maker"), Class: v.Get("class")}
	if !slices.ContainsFunc(bases, func(b struct{ Name, Title string }) bool { return b.Name == q.Basis }) {
		return q, badRequest{fmt.Errorf("basis: %q is none of location, registration, operator, owner", q.Basis)}
	}
	q.Period = evidence.Period{From: now.UTC().AddDate(0, 0, 1-residencyDays), To: now.UTC()}
	for key, at := range map[string]*time.Time{"from": &q.Period.From, "to": &q.Period.To} {
		if text := v.Get(key); text != "" {
			day, err := time.Parse(time.DateOnly, text)
			if err != nil {
				return q, badRequest{fmt.Errorf("%s: %q is no date as 2026-05-31", key, text)}
			}
			*at = day
		}
	}
	if n := q.Period.Days(); n < 1 || n > maxDays {
		return q, badRequest{fmt.Errorf("from %s is %d days; from 1 to %d can be shown", q.Period, n, maxDays)}
	}
	return q, nil
}

func (p *pages) residency(r *http.Request) (string, any, error) {
	q, err := residencyQuery(r.URL.Query(), p.c.Now())
	if err != nil {
		return "", nil, err
	}
	d := Residency{Query: q, Bases: bases}
	for _, b := range bases {
		if b.Name == q.Basis {
			d.Basis = b.Title
		}
	}
	u := unitsOf(q.Period)
	q.Daily, q.Weekly = true, u.name == "week" // the sums of the period are those of its parts
	daily, err := p.c.Store.Residency(q)
	if err != nil {
		return "", nil, err
	}
	cells := summed(daily)
	d.Tiles, d.Grid, d.Sent = p.countries.tiles(cells)
	watched, err := p.c.Store.WatchedDays(q.Period)
	if err != nil {
		return "", nil, err
	}
	d.Chart = newChart(u, bands(d.Tiles))
	d.ID, d.Title = "by-country", "Bytes sent each "+u.name+", by country"
	for _, c := range daily {
		d.add(c.Day, d.column(c.Country), c.Sent)
	}
	d.watch(q.Period, watched, p.c.Now())
	d.draw()
	d.matrix(cells)
	d.sparks(daily)
	if q.Maker == "" {
		for _, row := range d.Rows {
			if row.Maker != "" {
				d.Makers = append(d.Makers, row.Maker)
			}
		}
	} else {
		d.Makers = []string{q.Maker}
	}
	return "Residency", d, nil
}

// summed puts the days together. Of devices it keeps the most of one.
func summed(daily []evidence.Cell) []evidence.Cell {
	type key struct{ maker, country string }
	at := map[key]int{}
	var out []evidence.Cell
	for _, c := range daily {
		k := key{c.Maker, c.Country}
		i, there := at[k]
		if !there {
			i = len(out)
			at[k] = i
			out = append(out, evidence.Cell{Maker: c.Maker, Country: c.Country})
		}
		out[i].Sent += c.Sent
		out[i].Flows += c.Flows
		out[i].Devices = max(out[i].Devices, c.Devices)
	}
	return out
}

// bands chooses the countries that get a column: those with most bytes.
func bands(tiles []Tile) (out []Band) {
	for i, t := range tiles[:min(len(tiles), maxCountries)] {
		out = append(out, Band{Code: t.Code, Name: t.Name, Class: fmt.Sprintf("band-%d", i+1)})
	}
	if len(tiles) > maxCountries {
		out = append(out, Band{Name: fmt.Sprintf("%d others", len(tiles)-maxCountries), Others: true, Class: "band-0"})
	}
	return out
}

// column is where a country goes.
func (d *Residency) column(country string) int {
	i := slices.IndexFunc(d.Bands, func(b Band) bool { return b.Code == country && !b.Others })
	if i < 0 {
		i = len(d.Bands) - 1
	}
	return i
}

func (d *Residency) matrix(cells []evidence.Cell) {
	at := map[string]int{}
	for _, c := range cells {
		i, there := at[c.Maker]
		if !there {
			i = len(d.Rows)
			at[c.Maker] = i
			d.Rows = append(d.Rows, ResidencyRow{Maker: c.Maker, Cells: make([]ResidencyCell, len(d.Bands))})
		}
		row := &d.Rows[i]
		row.Sent += c.Sent
		row.Devices = max(row.Devices, c.Devices) // at least: a device counts under every country
		row.Cells[d.column(c.Country)].Sent += c.Sent
	}
	for i := range d.Rows {
		row := &d.Rows[i]
		for k := range row.Cells {
			if row.Sent > 0 {
				row.Cells[k].Share = float64(row.Cells[k].Sent) / float64(row.Sent)
			}
			if row.Cells[k].Sent > 0 {
				row.Cells[k].Heat = heat(row.Cells[k].Sent, row.Sent)
			}
		}
	}
	slices.SortStableFunc(d.Rows, func(a, b ResidencyRow) int { return cmp.Compare(b.Sent, a.Sent) })
}
