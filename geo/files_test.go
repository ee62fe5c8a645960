package geo

import (
	"bytes"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/net/publicsuffix"

	"picket/geo/rangedb"
)

func TestCompiledRulesAreUpToDate(t *testing.T) {
	got, err := CompileRules(os.DirFS("../configs"), "operators", "owners", "groups")
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile("../configs/operators/" + compiledName)
	if err != nil || !bytes.Equal(got, have) {
		t.Errorf("configs/operators/%s is out of date (%v): go run ./geo/build -rules configs", compiledName, err)
	}
}

func TestShippedRulesAreSound(t *testing.T) {
	r, groups, err := ReadRules(os.DirFS("../configs"), "operators", "owners", "groups")
	if err != nil {
		t.Fatal(err)
	}
	clouds, used := map[string]bool{}, map[string]bool{"makers": true}
	for _, x := range r.Regions {
		clouds[x.Cloud] = true
		if !x.Country.Valid() || x.Label != strings.ToLower(x.Label) {
			t.Errorf("region %+v", x)
		}
	}
	for _, x := range r.Names {
		if used[x.Regions] = true; x.Regions != "" && !clouds[x.Regions] {
			t.Errorf("%s: no regions of %q", x.Suffix, x.Regions)
		}
		checkDomain(t, x.Suffix, x.Home, x.Operator)
	}
	for c := range clouds {
		if !used[c] {
			t.Errorf("regions of %q are nobody's", c)
		}
	}
	seen := map[string]string{}
	for _, x := range r.Owners {
		checkDomain(t, x.Domain, x.Home, x.Name)
		if other, twice := seen[x.Domain]; twice {
			t.Errorf("%s is %s's and %s's", x.Domain, x.Name, other)
		}
		seen[x.Domain] = x.Name
		if x.Source == "" || x.Date == "" {
			t.Errorf("%s: no source or date", x.Domain)
		}
	}
	for _, x := range r.Operators {
		if x.Source == "" || x.Date == "" || !x.Home.Valid() {
			t.Errorf("%+v", x)
		}
	}
	for name, members := range groups {
		if len(members) < 2 || name != strings.ToLower(name) {
			t.Errorf("group %q: %v", name, members)
		}
	}
}

func checkDomain(t *testing.T, d string, home Country, name string) {
	t.Helper()
	suffix, icann := publicsuffix.PublicSuffix(d)
	if d != strings.ToLower(d) || !strings.Contains(d, ".") || icann && suffix == d && !strings.HasPrefix(d, "gov.") && !strings.HasPrefix(d, "nic.") {
		t.Errorf("%q (%s) is no domain that somebody owns", d, name)
	}
	if !home.Valid() || name == "" {
		t.Errorf("%q: %q at home in %q", d, name, home)
	}
}

func TestRulesAreReadStrictly(t *testing.T) {
	for content, want := range map[string]string{
		"operators:\n  - {asn: 1, nam: x}\n":                   "nam",
		"owners:\n  - {name: X, home: XX, domains: [x.com]}\n": "XX",
		"regions:\n  aws: {ZZ: [x-1]}\n":                       "ZZ",
		"groups:\n  a: [RU, UK]\n":                             "UK",
		"sites:\n  - {prefix: 1.2.3.4/99}\n":                   "1.2.3.4",
		"names: [":                                             "",
	} {
		_, _, err := ReadRules(fstest.MapFS{"d/x.yml": {Data: []byte(content)}}, "d")
		if err == nil || !strings.HasPrefix(err.Error(), "d/x.yml") || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", content, err)
		}
	}
	r, g, err := ReadRules(fstest.MapFS{"d/x.yml": {Data: []byte("groups: {north: [NO, SE]}\nregions: {c: {NO: [oslo-1]}}\n")}, "d/compiled.bin": {Data: []byte("\x01\x0aof another")}}, "d")
	if err != nil || len(g["north"]) != 2 || g["north"][0] != "NO" || r.Regions[0].Country != "NO" {
		t.Errorf("Norway: %v %v %v", r, g, err)
	}
}

func TestEmbeddedDatabase(t *testing.T) {
	if n := len(embedded); n > 12<<20 {
		t.Errorf("%d bytes, more than 12 MiB", n)
	}
	if err := rangedb.Verify(embedded); err != nil {
		t.Error(err)
	}
	g := shipped(t, nil)
	for _, c := range []struct {
		addr         string
		asn          uint32
		registration Country
	}{
		{"17.0.0.1", 714, "US"}, {"193.0.6.139", 3333, "NL"}, {"2001:dc3::35", 7500, "JP"}, {"77.88.55.88", 13238, "RU"}, {"202.12.27.33", 7500, "JP"},
	} {
		j := g.Judge(Query{Addr: netip.MustParseAddr(c.addr)})
		if j.Operator.ASN != c.asn || j.Registration != c.registration {
			t.Errorf("%s: AS%d registered %s, want AS%d %s", c.addr, j.Operator.ASN, j.Registration, c.asn, c.registration)
		}
	}
	for _, d := range g.Databases() {
		if d.License == "" || d.Attribution == "" || d.Built.Before(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("%+v", d)
		}
	}
}

func TestImportsNoOtherRoom(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "picket/geo").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, dep := range strings.Fields(string(out)) {
		if strings.HasPrefix(dep, "picket/") && !strings.HasPrefix(dep, "picket/geo") && dep != "picket/spellcheck" && dep != "picket/compact" {
			t.Errorf("geo imports %s", dep)
		}
	}
}
