package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"time"

	"picket/evidence"
)

// nowDays is what the bars of the first page sum up.
const nowDays = 7

// maxReview bounds the review list of the first page.
const maxReview = 20

// Now is the first page.
type Now struct {
	Status  Status
	Open    []evidence.Episode // worst first
	Pages   int
	Tickets int
	Days    int
	Tiles   []Tile
	Grid    []Region
	Sent    uint64
	Review  []evidence.Device // oldest first
	Waiting int               // all that wait for review
	Crowd   []evidence.CrowdCount
	Trouble string // of the store
}

func (p *pages) now(*http.Request) (string, any, error) {
	d := Now{Status: p.c.Status(), Days: nowDays, Trouble: p.c.Store.Stats().Trouble}
	var err error
	if d.Open, err = p.open(); err != nil {
		return "", nil, err
	}
	for _, e := range d.Open {
		switch e.Severity {
		case "page":
			d.Pages++
		case "ticket":
			d.Tickets++
		}
	}
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
	d.Crowd, err = p.c.Store.CrowdOn(now)
	return "Now", d, err
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

// Episodes lists the open ones and those of the last days.
type Episodes struct {
	Days int
	List []evidence.Episode
	More int // not shown
}

// maxEpisodes bounds a list of episodes.
const maxEpisodes = 500

func (p *pages) episodes(r *http.Request) (string, any, error) {
	days, err := number(r.URL.Query(), "days", 30, 1, 3660)
	if err != nil {
		return "", nil, err
	}
	list, err := p.c.Store.Episodes(p.c.Now().AddDate(0, 0, -days))
	if err != nil {
		return "", nil, err
	}
	slices.Reverse(list)
	d := Episodes{Days: days, List: list}
	if n := len(list) - maxEpisodes; n > 0 {
		d.List, d.More = list[:maxEpisodes], n
	}
	return "Episodes", d, nil
}

// Episode is one episode with what is known of its device.
type Episode struct {
	evidence.Episode
	File    evidence.File
	Silence string // address in Alertmanager; empty for none
	Most    uint64 // of one server
}

func (p *pages) episode(r *http.Request) (string, any, error) {
	e, ok, err := p.c.Store.Episode(r.PathValue("id"))
	if err != nil {
		return "", nil, err
	}
	if !ok {
		return "", nil, errNotFound
	}
	d := Episode{Episode: e}
	if p.c.Open != nil { // with the latest totals
		for _, o := range p.c.Open() {
			if o.ID == e.ID {
				d.Episode = o
			}
		}
	}
	for _, s := range e.Servers {
		d.Most = max(d.Most, s.Sent)
	}
	if d.File, err = p.c.Store.File(e.Device); err != nil {
		return "", nil, err
	}
	d.Silence = p.silence(&e)
	return "Episode " + e.ID, d, nil
}

// silence is where Alertmanager silences the alert of an episode.
func (p *pages) silence(e *evidence.Episode) string {
	if p.c.Alertmanager == nil || !e.Closed.IsZero() {
		return ""
	}
	filter := `{policy="` + e.Policy + `",device="` + cmp.Or(e.AlertDevice, e.Device) + `"}`
	return p.c.Alertmanager.JoinPath("/").String() + "#/silences/new?filter=" + url.QueryEscape(filter)
}
