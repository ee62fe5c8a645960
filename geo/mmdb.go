package geo

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/oschwald/geoip2-golang/v2"
	"github.com/oschwald/maxminddb-golang/v2"
)

// openMMDB opens a file in the MaxMind format: MaxMind's own types and those
// compatible with them through geoip2, all others by the fields they have.
// The file is read into memory, not mapped: were somebody to copy over it, a
// mapping would give wrong answers, and beyond the new end SIGBUS.
func openMMDB(path string, verify bool) ([]database, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("geo: %w", err)
	}
	raw, err := maxminddb.OpenBytes(b)
	if err != nil {
		if invalid := (maxminddb.InvalidDatabaseError{}); errors.As(err, &invalid) {
			return nil, fmt.Errorf("geo: %s: not a MaxMind database, or cut short: %w", path, err)
		}
		return nil, fmt.Errorf("geo: %s: %w", path, err)
	}
	if err := sound(raw, verify); err != nil {
		return nil, fmt.Errorf("geo: %s: database is corrupt: %w", path, err)
	}
	m := raw.Metadata
	d := database{
		name: strings.TrimSuffix(filepath.Base(path), ".mmdb"), path: path,
		kind: "mmdb " + m.DatabaseType, built: m.BuildTime().UTC(),
	}
	if m.IPVersion == 4 {
		d.caveat = "IPv4 only"
	}
	if d.reader, d.gives, err = readerFor(path, b, raw); err != nil {
		return nil, err
	}
	return []database{d}, nil
}

// readerFor chooses how records are read, by the type of the database.
func readerFor(path string, b []byte, raw *maxminddb.Reader) (reader, string, error) {
	v6 := raw.Metadata.IPVersion == 6
	db, err := geoip2.OpenBytes(b)
	if err != nil {
		return flatReader(path, raw)
	}
	kind := raw.Metadata.DatabaseType
	probe := netip.AddrFrom4([4]byte{})
	refused := geoip2.InvalidMethodError{}
	if _, err := db.Enterprise(probe); !errors.As(err, &refused) {
		return &maxmindPlaces{db, v6, true}, "country, registration, asn", nil
	}
	if _, err := db.Country(probe); !errors.As(err, &refused) {
		return &maxmindPlaces{db, v6, false}, "country, registration", nil
	}
	if _, err := db.ASN(probe); !errors.As(err, &refused) {
		return &maxmindNetworks{db, v6}, "asn", nil
	}
	if _, err := db.AnonymousIP(probe); !errors.As(err, &refused) {
		return &maxmindRelays{db, v6}, "relay", nil
	}
	return nil, "", fmt.Errorf("geo: %s: a database of type %s says neither country nor network", path, kind)
}

// sound decodes records all over the database, or every one.
func sound(r *maxminddb.Reader, all bool) error {
	if all { // Reader.Verify also wants metadata that good files lack
		for n := range r.Networks() {
			var v any
			if err := n.Decode(&v); err != nil {
				return err
			}
		}
		return nil
	}
	for i := range 256 {
		a := netip.AddrFrom4([4]byte{byte(i), byte(i * 37), byte(i * 11), 1})
		var v any
		if err := r.Lookup(a).Decode(&v); err != nil {
			return err
		}
		if r.Metadata.IPVersion == 6 {
			a = netip.AddrFrom16([16]byte{0x20 | byte(i>>4), byte(i), byte(i * 37), byte(i * 11)})
			if err := r.Lookup(a).Decode(&v); err != nil {
				return err
			}
		}
	}
	return nil
}

// maxmindPlaces reads GeoIP2 and GeoLite2 Country, City and Enterprise.
type maxmindPlaces struct {
	db         *geoip2.Reader
	v6         bool
	enterprise bool
}

func (m *maxmindPlaces) lookup(a netip.Addr, source int, c *claims) {
	if a.Is6() && !m.v6 {
		return
	}
	if m.enterprise {
		if e, err := m.db.Enterprise(a); err == nil {
			c.place(knownCountry(e.Country.ISOCode), source)
			c.register(knownCountry(e.RegisteredCountry.ISOCode), source)
			c.operate(uint32(e.Traits.AutonomousSystemNumber), e.Traits.AutonomousSystemOrganization, source)
			c.everywhere = c.everywhere || e.Traits.IsAnycast
		}
		return
	}
	if r, err := m.db.Country(a); err == nil {
		c.place(knownCountry(r.Country.ISOCode), source)
		c.register(knownCountry(r.RegisteredCountry.ISOCode), source)
		c.everywhere = c.everywhere || r.Traits.IsAnycast
	}
}

// maxmindNetworks reads GeoLite2 ASN and GeoIP2 ISP.
type maxmindNetworks struct {
	db *geoip2.Reader
	v6 bool
}

func (m *maxmindNetworks) lookup(a netip.Addr, source int, c *claims) {
	if c.asn != 0 || a.Is6() && !m.v6 {
		return
	}
	if r, err := m.db.ASN(a); err == nil {
		c.operate(uint32(r.AutonomousSystemNumber), r.AutonomousSystemOrganization, source)
	}
}

// maxmindRelays reads GeoIP2 Anonymous IP. A hosting provider is no relay.
type maxmindRelays struct {
	db *geoip2.Reader
	v6 bool
}

func (m *maxmindRelays) lookup(a netip.Addr, source int, c *claims) {
	if a.Is6() && !m.v6 {
		return
	}
	r, err := m.db.AnonymousIP(a)
	if err == nil && (r.IsAnonymousVPN || r.IsPublicProxy || r.IsResidentialProxy || r.IsTorExitNode) {
		c.relay, c.relaySource = true, source
	}
}

// flatReader reads the schemas of DB-IP, IPinfo and ip-location-db by the
// fields that the first records have.
func flatReader(path string, raw *maxminddb.Reader) (reader, string, error) {
	f := &flat{db: raw, v6: raw.Metadata.IPVersion == 6}
	seen := 0
	for n := range raw.Networks() {
		var rec map[string]any
		if n.Decode(&rec) != nil {
			break
		}
		f.learn(rec)
		if seen++; seen == 64 {
			break
		}
	}
	var gives []string
	if f.country != nil {
		gives = append(gives, "country")
	}
	if f.registered != nil {
		gives = append(gives, "registration")
	}
	if f.asn != nil {
		gives = append(gives, "asn")
	}
	if gives == nil {
		return nil, "", fmt.Errorf("geo: %s: a database of type %q has no field for country or network that is known here", path, raw.Metadata.DatabaseType)
	}
	return f, strings.Join(gives, ", "), nil
}

// flat reads records by the path of their fields.
type flat struct {
	db                             *maxminddb.Reader
	v6                             bool
	country, registered, asn, name []any
	asnText                        bool // "AS15169"
}

// learn notes where rec has what we look for.
func (f *flat) learn(rec map[string]any) {
	if m, ok := rec["country"].(map[string]any); ok && m["iso_code"] != nil {
		f.country = []any{"country", "iso_code"}
	}
	if s, ok := rec["country"].(string); ok && len(s) == 2 && f.country == nil {
		f.country = []any{"country"}
	}
	if s, ok := rec["country_code"].(string); ok && len(s) == 2 {
		f.country = []any{"country_code"}
	}
	if m, ok := rec["registered_country"].(map[string]any); ok && m["iso_code"] != nil {
		f.registered = []any{"registered_country", "iso_code"}
	}
	for _, key := range []string{"autonomous_system_number", "asn", "as_number"} {
		switch rec[key].(type) {
		case string:
			f.asn, f.asnText = []any{key}, true
		case uint64, uint32, uint16:
			f.asn = []any{key}
		}
	}
	for _, key := range []string{"name", "as_name", "autonomous_system_organization"} {
		if _, ok := rec[key].(string); ok {
			f.name = []any{key}
		}
	}
}

func (f *flat) lookup(a netip.Addr, source int, c *claims) {
	if a.Is6() && !f.v6 {
		return
	}
	r := f.db.Lookup(a)
	if !r.Found() {
		return
	}
	c.place(knownCountry(text(r, f.country)), source)
	c.register(knownCountry(text(r, f.registered)), source)
	if f.asn == nil || c.asn != 0 {
		return
	}
	var asn uint32
	if f.asnText {
		n, err := strconv.ParseUint(strings.TrimPrefix(text(r, f.asn), "AS"), 10, 32)
		if err != nil {
			return
		}
		asn = uint32(n)
	} else if r.DecodePath(&asn, f.asn...) != nil {
		return
	}
	c.operate(asn, text(r, f.name), source)
}

func text(r maxminddb.Result, path []any) (s string) {
	if path == nil || r.DecodePath(&s, path...) != nil {
		return ""
	}
	return s
}
