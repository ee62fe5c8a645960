package evidence

import (
	"database/sql"
	"encoding/json"
	"errors"
	"time"
)

// Retention is how long each kind is kept. Zero values mean the defaults.
type Retention struct {
	Episodes time.Duration // after they closed; default 365 days
	Devices  time.Duration // after they were last heard, with their addresses and records; default 30 days
	Packets  time.Duration // after they were captured; default 30 days
	Verdicts time.Duration // default 90 days
	Ledger   time.Duration // of counts without devices; default 3 years
	Rulings  time.Duration // default 3 years
	Chain    time.Duration // of the texts of entries about no device; default 3 years
}

const days = 24 * time.Hour

func (r Retention) filled() Retention {
	return Retention{
		or(r.Episodes, 365*days), or(r.Devices, 30*days), or(r.Packets, 30*days), or(r.Verdicts, 90*days),
		or(r.Ledger, 3*365*days), or(r.Rulings, 3*365*days), or(r.Chain, 3*365*days),
	}
}

// Retention returns how long each kind is kept.
func (s *Store) Retention() Retention { return *s.retention.Load() }

// SetRetention says anew how long each kind is kept: it holds from the next
// time that Expire is called. It is safe for concurrent use.
func (s *Store) SetRetention(r Retention) {
	r = r.filled()
	s.retention.Store(&r)
}

// noteRetention leaves in the file what the sensor keeps to, for commands that
// tell people how long something stays.
func noteRetention(tx *sql.Tx, r Retention) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = tx.Exec("INSERT INTO meta (key, value) VALUES ('retention', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", string(text))
	return err
}

// adoptRetention takes over what the sensor whose file it is keeps to.
func (s *Store) adoptRetention() error {
	var text string
	err := s.db.QueryRow("SELECT value FROM meta WHERE key = 'retention'").Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // no sensor has run on it since
	}
	var r Retention
	if err == nil {
		err = json.Unmarshal([]byte(text), &r)
	}
	if err == nil {
		s.SetRetention(r)
	}
	return wrap(err)
}

// Expire removes what is older than retention allows, as of now.
func (s *Store) Expire(now time.Time) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.db == nil {
		return nil // nothing is there to be removed
	}
	tx, err := s.db.Begin()
	if err != nil {
		return wrap(err)
	}
	defer tx.Rollback()
	if err := s.expire(tx, now); err != nil {
		return wrap(err)
	}
	if err := noteRetention(tx, s.Retention()); err != nil {
		return wrap(err)
	}
	return wrap(tx.Commit())
}

func (s *Store) expire(tx *sql.Tx, now time.Time) error {
	r := s.Retention()
	before := func(d time.Duration) int64 { return now.Add(-d).UnixNano() }
	for _, k := range [...]struct {
		table, ids string
		keep       time.Duration
	}{
		// What belongs to an episode goes no later than it does.
		{KindPackets, "SELECT id FROM packets WHERE episode IN (SELECT id FROM episode WHERE closed > 0 AND closed < ?)", r.Episodes},
		{KindProof, "SELECT id FROM proof WHERE id IN (SELECT id FROM episode WHERE closed > 0 AND closed < ?)", r.Episodes},
		{KindEpisode, "SELECT id FROM episode WHERE closed > 0 AND closed < ?", r.Episodes},
		{KindPackets, "SELECT id FROM packets WHERE at < ?", r.Packets},
		{KindVerdict, "SELECT id FROM verdict WHERE at < ?", r.Verdicts},
		{KindRuling, "SELECT id FROM ruling WHERE at < ?", r.Rulings},
	} {
		if err := retire(tx, k.table, k.ids, before(k.keep)); err != nil {
			return err
		}
	}
	for _, k := range [...]struct {
		query string
		arg   int64
	}{
		{"DELETE FROM address WHERE until < ?", before(r.Devices)},
		{"DELETE FROM device WHERE last < ?", before(r.Devices)},
		{"DELETE FROM record WHERE last < ?", before(r.Devices)},
		{"DELETE FROM forgotten WHERE at < ?", before(r.Episodes)},
		{"DELETE FROM ledger WHERE day < ?", dayOf(now.Add(-r.Ledger))},
		{"DELETE FROM residency WHERE day < ?", dayOf(now.Add(-r.Ledger))},
		{"DELETE FROM digest WHERE start < ?", dayOf(now.Add(-r.Ledger))},
		{"DELETE FROM crowd WHERE day < ?", dayOf(now.Add(-r.Ledger))},
		{"DELETE FROM watched WHERE day < ?", dayOf(now.Add(-r.Ledger))},
		{"UPDATE chain SET salt = NULL, body = NULL, subject = NULL, ref = NULL WHERE at < ? AND body IS NOT NULL AND ref IS NULL", before(r.Chain)},
	} {
		if _, err := tx.Exec(k.query, k.arg); err != nil {
			return err
		}
	}
	return nil
}
