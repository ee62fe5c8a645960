package handset

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// overlay applies one file of a site's signatures.d.
func (s *Set) overlay(f file) error {
	if f.name == ouiName {
		return s.loadOUI(f)
	}
	var o overlayFile
	if err := decodeStrict(f.name, f.data, &o); err != nil {
		return err
	}
	for i := range o.Change {
		if err := s.change(f.name, &o.Change[i]); err != nil {
			return err
		}
	}
	for i := range o.Add {
		if err := s.addition(f.name, &o.Add[i]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Set) change(file string, ch *change) error {
	i, ok := s.byID[ch.ID.s]
	if !ok {
		return wrong(file, ch.ID, "id", slices.Sorted(maps.Keys(s.byID)))
	}
	g := &s.sigs[i]
	until, err := expiry(file, ch.Expires)
	switch {
	case err != nil:
		return err
	case ch.Reason == "":
		return fmt.Errorf("%s:%d: reason: a change of %s needs one", file, ch.ID.line, g.id)
	case ch.Disable == (ch.Strength.s != ""):
		return fmt.Errorf("%s:%d: %s: want either disable: true or a weaker strength", file, ch.ID.line, g.id)
	}
	l := &local{plane: g.plane, until: until, text: g.text + " (disabled here: " + ch.Reason + ")"}
	if !ch.Disable {
		if err := weaker(file, ch, g, l); err != nil {
			return err
		}
		l.text = g.text + " (weakened here: " + ch.Reason + ")"
	}
	if g.local == nil {
		s.overlaid++
	}
	g.local = l
	return nil
}

// weaker sets the strength that a site gives an entry; app and web move a
// name to that plane. Nothing is strengthened by an overlay.
func weaker(file string, ch *change, g *signature, l *local) error {
	if g.family == Names && (ch.Strength.s == "app" || ch.Strength.s == "web") {
		p := Plane(index(planeNames[:], ch.Strength.s))
		if p > g.plane {
			return fmt.Errorf("%s:%d: strength: %s is %s already", file, ch.Strength.line, g.id, g.plane)
		}
		l.plane = p
		return nil
	}
	st := index(strengthNames[:], ch.Strength.s)
	if st < 0 {
		return wrong(file, ch.Strength, "strength", append([]string{"app", "web"}, strengthNames[:]...))
	}
	if Strength(st) > g.strength {
		return fmt.Errorf("%s:%d: strength: %s is %s; an overlay can only weaken, or add an entry", file, ch.Strength.line, g.id, g.strength)
	}
	l.strength = Strength(st)
	return nil
}

func (s *Set) addition(file string, e *sigEntry) error {
	m, ok := s.byMaker[e.Maker.s]
	if !ok {
		return wrong(file, orLine(e.Maker, e.ID), "maker", s.makerNames())
	}
	if e.Reason == "" {
		return fmt.Errorf("%s:%d: reason: an added entry needs one", file, e.ID.line)
	}
	until, err := expiry(file, e.Expires)
	if err != nil {
		return err
	}
	c := compiler{Set: s, file: file, maker: uint8(m)}
	if err := c.entry(e); err != nil {
		return err
	}
	g := &s.sigs[len(s.sigs)-1]
	g.local = &local{added: true, strength: g.strength, plane: g.plane, until: until, text: g.text + " (added here: " + e.Reason + ")"}
	s.overlaid++
	return nil
}

// expiry reads the last day, in UTC, on which an overlay entry holds.
func expiry(file string, t text) (int64, error) {
	if t.s == "" {
		return 0, nil
	}
	day, err := time.Parse(time.DateOnly, t.s)
	if err != nil {
		return 0, fmt.Errorf("%s:%d: expires: %q is no date; want YYYY-MM-DD", file, t.line, t.s)
	}
	return day.Unix() + 24*60*60 - 1, nil
}
