package geo

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"net/netip"
	"strings"

	"github.com/gaissmai/bart"
)

// ruleIndex is Rules and overrides made for looking up. It is immutable, but
// for the texts it keeps.
type ruleIndex struct {
	operators map[uint32]*OperatorRule
	homes     map[uint32]*OverrideRule // by ASN
	sites     bart.Table[*SiteRule]
	prefixes  bart.Table[*OverrideRule]
	domains   map[string]domainRule
	regions   map[string]map[string]Country // by cloud and label
	phrases   phrases
	known     names
}

// domainRule is what the rules say of a domain and all below it.
type domainRule struct {
	owner *ownership // nil: not known
	cloud *NameRule  // nil: not a cloud's own
}

// own enters the owner of domain d and all below it.
func (x *ruleIndex) own(d string, o *ownership) {
	r := x.domains[d]
	r.owner = o
	x.domains[d] = r
}

// ownership is an owner as Jurisdiction shows it.
type ownership struct {
	party Party
	from  string
}

func indexRules(c *Config) (*ruleIndex, error) {
	x := &ruleIndex{
		known:     names{seed: maphash.MakeSeed()},
		operators: map[uint32]*OperatorRule{}, homes: map[uint32]*OverrideRule{},
		domains: make(map[string]domainRule, len(c.Rules.Owners)+len(c.Owners)+len(c.Rules.Names)), regions: map[string]map[string]Country{},
	}
	for i := range c.Rules.Operators {
		r := &c.Rules.Operators[i]
		if r.ASN == 0 || r.Name == "" || !r.Home.Valid() {
			return nil, fmt.Errorf("geo: operator AS%d %q: want asn, name and home", r.ASN, r.Name)
		}
		if x.operators[r.ASN] != nil {
			return nil, fmt.Errorf("geo: operator AS%d stands there twice", r.ASN)
		}
		if r.Sites != "" && !siteTypes[r.Sites] {
			return nil, fmt.Errorf("geo: operator AS%d: sites %q: want anycast, mixed, multi-site or unicast-multi-site", r.ASN, r.Sites)
		}
		x.operators[r.ASN] = r
	}
	for i := range c.Rules.Sites {
		r := &c.Rules.Sites[i]
		if !r.Prefix.IsValid() || !siteTypes[r.Type] {
			return nil, fmt.Errorf("geo: site %s: type %q: want anycast, mixed, multi-site or unicast-multi-site", r.Prefix, r.Type)
		}
		x.sites.Insert(r.Prefix.Masked(), r)
	}
	for i := range c.Rules.Names {
		r := &c.Rules.Names[i]
		d := domain(r.Suffix)
		known := x.domains[d]
		known.cloud = r
		x.domains[d] = known
	}
	for _, r := range c.Rules.Regions {
		if x.regions[r.Cloud] == nil {
			x.regions[r.Cloud] = map[string]Country{}
		}
		x.regions[r.Cloud][strings.ToLower(r.Label)] = r.Country
	}
	if err := x.addOwners(c.Rules.Owners, "owners"); err != nil {
		return nil, err
	}
	if err := x.addOwners(c.Owners, "signatures"); err != nil {
		return nil, err
	}
	return x, x.addOverrides(c.Overrides)
}

var siteTypes = map[string]bool{"anycast": true, "mixed": true, "multi-site": true, "unicast-multi-site": true}

func domain(s string) string { return strings.Trim(strings.ToLower(s), ".") }

// addOwners takes rules over; of two for one domain the later wins.
func (x *ruleIndex) addOwners(rules []OwnerRule, from string) error {
	kept := make([]ownership, len(rules))
	for i := range rules {
		r := &rules[i]
		d := domain(r.Domain)
		if d == "" || r.Home != "" && !r.Home.Valid() {
			return fmt.Errorf("geo: owner of %q: home %q: want a domain and a country", r.Domain, r.Home)
		}
		kept[i] = ownership{Party{Name: r.Name, Home: r.Home}, cmp.Or(r.From, from)}
		x.own(d, &kept[i])
	}
	return nil
}

func (x *ruleIndex) addOverrides(rules []OverrideRule) error {
	for i := range rules {
		r := &rules[i]
		switch {
		case r.Prefix.IsValid():
			if Placeless(r.Prefix.Addr()) {
				return fmt.Errorf("geo: override %s: such addresses have no country", r.Prefix)
			}
			x.prefixes.Insert(unmapped(r.Prefix), r)
		case r.ASN != 0:
			x.homes[r.ASN] = r
		case r.Domain != "":
			d, name := domain(r.Domain), r.Name
			if old := x.domains[d].owner; old != nil && name == "" {
				name = old.party.Name
			}
			x.own(d, &ownership{Party{Name: name, Home: r.Home}, "override"})
		default:
			return fmt.Errorf("geo: override %d: want one of prefix, asn, domain", i+1)
		}
	}
	return nil
}

// unmapped is p in its own family, without host bits.
func unmapped(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96).Masked()
	}
	return p.Masked()
}

// cloudName finds the rule of a cloud's or CDN's own name above name, and
// what stands to the left of it.
func (x *ruleIndex) cloudName(name string) (r *NameRule, left string) {
	for d := name; d != ""; d = parent(d) {
		if cloud := x.domains[d].cloud; cloud != nil {
			return cloud, leftOf(name, d)
		}
	}
	return nil, ""
}

// region is the country that a label in left names, in the words of cloud.
// Labels nearest to the cloud's own name count first: those further left are
// chosen by the customer. A whole label goes before a part of one, and parts
// are looked for only in the nearest label, where clouds write such things as
// oss-cn-hangzhou or s3-eu-west-1.
func (x *ruleIndex) region(cloud, left string) (label string, c Country) {
	table := x.regions[cloud]
	if table == nil || left == "" {
		return "", ""
	}
	for rest := left; rest != ""; {
		i := strings.LastIndexByte(rest, '.')
		if c := table[rest[i+1:]]; c != "" {
			return rest[i+1:], c
		}
		rest = rest[:max(i, 0)]
	}
	return partOf(table, left[strings.LastIndexByte(left, '.')+1:])
}

// partOf finds the longest run of words of label that table has.
func partOf(table map[string]Country, label string) (string, Country) {
	best := ""
	for from := 0; from < len(label); {
		for to := len(label); to > from; {
			part := label[from:to]
			if len(part) > len(best) && (strings.IndexByte(part, '-') > 0 || len(part) > 4) && table[part] != "" {
				best = part
			}
			to = from + max(strings.LastIndexByte(part, '-'), 0)
		}
		i := strings.IndexByte(label[from:], '-')
		if i < 0 {
			break
		}
		from += i + 1
	}
	return best, table[best]
}

// makerRegion is the country that a maker's own word for a cloud's region
// names, such as alisgp0, anywhere in name.
func (x *ruleIndex) makerRegion(name string) (label string, c Country) {
	table := x.regions["makers"]
	if table == nil {
		return "", ""
	}
	for from := 0; from < len(name); {
		to := strings.IndexAny(name[from:], "-.")
		if to < 0 {
			to = len(name) - from
		}
		word := strings.TrimRight(name[from:from+to], "0123456789")
		if c := table[word]; c != "" {
			return word, c
		}
		from += to + 1
	}
	return "", ""
}
