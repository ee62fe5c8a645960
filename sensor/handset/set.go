package handset

import (
	"math"
	"slices"
	"strings"
)

// Set is a compiled set of signatures. It never changes and may be shared.
type Set struct {
	hash   string
	rules  Rules
	prior  float64 // log-odds
	makers []maker
	sigs   []signature
	owner  []Owner

	byMaker   map[string]int
	byID      map[string]int
	byService map[string]uint16
	services  []string // by number
	matches   []Match  // what Name says, by signature

	names    nameTable
	patterns [patternKinds][]pattern
	exact    map[string]uint16 // parameter lists and JA4, with their kind in front
	oui      ouiTable
	examples []example
	overlaid int // entries that overlays add or change
	said     *reasons
	nothing  [2]Verdict // on a device for which nothing speaks; the second: behind a shared address
}

// The kinds of regular expression.
const (
	hostnames = iota
	vendorClasses
	userAgents
	models
	announcements // mDNS
	ssdpServers
	patternKinds
)

// example is a value that must match an entry, or must not.
type example struct {
	file  string
	line  int
	sig   uint16
	ev    Evidence
	match bool
}

// Hash is the content hash of the set: the same hash judges alike.
func (s *Set) Hash() string { return s.hash }

// Rules returns the numbers that decide.
func (s *Set) Rules() Rules { return s.rules }

// Name finds the longest rule that fits a host name, on label boundaries,
// whatever its case. Nothing is allocated.
func (s *Set) Name(name string) Match {
	sig, _ := s.names.find(name)
	if sig == 0 {
		return Match{}
	}
	return s.matches[sig-1]
}

// matchOf is what Name says of a signature.
func (s *Set) matchOf(g *signature) Match {
	m := &s.makers[g.maker]
	strength, plane, _ := g.at(math.MaxInt64) // an overlay without expiry holds
	return Match{ID: g.id, Maker: m.name, Plane: plane, Strength: strength, Form: formNames[g.form],
		Service: s.services[g.service], Owner: m.company, Home: m.home}
}

// Owners lists the registrable domains whose owner the signatures know,
// sorted by domain.
func (s *Set) Owners() []Owner { return slices.Clone(s.owner) }

// Title is how a maker's word is written in prose: "xiaomi" → "Xiaomi".
func (s *Set) Title(maker string) string {
	if i, ok := s.byMaker[maker]; ok {
		return s.makers[i].title
	}
	return maker
}

// Makers lists the words for makers and groups, sorted; platforms are none.
func (s *Set) Makers() []string {
	var w []string
	for _, m := range s.makers {
		if m.kind != platform {
			w = append(w, m.name)
		}
	}
	slices.Sort(w)
	return w
}

// Count is one line of the coverage table: how many patterns a maker has.
type Count struct {
	Maker    string
	Kind     string // maker, group or platform
	Family   string
	Plane    string // names only, else empty
	Strength string
	Entries  int
}

// Coverage counts the entries by maker, family, plane and strength.
func (s *Set) Coverage() []Count {
	n := map[Count]int{}
	for i := range s.sigs {
		g := &s.sigs[i]
		c := Count{Maker: s.makers[g.maker].name, Kind: kindNames[s.makers[g.maker].kind], Family: g.family.String(), Strength: strengthNames[g.strength]}
		if g.family == Names {
			c.Plane = g.plane.String()
		}
		n[c]++
	}
	var list []Count
	for c, k := range n {
		c.Entries = k
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b Count) int {
		return strings.Compare(a.Maker+"\x00"+a.Family+a.Plane+a.Strength, b.Maker+"\x00"+b.Family+b.Plane+b.Strength)
	})
	return list
}

// Size is how many entries the set has, and how many of them a site's
// overlays add or change.
func (s *Set) Size() (entries, overlaid int) { return len(s.sigs), s.overlaid }
