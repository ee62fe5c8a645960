package geo

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/gaissmai/bart"
)

// ranges holds what an operator publishes of its own prefixes; the longest
// match wins.
type ranges struct {
	table     bart.Table[publication]
	publisher string
	unknown   int // ranges whose region or country is not known here
	broken    int // lines that could not be read
}

type publication struct {
	country Country
	anycast bool
}

func (r *ranges) lookup(a netip.Addr, source int, c *claims) {
	p, ok := r.table.Lookup(a)
	switch {
	case !ok:
	case p.anycast:
		c.everywhere = true
	case c.published.country == "":
		c.published, c.publisher = claim{p.country, source}, r.publisher
	}
}

// add takes one prefix over. Of one prefix that is listed twice anycast
// wins: no place is better than a wrong one.
func (r *ranges) add(prefix string, p publication) error {
	n, err := netip.ParsePrefix(strings.TrimSpace(prefix))
	if err != nil {
		a, err2 := netip.ParseAddr(strings.TrimSpace(prefix))
		if err2 != nil {
			return fmt.Errorf("prefix %q", prefix)
		}
		n = netip.PrefixFrom(a, a.BitLen())
	}
	n = unmapped(n)
	if old, ok := r.table.Get(n); ok && old.anycast {
		return nil
	}
	r.table.Insert(n, p)
	return nil
}

// published is the union of the JSON files of AWS (ip-ranges.json), Google
// (cloud.json, goog.json), Azure (ServiceTags) and Oracle
// (public_ip_ranges.json).
type published struct {
	CreateDate   string          `json:"createDate"`   // AWS 2006-01-02-15-04-05
	CreationTime string          `json:"creationTime"` // Google 2006-01-02T15:04:05.999999
	LastUpdated  string          `json:"last_updated_timestamp"`
	Cloud        string          `json:"cloud"` // Azure
	Prefixes     []cloudPrefix   `json:"prefixes"`
	Prefixes6    []cloudPrefix   `json:"ipv6_prefixes"`
	Values       []serviceTag    `json:"values"`
	Regions      []oracleRegion  `json:"regions"`
	SyncToken    json.RawMessage `json:"syncToken"`
}

type cloudPrefix struct {
	AWS4    string `json:"ip_prefix"`
	AWS6    string `json:"ipv6_prefix"`
	Google4 string `json:"ipv4Prefix"`
	Google6 string `json:"ipv6Prefix"`
	Region  string `json:"region"`
	Scope   string `json:"scope"`
	Service string `json:"service"`
}

type serviceTag struct {
	Name       string `json:"name"`
	Properties struct {
		Region   string   `json:"region"`
		Service  string   `json:"systemService"`
		Prefixes []string `json:"addressPrefixes"`
	} `json:"properties"`
}

type oracleRegion struct {
	Region string `json:"region"`
	CIDRs  []struct {
		CIDR string `json:"cidr"`
	} `json:"cidrs"`
}

var errNoRanges = errors.New("JSON, but no list of ranges of AWS, Google, Azure or Oracle")

// openPublished opens a cloud's list of its own ranges.
func openPublished(path string, x *ruleIndex) ([]database, error) {
	b, err := readFile(path)
	if err != nil {
		return nil, err
	}
	r, built, err := parsePublished(b, x.regions)
	if err != nil {
		return nil, fmt.Errorf("geo: %s: %w", path, err)
	}
	d := database{name: r.publisher + "-ranges", path: path, kind: r.publisher + " ranges", built: built, gives: "region", reader: r}
	if r.unknown > 0 {
		d.caveat = fmt.Sprintf("%d ranges of regions that are not known here", r.unknown)
	}
	return []database{d}, nil
}

func parsePublished(b []byte, regions map[string]map[string]Country) (*ranges, time.Time, error) {
	var p published
	if err := json.Unmarshal(b, &p); err != nil {
		return nil, time.Time{}, fmt.Errorf("JSON: %w", err)
	}
	r := &ranges{}
	var built time.Time
	var err error
	switch {
	case p.Values != nil:
		r.publisher = "azure"
		err = r.azure(p.Values, regions["azure"])
	case p.Regions != nil:
		r.publisher = "oracle"
		built, _ = time.Parse("2006-01-02T15:04:05.999999", p.LastUpdated)
		err = r.oracle(p.Regions, regions["oracle"])
	case p.Prefixes != nil && p.CreationTime != "":
		r.publisher = "google"
		built, _ = time.Parse("2006-01-02T15:04:05.999999", p.CreationTime)
		err = r.google(p.Prefixes, regions["google"])
	case p.Prefixes != nil || p.Prefixes6 != nil:
		r.publisher = "aws"
		built, _ = time.Parse("2006-01-02-15-04-05", p.CreateDate)
		err = r.aws(append(p.Prefixes, p.Prefixes6...), regions["aws"])
	default:
		err = errNoRanges
	}
	if err == nil && r.table.Size() == 0 {
		err = errNoRanges
	}
	return r, built, err
}

// region adds prefix with the country of the region, if that is known.
func (r *ranges) region(prefix, region string, table map[string]Country) error {
	c := table[strings.ToLower(region)]
	if c == "" {
		r.unknown++
		return nil
	}
	return r.add(prefix, publication{country: c})
}

// aws passes over GLOBAL ranges except those of anycast services: CloudFront
// is at many places but each address at one.
func (r *ranges) aws(list []cloudPrefix, table map[string]Country) error {
	for _, p := range list {
		prefix := p.AWS4 + p.AWS6
		switch {
		case p.Service == "GLOBALACCELERATOR" || p.Service == "ROUTE53":
			if err := r.add(prefix, publication{anycast: true}); err != nil {
				return err
			}
		case p.Region == "GLOBAL":
		default:
			if err := r.region(prefix, p.Region, table); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *ranges) google(list []cloudPrefix, table map[string]Country) error {
	for _, p := range list {
		prefix := p.Google4 + p.Google6
		if p.Scope == "global" {
			if err := r.add(prefix, publication{anycast: true}); err != nil {
				return err
			}
			continue
		}
		if p.Scope == "" { // goog.json has no regions
			continue
		}
		if err := r.region(prefix, p.Scope, table); err != nil {
			return err
		}
	}
	return nil
}

func (r *ranges) azure(tags []serviceTag, table map[string]Country) error {
	for _, t := range tags {
		anycast := strings.HasPrefix(t.Properties.Service, "AzureFrontDoor")
		if t.Properties.Region == "" && !anycast {
			continue
		}
		for _, prefix := range t.Properties.Prefixes {
			err := error(nil)
			if anycast {
				err = r.add(prefix, publication{anycast: true})
			} else {
				err = r.region(prefix, t.Properties.Region, table)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", t.Name, err)
			}
		}
	}
	return nil
}

func (r *ranges) oracle(list []oracleRegion, table map[string]Country) error {
	for _, region := range list {
		for _, c := range region.CIDRs {
			if err := r.region(c.CIDR, region.Region, table); err != nil {
				return fmt.Errorf("%s: %w", region.Region, err)
			}
		}
	}
	return nil
}
