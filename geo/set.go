package geo

import (
	"fmt"
	"slices"
	"strings"
)

// CountrySet is a set of countries as a policy writes it: codes, names of
// groups, or a complement (`anywhere-but: [IN]`). The zero value is empty.
// Groups are looked up by Resolve; until then only the codes are in the set.
// It is a plain value, safe for concurrent reading.
type CountrySet struct {
	bits  [codes/64 + 1]uint64
	words []string // as written
	but   bool     // complement of words
	open  []string // names of groups not looked up yet
}

// Groups maps the name of a group of countries to its members.
type Groups map[string][]Country

// ParseCountrySet makes the set of codes and group names in items.
func ParseCountrySet(items []string, g Groups) (CountrySet, error) {
	s := CountrySet{}
	if err := s.add(items); err != nil {
		return CountrySet{}, err
	}
	return s, s.Resolve(g)
}

// UnmarshalYAML reads a code, a group, a list of both, or the mapping
// `anywhere-but: [...]`.
func (s *CountrySet) UnmarshalYAML(unmarshal func(any) error) error {
	*s = CountrySet{}
	var list []string
	if unmarshal(&list) == nil {
		return s.add(list)
	}
	var one string
	if unmarshal(&one) == nil {
		return s.add([]string{one})
	}
	var m map[string][]string
	if err := unmarshal(&m); err != nil {
		return fmt.Errorf("countries: want a list of codes and groups, or `anywhere-but: [...]`")
	}
	but, ok := m["anywhere-but"]
	if !ok || len(m) != 1 {
		return fmt.Errorf("countries: unknown key, want `anywhere-but`")
	}
	s.but = true
	return s.add(but)
}

// add takes the codes over, and the names of groups for Resolve.
func (s *CountrySet) add(items []string) error {
	for _, w := range items {
		w = strings.TrimSpace(w)
		s.words = append(s.words, w)
		if looksLikeCode(w) {
			c, err := ParseCountry(w)
			if err != nil {
				return err
			}
			s.set(c)
			continue
		}
		if w == "" {
			return fmt.Errorf("countries: empty entry")
		}
		s.open = append(s.open, w)
	}
	return nil
}

// Resolve looks the names of groups up; an unknown one is an error that
// names the nearest. It may be called again, and without need.
func (s *CountrySet) Resolve(g Groups) error {
	for _, name := range s.open {
		members, ok := g[strings.ToLower(name)]
		if !ok {
			return fmt.Errorf("country or group %q is not known%s", name, nearestWord(name, g))
		}
		for _, c := range members {
			s.set(c)
		}
	}
	s.open = nil
	return nil
}

// Contains reports whether c is in the set. The unknown country is in none,
// not in a complement either: what is not known accuses nobody.
func (s CountrySet) Contains(c Country) bool {
	return s.holds(c)
}

// holds reports whether any of a server's countries is in the set.
func (s *CountrySet) holds(of ...Country) bool {
	for _, c := range of {
		if i := c.index(); i >= 0 && (s.bits[i/64]&(1<<(i%64)) != 0) != s.but {
			return true
		}
	}
	return false
}

// Empty reports whether no country can be in the set.
func (s CountrySet) Empty() bool {
	return !s.but && len(s.open) == 0 && s.bits == CountrySet{}.bits
}

// Countries lists the members by code, those of a complement too.
func (s CountrySet) Countries() []Country {
	var out []Country
	for _, c := range allCountries() {
		if s.Contains(c) {
			out = append(out, c)
		}
	}
	return out
}

// Complement reports whether the set was written as anywhere-but.
func (s CountrySet) Complement() bool { return s.but }

// String gives the set as it was written.
func (s CountrySet) String() string {
	if s.but {
		return "anywhere but " + strings.Join(s.words, ", ")
	}
	return strings.Join(s.words, ", ")
}

func (s *CountrySet) set(c Country) {
	if i := c.index(); i >= 0 {
		s.bits[i/64] |= 1 << (i % 64)
	}
}

// Hits returns the bases among those asked for by which j is in restricted.
// A location known at low confidence only is LocationSuspected, never
// Location. No bases means location, operator and owner.
func Hits(j Jurisdiction, restricted CountrySet, bases []Basis) []Basis {
	if len(bases) == 0 {
		bases = defaultBases[:]
	}
	hits := []Basis{}
	if !restricted.holds(j.Location, j.Registration, j.Operator.Home, j.Owner.Home) {
		return hits
	}
	for _, b := range defaultOrder {
		suspected := b == LocationSuspected && slices.Contains(bases, Location)
		if !suspected && !slices.Contains(bases, b) {
			continue
		}
		if restricted.Contains(j.by(b)) {
			hits = append(hits, b)
		}
	}
	return hits
}

var (
	defaultBases = [...]Basis{Location, Operator, Owner}
	defaultOrder = [...]Basis{Location, LocationSuspected, Registration, Operator, Owner}
)

// by is the answer by one basis, empty when there is none.
func (j *Jurisdiction) by(b Basis) Country {
	switch b {
	case Location:
		if j.LocationConfidence == High || j.LocationConfidence == Medium {
			return j.Location
		}
	case LocationSuspected:
		if j.LocationConfidence == Low {
			return j.Location
		}
	case Registration:
		return j.Registration
	case Operator:
		return j.Operator.Home
	case Owner:
		return j.Owner.Home
	}
	return ""
}
