package geo

import (
	"fmt"
	"net/netip"
	"testing"
)

// RFC 6052, section 2.4: 192.0.2.33 in prefixes of every length.
var rfc6052 = []struct{ prefix, addr string }{
	{"2001:db8::/32", "2001:db8:c000:221::"},
	{"2001:db8:100::/40", "2001:db8:1c0:2:21::"},
	{"2001:db8:122::/48", "2001:db8:122:c000:2:2100::"},
	{"2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"},
	{"2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100:0"},
	{"2001:db8:122:344::/96", "2001:db8:122:344::c000:221"},
}

func TestNAT64EveryLength(t *testing.T) {
	want := netip.MustParseAddr("192.0.2.33")
	for _, c := range rfc6052 {
		p := netip.MustParsePrefix(c.prefix)
		if got, ok := inner(netip.MustParseAddr(c.addr), []netip.Prefix{p}); !ok || got != want {
			t.Errorf("%s in %s: %s %v", c.addr, p, got, ok)
		}
	}
}

func TestTunnelledAddresses(t *testing.T) {
	for in, want := range map[string]string{
		"64:ff9b::808:808":                     "8.8.8.8",
		"2002:808:808::1":                      "8.8.8.8",
		"2001:0:4136:e378:8000:63bf:3fff:fdd2": "192.0.2.45", // RFC 4380, section 4
		"::ffff:8.8.8.8":                       "8.8.8.8",
		"2001:4860:4860::8888":                 "2001:4860:4860::8888",
		"64:ff9b:1::808:808":                   "64:ff9b:1::808:808", // local use: only when configured
		"2001:200:dff:fff1:216:3eff:feb1:44d7": "2001:200:dff:fff1:216:3eff:feb1:44d7",
	} {
		if got, _ := inner(netip.MustParseAddr(in), nil); got.String() != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestBothAddressesAreShown(t *testing.T) {
	g := shipped(t, nil)
	plain := g.Judge(Query{Addr: netip.MustParseAddr("77.88.55.88")})
	for _, s := range []string{"64:ff9b::4d58:3758", "2002:4d58:3758::1"} {
		outer := netip.MustParseAddr(s)
		j := g.Judge(Query{Addr: outer})
		if j.Addr != plain.Addr || j.Outer != outer || j.Location != plain.Location || j.Operator != plain.Operator {
			t.Errorf("%s: %+v, want the answers of %s", s, j, plain.Addr)
		}
	}
	if plain.Outer.IsValid() || plain.Location != "RU" {
		t.Errorf("77.88.55.88: %+v", plain)
	}
}

func TestLearnNAT64(t *testing.T) {
	g := shipped(t, nil)
	server := netip.MustParseAddr("2001:67c:2b0:db32:0:1:4d58:3758")
	if j := g.Judge(Query{Addr: server}); j.Outer.IsValid() {
		t.Fatalf("translated before it was learnt: %+v", j)
	}
	p, fresh := g.LearnNAT64(netip.MustParseAddr("2001:67c:2b0:db32:0:1:c000:aa"))
	if want := netip.MustParsePrefix("2001:67c:2b0:db32:0:1::/96"); p != want || !fresh {
		t.Fatalf("learnt %s %v, want %s", p, fresh, want)
	}
	if _, again := g.LearnNAT64(netip.MustParseAddr("2001:67c:2b0:db32:0:1:c000:ab")); again {
		t.Error("learnt twice")
	}
	if j := g.Judge(Query{Addr: server}); j.Addr != netip.MustParseAddr("77.88.55.88") || j.Location != "RU" {
		t.Errorf("after learning: %+v", j)
	}
	for _, no := range []string{"64:ff9b::c000:aa", "2001:db8::1", "192.0.0.170", "::ffff:192.0.0.170"} {
		if _, ok := g.LearnNAT64(netip.MustParseAddr(no)); ok {
			t.Errorf("learnt from %s", no)
		}
	}
}

func TestLearntNAT64IsBounded(t *testing.T) {
	g := shipped(t, func(c *Config) { c.NAT64 = []netip.Prefix{netip.MustParsePrefix("2001:db8:64::/96")} })
	for i := range 100 {
		g.LearnNAT64(netip.MustParseAddr(fmt.Sprintf("2a00:%x::c000:aa", i+1)))
	}
	if s := g.Stats(); s.NAT64Learnt != maxLearnt || s.NAT64Refused != 100-maxLearnt {
		t.Errorf("learnt %d, refused %d", s.NAT64Learnt, s.NAT64Refused)
	}
}

func TestLearnNAT64EveryLength(t *testing.T) {
	for _, c := range []struct{ answer, prefix string }{
		{"2a00:1:c000:aa::", "2a00:1::/32"},
		{"2a00:1:1c0:0:aa::", "2a00:1:100::/40"},
		{"2a00:1:122:c000:0:aa00::", "2a00:1:122::/48"},
		{"2a00:1:122:3c0:0:aa::", "2a00:1:122:300::/56"},
		{"2a00:1:122:344:c0:0:aa00::", "2a00:1:122:344::/64"},
		{"2a00:1:122:344::c000:aa", "2a00:1:122:344::/96"},
	} {
		g := shipped(t, nil)
		if p, ok := g.LearnNAT64(netip.MustParseAddr(c.answer)); !ok || p.String() != c.prefix {
			t.Errorf("%s: %s %v, want %s", c.answer, p, ok, c.prefix)
		}
	}
}

func TestNAT64LengthIsChecked(t *testing.T) {
	for _, s := range []string{"2001:db8::/33", "10.0.0.0/8", "2001:db8::/128"} {
		if _, err := New(Config{NAT64: []netip.Prefix{netip.MustParsePrefix(s)}}); err == nil {
			t.Errorf("%s was taken", s)
		}
	}
}
