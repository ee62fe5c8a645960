package web

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"picket/evidence"
)

// countries gives names and regions to codes (ISO 3166-1, UN M49 regions).
type countries map[string]country

type country struct{ name, region string }

// regions in the order of the tile grid.
var regions = [...]string{"Africa", "Americas", "Asia", "Europe", "Oceania"}

// loadCountries reads "CC Region Name" lines.
func loadCountries() (countries, error) {
	b, err := files.ReadFile("countries.txt")
	if err != nil {
		return nil, err
	}
	out := countries{}
	for line := range strings.Lines(string(b)) {
		f := strings.SplitN(strings.TrimSpace(line), " ", 3)
		if len(f) != 3 || len(f[0]) != 2 || !slices.Contains(regions[:], f[1]) {
			return nil, fmt.Errorf("web: countries.txt: %q", line)
		}
		out[f[0]] = country{f[2], f[1]}
	}
	return out, nil
}

// name is the name of a code, the code when it has none.
func (c countries) name(code string) string {
	switch n, ok := c[code]; {
	case code == "":
		return "not known"
	case ok:
		return n.name
	}
	return code
}

// Tile is one country of the grid.
type Tile struct {
	Code, Name string
	Sent       uint64
	Devices    uint64
	Share      float64 // of all bytes
	Heat       int     // 1 to 5, by the logarithm of the bytes
	Width      int     // of its bar, 1 to 1000, by bytes
}

// Region is one row of the tile grid.
type Region struct {
	Name  string
	Tiles []Tile
}

// tiles sums cells by country: sorted by bytes, and by region for the grid.
// There are no borders: where they run is contested, and in places a crime
// to draw.
func (c countries) tiles(cells []evidence.Cell) (sorted []Tile, grid []Region, total uint64) {
	at := map[string]int{}
	for _, x := range cells {
		i, there := at[x.Country]
		if !there {
			i = len(sorted)
			at[x.Country] = i
			sorted = append(sorted, Tile{Code: x.Country, Name: c.name(x.Country)})
		}
		sorted[i].Sent += x.Sent
		sorted[i].Devices += x.Devices
		total += x.Sent
	}
	slices.SortStableFunc(sorted, func(a, b Tile) int {
		switch {
		case a.Sent > b.Sent:
			return -1
		case a.Sent < b.Sent:
			return 1
		}
		return strings.Compare(a.Code, b.Code)
	})
	for i := range sorted {
		t := &sorted[i]
		t.Share = float64(t.Sent) / math.Max(1, float64(total))
		t.Heat, t.Width = heat(t.Sent, sorted[0].Sent), max(1, int(1000*float64(t.Sent)/math.Max(1, float64(sorted[0].Sent))))
	}
	for _, name := range regions {
		r := Region{Name: name}
		for _, t := range sorted {
			if c[t.Code].region == name {
				r.Tiles = append(r.Tiles, t)
			}
		}
		if len(r.Tiles) > 0 {
			grid = append(grid, r)
		}
	}
	return sorted, grid, total
}

// heat has 5 for the most and 1 for a thousandth of it or less.
func heat(n, most uint64) int {
	if n == 0 || most == 0 {
		return 1
	}
	return min(5, max(1, 5+int(math.Floor(4*math.Log10(float64(n)/float64(most))/3))))
}
