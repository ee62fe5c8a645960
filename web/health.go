package web

import (
	"net/http"
	"time"

	"picket/evidence"
)

// Health is how the sensor and the store are doing.
type Health struct {
	Status    Status
	Blind     []Blind
	Clear     []string
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

// kept says how long each kind of evidence is kept.
func (p *pages) kept() []Kept {
	r := p.c.Store.Retention()
	return []Kept{
		{"Episodes, with their servers", "after they closed", r.Episodes},
		{"Devices that a policy concerns, their addresses and identity", "after they were last heard", r.Devices},
		{"Packets of episodes", "after they were captured", r.Packets},
		{"Changes of verdict", "", r.Verdicts},
		{"Rulings", "", r.Rulings},
		{"The ledger: bytes by day, maker and country, without devices", "", r.Ledger},
		{"Counts of devices that no policy concerns", "", r.Ledger},
	}
}

func (p *pages) health(*http.Request) (string, any, error) {
	d := Health{Status: p.c.Status(), Store: p.c.Store.Stats(), Retention: p.kept()}
	d.Blind, d.Clear = blindness(d.Status.Blind)
	head, err := p.c.Store.Head()
	if err != nil {
		return "", nil, err
	}
	if head.Seq > 0 {
		d.Head = head.String()
	}
	now := p.c.Now()
	watched, err := p.c.Store.WatchedDays(evidence.Period{From: now.AddDate(0, 0, 1-watchedDays), To: now})
	if err != nil {
		return "", nil, err
	}
	d.Watched = everyDay(now, watched)
	d.Rulings, err = p.c.Store.Rulings("")
	d.Rulings = d.Rulings[:min(len(d.Rulings), 20)]
	return "Health", d, err
}

// everyDay lists the last days, newest first, those that nobody watched too.
func everyDay(now time.Time, watched []evidence.DayWatched) []evidence.DayWatched {
	out := make([]evidence.DayWatched, watchedDays)
	today := now.UTC().Truncate(24 * time.Hour)
	for i := range out {
		out[i].Day = today.AddDate(0, 0, -i)
		for _, w := range watched {
			if w.Day.Equal(out[i].Day) {
				out[i] = w
			}
		}
	}
	return out
}
