package alerts

import (
	"cmp"
	"slices"
	"time"
)

// Partial is what one sensor of a fleet saw of a device under a policy: what
// counts towards its threshold, by conversation and stretch of time. It is a
// state and not an increment: said twice, or late, it is the same.
type Partial struct {
	Device string    `json:"device"`
	Realm  string    `json:"realm"`
	Policy string    `json:"policy"`
	Hash   string    `json:"policy_hash"`
	Maker  string    `json:"maker,omitempty"` // whose servers, for policies about the maker's own
	Until  time.Time `json:"until"`           // it holds no longer
	Bytes  []Portion `json:"bytes"`           // by stretch and conversation; none: withdrawn
}

// Portion is what one conversation sent within one stretch.
type Portion struct {
	Key     uint64 `json:"k"` // keyed hash of realm and five-tuple, as in evidence.Conversation
	Stretch int64  `json:"t"` // number since 1970; 32 of them are a policy's window
	Sent    uint64 `json:"u"` // bytes that count towards the threshold
}

const (
	// stretches is how many make up a policy's window.
	stretches = 32
	// clockSlack is taken off the window of a sum: two clocks that are each
	// off by the most that a fleet allows (2 s) make no bytes meet that were
	// further apart than the window.
	clockSlack = 4 * time.Second
	// portionsKept is how long beyond the window portions are kept, so that
	// what a sensor saw that was cut off still counts.
	portionsKept = time.Hour
	// MaxPortions bounds the portions of one account and of one message; the
	// oldest go, so that too little is summed and never too much.
	MaxPortions = 128
	// MaxPortion bounds the bytes of one portion that came from outside.
	MaxPortion = 1 << 44
)

// stretchOf numbers the stretch that a time falls into.
func (r *Rule) stretchOf(at time.Time) int64 { return at.UnixNano() / r.stretchWidth() }

func (r *Rule) stretchWidth() int64 {
	return max(1, int64(r.Policy.Threshold.Within)/stretches)
}

// span is how many stretches in a row may be summed; 0 for a window too short
// for clocks that differ.
func (r *Rule) span() int64 {
	return max(0, (int64(r.Policy.Threshold.Within)-int64(clockSlack))/r.stretchWidth())
}

// heldFrom is the first stretch that is kept at a time.
func (r *Rule) heldFrom(now time.Time) int64 {
	return r.stretchOf(now.Add(-time.Duration(r.Policy.Threshold.Within) - portionsKept))
}

// portions are those of one account. The zero value is empty.
type portions struct {
	list    []Portion // in no order
	version uint64    // differs whenever the list does
}

// add counts n bytes. It reports whether older ones had to be forgotten.
func (p *portions) add(key uint64, stretch int64, n uint64) (forgot bool) {
	if n == 0 {
		return false
	}
	for i := range p.list {
		if q := &p.list[i]; q.Key == key && q.Stretch == stretch {
			q.Sent += n
			return false
		}
	}
	if len(p.list) >= MaxPortions {
		oldest := slices.MinFunc(p.list, comparePortions).Stretch
		p.forget(oldest + 1)
		forgot = true
	}
	p.list = append(p.list, Portion{key, stretch, n})
	return forgot
}

// forget drops what is before a stretch.
func (p *portions) forget(before int64) {
	p.list = slices.DeleteFunc(p.list, func(q Portion) bool { return q.Stretch < before })
}

// absorb adds another account's.
func (p *portions) absorb(o *portions) {
	for _, q := range o.list {
		p.add(q.Key, q.Stretch, q.Sent)
	}
	p.version = max(p.version, o.version) + 1
}

func comparePortions(a, b Portion) int {
	return cmp.Or(cmp.Compare(a.Stretch, b.Stretch), cmp.Compare(a.Key, b.Key))
}

// sighted is a portion and the sensor that saw it, by number.
type sighted struct {
	Portion
	sensor int
}

// sumOf finds the first span of stretches in a row, none of them before from,
// within which all sensors together saw enough, the first of the list some of
// it. A conversation that several saw counts once, with the bytes of the one
// that saw most of it within those stretches. which are the sensors that saw
// something then; none: there is no such span. The order of the portions does
// not matter.
func sumOf(sensors [][]Portion, span, from int64, enough uint64) (which []int) {
	var all []sighted
	for i, list := range sensors {
		for _, p := range list {
			if p.Stretch >= from {
				all = append(all, sighted{p, i})
			}
		}
	}
	slices.SortFunc(all, func(a, b sighted) int {
		return cmp.Or(comparePortions(a.Portion, b.Portion), cmp.Compare(a.sensor, b.sensor))
	})
	s := sliding{seen: map[uint64][]uint64{}, by: make([]uint64, len(sensors))}
	old := 0
	for i := range all {
		for ; all[old].Stretch <= all[i].Stretch-span; old++ {
			s.change(&all[old], -all[old].Sent)
		}
		s.change(&all[i], all[i].Sent)
		if last := i+1 == len(all) || all[i+1].Stretch != all[i].Stretch; !last || s.sum < enough || s.by[0] == 0 {
			continue
		}
		for k, n := range s.by {
			if n > 0 {
				which = append(which, k)
			}
		}
		return which
	}
	return nil
}

// sliding sums a window that moves on.
type sliding struct {
	seen map[uint64][]uint64 // bytes by conversation and sensor
	by   []uint64            // by sensor
	sum  uint64              // of the most of each conversation
}

// change adds n to what a sensor saw of a conversation; as two's complement it
// may be negative.
func (s *sliding) change(p *sighted, n uint64) {
	seen := s.seen[p.Key]
	if seen == nil {
		seen = make([]uint64, len(s.by))
		s.seen[p.Key] = seen
	}
	s.sum -= slices.Max(seen)
	seen[p.sensor] += n
	s.by[p.sensor] += n
	s.sum += slices.Max(seen)
}
