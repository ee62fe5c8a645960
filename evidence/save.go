package evidence

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// told is what the store knows was told of an episode.
type told struct {
	alerted string
	closed  time.Time
}

// SaveEpisode inserts e or replaces the one with its ID, open or closed. When
// something was told of it, or it opened or ended, it returns once e is on
// the disk, or Patience has passed; it then waits in memory and is counted.
func (s *Store) SaveEpisode(e Episode) error {
	s.mu.Lock()
	s.waiting.episodes[e.ID] = e
	now := told{e.AlertedAs, e.Closed}
	before, known := s.told[e.ID]
	changed := !known || before != now
	s.told[e.ID] = now
	if !e.Closed.IsZero() {
		delete(s.told, e.ID) // so that the map holds the open ones alone
	}
	s.waiting.boundEpisodes(s.c.Limits.Waiting)
	s.mu.Unlock()
	if changed {
		s.settle()
	}
	return nil
}

// settle brings what waits to the disk, as long as that takes no longer than
// Patience.
func (s *Store) settle() {
	if !s.running.Load() {
		_ = s.Flush() // counted; what was not written waits
		return
	}
	if s.stats.trouble.Load() != nil {
		return // the disk is not there: whoever asks is not held up
	}
	s.mu.Lock()
	done := s.done
	s.mu.Unlock()
	s.wake()
	patience := time.NewTimer(s.c.Patience)
	defer patience.Stop()
	select {
	case <-done:
	case <-patience.C:
		s.stats.late.Add(1)
	}
}

func (s *Store) wake() {
	select {
	case s.kick <- struct{}{}:
	default: // it is awake
	}
}

// Episodes returns this sensor's open episodes and those closed since then,
// in the order in which they opened.
func (s *Store) Episodes(since time.Time) ([]Episode, error) {
	all, err := s.Parts(since)
	return slices.DeleteFunc(all, func(e Episode) bool { return e.Sensor != "" }), err
}

// Parts is Episodes with what other sensors of the fleet have of theirs.
func (s *Store) Parts(since time.Time) ([]Episode, error) {
	from := int64(0)
	if !since.IsZero() {
		from = since.UnixNano()
	}
	return s.episodes("SELECT body FROM episode WHERE closed = 0 OR closed >= ?", func(e *Episode) bool {
		return e.Closed.IsZero() || !e.Closed.Before(since)
	}, from)
}

// EpisodesOf returns the episodes of a device, in the order in which they opened.
func (s *Store) EpisodesOf(device string) ([]Episode, error) {
	return s.episodes("SELECT body FROM episode WHERE device = ?", func(e *Episode) bool { return e.Device == device }, device)
}

// Episode returns one episode; ok is false when there is none with this id.
func (s *Store) Episode(id string) (e Episode, ok bool, err error) {
	list, err := s.episodes("SELECT body FROM episode WHERE id = ?", func(e *Episode) bool { return e.ID == id }, id)
	if err != nil || len(list) == 0 {
		return Episode{}, false, err
	}
	return list[0], true, nil
}

// episodes joins what the file has with what waits to be written.
func (s *Store) episodes(query string, want func(*Episode) bool, args ...any) ([]Episode, error) {
	all := map[string]Episode{}
	waiting := s.overlay(func(b *batch) map[string]Episode { return b.episodes })
	err := s.rows(query, args, func(scan func(...any) error) error {
		var body []byte
		if err := scan(&body); err != nil {
			return err
		}
		var e Episode
		if err := json.Unmarshal(body, &e); err != nil {
			return err
		}
		if _, newer := waiting[e.ID]; !newer {
			all[e.ID] = e
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for id, e := range waiting {
		if want(&e) {
			all[id] = e
		}
	}
	out := slices.Collect(maps.Values(all))
	slices.SortFunc(out, func(a, b Episode) int {
		if c := a.Opened.Compare(b.Opened); c != 0 {
			return c
		}
		return compare(a.ID, b.ID)
	})
	return out, nil
}

// overlay is what waits of one kind, the newest of each.
func (s *Store) overlay(of func(*batch) map[string]Episode) map[string]Episode {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]Episode{}
	if s.flying != nil {
		maps.Copy(out, of(s.flying))
	}
	maps.Copy(out, of(s.waiting))
	return out
}

// rows runs a query; without a file there are none.
func (s *Store) rows(query string, args []any, each func(scan func(...any) error) error) error {
	db := s.reader()
	if db == nil {
		return nil
	}
	rows, err := db.Query(query, args...)
	if err != nil {
		return wrap(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return wrap(err)
		}
	}
	return wrap(rows.Err())
}

// PutBlob keeps an entry of the outbox under its key.
func (s *Store) PutBlob(key string, body []byte) error {
	s.outbox(key, body)
	return nil
}

// DeleteBlob removes an entry of the outbox; an absent one is no error.
func (s *Store) DeleteBlob(key string) error {
	s.outbox(key, nil)
	return nil
}

func (s *Store) outbox(key string, body []byte) {
	s.mu.Lock()
	s.waiting.outbox[key] = body
	s.mu.Unlock()
	if s.running.Load() {
		s.wake()
		return
	}
	_ = s.Flush()
}

// Blobs calls each for up to limit entries of the outbox with keys after the
// given one, by key.
func (s *Store) Blobs(after string, limit int, each func(key string, body []byte) error) error {
	all := map[string][]byte{}
	s.mu.Lock()
	waiting := map[string][]byte{}
	if s.flying != nil {
		maps.Copy(waiting, s.flying.outbox)
	}
	maps.Copy(waiting, s.waiting.outbox)
	s.mu.Unlock()
	// As many more as may be hidden by those that wait.
	err := s.rows("SELECT key, body FROM outbox WHERE key > ? ORDER BY key LIMIT ?", []any{after, limit + len(waiting)}, func(scan func(...any) error) error {
		var key string
		var body []byte
		if err := scan(&key, &body); err != nil {
			return err
		}
		all[key] = body
		return nil
	})
	if err != nil {
		return err
	}
	for k, v := range waiting {
		if k > after {
			all[k] = v
		}
	}
	maps.DeleteFunc(all, func(_ string, v []byte) bool { return v == nil })
	keys := slices.Sorted(maps.Keys(all))
	for _, k := range keys[:min(limit, len(keys))] {
		if err := each(k, all[k]); err != nil {
			return err
		}
	}
	return nil
}
