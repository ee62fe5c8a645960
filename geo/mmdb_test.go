package geo

import (
	"bytes"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
)

// mmdb writes a database of the type with the records to a file.
func mmdb(t testing.TB, path, kind string, ipVersion int, records map[string]mmdbtype.Map) string {
	t.Helper()
	w, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: kind, IPVersion: ipVersion, RecordSize: 24, BuildEpoch: 1767225600, IncludeReservedNetworks: true})
	if err != nil {
		t.Fatal(err)
	}
	for prefix, rec := range records {
		_, n, err := net.ParseCIDR(prefix)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Insert(n, rec); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if _, err := w.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	replaceFile(t, path, b.Bytes())
	return path
}

func replaceFile(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new", b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func iso(code string) mmdbtype.Map { return mmdbtype.Map{"iso_code": mmdbtype.String(code)} }

var places = map[string]mmdbtype.Map{
	"52.28.0.0/16":     {"country": iso("FR"), "registered_country": iso("LU")},
	"2600:1f00::/24":   {"country": iso("FR"), "registered_country": iso("LU")},
	"203.119.0.0/16":   {"country": iso("CN"), "registered_country": iso("HK")},
	"198.252.206.0/24": {"traits": mmdbtype.Map{"is_anycast": mmdbtype.Bool(true)}, "country": iso("US")},
}

func TestDatabaseSchemas(t *testing.T) {
	dir := t.TempDir()
	asn := map[string]mmdbtype.Map{"52.28.0.0/16": {"autonomous_system_number": mmdbtype.Uint32(4134), "autonomous_system_organization": mmdbtype.String("Chinanet")}}
	for _, c := range []struct {
		kind     string
		version  int
		records  map[string]mmdbtype.Map
		gives    string
		location Country
		reg      Country
		operator Country
	}{
		{"GeoLite2-Country", 6, places, "country, registration", "FR", "LU", "US"},
		{"GeoLite2-City", 6, places, "country, registration", "FR", "LU", "US"},
		{"GeoIP2-Country", 4, map[string]mmdbtype.Map{"52.28.0.0/16": places["52.28.0.0/16"]}, "country, registration", "FR", "LU", "US"},
		{"GeoIP2-Enterprise", 6, map[string]mmdbtype.Map{"52.28.0.0/16": {"country": iso("FR"), "registered_country": iso("LU"),
			"traits": mmdbtype.Map{"autonomous_system_number": mmdbtype.Uint32(4134)}}}, "country, registration, asn", "FR", "LU", "CN"},
		{"DBIP-Country-Lite", 6, places, "country, registration", "FR", "LU", "US"},
		{"GeoLite2-ASN", 6, asn, "asn", "DE", "US", "CN"},
		{"country ipvAll", 6, map[string]mmdbtype.Map{"52.28.0.0/16": {"country_code": mmdbtype.String("FR")}}, "country", "FR", "US", "US"},
		{"asn ipvAll", 6, asn, "asn", "DE", "US", "CN"},
		{"ipinfo generic_country.mmdb", 6, map[string]mmdbtype.Map{"52.28.0.0/16": {"country": mmdbtype.String("FR"), "country_name": mmdbtype.String("France")}}, "country", "FR", "US", "US"},
		{"ipinfo bundle_location_lite.mmdb", 6, map[string]mmdbtype.Map{"52.28.0.0/16": {"country": mmdbtype.String("France"), "country_code": mmdbtype.String("FR"),
			"asn": mmdbtype.String("AS4134"), "as_name": mmdbtype.String("Chinanet")}}, "country, asn", "FR", "US", "CN"},
	} {
		path := mmdb(t, filepath.Join(dir, strings.ReplaceAll(c.kind, " ", "-")+".mmdb"), c.kind, c.version, c.records)
		g := shipped(t, func(cfg *Config) { cfg.Databases, cfg.Verify = []string{path}, true })
		info := g.Databases()[0]
		if info.Gives != c.gives || info.Built.Unix() != 1767225600 {
			t.Errorf("%s: %+v, want %q", c.kind, info, c.gives)
		}
		j := g.Judge(Query{Addr: netip.MustParseAddr("52.28.1.1")})
		if j.Location != c.location || j.Registration != c.reg || j.Operator.Home != c.operator {
			t.Errorf("%s: location %s registration %s operator %s, want %s %s %s", c.kind, j.Location, j.Registration, j.Operator.Home, c.location, c.reg, c.operator)
		}
		if c.location == "FR" && j.LocationConfidence != Low {
			t.Errorf("%s: FR against the embedded DE is %s, want low: %s", c.kind, j.LocationConfidence, j.Disagreement)
		}
		if c.version == 4 && info.Caveat != "IPv4 only" {
			t.Errorf("%s: caveat %q", c.kind, info.Caveat)
		}
		g.Judge(Query{Addr: netip.MustParseAddr("2600:1f00::1")}) // an IPv4-only file has nothing to say
	}
}

func TestAnonymousNetworkHasNoPlace(t *testing.T) {
	path := mmdb(t, filepath.Join(t.TempDir(), "anon.mmdb"), "GeoIP2-Anonymous-IP", 6, map[string]mmdbtype.Map{
		"77.88.55.0/24": {"is_anonymous": mmdbtype.Bool(true), "is_anonymous_vpn": mmdbtype.Bool(true)},
		"52.28.0.0/16":  {"is_anonymous": mmdbtype.Bool(true), "is_hosting_provider": mmdbtype.Bool(true)},
	})
	g := shipped(t, func(c *Config) { c.Databases = []string{path} })
	if j := g.Judge(Query{Addr: netip.MustParseAddr("77.88.55.88")}); j.Location != "" || !j.Relay || j.Operator.Home != "RU" {
		t.Errorf("VPN: %+v", j)
	}
	if j := g.Judge(Query{Addr: netip.MustParseAddr("52.28.1.1")}); j.Location != "DE" || j.Relay {
		t.Errorf("hosting: %+v", j)
	}
}

func TestBadDatabases(t *testing.T) {
	dir := t.TempDir()
	good, err := os.ReadFile(mmdb(t, filepath.Join(dir, "good.mmdb"), "GeoLite2-Country", 6, places))
	if err != nil {
		t.Fatal(err)
	}
	file := func(name string, b []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	corrupt := bytes.Clone(good)
	for i := range len(corrupt) / 2 {
		corrupt[i] = 0xff
	}
	for _, c := range []struct{ path, want string }{
		{filepath.Join(dir, "none.mmdb"), "no such file"},
		{dir, "is a directory"},
		{file("empty.mmdb", nil), "file is empty"},
		{file("short.mmdb", good[:len(good)/3]), "cut short"},
		{file("tail.mmdb", good[len(good)-200:]), "short.mmdb is not it"},
		{file("text.mmdb", []byte("this is no database\n")), "not a MaxMind database"},
		{file("corrupt.mmdb", corrupt), "corrupt"},
		{mmdb(t, filepath.Join(dir, "domain.mmdb"), "GeoIP2-Domain", 6, map[string]mmdbtype.Map{"1.0.0.0/8": {"domain": mmdbtype.String("x.com")}}), "neither country nor network"},
		{mmdb(t, filepath.Join(dir, "odd.mmdb"), "my own", 6, map[string]mmdbtype.Map{"1.0.0.0/8": {"colour": mmdbtype.String("red")}}), "no field for country or network"},
		{file("odd.json", []byte(`{"hello":1}`)), "no list of ranges"},
		{file("broken.json", []byte(`{"prefixes":[`)), "JSON"},
		{file("odd.csv", []byte("a,b,c\n")), "geofeed"},
		{file("short.bin", embedded[:4000]), "checksum"},
	} {
		_, err := New(Config{Databases: []string{c.path}, Verify: true})
		switch {
		case err == nil:
			t.Errorf("%s was taken", c.path)
		case c.want != "short.mmdb is not it" && !strings.Contains(err.Error(), c.want), strings.Contains(err.Error(), "\n"), !strings.Contains(err.Error(), c.path):
			t.Errorf("%s: %v, want one line with %q and the path", c.path, err, c.want)
		}
	}
}

func TestOldDatabasesStayOnError(t *testing.T) {
	path := mmdb(t, filepath.Join(t.TempDir(), "c.mmdb"), "GeoLite2-Country", 6, places)
	g := shipped(t, func(c *Config) { c.Databases = []string{path} })
	q := Query{Addr: netip.MustParseAddr("52.28.1.1")}
	replaceFile(t, path, []byte("damaged"))
	if err := g.Reload(); err == nil {
		t.Error("a damaged file was taken")
	}
	if j := g.Judge(q); j.Location != "FR" {
		t.Errorf("after a failed reload: %s", j.Location)
	}
	mmdb(t, path, "GeoLite2-Country", 6, map[string]mmdbtype.Map{"52.28.0.0/16": {"country": iso("SE")}})
	if err := g.Reload(); err != nil {
		t.Fatal(err)
	}
	if j := g.Judge(q); j.Location != "SE" {
		t.Errorf("after a reload: %s", j.Location)
	}
	if s := g.Stats(); s.Reloads != 1 || s.ReloadsFailed != 1 {
		t.Errorf("%+v", s)
	}
}

// TestSwapUnderLoad is for the race detector.
func TestSwapUnderLoad(t *testing.T) {
	path := mmdb(t, filepath.Join(t.TempDir(), "c.mmdb"), "GeoLite2-Country", 6, places)
	g := shipped(t, func(c *Config) { c.Databases, c.Cache = []string{path}, 64 })
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for n := range 3 {
		wg.Go(func() {
			for i := n; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				j := g.Judge(Query{Addr: netip.AddrFrom4([4]byte{52, 28, byte(i), byte(i >> 8)}), Name: "www.mi.com"})
				if j.Owner.Home != "CN" || j.Location != "FR" && j.Location != "SE" {
					t.Errorf("torn answer: %+v", j)
					return
				}
			}
		})
	}
	for i := range 20 {
		code := []string{"FR", "SE"}[i%2]
		mmdb(t, path, "GeoLite2-Country", 6, map[string]mmdbtype.Map{"52.28.0.0/16": {"country": iso(code)}})
		if err := g.Reload(); err != nil {
			t.Error(err)
		}
		g.LearnNAT64(netip.MustParseAddr("2a00:1::c000:aa"))
	}
	close(stop)
	wg.Wait()
}

func TestReplacementIsNoticed(t *testing.T) {
	path := mmdb(t, filepath.Join(t.TempDir(), "c.mmdb"), "GeoLite2-Country", 6, places)
	g := shipped(t, func(c *Config) { c.Databases = []string{path} })
	done := make(chan error, 1)
	go func() { done <- g.Run(t.Context(), nil) }()
	deadline := time.After(20 * time.Second)
	for g.Stats().Reloads == 0 {
		mmdb(t, path, "GeoLite2-Country", 6, map[string]mmdbtype.Map{"52.28.0.0/16": {"country": iso("SE")}})
		select {
		case err := <-done:
			t.Fatal(err)
		case <-deadline:
			t.Fatal("the new file was not noticed")
		case <-time.After(2 * settle):
		}
	}
	if j := g.Judge(Query{Addr: netip.MustParseAddr("52.28.1.1")}); j.Location != "SE" {
		t.Errorf("after the replacement: %s", j.Location)
	}
}

func TestOverrides(t *testing.T) {
	g := shipped(t, func(c *Config) {
		c.Overrides = []OverrideRule{
			{Prefix: netip.MustParsePrefix("52.28.0.0/16"), Location: "FR"},
			{Prefix: netip.MustParsePrefix("52.28.1.0/24"), Location: "SE", Name: "Ours", Home: "SE"},
			{Prefix: netip.MustParsePrefix("52.28.2.0/24"), Anycast: true},
			{ASN: 13238, Home: "KZ"},
			{Domain: "mi.com", Home: "SG"},
		}
	})
	for _, c := range []struct {
		addr, name      string
		location        Country
		confidence      Confidence
		operator, owner Country
	}{
		{"52.28.9.1", "", "FR", High, "US", ""},
		{"52.28.1.1", "", "SE", High, "SE", ""},
		{"52.28.2.1", "", "", NoIdea, "US", ""},
		{"77.88.55.88", "api.io.mi.com", "RU", Medium, "KZ", "SG"},
		{"77.88.55.88", "www.xiaomi.com", "RU", Medium, "KZ", "CN"},
	} {
		j := g.Judge(Query{Addr: netip.MustParseAddr(c.addr), Name: c.name})
		if j.Location != c.location || j.LocationConfidence != c.confidence || j.Operator.Home != c.operator || j.Owner.Home != c.owner {
			t.Errorf("%s %s: %s %s %s %s", c.addr, c.name, j.Location, j.LocationConfidence, j.Operator.Home, j.Owner.Home)
		}
	}
	for _, bad := range []OverrideRule{{}, {Prefix: netip.MustParsePrefix("10.0.0.0/8"), Location: "DE"}} {
		if _, err := New(Config{Overrides: []OverrideRule{bad}}); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}
