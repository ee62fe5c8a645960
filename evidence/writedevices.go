package evidence

import (
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"
)

// deviceWriter has the statements for devices compiled once a batch: after a
// start a hundred thousand of them come at once.
type deviceWriter struct {
	most      int // addresses kept of one device
	forgotten bool
	all       []*sql.Stmt

	insert, extend, hold, count, trim *sql.Stmt
}

func newDeviceWriter(tx *sql.Tx, most int) (*deviceWriter, error) {
	w := &deviceWriter{most: most}
	err := tx.QueryRow("SELECT EXISTS (SELECT 1 FROM forgotten)").Scan(&w.forgotten)
	for _, p := range [...]struct {
		to    **sql.Stmt
		query string
	}{
		{&w.insert, `INSERT INTO device (id, realm, maker, model, class, confidence, concern, first, last, body) VALUES (?,?,?,?,?,?,?,?,?,?)
			ON CONFLICT (id) DO UPDATE SET maker = excluded.maker, model = excluded.model, class = excluded.class, confidence = excluded.confidence,
			concern = excluded.concern, last = excluded.last, body = excluded.body`},
		{&w.extend, `UPDATE address SET until = max(until, ?1) WHERE device = ?2 AND kind = ?3 AND value = ?4
			AND since = (SELECT max(since) FROM address WHERE device = ?2 AND kind = ?3 AND value = ?4) AND until >= ?5`},
		{&w.hold, "INSERT OR IGNORE INTO address (device, kind, value, since, until) VALUES (?1,?2,?3,?4,?4)"},
		{&w.count, "SELECT count(*) FROM address WHERE device = ?"},
		{&w.trim, "DELETE FROM address WHERE device = ?1 AND since < (SELECT since FROM address WHERE device = ?1 ORDER BY since DESC LIMIT 1 OFFSET ?2)"},
	} {
		if err != nil {
			break
		}
		if *p.to, err = tx.Prepare(p.query); err == nil {
			w.all = append(w.all, *p.to)
		}
	}
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func (w *deviceWriter) close() (err error) {
	for _, s := range w.all {
		err = errors.Join(err, s.Close())
	}
	return err
}

func (s *Store) writeDevices(tx *sql.Tx, b *batch) error {
	if len(b.devices) == 0 {
		return nil
	}
	w, err := newDeviceWriter(tx, s.c.Limits.Addresses)
	if err != nil {
		return err
	}
	defer w.close()
	for _, id := range slices.Sorted(maps.Keys(b.devices)) { // neighbours share pages of the file
		d := b.devices[id]
		if err := w.write(tx, &d); err != nil {
			return err
		}
	}
	return nil
}

func (w *deviceWriter) write(tx *sql.Tx, d *Device) error {
	if d.Concern == NoConcern {
		for _, query := range [...]string{"DELETE FROM device WHERE id = ?", "DELETE FROM address WHERE device = ?", "DELETE FROM record WHERE id = ?"} {
			if _, err := tx.Exec(query, d.ID); err != nil {
				return err
			}
		}
		return nil
	}
	if w.forgotten {
		if gone, err := forgotten(tx, d.ID, d.Last); gone || err != nil {
			return err
		}
	}
	body, err := json.Marshal(d)
	if err != nil {
		return err
	}
	_, err = w.insert.Exec(d.ID, d.Realm, d.Maker, d.Model, d.Class, rankOf(d.Confidence), string(d.Concern), nanos(d.First), nanos(d.Last), string(body))
	if err != nil {
		return err
	}
	return w.held(d)
}

// held notes which addresses the device has, from when to when.
func (w *deviceWriter) held(d *Device) error {
	added := false
	for kind, values := range map[string][]string{"mac": d.MACs, "addr": d.Addrs} {
		for _, v := range values {
			r, err := w.extend.Exec(nanos(d.Last), d.ID, kind, v, nanos(d.Last.Add(-heldGap)))
			if err != nil {
				return err
			}
			if n, err := r.RowsAffected(); err != nil || n > 0 {
				if err != nil {
					return err
				}
				continue
			}
			if _, err := w.hold.Exec(d.ID, kind, v, nanos(d.Last)); err != nil {
				return err
			}
			added = true
		}
	}
	if !added {
		return nil
	}
	n := 0
	if err := w.count.QueryRow(d.ID).Scan(&n); err != nil || n <= w.most {
		return err
	}
	_, err := w.trim.Exec(d.ID, w.most-1)
	return err
}

// heldGap is how long a device may be without an address and still be said
// to have had it all the time.
const heldGap = 24 * time.Hour
