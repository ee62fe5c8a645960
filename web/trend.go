package web

import (
	"slices"
	"sync"
	"time"

	"picket/evidence"
)

// trendDays is what the chart of the first page shows.
const trendDays = 14

// trendAge is for how long episodes that were read for the chart stand: many
// look at the first page, and reading all of two weeks is its dearest part.
const trendAge = time.Minute

// recent has what the chart needs of the episodes of the last days.
type recent struct {
	mu   sync.Mutex
	at   time.Time
	list map[string]sent
}

// sent is what one episode sent.
type sent struct {
	opened   time.Time
	severity string
	bytes    uint64
}

// since lists the episodes since a time by their ids. Those that are open
// have the totals of when they were read.
func (r *recent) since(store Store, from, now time.Time) (map[string]sent, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if age := now.Sub(r.at); r.list != nil && age >= 0 && age < trendAge {
		return r.list, nil
	}
	episodes, err := store.Episodes(from)
	if err != nil {
		return nil, err
	}
	r.at, r.list = now, map[string]sent{}
	for i := range episodes {
		r.list[episodes[i].ID] = sentBy(&episodes[i])
	}
	return r.list, nil
}

func sentBy(e *evidence.Episode) sent { return sent{e.Opened, e.Severity, e.Sent} }

// trend is what episodes of the last days sent, each on the day it opened:
// how much of it was sent on which day is not kept.
func (p *pages) trend(now time.Time, open []evidence.Episode) (Chart, error) {
	days := evidence.Period{From: now.UTC().AddDate(0, 0, 1-trendDays), To: now.UTC()}
	var bands []Band
	for _, s := range severities {
		bands = append(bands, Band{Name: s, Class: "band-" + s})
	}
	c := newChart(unitsOf(days), bands)
	c.ID, c.Title, c.Episodes = "by-severity", "Bytes that episodes sent, by the day they opened and by severity", true
	count := func(e sent) {
		if at, band := c.units.at(e.opened), slices.Index(severities, e.severity); at >= 0 && band >= 0 {
			c.Days[at].Episodes++
			c.add(e.opened, band, e.bytes)
		}
	}
	kept, err := p.recent.since(p.c.Store, c.units.first, now)
	if err != nil {
		return c, err
	}
	latest := map[string]bool{}
	for i := range open {
		latest[open[i].ID] = true
		count(sentBy(&open[i]))
	}
	for id, e := range kept {
		if !latest[id] {
			count(e)
		}
	}
	watched, err := p.c.Store.WatchedDays(days)
	c.watch(days, watched, now)
	c.draw()
	return c, err
}
