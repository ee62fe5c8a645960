package evidence

import (
	"cmp"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Period is a range of days, both included, in UTC.
type Period struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Days is how many days the period has.
func (p Period) Days() int { return int(dayOf(p.To) - dayOf(p.From) + 1) }

// Contains reports whether a day is in the period.
func (p Period) Contains(at time.Time) bool {
	return dayOf(at) >= dayOf(p.From) && dayOf(at) <= dayOf(p.To)
}

// String gives "2026-05-01..2026-05-31".
func (p Period) String() string {
	return p.From.UTC().Format(time.DateOnly) + ".." + p.To.UTC().Format(time.DateOnly)
}

// Cell is what devices of a maker sent to a country, by one basis.
type Cell struct {
	Day     time.Time `json:"day,omitzero"` // zero: of the whole period
	Maker   string    `json:"maker"`        // empty: unknown
	Country string    `json:"country"`      // empty: not known
	Sent    uint64    `json:"sent_bytes"`
	Flows   uint64    `json:"flows"`
	Devices uint64    `json:"devices"` // identities, not people
}

// ResidencyQuery chooses cells.
type ResidencyQuery struct {
	Period Period
	Basis  string // location registration operator owner
	Maker  string // empty: all
	Class  string // empty: all
	Daily  bool   // a cell for each day
}

// Residency returns the cells that a query chooses, by day, most bytes first.
func (s *Store) Residency(q ResidencyQuery) ([]Cell, error) {
	type key struct{ day, maker, country int64 }
	sums, used := map[key]*flowSum{}, map[int64]string{}
	// Words are looked up afterwards, once each: there are many rows of few words.
	err := s.rows(`SELECT day, maker, country, sent, flows, devices FROM residency
		WHERE day BETWEEN ?1 AND ?2 AND basis = (SELECT id FROM word WHERE text = ?3)
		AND (?4 = '' OR maker = (SELECT id FROM word WHERE text = ?4)) AND (?5 = '' OR class = (SELECT id FROM word WHERE text = ?5))`,
		[]any{dayOf(q.Period.From), dayOf(q.Period.To), q.Basis, q.Maker, q.Class}, func(scan func(...any) error) error {
			var k key
			var sent, flows int64
			var devices sql.RawBytes
			if err := scan(&k.day, &k.maker, &k.country, &sent, &flows, &devices); err != nil {
				return err
			}
			used[k.maker], used[k.country] = "", ""
			if !q.Daily {
				k.day = 0
			}
			v := sums[k]
			if v == nil {
				v = &flowSum{}
				sums[k] = v
			}
			v.sent, v.flows, v.devices = plus(v.sent, uint64(sent)), plus(v.flows, uint64(flows)), v.devices.join(sketch(devices))
			return nil
		})
	if err != nil {
		return nil, err
	}
	if err := s.texts(used); err != nil {
		return nil, err
	}
	out := make([]Cell, 0, len(sums))
	for k, v := range sums {
		c := Cell{Maker: used[k.maker], Country: used[k.country], Sent: v.sent, Flows: v.flows, Devices: v.devices.count()}
		if q.Daily {
			c.Day = Day(k.day)
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Cell) int {
		return cmp.Or(a.Day.Compare(b.Day), cmp.Compare(b.Sent, a.Sent), cmp.Compare(a.Maker, b.Maker), cmp.Compare(a.Country, b.Country))
	})
	return out, nil
}

// texts fills in the words of ids.
func (s *Store) texts(of map[int64]string) error {
	ids, err := json.Marshal(slices.Collect(maps.Keys(of)))
	if err != nil {
		return err
	}
	return s.rows("SELECT id, text FROM word WHERE id IN (SELECT value FROM json_each(?))", []any{string(ids)}, func(scan func(...any) error) error {
		var id int64
		var text string
		if err := scan(&id, &text); err != nil {
			return err
		}
		of[id] = text
		return nil
	})
}

// LedgerRow is one row of the ledger.
type LedgerRow struct {
	Residence
	Sent, Handshake, Received, Flows uint64
	Low                              uint64 // of Sent: the location was known at low confidence
	Devices                          uint64
	sketch                           sketch
}

// Ledger calls each for every row of a period, by day. A maker may be given.
func (s *Store) Ledger(p Period, maker string, each func(LedgerRow) error) error {
	n := 0
	err := s.rows(`SELECT l.day, w1.text, w2.text, w3.text, w4.text, w5.text, w6.text, w7.text, w8.text, w9.text, w10.text,
		l.sent, l.handshake, l.received, l.flows, l.low, l.devices FROM ledger l
		JOIN word w1 ON w1.id = l.maker JOIN word w2 ON w2.id = l.class JOIN word w3 ON w3.id = l.owner JOIN word w4 ON w4.id = l.plane
		JOIN word w5 ON w5.id = l.location JOIN word w6 ON w6.id = l.registration JOIN word w7 ON w7.id = l.operator_home
		JOIN word w8 ON w8.id = l.owner_home JOIN word w9 ON w9.id = l.operator JOIN word w10 ON w10.id = l.epoch
		WHERE l.day BETWEEN ?1 AND ?2 AND (?3 = '' OR w1.text = ?3) ORDER BY l.day`,
		[]any{dayOf(p.From), dayOf(p.To), maker}, func(scan func(...any) error) error {
			var r LedgerRow
			var v [5]int64
			if err := scan(&r.Day, &r.Maker, &r.Class, &r.Owner, &r.Plane, &r.Location, &r.Registration, &r.OperatorHome, &r.OwnerHome, &r.Operator, &r.Epoch,
				&v[0], &v[1], &v[2], &v[3], &v[4], (*[]byte)(&r.sketch)); err != nil {
				return err
			}
			if n++; n > s.c.Limits.ReportRows {
				return fmt.Errorf("more than %d rows: ask for a shorter time or one maker", s.c.Limits.ReportRows)
			}
			r.Sent, r.Handshake, r.Received, r.Flows, r.Low = uint64(v[0]), uint64(v[1]), uint64(v[2]), uint64(v[3]), uint64(v[4])
			r.Devices = r.sketch.count()
			return each(r)
		})
	return err
}

// DayWatched is how well one day was watched.
type DayWatched struct {
	Day time.Time
	Watched
}

// WatchedDays returns the days of a period that the sensor saw anything of.
func (s *Store) WatchedDays(p Period) ([]DayWatched, error) {
	out := []DayWatched{}
	err := s.rows("SELECT day, seconds, named, unnamed, lost FROM watched WHERE day BETWEEN ? AND ? ORDER BY day", []any{dayOf(p.From), dayOf(p.To)}, func(scan func(...any) error) error {
		var day int64
		var v [4]int64
		if err := scan(&day, &v[0], &v[1], &v[2], &v[3]); err != nil {
			return err
		}
		out = append(out, DayWatched{Day(day), Watched{uint64(v[0]), uint64(v[1]), uint64(v[2]), uint64(v[3])}})
		return nil
	})
	return out, err
}

// Span returns the first and the last day of the ledger; ok is false when it
// is empty.
func (s *Store) Span() (p Period, ok bool, err error) {
	err = s.rows("SELECT min(day), max(day) FROM ledger HAVING count(*) > 0", nil, func(scan func(...any) error) error {
		var from, to int64
		if err := scan(&from, &to); err != nil {
			return err
		}
		p, ok = Period{Day(from), Day(to)}, true
		return nil
	})
	return p, ok, err
}
