package geo

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNetworkAtManySites: a network that is anycast throughout has no place
// at prefixes that nobody listed either, IPv6 above all; what the network or
// the operator of picket says of a prefix goes before that.
func TestNetworkAtManySites(t *testing.T) {
	feed := filepath.Join(t.TempDir(), "feed.csv")
	if err := os.WriteFile(feed, []byte("2606:4700:9::/48,JP,,,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	g := shipped(t, func(c *Config) {
		c.Databases = []string{feed}
		c.Overrides = []OverrideRule{{Prefix: netip.MustParsePrefix("2606:4700:8::/48"), Location: "FI", Source: "test", Date: "2026-11-23"}}
	})
	for _, c := range []struct {
		addr     string
		location Country
		anycast  bool
	}{
		{"2606:4700::6810:84e5", "", true},
		{"104.29.1.1", "", true},
		{"2a04:4e42::645", "", true},
		{"2620:fe::fe", "", true},
		{"2001:4860:4860::8888", "", true},
		{"2400:3200::1", "", true},
		{"2606:4700:8::1", "FI", false},
		{"2606:4700:9::1", "JP", false},
		{"2a01:4f8::1", "DE", false},
	} {
		j := g.Judge(Query{Addr: netip.MustParseAddr(c.addr)})
		if j.Location != c.location || j.Anycast != c.anycast {
			t.Errorf("%s: %s, anycast %v; want %s, %v", c.addr, known(j.Location), j.Anycast, known(c.location), c.anycast)
		}
	}
}

func TestOperatorSitesAreOfAKnownKind(t *testing.T) {
	_, err := New(Config{Rules: Rules{Operators: []OperatorRule{{ASN: 64500, Name: "x", Home: "SE", Sites: "somewhere"}}}})
	if err == nil || !strings.Contains(err.Error(), `AS64500: sites "somewhere": want anycast, mixed`) {
		t.Errorf("%v", err)
	}
}

func TestNamesAsPeopleWriteThem(t *testing.T) {
	for in, want := range map[string]string{
		"пример.рф":        "xn--e1afmkfd.xn--p1ai",
		"WWW.Пример.РФ":    "www.xn--e1afmkfd.xn--p1ai",
		"пример.рф.":       "xn--e1afmkfd.xn--p1ai",
		"例子。中国":            "xn--fsqu00a.xn--fiqs8s",
		"Update.MIUI.com.": "Update.MIUI.com.", // ASCII is left as it came
		"\xff.example":     "\xff.example",
		"":                 "",
	} {
		if got := ASCII(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
