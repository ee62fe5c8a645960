package handset

import "fmt"

// Examples runs the examples and counter-examples of every entry and
// returns what is not as the entry says.
func (s *Set) Examples() []error {
	var errs []error
	var room [maxHits]hit
	for i := range s.examples {
		x := &s.examples[i]
		found := false
		for _, h := range s.recognise(room[:0], &x.ev) {
			found = found || h.sig == x.sig
		}
		if found != x.match {
			verb := "does not match"
			if found {
				verb = "matches"
			}
			errs = append(errs, fmt.Errorf("%s:%d: %s: %q %s", x.file, x.line, s.sigs[x.sig].id, x.ev.Value, verb))
		}
	}
	return errs
}

// UntestedPatterns lists the entries that have no example.
func (s *Set) UntestedPatterns() []string {
	has := make([]bool, len(s.sigs))
	for i := range s.examples {
		if s.examples[i].match {
			has[s.examples[i].sig] = true
		}
	}
	var ids []string
	for i, ok := range has {
		if g := &s.sigs[i]; !ok && g.family != Names && g.family != Hardware {
			ids = append(ids, g.id)
		}
	}
	return ids
}
