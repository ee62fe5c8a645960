package fleet

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// maxForgets bounds what one sensor may have forgotten within an hour: one in
// the wrong hands empties nobody's store unnoticed.
const maxForgets = 1000

// forgetAgain is how often a sensor repeats what is to be forgotten, for those
// that were away for longer than the stream remembers; forgetFor is for how long.
const (
	forgetAgain = 3 * 24 * time.Hour
	forgetFor   = 400 * 24 * time.Hour
)

const forgetSchema = `
CREATE TABLE IF NOT EXISTS forgotten (device TEXT PRIMARY KEY, at INTEGER NOT NULL, done INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`

// Forget has every sensor of the fleet remove what it keeps on a device, those
// that are away now as soon as they are back. It may be called while the
// sensor whose state is in dir runs, which does its part within seconds, and
// while it does not. told is false for a sensor that is in no fleet.
func Forget(dir, id string, at time.Time) (told bool, err error) {
	if _, err := os.Stat(filepath.Join(dir, spoolFile)); err != nil {
		return false, nil
	}
	s, err := connectSpool(dir, defaultQueue)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	var name, key string
	for k, to := range map[string]*string{"name": &name, "key": &key} {
		if err := s.db.QueryRow("SELECT value FROM meta WHERE key = ?", k).Scan(to); errors.Is(err, sql.ErrNoRows) {
			return false, nil
		} else if err != nil {
			return false, fmt.Errorf("fleet: spool: %w", err)
		}
	}
	m := &Message{Source: name, Kind: KindForget, Scope: "all", ID: id, At: at.UTC(), Key: key}
	if err := s.saySingle([]*Message{m}); err != nil {
		return false, err
	}
	return true, s.toForget(id, at)
}

// toForget notes that a device is to be forgotten as of a time.
func (s *spool) toForget(id string, at time.Time) error {
	_, err := s.db.Exec(`INSERT INTO forgotten (device, at, done) VALUES (?,?,0)
		ON CONFLICT (device) DO UPDATE SET at = excluded.at, done = 0 WHERE excluded.at > at`, id, at.UnixNano())
	if err != nil {
		return fmt.Errorf("fleet: spool: %w", err)
	}
	return nil
}

// forgets takes another sensor's word that a device is to be forgotten.
func (n *Node) forgets(m *Message) error {
	now := n.now()
	if now.Sub(n.forgetHour) >= time.Hour {
		n.forgetHour, n.forgetCount = now, map[string]int{}
	}
	if m.Key != n.key || n.forgetCount[m.Source] >= maxForgets || m.At.After(now.Add(time.Duration(n.c.MaxSkew))) {
		n.refused.Add(1)
		n.log.Warn("fleet: not forgotten at another sensor's word", "sensor", m.Source, "device", m.ID)
		return nil
	}
	n.forgetCount[m.Source]++
	n.log.Info("fleet: a device is forgotten at another sensor's word", "sensor", m.Source, "device", m.ID)
	return n.spool.toForget(m.ID, m.At)
}

// forget does what is to be forgotten and was not done yet.
func (n *Node) forget(ctx context.Context) error {
	list, err := n.spool.undone()
	if err != nil {
		return err
	}
	for id, at := range list {
		n.mu.Lock()
		n.forgotten[id] = at
		n.mu.Unlock()
		if n.OnForget != nil {
			if err := n.OnForget(id, at); err != nil {
				return fmt.Errorf("fleet: forget %s: %w", id, err)
			}
		}
		if err := n.spool.erase(id, n.c.Name, n.now()); err != nil {
			return err
		}
		n.purge(ctx, id)
		if _, err := n.spool.db.Exec("UPDATE forgotten SET done = 1 WHERE device = ? AND at = ?", id, at.UnixNano()); err != nil {
			return fmt.Errorf("fleet: spool: %w", err)
		}
	}
	return n.spool.forgetAgain(n.now())
}

// purge removes the lines about a device from the stream of events. What
// connectors took before is out of reach.
func (n *Node) purge(ctx context.Context, id string) {
	s := n.at.Load()
	if s == nil || !n.nc.IsConnected() {
		return // the lines age out within a week
	}
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	events, err := s.js.Stream(ctx, EventStream)
	if err == nil {
		err = events.Purge(ctx, jetstream.WithPurgeSubject(prefix+string(KindEvent)+".*.*."+token(id)+".*"))
	}
	if err != nil {
		n.log.Warn("fleet: lines about a device that is forgotten stay on the stream of events until they are a week old", "device", id, "err", err)
	}
}

// stale reports that a message is about a device that has been forgotten
// since: it comes late.
func (n *Node) stale(m *Message) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.forgotten) == 0 || m.Gone {
		return false
	}
	var when struct {
		Record  struct{ Last time.Time }
		Episode struct {
			Device string
			First  time.Time
		}
	}
	id, last := m.ID, &when.Record.Last
	if m.Kind == KindPartial {
		p := partialOf(m)
		return p != nil && !m.At.After(n.forgotten[p.Device])
	}
	if m.Kind == KindEpisode {
		if json.Unmarshal(m.Body, &when) != nil {
			return false
		}
		id, last = when.Episode.Device, &when.Episode.First
	}
	at, there := n.forgotten[id]
	if !there || m.Kind == KindDevice && json.Unmarshal(m.Body, &when) != nil {
		return false
	}
	return !last.After(at)
}

// undone lists what is to be forgotten still.
func (s *spool) undone() (map[string]time.Time, error) {
	return s.forgottenAt("SELECT device, at FROM forgotten WHERE done = 0")
}

func (s *spool) forgottenAt(query string) (map[string]time.Time, error) {
	rows, err := s.db.Query(query)
	if err != nil {
		return nil, fmt.Errorf("fleet: spool: %w", err)
	}
	defer rows.Close()
	out := map[string]time.Time{}
	for rows.Next() {
		var id string
		var at int64
		if err := rows.Scan(&id, &at); err != nil {
			return nil, fmt.Errorf("fleet: spool: %w", err)
		}
		out[id] = time.Unix(0, at).UTC()
	}
	return out, rows.Err()
}

// forgetAgain has what is to be forgotten said again from time to time.
func (s *spool) forgetAgain(now time.Time) error {
	_, err := s.db.Exec(`UPDATE said SET sent = 0, at = ?1 WHERE kind = 'forget' AND sent = 1 AND at < ?2 AND version > ?3`,
		now.UnixNano(), now.Add(-forgetAgain).UnixNano(), now.Add(-forgetFor).UnixNano())
	if err != nil {
		return fmt.Errorf("fleet: spool: %w", err)
	}
	return nil
}

// erase removes what the spool has of a device, and withdraws what this
// sensor said of it.
func (s *spool) erase(id, self string, now time.Time) error {
	if err := s.eraseSheets(id); err != nil {
		return err
	}
	if err := s.eraseHeard(id); err != nil {
		return err
	}
	episodes, err := s.saidOf(id)
	if err != nil {
		return err
	}
	for _, m := range episodes {
		m.Gone, m.Body, m.At = true, nil, now.UTC()
	}
	if err := s.saySingle(episodes); err != nil {
		return err
	}
	mark := `"` + id + `"` // as JSON has it
	for _, query := range [...]string{
		"DELETE FROM said WHERE kind = 'event' AND instr(cast(body AS TEXT), ?) > 0",
		"DELETE FROM told WHERE instr(cast(body AS TEXT), ?) > 0",
	} {
		if _, err := s.db.Exec(query, mark); err != nil {
			return fmt.Errorf("fleet: spool: %w", err)
		}
	}
	_, err = s.db.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}

// saidOf lists what this sensor has said of a device and its episodes, in
// messages of their own.
func (s *spool) saidOf(id string) ([]*Message, error) {
	rows, err := s.db.Query("SELECT body FROM said WHERE kind IN ('device', 'episode', 'partial') AND instr(cast(body AS TEXT), ?) > 0", `"`+id+`"`)
	if err != nil {
		return nil, fmt.Errorf("fleet: spool: %w", err)
	}
	defer rows.Close()
	var out []*Message
	for rows.Next() {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			return nil, fmt.Errorf("fleet: spool: %w", err)
		}
		if m, err := s.pack.decode(body); err == nil {
			out = append(out, m)
		}
	}
	return out, rows.Err()
}

// eraseHeard removes what others said of a device.
func (s *spool) eraseHeard(id string) error {
	if _, err := s.db.Exec("DELETE FROM heard WHERE kind IN ('device', 'episode', 'partial') AND instr(cast(body AS TEXT), ?) > 0", `"`+id+`"`); err != nil {
		return fmt.Errorf("fleet: spool: %w", err)
	}
	return s.rewrite("SELECT thing, body FROM heard WHERE kind = 'batch'", id, func(thing any, m *Message, body []byte) error {
		_, err := s.db.Exec("UPDATE heard SET body = ? WHERE thing = ?", body, thing)
		return err
	})
}

// eraseSheets rewrites the sheets that a device is on, here and on the stream.
func (s *spool) eraseSheets(id string) error {
	h := s.shelf
	h.mu.Lock()
	defer h.mu.Unlock()
	err := s.rewrite("SELECT n, body FROM shelf", id, func(n any, m *Message, body []byte) error {
		_, err := s.db.Exec("UPDATE shelf SET body = ?, version = ?, items = ?, sent = 0 WHERE n = ?", body, m.Version, len(m.Items), n)
		if sh := h.sheets[n.(int64)]; sh != nil {
			sh.sent = false
			sh.items = len(m.Items)
		}
		return err
	})
	if p, there := h.places[id]; there {
		delete(h.places, id)
		h.leave(p.sheet)
	}
	return err
}

// rewrite takes a device out of every batch that a query gives with its key.
func (s *spool) rewrite(query, id string, put func(key any, m *Message, body []byte) error) error {
	rows, err := s.db.Query(query)
	if err != nil {
		return fmt.Errorf("fleet: spool: %w", err)
	}
	type changed struct {
		key  any
		m    *Message
		body []byte
	}
	var list []changed
	for rows.Next() {
		var key any
		var body []byte
		if err := rows.Scan(&key, &body); err != nil {
			rows.Close()
			return fmt.Errorf("fleet: spool: %w", err)
		}
		m, err := s.pack.decode(body)
		if err != nil {
			continue
		}
		kept := m.Items[:0:0]
		for _, it := range m.Items {
			if it.ID != id {
				kept = append(kept, it)
			}
		}
		if len(kept) == len(m.Items) {
			continue
		}
		m.Items, m.Version = kept, m.Version+1
		if body, err = s.pack.encode(m); err != nil {
			rows.Close()
			return err
		}
		list = append(list, changed{key, m, body})
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return fmt.Errorf("fleet: spool: %w", err)
	}
	for _, c := range list {
		if err := put(c.key, c.m, c.body); err != nil {
			return fmt.Errorf("fleet: spool: %w", err)
		}
	}
	return nil
}
