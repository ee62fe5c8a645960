package evidence

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// The verdicts of people.
const (
	Confirmed  = "confirmed"   // it is what picket said
	Wrong      = "wrong"       // it is of another make
	NotHandset = "not-handset" // the make may be right, a handset it is not
)

// Ruling is what a person decided. It outranks inference for that device.
type Ruling struct {
	ID      int64     `json:"id"`
	Device  string    `json:"device"`
	Episode string    `json:"episode,omitempty"`
	Maker   string    `json:"maker,omitempty"` // whom the device was said to be of
	Verdict string    `json:"verdict"`         // confirmed, wrong, not-handset
	By      string    `json:"by"`
	Reason  string    `json:"reason"`
	At      time.Time `json:"at"`
	Until   time.Time `json:"until,omitzero"` // zero: for good
}

// Holds reports whether the ruling holds at a time.
func (r *Ruling) Holds(at time.Time) bool { return r.Until.IsZero() || at.Before(r.Until) }

// Against reports whether the ruling says that the device was accused
// wrongly.
func (r *Ruling) Against() bool { return r.Verdict == Wrong || r.Verdict == NotHandset }

// ErrUnknown says that there is no episode or device of this id.
var ErrUnknown = errors.New("no episode or device of this id")

// Rule keeps a ruling about an episode ("e-…") or a device ("d-…"), puts it
// on the chain and closes the open episodes it decides: the one that it was
// given, or all of the device when it says that the device was accused
// wrongly.
func (s *Store) Rule(subject string, r Ruling) (Ruling, error) {
	switch r.Verdict {
	case Confirmed, Wrong, NotHandset:
	default:
		return r, fmt.Errorf("verdict %q: want %s, %s or %s", r.Verdict, Confirmed, Wrong, NotHandset)
	}
	if r.By == "" || r.Reason == "" {
		return r, errors.New("a ruling needs who made it and why")
	}
	if err := s.Flush(); err != nil {
		return r, err
	}
	if err := s.subject(subject, &r); err != nil {
		return r, err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	tx, err := s.db.Begin()
	if err != nil {
		return r, wrap(err)
	}
	defer tx.Rollback()
	if err := s.writeRuling(tx, &r); err != nil {
		return r, wrap(err)
	}
	return r, wrap(tx.Commit())
}

// subject fills in whom the ruling is about.
func (s *Store) subject(subject string, r *Ruling) error {
	e, ok, err := s.Episode(subject)
	if err != nil {
		return err
	}
	if ok {
		r.Episode, r.Device, r.Maker = e.ID, e.Device, e.Maker
		return nil
	}
	f, err := s.File(subject)
	if err != nil {
		return err
	}
	if !f.Known && len(f.Episodes) == 0 {
		return fmt.Errorf("%s: %w", subject, ErrUnknown)
	}
	r.Device, r.Maker = subject, f.Device.Maker
	if r.Maker == "" && len(f.Episodes) > 0 {
		r.Maker = f.Episodes[len(f.Episodes)-1].Maker
	}
	return nil
}

func (s *Store) writeRuling(tx *sql.Tx, r *Ruling) error {
	result, err := tx.Exec("INSERT INTO ruling (device, at, body) VALUES (?,?,'{}')", r.Device, nanos(r.At))
	if err != nil {
		return err
	}
	if r.ID, err = result.LastInsertId(); err != nil {
		return err
	}
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := tx.Exec("UPDATE ruling SET body = ? WHERE id = ?", string(body), r.ID); err != nil {
		return err
	}
	err = link(tx, fact{at: r.At, kind: KindRuling, subject: r.Device, ref: fmt.Sprintf("%s:%d", KindRuling, r.ID),
		body: vouch{r.Verdict, fmt.Sprint(r.ID), hashOf(body), r.Reason}})
	if err != nil {
		return err
	}
	return s.closeRuled(tx, r)
}

// closeRuled writes the open episodes of the device anew: ruleOut ends
// those that the ruling decides.
func (s *Store) closeRuled(tx *sql.Tx, r *Ruling) error {
	rows, err := tx.Query("SELECT body FROM episode WHERE device = ? AND closed = 0", r.Device)
	if err != nil {
		return err
	}
	defer rows.Close()
	var open []Episode
	for rows.Next() {
		var e Episode
		if err := scanJSON(rows.Scan, &e); err != nil {
			return err
		}
		open = append(open, e)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	rows.Close()
	for i := range open {
		if err := s.writeEpisode(tx, &open[i]); err != nil {
			return err
		}
	}
	return nil
}

// ruleOut ends an open episode that a person has decided, whatever a running
// sensor still thinks of it. A confirmed one ends too: somebody has dealt
// with it; what the device sends afterwards counts in the same episode when
// the sensor continues it.
func ruleOut(tx querier, e *Episode) error {
	if !e.Closed.IsZero() {
		return nil
	}
	rows, err := tx.Query("SELECT body FROM ruling WHERE device = ? ORDER BY id DESC", e.Device)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var r Ruling
		if err := scanJSON(rows.Scan, &r); err != nil {
			return err
		}
		decides := r.Episode == e.ID && !e.Last.After(r.At) || r.Against() && r.Holds(e.Last)
		if !decides {
			continue
		}
		e.Closed, e.Firing = latest(e.Opened, r.At), false
		e.CloseReason = fmt.Sprintf("ruled %s by %s", r.Verdict, r.By)
		return rows.Err()
	}
	return rows.Err()
}

// Rulings returns the rulings about a device, newest first; about all of
// them when device is empty.
func (s *Store) Rulings(device string) ([]Ruling, error) {
	out := []Ruling{}
	err := s.rows("SELECT body FROM ruling WHERE ?1 = '' OR device = ?1 ORDER BY id DESC LIMIT ?2", []any{device, s.c.Limits.ReportRows}, func(scan func(...any) error) error {
		var r Ruling
		if err := scanJSON(scan, &r); err != nil {
			return err
		}
		out = append(out, r)
		return nil
	})
	return out, err
}

// RulingCounts counts rulings by what they say: the site's own rate of
// false pages.
func (s *Store) RulingCounts() (map[string]uint64, error) {
	out := map[string]uint64{Confirmed: 0, Wrong: 0, NotHandset: 0}
	err := s.rows("SELECT body ->> '$.verdict', count(*) FROM ruling GROUP BY 1", nil, func(scan func(...any) error) error {
		var verdict string
		var n uint64
		if err := scan(&verdict, &n); err != nil {
			return err
		}
		out[verdict] = n
		return nil
	})
	return out, err
}

// pollRulings tells of rulings that another process has written.
func (s *Store) pollRulings() {
	if s.c.OnRuling == nil {
		return
	}
	var fresh []Ruling
	err := s.rows("SELECT body FROM ruling WHERE id > ? ORDER BY id", []any{s.rulings}, func(scan func(...any) error) error {
		var r Ruling
		if err := scanJSON(scan, &r); err != nil {
			return err
		}
		fresh = append(fresh, r)
		return nil
	})
	if err != nil {
		s.c.Logger.Error("rulings not read", "err", err)
		return
	}
	for _, r := range fresh {
		s.rulings = r.ID
		s.c.OnRuling(r)
	}
}
