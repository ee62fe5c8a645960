package evidence

import (
	"cmp"
	"database/sql"
	"encoding/binary"
	"slices"
	"time"
)

// A digest holds the residency of one day, or of one week from Monday, by one
// basis, packed into one value: a year is then some 400 values and not some
// 300,000 rows. A digest that is out of date is removed when its days change,
// and made again within the hour; until then its rows are read.
type digestCell struct {
	maker, class, country int64
	flowSum
}

const week = 7

// weekOf is the Monday of a day: 1970-01-01 was a Thursday.
func weekOf(day int64) int64 { return day - floorMod(day+3, week) }

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }

// pack encodes cells, most bytes first.
func pack(cells []digestCell) []byte {
	slices.SortFunc(cells, func(a, b digestCell) int {
		return cmp.Or(cmp.Compare(b.sent, a.sent), cmp.Compare(a.maker, b.maker), cmp.Compare(a.country, b.country), cmp.Compare(a.class, b.class))
	})
	b := make([]byte, 0, len(cells)*32)
	for i := range cells {
		c := &cells[i]
		for _, v := range [...]uint64{uint64(c.maker), uint64(c.class), uint64(c.country), c.sent, c.handshake, c.flows, uint64(len(c.devices))} {
			b = binary.AppendUvarint(b, v)
		}
		b = append(b, c.devices...)
	}
	return b
}

// unpack calls each for every cell; the sketch refers to b.
func unpack(b []byte, each func(*digestCell)) bool {
	var c digestCell
	for len(b) > 0 {
		var v [7]uint64
		for i := range v {
			n := 0
			if v[i], n = binary.Uvarint(b); n <= 0 {
				return false
			}
			b = b[n:]
		}
		if v[6] > uint64(len(b)) {
			return false
		}
		c.maker, c.class, c.country = int64(v[0]), int64(v[1]), int64(v[2])
		c.sent, c.handshake, c.flows, c.devices = v[3], v[4], v[5], sketch(b[:v[6]])
		b = b[v[6]:]
		each(&c)
	}
	return true
}

// outdate removes the digests of days that changed.
func outdate(tx *sql.Tx, days map[int64]bool) error {
	for d := range days {
		if _, err := tx.Exec("DELETE FROM digest WHERE basis IN (SELECT id FROM word WHERE text IN ('location','registration','operator','owner')) AND (days = 1 AND start = ?1 OR days = 7 AND start = ?2)", d, weekOf(d)); err != nil {
			return err
		}
	}
	return nil
}

// digestDays is how many days are digested in one transaction: the writer is
// not held up for long.
const digestDays = 32

// Digest makes the digests that are missing of the days and weeks before now.
// It returns how many days it digested.
func (s *Store) Digest(now time.Time) (int, error) {
	total := 0
	for {
		n, err := s.digestSome(dayOf(now))
		total += n
		if err != nil || n == 0 {
			return total, err
		}
	}
}

func (s *Store) digestSome(today int64) (int, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.db == nil {
		return 0, nil
	}
	tx, err := s.db.Begin()
	if err != nil {
		return 0, wrap(err)
	}
	defer tx.Rollback()
	n := 0
	for _, basis := range [...]string{"location", "registration", "operator", "owner"} {
		for _, span := range [...]int64{1, week} {
			missing, err := missingDigests(tx, basis, span, today)
			if err != nil {
				return n, wrap(err)
			}
			for _, start := range missing {
				if err := makeDigest(tx, basis, span, start); err != nil {
					return n, wrap(err)
				}
				n++
			}
		}
	}
	return n, wrap(tx.Commit())
}

// missingDigests lists days, or Mondays of weeks, that are over and have rows
// and no digest.
func missingDigests(tx *sql.Tx, basis string, span, today int64) (out []int64, err error) {
	// Distinct days are found by skipping from one to the next in the index.
	rows, err := tx.Query(`WITH RECURSIVE b(id) AS (SELECT id FROM word WHERE text = ?1),
		d(day) AS (SELECT min(day) FROM residency, b WHERE basis = b.id
			UNION ALL SELECT (SELECT min(r.day) FROM residency r, b WHERE r.basis = b.id AND r.day > d.day) FROM d WHERE d.day IS NOT NULL)
		SELECT DISTINCT CASE ?2 WHEN 1 THEN day ELSE day - (day + 3) % 7 END AS start FROM d
		WHERE day IS NOT NULL AND start + ?2 <= ?3 AND NOT EXISTS (SELECT 1 FROM digest, b WHERE basis = b.id AND days = ?2 AND digest.start = CASE ?2 WHEN 1 THEN day ELSE day - (day + 3) % 7 END)
		LIMIT ?4`, basis, span, today, digestDays)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var start int64
		if err := rows.Scan(&start); err != nil {
			return nil, err
		}
		out = append(out, start)
	}
	return out, rows.Err()
}

func makeDigest(tx *sql.Tx, basis string, span, start int64) error {
	rows, err := tx.Query(`SELECT maker, class, country, sent, handshake, flows, devices FROM residency
		WHERE basis = (SELECT id FROM word WHERE text = ?) AND day BETWEEN ? AND ?`, basis, start, start+span-1)
	if err != nil {
		return err
	}
	defer rows.Close()
	type key struct{ maker, class, country int64 }
	sums := map[key]*flowSum{}
	for rows.Next() {
		var k key
		var sent, handshake, flows int64
		var devices []byte
		if err := rows.Scan(&k.maker, &k.class, &k.country, &sent, &handshake, &flows, &devices); err != nil {
			return err
		}
		if sums[k] == nil {
			sums[k] = &flowSum{}
		}
		sums[k].add(&flowSum{sent: uint64(sent), handshake: uint64(handshake), flows: uint64(flows), devices: devices})
	}
	if err := rows.Err(); err != nil {
		return err
	}
	cells := make([]digestCell, 0, len(sums))
	for k, v := range sums {
		cells = append(cells, digestCell{k.maker, k.class, k.country, *v})
	}
	_, err = tx.Exec("INSERT OR REPLACE INTO digest (basis, days, start, body) VALUES ((SELECT id FROM word WHERE text = ?), ?, ?, ?)", basis, span, start, pack(cells))
	return err
}
