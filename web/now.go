package web

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"picket/evidence"
)

// nowDays is what the bars of the first page sum up.
const nowDays = 7

// The first page is for a glance: what is beyond these is a link away.
const (
	maxCards  = 12
	maxReview = 6
)

// Now is the first page.
type Now struct {
	Status  Status
	Open    []evidence.Episode // worst first, as many as are shown
	Opens   int                // all
	Pages   int
	Tickets int
	Days    int
	Tiles   []Tile
	Grid    []Region
	Sent    uint64
	Review  []evidence.Device // oldest first
	Waiting int               // all that wait for review
	Blind   []Blind           // that there is something of, most first
	Clear   []string          // what nothing was seen of
	Fleet   Fleet
	Map     bool
	Trouble string // of the store
	Trend   Chart  // of what episodes sent
	Sum     uint64 // of the trend
}

func (p *pages) now(*http.Request) (string, any, error) {
	d := Now{Status: p.c.Status(), Days: nowDays, Fleet: p.c.Fleet(), Map: p.c.Map != nil, Trouble: p.c.Store.Stats().Trouble}
	d.Blind, d.Clear = blindness(d.Status.Blind)
	all, err := p.open()
	if err != nil {
		return "", nil, err
	}
	for _, e := range all {
		switch e.Severity {
		case "page":
			d.Pages++
		case "ticket":
			d.Tickets++
		}
	}
	d.Opens, d.Open = len(all), all[:min(len(all), maxCards)]
	now := p.c.Now()
	cells, err := p.c.Store.Residency(evidence.ResidencyQuery{
		Period: evidence.Period{From: now.AddDate(0, 0, 1-nowDays), To: now}, Basis: "location", Class: "handset",
	})
	if err != nil {
		return "", nil, err
	}
	d.Tiles, d.Grid, d.Sent = p.countries.tiles(cells)
	review, err := p.c.Store.Devices(evidence.DeviceQuery{Concern: evidence.Review, Sort: "first", Up: true, Limit: maxReview})
	if err != nil {
		return "", nil, err
	}
	d.Review, d.Waiting = review.Devices, review.Total
	d.Trend, err = p.trend(now, all)
	for i := range d.Trend.Days {
		d.Sum += d.Trend.Days[i].Sent
	}
	return "Now", d, err
}

// blindness puts what cannot be seen in order, most first, what cannot be
// counted last; what is nothing at all is only named.
func blindness(all []Blind) (some []Blind, clear []string) {
	for _, b := range all {
		if b.Share == 0 {
			clear = append(clear, b.What)
		} else {
			some = append(some, b)
		}
	}
	slices.SortStableFunc(some, func(a, b Blind) int { return cmp.Compare(b.Share, a.Share) })
	return some, clear
}

// severities, worst first.
var severities = []string{"page", "ticket", "observe"}

// open lists the open episodes, worst and latest first.
func (p *pages) open() ([]evidence.Episode, error) {
	var list []evidence.Episode
	if p.c.Open != nil {
		list = p.c.Open()
	} else {
		all, err := p.c.Store.Episodes(p.c.Now().Add(time.Hour))
		if err != nil {
			return nil, err
		}
		list = slices.DeleteFunc(all, func(e evidence.Episode) bool { return !e.Closed.IsZero() })
	}
	slices.SortStableFunc(list, func(a, b evidence.Episode) int {
		return cmp.Or(cmp.Compare(slices.Index(severities, a.Severity), slices.Index(severities, b.Severity)), b.Last.Compare(a.Last))
	})
	return list, nil
}
