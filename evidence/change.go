package evidence

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// Change is a day from which on a maker's bytes went elsewhere.
type Change struct {
	Day          time.Time `json:"day"` // the first day after it
	Maker        string    `json:"maker"`
	Plane        string    `json:"plane"`         // empty: all planes together
	Moved        float64   `json:"moved"`         // share of the bytes that went elsewhere, 0 to 1
	From         []string  `json:"from"`          // countries by location that lost
	To           []string  `json:"to"`            // and that gained
	Unchanged    []string  `json:"unchanged"`     // operator, owner
	Attributable bool      `json:"attributable"`  // false: it may be the sensor's own doing
	Why          string    `json:"why,omitempty"` // it is not
	Sentence     string    `json:"sentence"`
}

// What counts as a change. A maker's daily shares by country wander by some
// percent; what is told is a lasting step far above that.
const (
	minDays     = 3    // with bytes, on either side of a change
	minMoved    = 0.15 // of the bytes
	minContrast = 2.0  // times the mean distance of a day from its side's mean
	maxChanges  = 5    // of one maker and plane
	sameBelow   = 0.10 // a basis with less moved is unchanged
)

// series is what one maker sent each day.
type series struct{ days map[int64]*seriesDay }

type seriesDay struct {
	at                    time.Time
	location, home, owner tally
}

func (s *series) add(r *LedgerRow) {
	if s.days == nil {
		s.days = map[int64]*seriesDay{}
	}
	d := s.days[r.Day]
	if d == nil {
		d = &seriesDay{Day(r.Day), tally{}, tally{}, tally{}}
		s.days[r.Day] = d
	}
	for t, k := range map[*tally]string{&d.location: r.Location, &d.home: r.OperatorHome, &d.owner: r.OwnerHome} {
		(*t)[k] = plus((*t)[k], r.Sent)
	}
}

// sorted lists the days with bytes, oldest first.
func (s *series) sorted() []*seriesDay {
	var out []*seriesDay
	for _, d := range s.days {
		if d.location.total() > 0 {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b *seriesDay) int { return a.at.Compare(b.at) })
	return out
}

// shares are fractions by key.
type shares map[string]float64

func (t tally) shares() shares {
	out, total := shares{}, float64(t.total())
	for k, v := range t {
		out[k] = float64(v) / math.Max(1, total)
	}
	return out
}

// mean is the mean of the shares of days: a busy day weighs no more than a
// quiet one.
func mean(days []*seriesDay, of func(*seriesDay) tally) shares {
	out := shares{}
	for _, d := range days {
		for k, v := range of(d).shares() {
			out[k] += v / float64(len(days))
		}
	}
	return out
}

// moved is how much of the whole lies elsewhere in b than in a (total
// variation distance): 0 for the same, 1 for nothing in common.
func (a shares) moved(b shares) float64 {
	sum := 0.0
	for k, v := range a {
		sum += math.Abs(v - b[k])
	}
	for k, v := range b {
		if _, there := a[k]; !there {
			sum += v
		}
	}
	return sum / 2
}

// same reports whether it can be said that nothing moved: what is not known
// may have moved unseen.
func (a shares) same(b shares) bool {
	return a.moved(b) < sameBelow && a[""] < sameBelow && b[""] < sameBelow
}

func byLocation(d *seriesDay) tally { return d.location }
func byHome(d *seriesDay) tally     { return d.home }
func byOwner(d *seriesDay) tally    { return d.owner }

// split finds the day that parts the days best, 0 when none does.
func split(days []*seriesDay) int {
	best, at := 0.0, 0
	for i := minDays; i <= len(days)-minDays; i++ {
		a, b := mean(days[:i], byLocation), mean(days[i:], byLocation)
		moved, n := a.moved(b), float64(len(days))
		// Weighed as the likelihood of a step is: one near an end needs more.
		score := moved * moved * float64(i) * (n - float64(i)) / n
		if score > best && moved >= minMoved && moved >= minContrast*(spread(days[:i], a)+spread(days[i:], b))/2 {
			best, at = score, i
		}
	}
	return at
}

// spread is how far a day lies from the mean, on average.
func spread(days []*seriesDay, m shares) float64 {
	sum := 0.0
	for _, d := range days {
		sum += d.location.shares().moved(m)
	}
	return sum / float64(len(days))
}

// changePoints parts the days until nothing more stands out.
func changePoints(days []*seriesDay) []int {
	var out []int
	var part func(from, to int)
	part = func(from, to int) {
		at := split(days[from:to])
		if at == 0 || len(out) >= maxChanges {
			return
		}
		out = append(out, from+at)
		part(from, from+at)
		part(from+at, to)
	}
	part(0, len(days))
	slices.Sort(out)
	return out
}

// changes lists what changed for each maker and plane, by day.
func (g *gathered) changes(whole Period, watched []DayWatched, epochs []EpochSpan) []Change {
	out := []Change{}
	for _, k := range slices.SortedFunc(maps.Keys(g.series), func(a, b seriesKey) int {
		return cmp.Or(compare(a.maker, b.maker), compare(a.plane, b.plane))
	}) {
		if k.maker == "" {
			continue
		}
		days := g.series[k].sorted()
		points := changePoints(days)
		for n, i := range points {
			from, to := 0, len(days)
			if n > 0 {
				from = points[n-1]
			}
			if n+1 < len(points) {
				to = points[n+1]
			}
			out = append(out, newChange(k, days[from:i], days[i:to], watched, epochs))
		}
	}
	slices.SortStableFunc(out, func(a, b Change) int { return a.Day.Compare(b.Day) })
	return out
}

func newChange(k seriesKey, before, after []*seriesDay, watched []DayWatched, epochs []EpochSpan) Change {
	a, b := mean(before, byLocation), mean(after, byLocation)
	c := Change{Day: after[0].at, Maker: k.maker, Plane: k.plane, Moved: a.moved(b), Unchanged: []string{}}
	c.From, c.To = losers(a, b), losers(b, a)
	for name, of := range map[string]func(*seriesDay) tally{"operator": byHome, "owner": byOwner} {
		if mean(before, of).same(mean(after, of)) {
			c.Unchanged = append(c.Unchanged, name)
		}
	}
	slices.Sort(c.Unchanged)
	c.Why = unattributable(before[len(before)-1].at, c.Day, watched, epochs)
	c.Attributable = c.Why == ""
	c.Sentence = c.sentence()
	return c
}

// losers lists the keys that have less in b than in a, most lost first, as
// far as they matter.
func losers(a, b shares) []string {
	out := []string{}
	least := a.moved(b) / 10
	for k, v := range a {
		if v-b[k] > least {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(x, y string) int {
		return cmp.Or(cmp.Compare(a[y]-b[y], a[x]-b[x]), compare(x, y))
	})
	return out
}

// unattributable says why a change between two days may be the sensor's own
// doing: another database or signature set began to judge, or nobody watched.
// Empty: nothing of the kind.
func unattributable(last, first time.Time, watched []DayWatched, epochs []EpochSpan) string {
	for i, e := range epochs {
		if i > 0 && e.First.After(last.AddDate(0, 0, -1)) && !e.First.After(first.AddDate(0, 0, 1)) {
			return "other databases or signatures judged from " + e.First.Format(time.DateOnly)
		}
	}
	if dayOf(first)-dayOf(last) > 1 {
		return fmt.Sprintf("nobody watched, or nothing was sent, from %s to %s", last.AddDate(0, 0, 1).Format(time.DateOnly), first.AddDate(0, 0, -1).Format(time.DateOnly))
	}
	most := uint64(0)
	seconds := map[int64]uint64{}
	for _, d := range watched {
		seconds[dayOf(d.Day)], most = d.Seconds, max(most, d.Seconds)
	}
	for _, d := range [...]time.Time{last, first} {
		if s := seconds[dayOf(d)]; s < most/2 {
			return fmt.Sprintf("the sensor watched %s for %.1f hours only", d.Format(time.DateOnly), float64(s)/3600)
		}
	}
	return ""
}

func (c *Change) sentence() string {
	what := "bytes"
	if c.Plane != "" {
		what = c.Plane + " bytes"
	}
	day := c.Day.Format("2 January 2006")
	if !c.Attributable {
		return fmt.Sprintf("On %s %s of the %s of %s seem to have gone from %s to %s by location; not attributable: %s.", day, percentWords(c.Moved), what, c.Maker, keyWords(c.From), keyWords(c.To), c.Why)
	}
	s := fmt.Sprintf("From %s, %s of the %s of %s moved from %s to %s by location", day, percentWords(c.Moved), what, c.Maker, keyWords(c.From), keyWords(c.To))
	if len(c.Unchanged) > 0 {
		s += "; " + strings.Join(c.Unchanged, " and ") + " unchanged"
	}
	return s + "."
}

func keyWords(keys []string) string {
	out := slices.Clone(keys)
	for i, k := range out {
		if k == "" {
			out[i] = "places not known"
		}
	}
	if n := len(out); n > 1 {
		return strings.Join(out[:n-1], ", ") + " and " + out[n-1]
	}
	return strings.Join(out, "")
}

func percentWords(share float64) string { return fmt.Sprintf("%.0f %%", share*100) }

// compare says how a maker did against the period before. Periods that were
// judged by different databases or signatures cannot be compared.
func (o *Residencies) compare(now, before *sums) *MakerCompared {
	out := &MakerCompared{Location: []Part{}, Home: []Part{}, Owner: []Part{}}
	if before == nil || before.row.sent == 0 {
		out.Verdict = "nothing was sent in the period before"
		return out
	}
	out.Sent, out.Location, out.Home, out.Owner = before.row.sent, before.location.parts(), before.home.parts(), before.owner.parts()
	a, b := before.location.shares(), now.location.shares()
	moved := a.moved(b)
	switch {
	case moved < sameBelow:
		out.Verdict = fmt.Sprintf("no move: %s of the bytes went elsewhere by location", percentWords(moved))
		return out
	case len(o.Epochs) > 1:
		out.Verdict = fmt.Sprintf("not attributable: %s of the bytes seem to have gone elsewhere, and the periods were judged by different databases or signatures", percentWords(moved))
		return out
	}
	out.Verdict = fmt.Sprintf("%s of the bytes moved from %s to %s by location", percentWords(moved), keyWords(losers(a, b)), keyWords(losers(b, a)))
	for _, x := range [...]struct {
		name string
		a, b tally
	}{{"operator", before.home, now.home}, {"owner", before.owner, now.owner}} {
		if x.a.shares().same(x.b.shares()) {
			out.Verdict += "; " + x.name + " unchanged"
		}
	}
	return out
}
