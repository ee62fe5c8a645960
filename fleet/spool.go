package fleet

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

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
	db, err := sql.Open("sqlite", dsn+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("fleet: %w", err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(spoolSchema); err != nil {
		db.Close()
		return nil, fmt.Errorf("fleet: %s: %w", path, err)
	}
	return &spool{db: db, path: path, max: most}, nil
}

func (s *spool) close() error { return s.db.Close() }

// say commits messages, giving each the next version of its thing.
func (s *spool) say(list []*Message) error {
	tx, err := s.db.Begin()
	if err != nil {
		return fmt.Errorf("fleet: spool: %w", err)
	}
	defer tx.Rollback()
	for _, m := range list {
		var was int64
		if err := tx.QueryRow("SELECT version FROM said WHERE thing = ?", m.thing()).Scan(&was); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("fleet: spool: %w", err)
		}
		m.Version = max(was+1, m.At.UnixNano()) // a clock that went back does not undo what was said
		body, err := encode(m)
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
	if s.due(&s.saying, len(list)) {
		if err := s.bound(tx); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("fleet: spool: %w", err)
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
	body                 []byte
}

func (s *saying) msgID() string { return fmt.Sprintf("%s/%d", s.thing, s.version) }

// unsent returns the oldest that were not acknowledged, episodes first.
func (s *spool) unsent(limit int) ([]saying, error) {
	rows, err := s.db.Query("SELECT thing, kind, subject, version, body FROM said WHERE sent = 0 ORDER BY kind <> 'episode', seq LIMIT ?", limit)
	if err != nil {
		return nil, fmt.Errorf("fleet: spool: %w", err)
	}
	defer rows.Close()
	var out []saying
	for rows.Next() {
		var m saying
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
	tx, err := s.db.Begin()
	if err != nil {
		return fmt.Errorf("fleet: spool: %w", err)
	}
	defer tx.Rollback()
	for _, m := range list {
		query := "UPDATE said SET sent = 1 WHERE thing = ? AND version = ?"
		if m.kind == string(KindEvent) {
			query = "DELETE FROM said WHERE thing = ? AND version = ?"
		}
		if _, err := tx.Exec(query, m.thing, m.version); err != nil {
			return fmt.Errorf("fleet: spool: %w", err)
		}
	}
	return tx.Commit()
}

// again has everything that still holds published anew: the cluster lost it.
func (s *spool) again() error {
	_, err := s.db.Exec("UPDATE said SET sent = 0 WHERE sent = 1")
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

// recall calls each for what was heard since a time, oldest first.
func (s *spool) recall(since time.Time, each func(*Message)) error {
	rows, err := s.db.Query("SELECT body FROM heard WHERE at >= ? ORDER BY at", since.UnixNano())
	if err != nil {
		return fmt.Errorf("fleet: spool: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			return fmt.Errorf("fleet: spool: %w", err)
		}
		if m, err := decode(body); err == nil { // another version's is left out
			each(m)
		}
	}
	return rows.Err()
}

// own returns what this sensor last said of a thing.
func (s *spool) own(thing string) (*Message, bool, error) {
	var body []byte
	err := s.db.QueryRow("SELECT body FROM said WHERE thing = ?", thing).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("fleet: spool: %w", err)
	}
	m, err := decode(body)
	return m, err == nil, err
}

// waiting counts what was not acknowledged yet, and says since when the
// oldest of it waits.
func (s *spool) waiting() (n int, oldest time.Time, err error) {
	var at int64
	err = s.db.QueryRow("SELECT count(*), coalesce(min(at), 0) FROM said WHERE sent = 0").Scan(&n, &at)
	if at != 0 {
		oldest = time.Unix(0, at).UTC()
	}
	return n, oldest, err
}

// bytes is the size of the spool on disk, its log included.
func (s *spool) bytes() (n int64) {
	for _, suffix := range [...]string{"", "-wal"} {
		if info, err := os.Stat(s.path + suffix); err == nil {
			n += info.Size()
		}
	}
	return n
}

// meta reads and replaces a note of the spool.
func (s *spool) meta(key, value string) (before string, err error) {
	err = s.db.QueryRow("SELECT value FROM meta WHERE key = ?", key).Scan(&before)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", err
	}
	if before != value {
		_, err = s.db.Exec("INSERT INTO meta (key, value) VALUES (?,?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value)
	} else {
		err = nil
	}
	return before, err
}

// tell keeps what people were told of a case, so that it is resolved after a
// restart too; nil forgets it.
func (s *spool) tell(key string, body []byte) error {
	if body == nil {
		_, err := s.db.Exec("DELETE FROM told WHERE key = ?", key)
		return err
	}
	_, err := s.db.Exec("INSERT INTO told (key, body) VALUES (?,?) ON CONFLICT (key) DO UPDATE SET body = excluded.body", key, body)
	return err
}

// told calls each for every case that people were told of and that stands.
func (s *spool) told(each func(body []byte)) error {
	rows, err := s.db.Query("SELECT body FROM told ORDER BY key")
	if err != nil {
		return fmt.Errorf("fleet: spool: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			return fmt.Errorf("fleet: spool: %w", err)
		}
		each(body)
	}
	return rows.Err()
}

// ownParts calls each for what this sensor said of its episodes since a time.
func (s *spool) ownParts(since time.Time, each func(*Message)) error {
	rows, err := s.db.Query("SELECT body FROM said WHERE kind = 'episode' AND at >= ?", since.UnixNano())
	if err != nil {
		return fmt.Errorf("fleet: spool: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			return fmt.Errorf("fleet: spool: %w", err)
		}
		if m, err := decode(body); err == nil {
			each(m)
		}
	}
	return rows.Err()
}
