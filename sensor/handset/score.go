package handset

import (
	"math"
	"math/bits"
)

// line is one item of a dossier at the time of judging.
type line struct {
	sig      uint16
	sub      uint16
	maker    uint8
	family   Family
	plane    Plane
	strength Strength
	ruled    bool // an overlay decided
	verified bool // by more than our own reasoning
	form     form
	base     float64 // log-odds before decay
	w        float64 // after decay
	counted  float64 // as it counts for the maker of the verdict
	days     int     // days on which it was seen, within the binding
	again    bool    // a heavier line has the same service
}

// candidate is a maker for whom some line speaks.
type candidate struct {
	maker    uint8
	kind     makerKind
	own      [families]float64 // best or sum of its own lines of the OS plane, capped
	strong   float64           // the largest of own, copied probes left out
	anyOS    float64           // the largest of own
	with     [3]uint8          // makers whose lines count for it
	sharing  uint8             // how many they are
	alone    sums              // what its own lines add up to
	fam      [families]float64 // what counts, platform names and relatives included
	app      float64           // what app names add
	sure     float64           // log-odds from what is verified
	heavy    int               // families of weight among what is verified
	days     float64
	counter  float64
	l        float64 // log-odds without app names
	post     float64
	conf     Confidence
	conflict bool // its identity is disputed
	mixed    bool // another maker's system names come from the same address
	guest    bool // DHCP names another maker as the holder of the address
	split    bool // two brands of its group have evidence
	rank     float64
}

const (
	maxLines      = 48
	maxCandidates = 16
)

// judgement is the work of one verdict; it lives on the stack.
type judgement struct {
	set     *Set
	net     Network
	since   int64
	last    int64
	n       int
	lines   [maxLines]line // heaviest first
	c       int
	cands   [maxCandidates]candidate
	noApps  bool // aggregator: app names of many makers at once
	forward bool // forwarder: system names of many makers at once
}

// collect weighs every item of the binding.
func (j *judgement) collect(d *Dossier) {
	j.since, j.last = d.since(), d.last
	for i := range d.items {
		t := &d.items[i]
		if t.last < j.since || j.n == maxLines || j.set.sigs[t.sig].expired(t.last) {
			continue
		}
		g := &j.set.sigs[t.sig]
		l := line{sig: t.sig, sub: t.sub, maker: g.maker, family: g.family, days: 1, verified: g.verified != inferred, form: g.form}
		l.strength, l.plane, l.ruled = g.at(t.last)
		if t.visit {
			l.plane = Web
		}
		l.base = j.set.rules.weight(&l)
		l.w = l.base * fading(j.set.rules.halfLife(g), d.last-t.last)
		if t.days != 1 {
			l.days = t.daysSince(j.since)
		}
		j.insert(l)
	}
	for i := 1; i < j.n; i++ {
		j.lines[i].again = j.lines[i].family == Names && j.repeated(i)
	}
}

// insert keeps the lines sorted, heaviest first; equal ones by signature,
// so that the order of arrival never shows.
func (j *judgement) insert(l line) {
	i := j.n
	for i > 0 && before(&l, &j.lines[i-1]) {
		j.lines[i] = j.lines[i-1]
		i--
	}
	j.lines[i] = l
	j.n++
}

func before(a, b *line) bool {
	if a.w != b.w {
		return a.w > b.w
	}
	if a.sig != b.sig {
		return a.sig < b.sig
	}
	return a.sub < b.sub
}

// daysSince is on how many days of the binding an item was seen. Midnight alone
// makes no second day: its sights must lie half a day apart for each more.
func (t *item) daysSince(since int64) int {
	return min(bits.OnesCount32(t.days&withinBinding(t.last, since)), 1+int(t.apart(since)/(day/2)))
}

// apart is how many seconds lie between the first sight within the binding
// and the last.
func (t *item) apart(since int64) int64 {
	return min(int64(t.span), t.last-max(since, t.last-40*day))
}

// withinBinding masks the days of an item that fall into the binding.
func withinBinding(last, since int64) uint32 {
	n := floorDay(last) - floorDay(max(since, last-40*day))
	if n >= 31 {
		return 1<<32 - 1
	}
	return 1<<(n+1) - 1
}

// weight is the log-odds of a line before decay.
func (r *Rules) weight(l *line) float64 {
	switch l.family {
	case Names:
		switch {
		case l.plane == App:
			return r.Names.App
		case l.plane == Web:
			return 0
		case l.strength == Exclusive:
			return r.Names.Exclusive
		case l.strength == Mostly:
			return r.Names.Likely
		case l.strength == Copied:
			return r.Names.Copied
		}
		return 0
	case DHCP:
		return r.DHCP.of(l.strength)
	case Hardware:
		return r.Hardware.of(l.strength)
	case UserAgent:
		return r.UserAgent.of(l.strength)
	case Push:
		return r.Push.of(l.strength)
	case Local:
		return r.Local.of(l.strength)
	}
	return r.TLS.of(l.strength)
}

// halfLife is in hours; 0 lives as long as the binding.
func (r *Rules) halfLife(g *signature) float64 {
	switch {
	case g.probe:
		return r.HalfLife.Probe
	case g.family == Names:
		return r.HalfLife.Names
	case g.family == UserAgent:
		return r.HalfLife.UserAgent
	case g.family == Push:
		return r.HalfLife.Push
	case g.family == Local:
		return r.HalfLife.Local
	}
	return 0
}

func fading(halfLife float64, age int64) float64 {
	if halfLife == 0 || age <= 0 {
		return 1
	}
	return math.Exp2(-float64(age) / (halfLife * 3600))
}

// candidates finds the makers that lines speak for and what each has of its
// own.
func (j *judgement) candidates() {
	for i := range j.n {
		j.candidate(j.lines[i].maker)
	}
	for i := range j.c {
		c := &j.cands[i]
		c.share(c.maker)
		j.sum(c, false, &c.alone)
		c.own, c.strong = c.alone.fam, c.alone.strong
		for f := range families {
			c.anyOS = max(c.anyOS, c.own[f])
		}
	}
}

func (j *judgement) candidate(m uint8) *candidate {
	for i := range j.c {
		if j.cands[i].maker == m {
			return &j.cands[i]
		}
	}
	if j.c == maxCandidates {
		return nil
	}
	c := &j.cands[j.c]
	j.c++
	c.maker, c.kind = m, j.set.makers[m].kind
	return c
}

// find returns the candidate for a maker, nil when nothing speaks for it.
func (j *judgement) find(m int16) *candidate {
	for i := range j.c {
		if int16(j.cands[i].maker) == m {
			return &j.cands[i]
		}
	}
	return nil
}

// sums is what the lines of a set of makers add up to.
type sums struct {
	fam    [families]float64 // OS plane, capped
	sure   [families]float64 // of that, from verified entries
	strong float64           // heaviest single line, copied probes left out
	app    float64
	days   int
}

// sum adds the lines that count for c: per family, capped. Names are
// discounted in order of weight and every service counts once; of the other
// families only the best line counts.
func (j *judgement) sum(c *candidate, withPlatform bool, s *sums) {
	*s = sums{}
	system := int16(-1)
	if withPlatform {
		system = j.set.makers[c.maker].system
	}
	r := &j.set.rules
	all, os, sure := 1.0, 1.0, 1.0 // discount of the next name
	names := 0.0                   // app names included
	exclusive, some, copied := false, false, false
	for i := range j.n {
		l := &j.lines[i]
		ours := j.counts(c, l)
		if !ours && (l.family != Names || int16(l.maker) != system) {
			continue
		}
		verified := l.verified
		if l.plane == OS && l.strength > Copied && ours {
			s.strong = max(s.strong, l.w)
		}
		if l.family != Names {
			s.fam[l.family] = max(s.fam[l.family], l.w)
			if verified {
				s.sure[l.family] = max(s.sure[l.family], l.w)
			}
			continue
		}
		if l.base == 0 || l.plane == App && j.noApps || l.again || l.strength == Copied && copied {
			continue
		}
		names += l.w * all
		all *= r.Discount
		if l.plane != OS {
			continue
		}
		copied = copied || l.strength == Copied
		exclusive = exclusive || l.strength == Exclusive
		some = true
		s.fam[Names] += l.w * os
		os *= r.Discount
		if verified {
			s.sure[Names] += l.w * sure
			sure *= r.Discount
		}
		if ours && l.strength > Copied {
			s.days = max(s.days, l.days)
		}
	}
	limit := r.Names.CapApp
	switch {
	case exclusive:
		limit = r.Names.Cap
	case some:
		limit = r.Names.CapLikely
	}
	s.fam[Names] = min(s.fam[Names], limit)
	s.sure[Names] = min(s.sure[Names], limit)
	s.app = max(0, min(names, limit)-s.fam[Names])
}

// counts reports whether a line speaks for c or for one whose evidence it
// shares.
func (j *judgement) counts(c *candidate, l *line) bool {
	for _, m := range c.with[:c.sharing] {
		if m == l.maker {
			return true
		}
	}
	return false
}

// repeated reports whether a heavier line has the same service.
func (j *judgement) repeated(i int) bool {
	a := &j.lines[i]
	for k := range i {
		b := &j.lines[k]
		if a.sub == b.sub && b.maker == a.maker && b.family == Names && b.plane >= a.plane && j.set.sigs[a.sig].service == j.set.sigs[b.sig].service {
			return true
		}
	}
	return false
}
