package evidence

import (
	"cmp"
	"database/sql"
	"encoding/json"
	"fmt"
	"iter"
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
	// Weekly, with Daily: a cell for each week instead, with the Monday as its
	// day: for periods too long to be drawn by days.
	Weekly bool
}

// Residency returns the cells that a query chooses, by day, most bytes first.
func (s *Store) Residency(q ResidencyQuery) ([]Cell, error) {
	g := gathering{q: &q, buckets: map[int64]*bucket{}, done: map[int64]bool{}}
	ids, err := s.ids(q.Basis, q.Maker, q.Class)
	if err != nil {
		return nil, err
	}
	var asked bool
	if g.basis, asked = ids[q.Basis]; !asked {
		return []Cell{}, nil
	}
	for text, id := range map[string]*int64{q.Maker: &g.maker, q.Class: &g.class} {
		if text != "" {
			if *id, asked = ids[text]; !asked {
				return []Cell{}, nil
			}
		}
	}
	if err := g.gather(s); err != nil {
		return nil, err
	}
	return g.cells(s)
}

// gathering adds up cells from digests, and from rows where there is none.
type gathering struct {
	q                   *ResidencyQuery
	basis, maker, class int64 // ids of words; 0: any
	buckets             map[int64]*bucket
	done                map[int64]bool // days that were taken in
}

// bucket is one day, one week, or the whole period.
type bucket struct {
	at    map[uint64]int32 // by maker and country
	cells []digestCell
}

func (g *gathering) gather(s *Store) error {
	from, to := dayOf(g.q.Period.From), dayOf(g.q.Period.To)
	if !g.q.Daily || g.q.Weekly {
		if err := g.digests(s, week, from, to-week+1); err != nil {
			return err
		}
	}
	for r := range g.missing(from, to) {
		if err := g.digests(s, 1, r[0], r[1]); err != nil {
			return err
		}
	}
	for r := range g.missing(from, to) {
		if err := g.rows(s, r[0], r[1]); err != nil {
			return err
		}
	}
	return nil
}

// missing yields the runs of days that were not taken in yet.
func (g *gathering) missing(from, to int64) iter.Seq[[2]int64] {
	return func(yield func([2]int64) bool) {
		for d := from; d <= to; d++ {
			if g.done[d] {
				continue
			}
			end := d
			for end < to && !g.done[end+1] {
				end++
			}
			if !yield([2]int64{d, end}) {
				return
			}
			d = end
		}
	}
}

func (g *gathering) digests(s *Store, span, from, to int64) error {
	return s.rows("SELECT start, body FROM digest WHERE basis = ? AND days = ? AND start BETWEEN ? AND ?", []any{g.basis, span, from, to}, func(scan func(...any) error) error {
		var start int64
		var body []byte // a copy: the sketches refer to it
		if err := scan(&start, &body); err != nil {
			return err
		}
		b := g.bucket(start, len(body)/24)
		if !unpack(body, func(c *digestCell) { g.add(b, c) }) {
			return fmt.Errorf("digest of day %d: %w", start, ErrDamaged)
		}
		for d := range span {
			g.done[start+d] = true
		}
		return nil
	})
}

func (g *gathering) rows(s *Store, from, to int64) error {
	return s.rows("SELECT day, maker, class, country, sent, flows, devices FROM residency WHERE basis = ?1 AND day BETWEEN ?2 AND ?3 AND (?4 = 0 OR maker = ?4)",
		[]any{g.basis, from, to, g.maker}, func(scan func(...any) error) error {
			var day, sent, flows int64
			var c digestCell
			var devices sql.RawBytes
			if err := scan(&day, &c.maker, &c.class, &c.country, &sent, &flows, &devices); err != nil {
				return err
			}
			c.sent, c.flows, c.devices = uint64(sent), uint64(flows), slices.Clone(sketch(devices))
			g.add(g.bucket(day, 0), &c)
			return nil
		})
}

// bucket returns the bucket of a day, made for about n cells.
func (g *gathering) bucket(day int64, n int) *bucket {
	switch {
	case !g.q.Daily:
		day = 0
	case g.q.Weekly:
		day = weekOf(day)
	}
	b := g.buckets[day]
	if b == nil {
		b = &bucket{at: make(map[uint64]int32, n), cells: make([]digestCell, 0, n)}
		g.buckets[day] = b
	}
	return b
}

func (g *gathering) add(b *bucket, c *digestCell) {
	if g.maker != 0 && c.maker != g.maker || g.class != 0 && c.class != g.class {
		return
	}
	k := uint64(c.maker)<<32 | uint64(c.country)&(1<<32-1)
	i, there := b.at[k]
	if !there {
		b.at[k] = int32(len(b.cells))
		b.cells = append(b.cells, *c)
		return
	}
	b.cells[i].add(&c.flowSum)
}

// cells are what was gathered, with words for ids.
func (g *gathering) cells(s *Store) ([]Cell, error) {
	used, n := map[int64]string{}, 0
	for _, b := range g.buckets {
		n += len(b.cells)
		for i := range b.cells {
			used[b.cells[i].maker], used[b.cells[i].country] = "", ""
		}
	}
	if err := s.texts(used); err != nil {
		return nil, err
	}
	out := make([]Cell, 0, n)
	for _, day := range slices.Sorted(maps.Keys(g.buckets)) {
		from := len(out)
		for i := range g.buckets[day].cells {
			v := &g.buckets[day].cells[i]
			c := Cell{Maker: used[v.maker], Country: used[v.country], Sent: v.sent, Flows: v.flows, Devices: v.devices.count()}
			if g.q.Daily {
				c.Day = Day(day)
			}
			out = append(out, c)
		}
		slices.SortFunc(out[from:], bySent)
	}
	return out, nil
}

// bySent puts most bytes first.
func bySent(a, b Cell) int {
	switch { // cmp.Or would compare the names every time
	case a.Sent != b.Sent:
		return cmp.Compare(b.Sent, a.Sent)
	case a.Maker != b.Maker:
		return cmp.Compare(a.Maker, b.Maker)
	}
	return cmp.Compare(a.Country, b.Country)
}

// ids looks words up.
func (s *Store) ids(texts ...string) (map[string]int64, error) {
	list, err := json.Marshal(texts)
	if err != nil {
		return nil, err
	}
	out := map[string]int64{}
	return out, s.rows("SELECT id, text FROM word WHERE text IN (SELECT value FROM json_each(?))", []any{string(list)}, func(scan func(...any) error) error {
		var id int64
		var text string
		err := scan(&id, &text)
		out[text] = id
		return err
	})
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
	err = s.rows("SELECT (SELECT day FROM ledger ORDER BY day LIMIT 1), (SELECT day FROM ledger ORDER BY day DESC LIMIT 1)", nil, func(scan func(...any) error) error {
		var from, to sql.NullInt64
		if err := scan(&from, &to); err != nil {
			return err
		}
		p, ok = Period{Day(from.Int64), Day(to.Int64)}, from.Valid
		return nil
	})
	return p, ok, err
}
