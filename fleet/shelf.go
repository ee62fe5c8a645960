package fleet

import (
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"
)

// shelf is what this sensor says of devices: sheets of up to maxItems, each
// one message. The state of a device is in the last sheet it was written
// into. A sheet on which nothing holds any longer is withdrawn; one on which
// little does is written anew: so disk and stream hold no more than four times
// the devices there are, however often they change.
type shelf struct {
	pack *packer

	mu     sync.Mutex
	places map[string]place // by id of the device
	sheets map[int64]*sheet
	last   int64
	sparse []int64 // may be written anew or withdrawn
	swept  int64   // when withdrawals were last looked through; Unix nanoseconds
	source string  // this sensor
	key    string
}

type place struct {
	sheet   int64
	version int64
	gone    bool // withdrawn; kept as long as an older sheet may have the device
}

type sheet struct {
	realm string
	items int
	live  int // devices whose state is here
	sent  bool
	ended bool // withdrawn itself
}

const shelfSchema = `
CREATE TABLE IF NOT EXISTS shelf (
	n INTEGER PRIMARY KEY, version INTEGER NOT NULL, realm TEXT NOT NULL, sent INTEGER NOT NULL, at INTEGER NOT NULL,
	items INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS shelf_unsent ON shelf (n) WHERE sent = 0;
`

func newShelf(p *packer) *shelf {
	return &shelf{pack: p, places: map[string]place{}, sheets: map[int64]*sheet{}}
}

// load reads what was said before a restart, and calls each for what holds.
func (h *shelf) load(db *sql.DB) error {
	rows, err := db.Query("SELECT n, realm, sent, items, body FROM shelf ORDER BY n")
	if err != nil {
		return fmt.Errorf("fleet: spool: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		var body []byte
		s := &sheet{}
		if err := rows.Scan(&n, &s.realm, &s.sent, &s.items, &body); err != nil {
			return fmt.Errorf("fleet: spool: %w", err)
		}
		m, err := h.pack.decode(body)
		if err != nil {
			continue // a later version's: it ages out of the stream
		}
		h.enter(n, s, m.Items)
		h.sheets[n].ended = m.Gone
	}
	return rows.Err()
}

// enter notes a sheet. h.mu is held, or nobody else is there yet.
func (h *shelf) enter(n int64, s *sheet, items []Item) {
	h.sheets[n], h.last = s, max(h.last, n)
	for i := range items {
		it := &items[i]
		if old, there := h.places[it.ID]; there {
			h.leave(old.sheet)
		}
		s.live++
		h.places[it.ID] = place{n, it.Version, it.Gone}
	}
	h.look(n)
}

// leave takes a device off a sheet.
func (h *shelf) leave(n int64) {
	if s := h.sheets[n]; s != nil {
		s.live--
		h.look(n)
	}
}

// look notes a sheet on which too little holds.
func (h *shelf) look(n int64) {
	s := h.sheets[n]
	if s != nil && !s.ended && (s.live == 0 || s.items >= 16 && s.live*4 < s.items) {
		h.sparse = append(h.sparse, n)
	}
}

// write puts messages of KindDevice onto new sheets, within a transaction;
// done notes it once that is committed. Of several about one device the last
// counts. keep: versions stay as they are.
func (h *shelf) write(tx *sql.Tx, list []*Message, keep bool) (done func(), err error) {
	latest := map[string]int{}
	for i, m := range list {
		latest[m.ID] = i
	}
	byRealm := map[string][]Item{}
	size := map[string]int{}
	var steps []func()
	put := func(realm string) error {
		items := byRealm[realm]
		delete(byRealm, realm)
		size[realm] = 0
		if len(items) == 0 {
			return nil
		}
		step, err := h.sheet(tx, realm, items)
		steps = append(steps, step)
		return err
	}
	for i, m := range list {
		if latest[m.ID] != i {
			continue
		}
		if h.source == "" {
			h.source, h.key = m.Source, m.Key
		}
		if !keep {
			m.Version = max(h.places[m.ID].version+1, m.At.UnixNano()) // a clock that went back does not undo what was said
		}
		if size[m.Scope]+len(m.Body) > maxBatch || len(byRealm[m.Scope]) >= maxItems {
			if err := put(m.Scope); err != nil {
				return nil, err
			}
		}
		byRealm[m.Scope] = append(byRealm[m.Scope], Item{m.ID, m.Version, m.At, m.Gone, m.Body})
		size[m.Scope] += len(m.Body)
	}
	for realm := range byRealm {
		if err := put(realm); err != nil {
			return nil, err
		}
	}
	return func() {
		for _, step := range steps {
			step()
		}
	}, nil
}

func (h *shelf) sheet(tx *sql.Tx, realm string, items []Item) (done func(), err error) {
	at := time.Time{}
	for i := range items {
		if items[i].At.After(at) {
			at = items[i].At
		}
	}
	n := max(h.last+1, at.UnixNano())
	h.last = n
	body, err := h.pack.encode(&Message{Source: h.source, Kind: KindBatch, Scope: realm, ID: sheetID(n), Version: n, At: at, Key: h.key, Items: items})
	if err != nil {
		return func() {}, err
	}
	if _, err = tx.Exec("INSERT INTO shelf (n, version, realm, sent, at, items, body) VALUES (?,?,?,0,?,?,?)", n, n, realm, at.UnixNano(), len(items), body); err != nil {
		return func() {}, fmt.Errorf("fleet: spool: %w", err)
	}
	return func() { h.enter(n, &sheet{realm: realm, items: len(items)}, items) }, nil
}

func sheetID(n int64) string { return strconv.FormatInt(n, 16) }

// tidy withdraws sheets on which nothing holds, and writes those anew on
// which little does; some at a time.
func (s *spool) tidy() error {
	h := s.shelf
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sweep()
	if len(h.sparse) == 0 {
		return nil
	}
	tx, err := s.db.Begin()
	if err != nil {
		return fmt.Errorf("fleet: spool: %w", err)
	}
	defer tx.Rollback()
	few := min(len(h.sparse), 16)
	var move []*Message
	var steps []func()
	for _, n := range h.sparse[:few] {
		sh := h.sheets[n]
		if sh == nil || sh.ended || sh.live < 0 {
			continue
		}
		if sh.live > 0 {
			m, err := h.read(tx, n)
			if err != nil {
				return err
			}
			for _, d := range m.devices() {
				if h.places[d.ID].sheet == n {
					move = append(move, d)
				}
			}
			continue // it is withdrawn once they are elsewhere
		}
		step, err := h.end(tx, n, sh)
		if err != nil {
			return err
		}
		steps = append(steps, step)
	}
	done, err := h.write(tx, move, true)
	if err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("fleet: spool: %w", err)
	}
	h.sparse = h.sparse[few:]
	for _, step := range append(steps, done) {
		step()
	}
	return nil
}

// sweep forgets the devices that were withdrawn so long ago that the stream
// has no older sheet.
func (h *shelf) sweep() {
	if h.last-h.swept < int64(time.Hour) {
		return
	}
	h.swept = h.last
	for id, p := range h.places {
		if p.gone && h.last-p.sheet > int64(stateAge+24*time.Hour) {
			delete(h.places, id)
			h.leave(p.sheet)
		}
	}
}

// end withdraws a sheet from where it was published, and forgets one that
// was not.
func (h *shelf) end(tx *sql.Tx, n int64, sh *sheet) (done func(), err error) {
	if !sh.sent {
		_, err = tx.Exec("DELETE FROM shelf WHERE n = ?", n)
		return func() { delete(h.sheets, n) }, err
	}
	body, err := h.pack.encode(&Message{Source: h.source, Kind: KindBatch, Scope: sh.realm, ID: sheetID(n), Version: n + 1, At: time.Unix(0, n).UTC(), Key: h.key, Gone: true})
	if err == nil {
		_, err = tx.Exec("UPDATE shelf SET version = n + 1, sent = 0, items = 0, body = ? WHERE n = ?", body, n)
	}
	return func() { sh.ended, sh.sent = true, false }, err
}

func (h *shelf) read(q interface {
	QueryRow(string, ...any) *sql.Row
}, n int64) (*Message, error) {
	var body []byte
	if err := q.QueryRow("SELECT body FROM shelf WHERE n = ?", n).Scan(&body); err != nil {
		return nil, fmt.Errorf("fleet: spool: %w", err)
	}
	return h.pack.decode(body)
}

// devices calls each for what this sensor last said of every device, but for
// those that are withdrawn.
func (s *spool) devices(each func(*Message)) error {
	h := s.shelf
	h.mu.Lock()
	defer h.mu.Unlock()
	rows, err := s.db.Query("SELECT n, body FROM shelf ORDER BY n")
	if err != nil {
		return fmt.Errorf("fleet: spool: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		var body []byte
		if err := rows.Scan(&n, &body); err != nil {
			return fmt.Errorf("fleet: spool: %w", err)
		}
		m, err := h.pack.decode(body)
		if err != nil {
			continue
		}
		for _, d := range m.devices() {
			if p := h.places[d.ID]; p.sheet == n && !p.gone {
				each(d)
			}
		}
	}
	return rows.Err()
}

// sheetSent notes what the cluster has taken: a sheet that was withdrawn is
// forgotten.
func (h *shelf) sheetSent(tx *sql.Tx, n, version int64) (done func(), err error) {
	sh := h.sheets[n]
	if sh == nil {
		_, err = tx.Exec("DELETE FROM shelf WHERE n = ? AND version = ?", n, version)
		return func() {}, err
	}
	if sh.ended && version != n {
		_, err = tx.Exec("DELETE FROM shelf WHERE n = ? AND version = ?", n, version)
		return func() { delete(h.sheets, n) }, err
	}
	if sh.ended {
		return func() {}, nil // the withdrawal is still to be sent
	}
	_, err = tx.Exec("UPDATE shelf SET sent = 1 WHERE n = ? AND version = ?", n, version)
	return func() { sh.sent = true }, err
}

// orphan withdraws a sheet of ours that is on the stream and not on our disk:
// the disk is a new one.
func (s *spool) orphan(m *Message) error {
	n, err := strconv.ParseInt(m.ID, 16, 64)
	if err != nil || m.Gone {
		return nil
	}
	h := s.shelf
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.sheets[n] != nil {
		return nil
	}
	var there int
	if err := s.db.QueryRow("SELECT 1 FROM shelf WHERE n = ?", n).Scan(&there); !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	body, err := h.pack.encode(&Message{Source: m.Source, Kind: KindBatch, Scope: m.Scope, ID: m.ID, Version: m.Version + 1, At: m.At, Key: m.Key, Gone: true})
	if err != nil {
		return err
	}
	if _, err = s.db.Exec("INSERT INTO shelf (n, version, realm, sent, at, items, body) VALUES (?,?,?,0,?,0,?)", n, m.Version+1, m.Scope, m.At.UnixNano(), body); err != nil {
		return fmt.Errorf("fleet: spool: %w", err)
	}
	h.sheets[n] = &sheet{realm: m.Scope, ended: true}
	return nil
}

// boundShelf gives up the oldest sheets beyond the maximum of devices.
func (s *spool) boundShelf(tx *sql.Tx) (done func(), err error) {
	h := s.shelf
	over := len(h.places) - s.max
	if over <= 0 {
		return func() {}, nil
	}
	rows, err := tx.Query("SELECT n, items, sent FROM shelf WHERE items > 0 ORDER BY n")
	if err != nil {
		return nil, fmt.Errorf("fleet: spool: %w", err)
	}
	var give []int64
	for rows.Next() && over > 0 {
		var n int64
		var items, sent int
		if err := rows.Scan(&n, &items, &sent); err != nil {
			rows.Close()
			return nil, fmt.Errorf("fleet: spool: %w", err)
		}
		give = append(give, n)
		if sh := h.sheets[n]; sh != nil {
			over -= sh.live
			if !sh.sent {
				s.dropped.Add(uint64(sh.live))
			}
		}
	}
	rows.Close()
	gone := map[int64]bool{}
	for _, n := range give {
		gone[n] = true
		if _, err := tx.Exec("DELETE FROM shelf WHERE n = ?", n); err != nil {
			return nil, fmt.Errorf("fleet: spool: %w", err)
		}
	}
	return func() {
		for id, p := range h.places {
			if gone[p.sheet] {
				delete(h.places, id)
			}
		}
		for n := range gone {
			delete(h.sheets, n)
		}
	}, nil
}
