package evidence

import (
	"database/sql"
	"fmt"
	"time"
)

// Forgotten says what Forget removed.
type Forgotten struct {
	Rows       int64 // of episodes, packets, verdicts, addresses, rulings, records, alerts
	Tombstones int64 // entries of the chain that no longer say what they were about
}

// Forget removes everything that is kept on a device. Its entries of the
// chain lose text and salt and stay as tombstones, so that the chain still
// verifies. What a running sensor still has in memory of before is not
// written again.
func (s *Store) Forget(device string) (Forgotten, error) {
	var f Forgotten
	if err := s.Flush(); err != nil {
		return f, err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	tx, err := s.db.Begin()
	if err != nil {
		return f, wrap(err)
	}
	defer tx.Rollback()
	now := s.c.Now()
	if f, err = forget(tx, device, now); err != nil {
		return f, wrap(err)
	}
	if f.Rows+f.Tombstones == 0 {
		return f, fmt.Errorf("%s: %w", device, ErrUnknown)
	}
	if err := link(tx, fact{at: now, kind: KindForget, body: map[string]int64{"rows": f.Rows, "tombstones": f.Tombstones}}); err != nil {
		return f, wrap(err)
	}
	if err := tx.Commit(); err != nil {
		return f, wrap(err)
	}
	// The log still has the old pages; secure_delete has overwritten those of the file.
	_, err = s.db.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
	return f, wrap(err)
}

func forget(tx *sql.Tx, device string, now time.Time) (f Forgotten, err error) {
	subject, err := subjectHash(tx, device)
	if err != nil {
		return f, err
	}
	exec := func(to *int64, query string, args ...any) {
		if err != nil {
			return
		}
		var r sql.Result
		if r, err = tx.Exec(query, args...); err != nil {
			return
		}
		var n int64
		n, err = r.RowsAffected()
		*to += n
	}
	// The outbox holds alerts under name/policy/device; their bodies are JSON.
	exec(&f.Rows, "DELETE FROM outbox WHERE instr(key, ?1) > 0 OR instr(cast(body AS TEXT), ?1) > 0", device)
	exec(&f.Rows, "DELETE FROM episode WHERE device = ?", device)
	exec(&f.Rows, "DELETE FROM proof WHERE device = ?", device)
	exec(&f.Rows, "DELETE FROM packets WHERE device = ?", device)
	exec(&f.Rows, "DELETE FROM verdict WHERE device = ?", device)
	exec(&f.Rows, "DELETE FROM ruling WHERE device = ?", device)
	exec(&f.Rows, "DELETE FROM address WHERE device = ?", device)
	exec(&f.Rows, "DELETE FROM device WHERE id = ?", device)
	exec(&f.Rows, "DELETE FROM record WHERE id = ?1 OR body ->> '$.into' = ?1", device)
	exec(&f.Tombstones, "UPDATE chain SET salt = NULL, body = NULL, subject = NULL, ref = NULL WHERE subject = ?", device)
	var unused int64
	exec(&unused, "INSERT INTO forgotten (subject, at) VALUES (?,?) ON CONFLICT (subject) DO UPDATE SET at = excluded.at", subject, nanos(now))
	return f, err
}

// retire removes rows by their ids and the text of the entries that vouch for
// them, because their time or their number is up.
func retire(tx querier, table, ids string, args ...any) error {
	// table and ids are constants of this package.
	if _, err := tx.Exec("UPDATE chain SET salt = NULL, body = NULL, subject = NULL, ref = NULL WHERE ref IN (SELECT '"+table+":' || id FROM ("+ids+"))", args...); err != nil {
		return err
	}
	_, err := tx.Exec("DELETE FROM "+table+" WHERE id IN ("+ids+")", args...)
	return err
}
