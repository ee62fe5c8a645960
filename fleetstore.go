package main

import (
	"slices"
	"time"

	"picket/evidence"
	"picket/fleet"
)

// wholeStore shows episodes with all that the fleet saw of them, wherever
// that is asked for.
type wholeStore struct {
	*evidence.Store
	self string // name of this sensor
}

// Episodes implements web.Store.
func (s wholeStore) Episodes(since time.Time) ([]evidence.Episode, error) {
	all, err := s.Parts(since)
	return wholeOf(s.self, all), err
}

// Episode implements web.Store. The id of any part leads to the whole.
func (s wholeStore) Episode(id string) (evidence.Episode, bool, error) {
	e, ok, err := s.Store.Episode(id)
	if err != nil || !ok {
		return e, ok, err
	}
	all, err := s.EpisodesOf(e.Device)
	for _, w := range fleet.Merge(s.self, all) {
		if slices.Contains(w.Parts, id) {
			return w.Episode, true, err
		}
	}
	return e, true, err
}

// File implements web.Store.
func (s wholeStore) File(id string) (evidence.File, error) {
	f, err := s.Store.File(id)
	f.Episodes = wholeOf(s.self, f.Episodes)
	return f, err
}

func wholeOf(self string, parts []evidence.Episode) []evidence.Episode {
	out := []evidence.Episode{}
	for _, w := range fleet.Merge(self, parts) {
		out = append(out, w.Episode)
	}
	return out
}

// openNow lists the open episodes: ours with their latest totals, and those
// that other sensors of the fleet have open.
func (s *station) openNow() []evidence.Episode {
	own := s.judge.Open()
	if s.fleet == nil {
		return own
	}
	all, err := s.store.Parts(time.Now().Add(time.Hour)) // the open ones alone
	if err != nil {
		s.log.Error("episodes of other sensors not shown", "err", err)
	}
	for _, e := range all {
		if e.Sensor != "" {
			own = append(own, e)
		}
	}
	return slices.DeleteFunc(wholeOf(s.fleet.node.Name(), own), func(e evidence.Episode) bool { return !e.Closed.IsZero() })
}
