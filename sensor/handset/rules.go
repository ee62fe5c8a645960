package handset

import (
	"fmt"
	"math"
)

// Rules are the numbers that decide, from rules.yml of the signature set.
// Weights are natural log-odds; docs/accusation.md gives their reasons.
type Rules struct {
	Prior    float64 `yaml:"prior"`    // share of devices that a maker is given before any evidence
	Discount float64 `yaml:"discount"` // factor for the second and each later service of a kind
	Weight   float64 `yaml:"weight"`   // what a family must bring to count as one of the two
	Bands    struct {
		Weak    float64 `yaml:"weak"`
		Likely  float64 `yaml:"likely"`
		Certain float64 `yaml:"certain"`
	} `yaml:"bands"`
	Names struct {
		Exclusive float64 `yaml:"exclusive"`
		Likely    float64 `yaml:"likely"`
		Copied    float64 `yaml:"copied"`
		App       float64 `yaml:"app"`
		Cap       float64 `yaml:"cap"`
		CapLikely float64 `yaml:"cap_likely"` // when nothing exclusive is among them
		CapApp    float64 `yaml:"cap_app"`    // when nothing of the OS is among them
	} `yaml:"names"`
	DHCP      Weights `yaml:"dhcp"`
	Hardware  Weights `yaml:"hardware"`
	UserAgent Weights `yaml:"user_agent"`
	Push      Weights `yaml:"push"`
	Local     Weights `yaml:"local"`
	TLS       Weights `yaml:"tls"`

	HalfLife struct { // hours; what is not listed lives as long as the binding
		Names     float64 `yaml:"names"`
		Probe     float64 `yaml:"probe"`
		UserAgent float64 `yaml:"user_agent"`
		Push      float64 `yaml:"push"`
		Local     float64 `yaml:"local"`
	} `yaml:"half_life"`

	Days struct { // OS names seen on several days are no visit
		Each float64 `yaml:"each"`
		Most float64 `yaml:"most"`
	} `yaml:"days"`
	Counter     float64 `yaml:"counter"`      // taken from names when the leaseholder is another maker's
	PlatformCap float64 `yaml:"platform_cap"` // what a platform may weigh as the maker of a device
	Rival       struct {
		Identity float64 `yaml:"identity"` // weight at which a rival's DHCP, OUI or announcement conflicts
		Names    float64 `yaml:"names"`    // weight at which a rival's names show a second device
	} `yaml:"rival"`
	Aggregator int     `yaml:"aggregator"` // makers whose app names together count for nothing
	Forwarder  int     `yaml:"forwarder"`  // makers whose system names together are a resolver or NAT
	Form       float64 `yaml:"form"`       // points that decide a form factor
	Slack      float64 `yaml:"slack"`      // seconds before its first MAC that evidence may belong to a binding
	Items      int     `yaml:"items"`      // most pieces of evidence kept a device
	Enough     int     `yaml:"enough"`     // observations after which a device is no longer learning

	SearchSuffixes []string `yaml:"search_suffixes"` // what home resolvers append to a name
}

// Weights are the log-odds of one family by strength.
type Weights struct {
	Exclusive float64 `yaml:"exclusive"`
	Likely    float64 `yaml:"likely"`
	Weak      float64 `yaml:"weak"`
}

func (w Weights) of(s Strength) float64 {
	switch s {
	case Exclusive:
		return w.Exclusive
	case Mostly:
		return w.Likely
	case Weakly, Copied:
		return w.Weak
	}
	return 0
}

// check says what is impossible about the rules.
func (r *Rules) check(file string) error {
	between := func(key string, v, lo, hi float64) error {
		if math.IsNaN(v) || v < lo || v > hi {
			return fmt.Errorf("%s: %s: %v is not between %v and %v", file, key, v, lo, hi)
		}
		return nil
	}
	for _, err := range []error{
		between("prior", r.Prior, 1e-6, 0.5),
		between("discount", r.Discount, 0, 1),
		between("weight", r.Weight, 0, 10),
		between("bands.weak", r.Bands.Weak, 0.5, r.Bands.Likely),
		between("bands.likely", r.Bands.Likely, r.Bands.Weak, r.Bands.Certain),
		between("bands.certain", r.Bands.Certain, r.Bands.Likely, 0.999999),
		between("names.exclusive", r.Names.Exclusive, 0, 10),
		between("names.cap", r.Names.Cap, 0, 10),
		between("platform_cap", r.PlatformCap, 0, -logit(r.Prior)),
		between("aggregator", float64(r.Aggregator), 2, 100),
		between("forwarder", float64(r.Forwarder), 2, 100),
		between("items", float64(r.Items), 8, 256),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

func logit(p float64) float64 { return math.Log(p / (1 - p)) }

// logistic keeps nine digits: processors differ in the last places of an
// exponential and of a fused multiplication (arm64 has one, amd64 not), and
// the same evidence must give the same verdict on each.
func logistic(l float64) float64 { return math.Round(1e9/(1+math.Exp(-l))) / 1e9 }
