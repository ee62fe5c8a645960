package fleet

import (
	"slices"
	"strings"
	"time"

	"picket/evidence"
)

// Whole is an episode with all that the fleet saw of it.
type Whole struct {
	evidence.Episode          // Sensor lists the sensors, when another than ours saw it
	Parts            []string // ids
}

// Merge joins the parts of episodes that a store has: those of this sensor,
// called self, and those of others. Parts of one device, policy and hash of
// the policy belong together when one began before the others had been over
// for a day. The result is in the order in which they opened.
func Merge(self string, list []evidence.Episode) []Whole {
	by := map[caseKey][]evidence.Episode{}
	for _, e := range list {
		k := keyOf(&e)
		by[k] = append(by[k], e)
	}
	out := []Whole{}
	for _, of := range by {
		slices.SortFunc(of, opening)
		for len(of) > 0 {
			w, rest := wholeOf(self, of)
			out, of = append(out, w), rest
		}
	}
	slices.SortFunc(out, func(a, b Whole) int { return opening(a.Episode, b.Episode) })
	return out
}

func opening(a, b evidence.Episode) int {
	if c := a.Opened.Compare(b.Opened); c != 0 {
		return c
	}
	return strings.Compare(a.ID, b.ID)
}

// wholeOf takes the first episode of a list and what belongs to it.
func wholeOf(self string, of []evidence.Episode) (w Whole, rest []evidence.Episode) {
	parts := map[string]*part{}
	var end time.Time
	open, others := false, false
	for _, e := range of {
		name := or(e.Sensor, self)
		if len(parts) > 0 && (parts[name] != nil || !open && e.Opened.Sub(end) >= continued) {
			rest = append(rest, e)
			continue
		}
		parts[name] = &part{Episode: e, Shared: true}
		w.Parts = append(w.Parts, e.ID)
		open, others = open || e.Closed.IsZero(), others || e.Sensor != ""
		if e.Closed.After(end) {
			end = e.Closed
		}
	}
	if !others {
		w.Episode = of[0]
		return w, rest
	}
	w.Episode = combine(parts)
	w.Sensor = strings.Join(sortedParts(parts), " ")
	return w, rest
}
