package fleet

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"
)

// recall calls each for what was heard since a time, oldest first.
func (s *spool) recall(since time.Time, each func(*Message)) error {
	return s.bodies(func(body []byte) {
		m, err := s.pack.decode(body)
		switch {
		case err != nil: // another version's is left out
		case m.Kind == KindBatch:
			for _, d := range m.devices() {
				each(d)
			}
		default:
			each(m)
		}
	}, "SELECT body FROM heard WHERE at >= ? ORDER BY at", since.UnixNano())
}

// bodies calls each for the one column of what a query finds.
func (s *spool) bodies(each func([]byte), query string, args ...any) error {
	rows, err := s.db.Query(query, args...)
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

// waiting counts what was not acknowledged yet, and says since when the
// oldest of it waits.
func (s *spool) waiting() (n int, oldest time.Time, err error) {
	var at int64
	err = s.db.QueryRow(`SELECT coalesce(sum(n), 0), coalesce(min(at), 0) FROM (
		SELECT count(*) AS n, min(at) AS at FROM said WHERE sent = 0 UNION ALL
		SELECT sum(max(items, 1)), min(at) FROM shelf WHERE sent = 0)`).Scan(&n, &at)
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
	return s.bodies(each, "SELECT body FROM told ORDER BY key")
}

// ownPartials calls each for the partials that this sensor said and that hold.
func (s *spool) ownPartials(each func(*Message)) error {
	return s.bodies(func(body []byte) {
		if m, err := s.pack.decode(body); err == nil && !m.Gone {
			each(m)
		}
	}, "SELECT body FROM said WHERE kind = 'partial'")
}

// ownParts calls each for what this sensor said of its episodes since a time.
func (s *spool) ownParts(since time.Time, each func(*Message)) error {
	return s.bodies(func(body []byte) {
		if m, err := s.pack.decode(body); err == nil {
			each(m)
		}
	}, "SELECT body FROM said WHERE kind = 'episode' AND at >= ?", since.UnixNano())
}
