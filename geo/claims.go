package geo

import (
	"net/netip"
	"sync/atomic"
)

// maxSources is how many databases can speak of one address.
const maxSources = 12

// claim is a country, and which database says so.
type claim struct {
	country Country
	source  int
}

// claims is what the databases say of one address, or what a test or a user
// says they said (Facts).
type claims struct {
	places       [maxSources]claim // who gives a location, most trusted first
	placed       int               // how many
	registration claim
	asn          uint32
	network      string // name the registry has for asn
	asnSource    int
	published    claim  // the cloud's own list of its ranges
	publisher    string // whose list
	everywhere   bool   // that list says: anycast
	relay        bool   // a database knows the address as VPN, proxy or relay
	relaySource  int
	anycast      bool // Facts only: someone knows
	override     *OverrideRule
	site         *SiteRule
	sources      *sources // of the snapshot, indexed by the above; nil for Facts
}

func (c *claims) place(country Country, source int) {
	if country != "" && c.placed < len(c.places) {
		c.places[c.placed] = claim{country, source}
		c.placed++
	}
}

func (c *claims) register(country Country, source int) {
	if c.registration.country == "" && country != "" {
		c.registration = claim{country, source}
	}
}

func (c *claims) operate(asn uint32, name string, source int) {
	if c.asn == 0 && asn != 0 {
		c.asn, c.network, c.asnSource = asn, name, source
	}
}

// gather asks every database of s about a.
func (s *snapshot) gather(a netip.Addr, c *claims) {
	c.sources = s.sources
	for i := range s.databases {
		s.databases[i].reader.lookup(a, i, c)
	}
	if r, ok := s.rules.prefixes.Lookup(a); ok {
		c.override = r
	}
	if r, ok := s.rules.sites.Lookup(a); ok {
		c.site = r
	}
}

// agreedPlace is the first database's place, and whether all say the same.
func (c *claims) agreedPlace() (first claim, agreed bool) {
	if c.placed == 0 {
		return claim{}, false
	}
	for _, o := range c.places[1:c.placed] {
		if o.country != c.places[0].country {
			return c.places[0], false
		}
	}
	return c.places[0], true
}

// sources are the databases of a snapshot; every choice of them is one slice
// that all jurisdictions share.
type sources struct {
	all    []Source
	choice []atomic.Pointer[[]Source] // by bits
}

func newSources(all []Source) *sources {
	return &sources{all, make([]atomic.Pointer[[]Source], 1<<len(all))}
}

// chosen is the sources whose bits are set. It must not be written to.
func (s *sources) chosen(bits uint16) []Source {
	if s == nil || bits == 0 {
		return nil
	}
	if known := s.choice[bits].Load(); known != nil {
		return *known
	}
	var out []Source
	for i, one := range s.all {
		if bits&(1<<i) != 0 {
			out = append(out, one)
		}
	}
	s.choice[bits].Store(&out)
	return out
}
