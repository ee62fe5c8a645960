package fleet

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"

	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// spoolFile is the spool's file in the state directory.
const spoolFile = "fleet.db"

// spool is what this sensor has to say and what it has heard, on its own
// disk. Of each thing it holds the latest alone, so that it is bounded by the
// number of things and a long outage makes it no longer than a short one. It
// is safe for concurrent use.
type spool struct {
	db      *sql.DB
	path    string
	pack    *packer
	shelf   *shelf
	max     int
	dropped atomic.Uint64
	saying  atomic.Int64 // said since its bound was last looked at
	hearing atomic.Int64 // heard since
}

// due reports that n more make it time to look at the bound: counting rows at
// every commit would cost more than the commit.
func (s *spool) due(since *atomic.Int64, n int) bool {
	if since.Add(int64(n)) < int64(min(4096, s.max/16)) {
		return false
	}
	since.Store(0)
	return true
}

const spoolSchema = `
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS said (
	seq INTEGER PRIMARY KEY AUTOINCREMENT, thing TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, subject TEXT NOT NULL,
	version INTEGER NOT NULL, sent INTEGER NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS unsent ON said (seq) WHERE sent = 0;
CREATE TABLE IF NOT EXISTS heard (
	thing TEXT PRIMARY KEY, kind TEXT NOT NULL, version INTEGER NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS told (key TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS heard_at ON heard (at);
`

// openSpool opens the spool in dir, and makes it if there is none.
func openSpool(dir string, most int) (*spool, error) {
	s, err := connectSpool(dir, most)
	if err != nil {
		return nil, err
	}
	if err := s.shelf.load(s.db); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// connectSpool does so without what the sensor said of devices.
func connectSpool(dir string, most int) (*spool, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("fleet: %w", err)
	}
	path := filepath.Join(dir, spoolFile)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("fleet: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("fleet: %w", err)
	}
	dsn := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}).String()
	// A power cut may take the last commits (NORMAL): what they said is in
	// the evidence store, and is said again when the sensor starts.
	db, err := sql.Open("sqlite", dsn+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=secure_delete(1)&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("fleet: %w", err)
	}
	db.SetMaxOpenConns(1)
	s := &spool{db: db, path: path, max: most}
	if _, err = db.Exec(spoolSchema + shelfSchema + forgetSchema); err == nil {
		s.pack, err = newPacker()
		s.shelf = newShelf(s.pack)
	}
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("fleet: %s: %w", path, err)
	}
	return s, nil
}

func (s *spool) close() error { return s.db.Close() }

// say commits messages, giving each the next version of its thing. Devices go
// onto sheets; single: each into a message of its own too, for readers of
// schema 1.
func (s *spool) say(list []*Message, single bool) error {
	var devices, others []*Message
	for _, m := range list {
		if m.Kind == KindDevice {
			devices = append(devices, m)
		}
		if m.Kind != KindDevice || single {
			others = append(others, m)
		}
	}
	s.shelf.mu.Lock()
	defer s.shelf.mu.Unlock()
	tx, err := s.db.Begin()
	if err != nil {
		return fmt.Errorf("fleet: spool: %w", err)
	}
	defer tx.Rollback()
	written, err := s.shelf.write(tx, devices, false)
	if err != nil {
		return err
	}
	bounded := func() {}
	if err := s.sayOthers(tx, others); err != nil {
		return err
	}
	if s.due(&s.saying, len(list)) {
		if err := s.bound(tx); err != nil {
			return err
		}
		if bounded, err = s.boundShelf(tx); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("fleet: spool: %w", err)
	}
	written()
	bounded()
	return nil
}

// saySingle commits devices as messages of their own.
func (s *spool) saySingle(list []*Message) error {
	tx, err := s.db.Begin()
	if err != nil {
		return fmt.Errorf("fleet: spool: %w", err)
	}
	defer tx.Rollback()
	if err := s.sayOthers(tx, list); err != nil {
		return err
	}
	return tx.Commit()
}

// sayOthers commits what is no device, each as a message of its own.
func (s *spool) sayOthers(tx *sql.Tx, list []*Message) error {
	for _, m := range list {
		var was int64
		if err := tx.QueryRow("SELECT version FROM said WHERE thing = ?", m.thing()).Scan(&was); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("fleet: spool: %w", err)
		}
		m.Version = max(was+1, m.Version, m.At.UnixNano()) // a clock that went back does not undo what was said
		body, err := s.pack.encode(m)
		if err != nil {
			s.dropped.Add(1)
			continue
		}
		_, err = tx.Exec(`INSERT INTO said (thing, kind, subject, version, sent, at, body) VALUES (?,?,?,?,0,?,?)
			ON CONFLICT (thing) DO UPDATE SET version = excluded.version, subject = excluded.subject, sent = 0, at = excluded.at, body = excluded.body`,
			m.thing(), string(m.Kind), m.subject(), m.Version, m.At.UnixNano(), body)
		if err != nil {
			return fmt.Errorf("fleet: spool: %w", err)
		}
	}
	return nil
}

// bound gives up what is beyond the maximum: what was sent and can be made
// again first, then lines for others, then devices, each the oldest first.
// Episodes stay: the judge bounds them.
func (s *spool) bound(tx *sql.Tx) error {
	var n int
	if err := tx.QueryRow("SELECT count(*) FROM said").Scan(&n); err != nil {
		return fmt.Errorf("fleet: spool: %w", err)
	}
	for _, which := range [...]string{"sent = 1 AND kind <> 'episode'", "kind = 'event'", "kind = 'device'"} {
		if n <= s.max {
			return nil
		}
		r, err := tx.Exec("DELETE FROM said WHERE seq IN (SELECT seq FROM said WHERE "+which+" ORDER BY seq LIMIT ?)", n-s.max)
		if err != nil {
			return fmt.Errorf("fleet: spool: %w", err)
		}
		gone, err := r.RowsAffected()
		if err != nil {
			return fmt.Errorf("fleet: spool: %w", err)
		}
		n -= int(gone)
		if which != "sent = 1 AND kind <> 'episode'" {
			s.dropped.Add(uint64(gone))
		}
	}
	return nil
}

// saying is a committed message that is to be published.
type saying struct {
	thing, kind, subject string
	version              int64
	sheet                int64 // 0: none
	items                int
	body                 []byte
}

func (s *saying) msgID() string { return fmt.Sprintf("%s/%d", s.thing, s.version) }

// unsent returns the oldest that were not acknowledged: episodes and what may
// become one first, sheets of devices last.
func (s *spool) unsent(limit int) ([]saying, error) {
	out, err := s.unsentOthers(limit)
	if err != nil || len(out) >= limit {
		return out, err
	}
	rows, err := s.db.Query("SELECT n, version, realm, items, body FROM shelf WHERE sent = 0 ORDER BY n LIMIT ?", min(sheetsAtOnce, limit-len(out)))
	if err != nil {
		return nil, fmt.Errorf("fleet: spool: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		m := Message{Source: s.shelf.source, Kind: KindBatch}
		v := saying{kind: string(KindBatch)}
		if err := rows.Scan(&v.sheet, &v.version, &m.Scope, &v.items, &v.body); err != nil {
			return nil, fmt.Errorf("fleet: spool: %w", err)
		}
		m.ID = sheetID(v.sheet)
		v.thing, v.subject = m.thing(), m.subject()
		out = append(out, v)
	}
	return out, rows.Err()
}

// sheetsAtOnce bounds the sheets that are on their way.
const sheetsAtOnce = 32

func (s *spool) unsentOthers(limit int) ([]saying, error) {
	rows, err := s.db.Query("SELECT thing, kind, subject, version, body FROM said WHERE sent = 0 ORDER BY kind NOT IN ('episode', 'partial'), seq LIMIT ?", limit)
	if err != nil {
		return nil, fmt.Errorf("fleet: spool: %w", err)
	}
	defer rows.Close()
	var out []saying
	for rows.Next() {
		m := saying{items: 1}
		if err := rows.Scan(&m.thing, &m.kind, &m.subject, &m.version, &m.body); err != nil {
			return nil, fmt.Errorf("fleet: spool: %w", err)
		}
		out = append(out, m)
	}
	return out, rows.Err()
}

// acknowledged notes what the cluster has taken. A thing that was said anew
// meanwhile waits on; lines for others go.
func (s *spool) acknowledged(list []saying) error {
	s.shelf.mu.Lock()
	defer s.shelf.mu.Unlock()
	tx, err := s.db.Begin()
	if err != nil {
		return fmt.Errorf("fleet: spool: %w", err)
	}
	defer tx.Rollback()
	var steps []func()
	for _, m := range list {
		if m.sheet != 0 {
			step, err := s.shelf.sheetSent(tx, m.sheet, m.version)
			if err != nil {
				return fmt.Errorf("fleet: spool: %w", err)
			}
			steps = append(steps, step)
			continue
		}
		query := "UPDATE said SET sent = 1 WHERE thing = ? AND version = ?"
		if m.kind == string(KindEvent) {
			query = "DELETE FROM said WHERE thing = ? AND version = ?"
		}
		if _, err := tx.Exec(query, m.thing, m.version); err != nil {
			return fmt.Errorf("fleet: spool: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("fleet: spool: %w", err)
	}
	for _, step := range steps {
		step()
	}
	return nil
}

// again has everything that still holds published anew: the cluster lost it.
func (s *spool) again() error {
	_, err := s.db.Exec("UPDATE said SET sent = 0 WHERE sent = 1; UPDATE shelf SET sent = 0 WHERE sent = 1")
	return err
}

// overtaken has a thing published anew when the cluster holds an older
// version of it than was acknowledged.
func (s *spool) overtaken(thing string, version int64) error {
	_, err := s.db.Exec("UPDATE said SET sent = 0 WHERE thing = ? AND version > ? AND sent = 1", thing, version)
	return err
}

// hear commits messages of others and returns those that are news: each
// version of a thing once, and none older than one heard before.
func (s *spool) hear(list []*Message, bodies [][]byte) ([]*Message, error) {
	tx, err := s.db.Begin()
	if err != nil {
		return nil, fmt.Errorf("fleet: spool: %w", err)
	}
	defer tx.Rollback()
	var news []*Message
	for i, m := range list {
		if m.Kind == KindBatch && m.Gone { // its devices are on later sheets
			if _, err := tx.Exec("DELETE FROM heard WHERE thing = ? AND version < ?", m.thing(), m.Version); err != nil {
				return nil, fmt.Errorf("fleet: spool: %w", err)
			}
			continue
		}
		r, err := tx.Exec(`INSERT INTO heard (thing, kind, version, at, body) VALUES (?,?,?,?,?)
			ON CONFLICT (thing) DO UPDATE SET version = excluded.version, at = excluded.at, body = excluded.body WHERE excluded.version > heard.version`,
			m.thing(), string(m.Kind), m.Version, m.At.UnixNano(), bodies[i])
		if err != nil {
			return nil, fmt.Errorf("fleet: spool: %w", err)
		}
		if n, err := r.RowsAffected(); err == nil && n > 0 {
			news = append(news, m)
		}
	}
	if s.due(&s.hearing, len(list)) {
		if _, err := tx.Exec("DELETE FROM heard WHERE thing IN (SELECT thing FROM heard ORDER BY at DESC LIMIT -1 OFFSET ?)", s.max); err != nil {
			return nil, fmt.Errorf("fleet: spool: %w", err)
		}
	}
	return news, tx.Commit()
}
