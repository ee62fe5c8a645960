package evidence

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// ReportQuery chooses what a residency report is about.
type ReportQuery struct {
	Period Period
	Before *Period // an earlier period to compare with; nil for none
	Maker  string  // empty: all
}

// Residencies is the residency report: where each maker's devices sent their
// data, and what changed.
type Residencies struct {
	Made      time.Time     `json:"made"`
	Period    Period        `json:"period"`
	Before    *Period       `json:"before"` // null: nothing was compared
	Makers    []MakerReport `json:"makers"` // most bytes first
	Changes   []Change      `json:"changes"`
	Epochs    []EpochSpan   `json:"epochs"` // what judged, and when
	Days      []ReportDay   `json:"days"`
	Watched   int           `json:"days_watched"`
	Unwatched []string      `json:"days_not_watched"`
	Unnamed   float64       `json:"unnamed_share"` // of all bytes: servers without a name
	Caveats   []string      `json:"caveats"`
}

// Shown is the period that the days of the report are of: both together, when
// something was compared.
func (o *Residencies) Shown() Period {
	if o.Before == nil {
		return o.Period
	}
	return Period{earlier(o.Before.From, o.Period.From), latest(o.Before.To, o.Period.To)}
}

// MakerReport is what the devices of one maker sent.
type MakerReport struct {
	Maker     string         `json:"maker"` // empty: unknown
	Sent      uint64         `json:"sent_bytes"`
	Handshake uint64         `json:"handshake_bytes"`
	Flows     uint64         `json:"flows"`
	Devices   uint64         `json:"devices"`   // identities, not people
	LowShare  float64        `json:"low_share"` // of the bytes: the location is known at low confidence
	Location  []Part         `json:"location"`
	Operator  []Part         `json:"operator"` // by the operator's name
	Home      []Part         `json:"operator_home"`
	Owner     []Part         `json:"owner"` // home of the owner
	Planes    []Part         `json:"planes"`
	Compared  *MakerCompared `json:"compared"` // null: nothing was compared
}

// MakerCompared is how a maker did in the period before.
type MakerCompared struct {
	Sent     uint64 `json:"sent_bytes"`
	Location []Part `json:"location"`
	Home     []Part `json:"operator_home"`
	Owner    []Part `json:"owner"`
	Verdict  string `json:"verdict"` // in words
}

// Part is a part of a whole.
type Part struct {
	Key   string  `json:"key"` // empty: not known
	Sent  uint64  `json:"sent_bytes"`
	Share float64 `json:"share"` // 0 to 1
}

// EpochSpan says from when to when one set of databases and signatures judged.
type EpochSpan struct {
	Epoch string    `json:"epoch"`
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
}

// ReportDay is one day of one maker, by location.
type ReportDay struct {
	Day   time.Time `json:"day"`
	Maker string    `json:"maker"`
	Parts []Part    `json:"location"`
}

// tally sums bytes by key.
type tally map[string]uint64

func (t tally) total() (n uint64) {
	for _, v := range t {
		n = plus(n, v)
	}
	return n
}

// parts lists a tally, most bytes first.
func (t tally) parts() []Part {
	total, out := t.total(), []Part{}
	for _, k := range slices.Sorted(maps.Keys(t)) {
		p := Part{Key: k, Sent: t[k]}
		if total > 0 {
			p.Share = float64(p.Sent) / float64(total)
		}
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b Part) int { return cmp.Compare(b.Sent, a.Sent) })
	return out
}

// sums is what is summed of one maker in one period.
type sums struct {
	row                                     flowSum
	location, home, owner, operator, planes tally
}

func newSums() *sums {
	return &sums{location: tally{}, home: tally{}, owner: tally{}, operator: tally{}, planes: tally{}}
}

func (s *sums) add(r *LedgerRow) {
	s.row.add(&flowSum{sent: r.Sent, handshake: r.Handshake, received: r.Received, flows: r.Flows, low: r.Low, devices: r.sketch})
	for t, k := range map[*tally]string{&s.location: r.Location, &s.home: r.OperatorHome, &s.owner: r.OwnerHome, &s.operator: r.Operator, &s.planes: r.Plane} {
		(*t)[k] = plus((*t)[k], r.Sent)
	}
}

// gathered is the ledger, summed up for a report.
type gathered struct {
	now, before map[string]*sums
	series      map[seriesKey]*series
	epochs      map[string]*EpochSpan
}

type seriesKey struct{ maker, plane string }

// Report draws a report from the ledger.
func (s *Store) Report(q ReportQuery) (Residencies, error) {
	out := Residencies{Made: s.c.Now().UTC(), Period: q.Period, Before: q.Before, Makers: []MakerReport{}, Days: []ReportDay{}, Epochs: []EpochSpan{}, Unwatched: []string{}}
	if err := s.Flush(); err != nil {
		return out, err
	}
	g := &gathered{map[string]*sums{}, map[string]*sums{}, map[seriesKey]*series{}, map[string]*EpochSpan{}}
	whole := out.Shown()
	err := s.Ledger(whole, q.Maker, func(r LedgerRow) error {
		g.add(&r, &q)
		return nil
	})
	if err != nil {
		return out, err
	}
	days, err := s.WatchedDays(whole)
	if err != nil {
		return out, err
	}
	for _, e := range g.epochs {
		out.Epochs = append(out.Epochs, *e)
	}
	slices.SortFunc(out.Epochs, func(a, b EpochSpan) int { return cmp.Or(a.First.Compare(b.First), compare(a.Epoch, b.Epoch)) })
	out.watched(days)
	out.makers(g)
	out.Changes = g.changes(whole, days, out.Epochs)
	out.daily(g, out.Shown())
	out.caveat()
	return out, nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func (g *gathered) add(r *LedgerRow, q *ReportQuery) {
	at := Day(r.Day)
	for in, to := range map[*Period]map[string]*sums{&q.Period: g.now, q.Before: g.before} {
		if in == nil || !in.Contains(at) {
			continue
		}
		if to[r.Maker] == nil {
			to[r.Maker] = newSums()
		}
		to[r.Maker].add(r)
	}
	e := g.epochs[r.Epoch]
	if e == nil {
		e = &EpochSpan{r.Epoch, at, at}
		g.epochs[r.Epoch] = e
	}
	e.First, e.Last = earlier(e.First, at), latest(e.Last, at)
	for _, plane := range [...]string{"", r.Plane} {
		k := seriesKey{r.Maker, plane}
		if g.series[k] == nil {
			g.series[k] = &series{}
		}
		g.series[k].add(r)
	}
}

func (o *Residencies) makers(g *gathered) {
	for maker, s := range g.now {
		m := MakerReport{
			Maker: maker, Sent: s.row.sent, Handshake: s.row.handshake, Flows: s.row.flows, Devices: s.row.devices.count(),
			Location: s.location.parts(), Operator: s.operator.parts(), Home: s.home.parts(), Owner: s.owner.parts(), Planes: s.planes.parts(),
		}
		if s.row.sent > 0 {
			m.LowShare = float64(s.row.low) / float64(s.row.sent)
		}
		if o.Before != nil {
			m.Compared = o.compare(s, g.before[maker])
		}
		o.Makers = append(o.Makers, m)
	}
	slices.SortFunc(o.Makers, func(a, b MakerReport) int { return cmp.Or(cmp.Compare(b.Sent, a.Sent), compare(a.Maker, b.Maker)) })
}

// daily lists the days of a period by maker.
func (o *Residencies) daily(g *gathered, p Period) {
	for _, m := range o.Makers {
		s := g.series[seriesKey{m.Maker, ""}]
		for _, d := range s.sorted() {
			if p.Contains(d.at) {
				o.Days = append(o.Days, ReportDay{d.at, m.Maker, d.location.parts()})
			}
		}
	}
}

// watched says which days of the period nobody watched.
func (o *Residencies) watched(days []DayWatched) {
	seen := map[int64]bool{}
	var named, unnamed uint64
	for _, d := range days {
		if o.Period.Contains(d.Day) {
			seen[dayOf(d.Day)] = d.Seconds > 0
			named, unnamed = plus(named, d.Named), plus(unnamed, d.Unnamed)
		}
	}
	for n := dayOf(o.Period.From); n <= dayOf(o.Period.To); n++ {
		if seen[n] {
			o.Watched++
		} else {
			o.Unwatched = append(o.Unwatched, Day(n).Format(time.DateOnly))
		}
	}
	if total := plus(named, unnamed); total > 0 {
		o.Unnamed = float64(unnamed) / float64(total)
	}
}

// caveat says what the numbers do not say.
func (o *Residencies) caveat() {
	o.Caveats = append(o.Caveats, "Devices are identities, not people: a phone that changes its MAC address counts as several.",
		"Countries are as the databases of that day gave them; the ledger keeps no address that could be judged again.")
	if len(o.Epochs) > 1 {
		o.Caveats = append(o.Caveats, "Databases or signatures changed within these days: a change that coincides with one of those is not called a move.")
	}
	if len(o.Unwatched) > 0 {
		o.Caveats = append(o.Caveats, "On some days nobody watched: nothing can be said of them.")
	}
	if o.Unnamed > 0 {
		o.Caveats = append(o.Caveats, percentWords(o.Unnamed)+" of the bytes went to servers whose name was not seen; their owner is not known.")
	}
}
