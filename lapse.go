package main

import (
	"log/slog"
	"time"

	"picket/sensor/capture"
)

// lapses tells the log when an interface goes down and comes up again.
// Looked at once a second, by one goroutine.
type lapses map[string]*lapse // by interface

type lapse struct {
	gaps uint64
	gap  time.Duration // of all gaps
	down bool
	from time.Duration // gap before this one
}

// look compares the counts of every interface with those of the last look.
func (l lapses) look(live []*capture.Live, log *slog.Logger) {
	seen := map[string]bool{}
	for _, i := range live { // the rings of one interface go down together
		if name := i.Interface(); !seen[name] {
			seen[name] = true
			l.see(name, i.Stats(), log)
		}
	}
}

func (l lapses) see(name string, s capture.Stats, log *slog.Logger) {
	p := l[name]
	if p == nil {
		p = &lapse{}
		l[name] = p
	}
	lasting := s.Gaps > p.gaps || s.Gap > p.gap
	switch {
	case lasting && !p.down:
		p.down, p.from = true, p.gap
		log.Warn("interface is down: nothing is seen", "interface", name)
	case !lasting && p.down:
		p.down = false
		log.Warn("interface is up again", "interface", name, "missed", (s.Gap - p.from).Round(time.Millisecond))
	}
	p.gaps, p.gap = s.Gaps, s.Gap
}
