package evidence

import (
	"cmp"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"crypto/sha256"
)

// devicesAtOnce is about how many devices one transaction has, so that an episode
// that is announced meanwhile need not wait for all of them.
const devicesAtOnce = 4000

// Flush writes what waits. What could not be written waits on.
func (s *Store) Flush() error {
	for {
		more, err := s.flushSome()
		if err != nil || !more {
			return err
		}
	}
}

// flushSome writes what waits, but for devices beyond devicesAtOnce.
func (s *Store) flushSome() (more bool, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	b, done := s.waiting, s.done
	s.done = make(chan struct{})
	if b.rows() == 0 && s.stats.trouble.Load() == nil {
		s.mu.Unlock()
		close(done)
		return false, nil
	}
	s.waiting, s.flying = newBatch(), b
	more = b.leave(s.waiting)
	s.mu.Unlock()
	err = s.write(b)
	s.mu.Lock()
	s.flying = nil
	if err != nil {
		s.waiting.under(b, s.c.Limits.Waiting)
		s.stats.dropped.Add(uint64(s.waiting.dropped))
		s.waiting.dropped = 0
	}
	s.mu.Unlock()
	close(done)
	if err != nil {
		s.words = map[string]int64{} // what was rolled back took its ids along
		s.days = map[int64]int{}
		s.degraded(err)
		return false, fmt.Errorf("evidence: %s: %w", s.path, err)
	}
	s.recovered(b.rows())
	return more, nil
}

// degraded notes that the disk does not take what is written.
func (s *Store) degraded(err error) {
	text := err.Error()
	s.stats.failures.Add(1)
	if s.stats.trouble.Swap(&text) == nil {
		s.c.Logger.Error("evidence waits in memory until the disk takes it", "err", err)
	}
}

func (s *Store) recovered(rows int) {
	s.stats.written.Add(uint64(rows))
	if s.stats.trouble.Swap(nil) != nil {
		s.c.Logger.Info("evidence is written again", "rows", rows)
	}
}

// write puts a batch into the file, all of it or nothing.
func (s *Store) write(b *batch) error {
	if s.db == nil {
		if err := s.open(); err != nil {
			return err
		}
	}
	tx, err := s.db.Begin()
	if err != nil {
		return named(err)
	}
	defer tx.Rollback()
	for _, part := range [...]func(*sql.Tx, *batch) error{
		s.writeEpisodes, s.writeOutbox, s.writeDevices, s.writeRecords, s.writeVerdicts, s.writeProofs, s.writePackets, s.writeLedger, s.writeDays, s.writeFacts,
	} {
		if err := part(tx, b); err != nil {
			return named(err)
		}
	}
	return named(tx.Commit())
}

func (s *Store) writeEpisodes(tx *sql.Tx, b *batch) error {
	list := make([]Episode, 0, len(b.episodes))
	for _, e := range b.episodes {
		list = append(list, e)
	}
	slices.SortFunc(list, func(x, y Episode) int { return cmp.Or(x.Opened.Compare(y.Opened), cmp.Compare(x.ID, y.ID)) })
	for i := range list {
		if err := s.writeEpisode(tx, &list[i]); err != nil {
			return fmt.Errorf("episode %s: %w", list[i].ID, err)
		}
	}
	return nil
}

func (s *Store) writeEpisode(tx *sql.Tx, e *Episode) error {
	if gone, err := forgotten(tx, e.Device, e.First); gone || err != nil {
		return err
	}
	if err := ruleOut(tx, e); err != nil {
		return err
	}
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	var alerted, was string
	var closed int64
	err = tx.QueryRow("SELECT alerted, closed, body FROM episode WHERE id = ?", e.ID).Scan(&alerted, &closed, &was)
	there := err == nil
	if err != nil && err != sql.ErrNoRows {
		return err
	}
	if there && was == string(body) {
		return nil
	}
	_, err = tx.Exec(`INSERT INTO episode (id, device, policy, maker, severity, opened, last, closed, alerted, body) VALUES (?,?,?,?,?,?,?,?,?,?)
		ON CONFLICT (id) DO UPDATE SET device = excluded.device, maker = excluded.maker, severity = excluded.severity, last = excluded.last,
		closed = excluded.closed, alerted = excluded.alerted, body = excluded.body`,
		e.ID, e.Device, e.Policy, e.Maker, e.Severity, nanos(e.Opened), nanos(e.Last), nanos(e.Closed), e.AlertedAs, string(body))
	if err != nil {
		return err
	}
	event := eventOf(there, alerted, closed, e)
	if event == "" {
		return nil
	}
	return link(tx, fact{at: latest(e.Opened, e.Last, e.Closed), kind: KindEpisode, subject: e.Device, ref: KindEpisode + ":" + e.ID,
		body: vouch{event, e.ID, hashOf(body), e.Sentence}})
}

// eventOf is what happened to an episode that the chain must know; empty
// when only its totals grew.
func eventOf(there bool, alerted string, closed int64, e *Episode) string {
	switch {
	case !e.Closed.IsZero():
		return "closed"
	case !there:
		return "opened"
	case closed != 0:
		return "continued"
	case alerted != e.AlertedAs:
		return "told"
	}
	return ""
}

func latest(all ...time.Time) time.Time { return slices.MaxFunc(all, time.Time.Compare) }

func (s *Store) writeOutbox(tx *sql.Tx, b *batch) error {
	for k, v := range b.outbox {
		var err error
		if v == nil {
			_, err = tx.Exec("DELETE FROM outbox WHERE key = ?", k)
		} else {
			_, err = tx.Exec("INSERT INTO outbox (key, body) VALUES (?,?) ON CONFLICT (key) DO UPDATE SET body = excluded.body", k, v)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) writeRecords(tx *sql.Tx, b *batch) error {
	if b.records == nil {
		return nil
	}
	if _, err := tx.Exec("DELETE FROM record"); err != nil {
		return err
	}
	insert, err := tx.Prepare("INSERT OR REPLACE INTO record (id, place, last, body) VALUES (?,?,?,?)")
	if err != nil {
		return err
	}
	defer insert.Close()
	for i, r := range b.records {
		if gone, err := forgotten(tx, r.ID, r.Last); gone || err != nil {
			if err != nil {
				return err
			}
			continue
		}
		if _, err := insert.Exec(r.ID, i, nanos(r.Last), string(r.Body)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) writeVerdicts(tx *sql.Tx, b *batch) error {
	for _, v := range b.verdicts {
		if gone, err := forgotten(tx, v.Device, v.At); gone || err != nil {
			if err != nil {
				return err
			}
			continue
		}
		body, err := json.Marshal(v)
		if err != nil {
			return err
		}
		r, err := tx.Exec("INSERT INTO verdict (device, at, body) VALUES (?,?,?)", v.Device, nanos(v.At), string(body))
		if err != nil {
			return err
		}
		id, err := r.LastInsertId()
		if err != nil {
			return err
		}
		err = link(tx, fact{at: v.At, kind: KindVerdict, subject: v.Device, ref: fmt.Sprintf("%s:%d", KindVerdict, id),
			body: vouch{"verdict", fmt.Sprint(id), hashOf(body), ""}})
		if err != nil {
			return err
		}
		if err := retire(tx, KindVerdict, "SELECT id FROM verdict WHERE device = ?1 ORDER BY at DESC, id DESC LIMIT -1 OFFSET ?2", v.Device, s.c.Limits.Verdicts); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) writeFacts(tx *sql.Tx, b *batch) error {
	for _, f := range b.facts {
		if err := link(tx, f); err != nil {
			return err
		}
	}
	return nil
}

// subjectHash is what a tombstone has of a device: enough to know it again,
// not enough to tell which it was.
func subjectHash(tx querier, device string) ([]byte, error) {
	var salt string
	if err := tx.QueryRow("SELECT value FROM meta WHERE key = 'salt'").Scan(&salt); err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(salt)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(append(key, device...))
	return sum[:], nil
}

// forgotten reports whether what was known of a device at a time has been
// forgotten since: a running sensor may still have it in memory.
func forgotten(tx querier, device string, at time.Time) (bool, error) {
	var any int
	if err := tx.QueryRow("SELECT EXISTS (SELECT 1 FROM forgotten)").Scan(&any); err != nil || any == 0 {
		return false, err
	}
	subject, err := subjectHash(tx, device)
	if err != nil {
		return false, err
	}
	var when int64
	err = tx.QueryRow("SELECT at FROM forgotten WHERE subject = ?", subject).Scan(&when)
	if err == sql.ErrNoRows {
		return false, nil
	}
	return nanos(at) <= when, err
}
