package web

import (
	"net/http"
	"time"

	"picket/evidence"
)

// Health is how the sensor and the store are doing.
type Health struct {
	Status    Status
	Store     evidence.Stats
	Retention []Kept
	Head      string
	Watched   []evidence.DayWatched // newest first
	Rulings   []evidence.Ruling
}

// Kept is how long a kind of evidence is kept.
type Kept struct {
	What, Why string
	For       time.Duration
}

// watchedDays is how far back the page says how well days were watched.
const watchedDays = 14

func (p *pages) health(*http.Request) (string, any, error) {
	d := Health{Status: p.c.Status(), Store: p.c.Store.Stats()}
	r := p.c.Store.Retention()
	d.Retention = []Kept{
		{"Episodes, with their servers", "after they closed", r.Episodes},
		{"Devices that a policy concerns, their addresses and identity", "after they were last heard", r.Devices},
		{"Changes of verdict", "", r.Verdicts},
		{"Rulings", "", r.Rulings},
		{"The ledger: bytes by day, maker and country, without devices", "", r.Ledger},
		{"Counts of devices that no policy concerns", "", r.Ledger},
	}
	head, err := p.c.Store.Head()
	if err != nil {
		return "", nil, err
	}
	if head.Seq > 0 {
		d.Head = head.String()
	}
	now := p.c.Now()
	if d.Watched, err = p.c.Store.WatchedDays(evidence.Period{From: now.AddDate(0, 0, 1-watchedDays), To: now}); err != nil {
		return "", nil, err
	}
	for i, k := 0, len(d.Watched)-1; i < k; i, k = i+1, k-1 {
		d.Watched[i], d.Watched[k] = d.Watched[k], d.Watched[i]
	}
	d.Rulings, err = p.c.Store.Rulings("")
	d.Rulings = d.Rulings[:min(len(d.Rulings), 20)]
	return "Health", d, err
}
