package geo

import "sync/atomic"

// maxPhrases is how many texts of disagreement are kept; a campus needs some
// hundred, and one that was thrown out is written again.
const maxPhrases = 1 << 12

// phrases keeps the texts that say who says what: many servers share one.
// It is safe for concurrent use.
type phrases struct {
	slots [maxPhrases]atomic.Pointer[phrase]
}

// phrase is immutable.
type phrase struct {
	by   answers
	text string
}

// answers are the four countries, empty ones as zeros.
type answers [4][2]byte

func answersOf(j *Jurisdiction) answers {
	var by answers
	for i, c := range [...]Country{j.Location, j.Registration, j.Operator.Home, j.Owner.Home} {
		copy(by[i][:], c)
	}
	return by
}

// of is the text for j, with what the location rests on against what, if
// anything, at its end.
func (p *phrases) of(j *Jurisdiction, dispute string) string {
	if dispute != "" {
		return whoSaysWhat(j) + "; " + dispute
	}
	by := answersOf(j)
	h := uint32(2166136261) // FNV-1a
	for _, c := range by {
		h = ((h^uint32(c[0]))*16777619 ^ uint32(c[1])) * 16777619
	}
	slot := &p.slots[(h^h>>16)%maxPhrases]
	if known := slot.Load(); known != nil && known.by == by {
		return known.text
	}
	text := whoSaysWhat(j)
	slot.Store(&phrase{by, text})
	return text
}

func whoSaysWhat(j *Jurisdiction) string {
	b := make([]byte, 0, 64)
	for _, a := range [...]struct {
		basis string
		c     Country
	}{{"location ", j.Location}, {"registration ", j.Registration}, {"operator ", j.Operator.Home}, {"owner ", j.Owner.Home}} {
		if a.c == "" {
			continue
		}
		if len(b) > 0 {
			b = append(b, ", "...)
		}
		b = append(append(b, a.basis...), a.c...)
	}
	return string(b)
}
