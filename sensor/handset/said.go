package handset

import "sync/atomic"

// reasons holds what a set has said so far, so that verdicts can share it.
// Most signatures of a set never speak. It is safe for concurrent use.
type reasons struct {
	lines []atomic.Pointer[Said] // two of each signature: its own words, and those of an overlay
	rules [maxMakers]atomic.Pointer[ruleSaid]
}

// ruleSaid is a rule that decided about a maker.
type ruleSaid struct {
	Said
	next *ruleSaid
}

func newReasons(sigs int) *reasons { return &reasons{lines: make([]atomic.Pointer[Said], 2*sigs)} }

// says is what a line says.
func (s *Set) says(l *line) *Said {
	g := &s.sigs[l.sig]
	at, text := &s.said.lines[2*int(l.sig)], g.text
	if l.ruled {
		at, text = &s.said.lines[2*int(l.sig)+1], g.local.text
	}
	if said := at.Load(); said != nil {
		return said
	}
	said := &Said{Signature: g.id, Family: l.family.String(), Maker: s.makers[l.maker].name, Text: text}
	at.Store(said) // whoever was quicker said the same
	return said
}

// ruled is what a rule says of a maker. Rules are few.
func (s *Set) ruled(maker uint8, text string) *Said {
	at := &s.said.rules[maker]
	for {
		first := at.Load()
		for r := first; r != nil; r = r.next {
			if r.Text == text {
				return &r.Said
			}
		}
		r := &ruleSaid{Said{Maker: s.makers[maker].name, Text: text}, first}
		if at.CompareAndSwap(first, r) {
			return &r.Said
		}
	}
}
