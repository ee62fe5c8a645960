package geo

import (
	"log/slog"
	"net/netip"
)

// Config is what a Geo rests on. The zero value is the embedded database
// without any rules.
type Config struct {
	Rules     Rules
	Groups    Groups         // of Rules' files, for CountrySet.Resolve
	Owners    []OwnerRule    // of the signature files; they win over Rules.Owners
	Overrides []OverrideRule // the operator's word on prefixes, networks and names
	Databases []string       // files: mmdb, picket-geo, cloud ranges (AWS, Google, Azure), geofeeds; the first says the location
	Base      string         // file that stands in for the embedded database; empty: embedded
	NAT64     []netip.Prefix // beside 64:ff9b::/96; /32 /40 /48 /56 /64 /96 (RFC 6052)
	Cache     int            // judged servers kept; 0 means 1<<14
	Logger    *slog.Logger   // nil: no log
	Verify    bool           // read every record of an mmdb before it is let in
}

// Rules are the curated data of configs/operators and configs/owners.
type Rules struct {
	Operators []OperatorRule
	Sites     []SiteRule
	Names     []NameRule
	Regions   []RegionRule
	Owners    []OwnerRule
}

// Join is the rules of r, and then those of o.
func (r Rules) Join(o Rules) Rules {
	r.Operators = append(r.Operators, o.Operators...)
	r.Sites = append(r.Sites, o.Sites...)
	r.Names = append(r.Names, o.Names...)
	r.Regions = append(r.Regions, o.Regions...)
	r.Owners = append(r.Owners, o.Owners...)
	return r
}

// OwnerRule says which company a domain belongs to. It holds for the domain
// and everything below it; the longest rule wins.
type OwnerRule struct {
	Domain string  `yaml:"domain"`
	Name   string  `yaml:"name"`
	Home   Country `yaml:"home"`
	Source string  `yaml:"source"`
	Date   string  `yaml:"date"`
	From   string  `yaml:"-"` // "signatures", "owners"; empty means owners
}

// OperatorRule says whose a network is.
type OperatorRule struct {
	ASN      uint32  `yaml:"asn"`
	Name     string  `yaml:"name"`
	Home     Country `yaml:"home"`
	Kind     string  `yaml:"kind"`     // oem cloud cdn isp app dns
	Mainland Country `yaml:"mainland"` // all servers stand in this country, whatever a registry says
	Sites    string  `yaml:"sites"`    // as SiteRule.Type, for all addresses of the network; empty: one place each
	Registry string  `yaml:"registry"` // the name the registry has for it
	Note     string  `yaml:"note"`
	Source   string  `yaml:"source"`
	Date     string  `yaml:"date"`
}

// SiteRule says that a prefix has no one place.
type SiteRule struct {
	Prefix   netip.Prefix `yaml:"prefix"`
	Operator string       `yaml:"operator"`
	Home     Country      `yaml:"home"`
	Type     string       `yaml:"type"` // anycast mixed multi-site unicast-multi-site
	Source   string       `yaml:"source"`
	Date     string       `yaml:"date"`
}

// NameRule says that a domain is a public cloud's or CDN's own: names below
// it name the operator and are owned by whoever rents them.
type NameRule struct {
	Suffix   string  `yaml:"suffix"`
	Operator string  `yaml:"operator"`
	Home     Country `yaml:"home"`
	Regions  string  `yaml:"regions"` // which labels below it name a place
	Source   string  `yaml:"source"`
	Date     string  `yaml:"date"`
}

// RegionRule says in which country a region of a cloud stands.
type RegionRule struct {
	Cloud   string  `yaml:"cloud"`
	Label   string  `yaml:"label"`
	Country Country `yaml:"country"`
}

// OverrideRule is the operator's own word; of prefixes the longest wins.
// One of Prefix, ASN and Domain is set.
type OverrideRule struct {
	Prefix   netip.Prefix `yaml:"prefix"`
	ASN      uint32       `yaml:"asn"`
	Domain   string       `yaml:"domain"`
	Location Country      `yaml:"location"` // Prefix only
	Name     string       `yaml:"name"`
	Home     Country      `yaml:"home"`
	Anycast  bool         `yaml:"anycast"`
	Source   string       `yaml:"source"`
	Date     string       `yaml:"date"`
}
