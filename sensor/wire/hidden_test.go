package wire

import (
	"net/netip"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

func shippedHiders(t testing.TB) *Hiders {
	t.Helper()
	h, err := LoadHiders(os.DirFS("../../configs/hidden"))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestHidersByName(t *testing.T) {
	h := shippedHiders(t)
	for name, want := range map[string]HiderKind{
		"dns.google":                                    DoH,
		"mozilla.cloudflare-dns.com":                    DoH,
		"cloudflare-dns.com":                            DoH,
		"dns.quad9.net":                                 DoH,
		"abc123.dns.nextdns.io":                         DoH,
		"mask.icloud.com":                               Relay,
		"mask-h2.icloud.com":                            Relay,
		"mask-api.icloud.com":                           Relay,
		"engage.cloudflareclient.com":                   VPN,
		"us-nyc.prod.surfshark.com":                     VPN,
		"wo.vzwwo.com":                                  WiFiCalling,
		"bridges.torproject.org":                        Tor,
		"dns.alidns.com":                                DoH,
		"epdg.epc.mnc260.mcc310.pub.3gppnetwork.org":    WiFiCalling,
		"ss.epdg.epc.mnc045.mcc404.pub.3gppnetwork.org": WiFiCalling,

		"":                                      NotHidden,
		"google":                                NotHidden,
		"www.google.com":                        NotHidden,
		"notdns.google":                         NotHidden,
		"xdns.google":                           NotHidden,
		"icloud.com":                            NotHidden,
		"notmask.icloud.com":                    NotHidden,
		"www.quad9.net":                         NotHidden,
		"nordvpn.com":                           NotHidden,
		"evilcloudflare-dns.com":                NotHidden,
		"cloudflare-dns.com.xy":                 NotHidden,
		"pub.3gppnetwork.org":                   NotHidden,
		"bsf.mnc260.mcc310.pub.3gppnetwork.org": NotHidden,
		"notepdg.epc.mnc260.mcc310.pub.3gppnetwork.org":      NotHidden,
		"epdg.epc.mnc260.mcc310.pub.3gppnetwork.org.evil.io": NotHidden,
	} {
		if got, ok := h.ByName(name); got.Kind != want || ok != (want != NotHidden) {
			t.Errorf("ByName(%q) = %v, %v; want %v", name, got, ok, want)
		}
	}
}

func TestHidersByAddr(t *testing.T) {
	h := shippedHiders(t)
	for addr, want := range map[string]string{
		"8.8.8.8":              "Google Public DNS",
		"::ffff:8.8.8.8":       "Google Public DNS",
		"2001:4860:4860::8844": "Google Public DNS",
		"45.90.28.17":          "NextDNS",
		"162.159.192.9":        "Cloudflare WARP",
		"223.5.5.5":            "AliDNS",
		"8.8.8.9":              "",
		"10.0.0.1":             "",
	} {
		if got, _ := h.ByAddr(netip.MustParseAddr(addr)); got.Name != want {
			t.Errorf("ByAddr(%s) = %q, want %q", addr, got.Name, want)
		}
	}
	if _, ok := h.ByAddr(netip.Addr{}); ok {
		t.Error("the zero address is listed")
	}
	var none *Hiders
	if _, ok := none.ByAddr(netip.MustParseAddr("8.8.8.8")); ok {
		t.Error("a nil Hiders lists something")
	}
}

func TestHiderSeen(t *testing.T) {
	h := shippedHiders(t)
	google, _ := h.ByName("dns.google")
	quad9, _ := h.ByName("dns.quad9.net")
	relay, _ := h.ByName("mask.icloud.com")
	for _, c := range []struct {
		h    Hider
		udp  bool
		port uint16
		want HiderKind
	}{
		{google, true, 53, NotHidden},
		{google, false, 53, NotHidden},
		{google, false, 443, DoH},
		{google, true, 443, DoH}, // over HTTP/3
		{google, false, 853, DoT},
		{google, true, 853, NotHidden},
		{quad9, true, 853, DoQ},
		{relay, true, 443, Relay},
	} {
		if got := c.h.Seen(c.udp, c.port); got != c.want {
			t.Errorf("%s udp=%v port %d: %v, want %v", c.h.Name, c.udp, c.port, got, c.want)
		}
	}
}

func TestLoadHidersRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"services:\n- service: a\n  kinds: [doh]\n  names: [a.b]\n  source: s\n  colour: red\n": "colour",
		"services:\n- service: a\n  kinds: [dah]\n  names: [a.b]\n  source: s\n":                `kind "dah"`,
		"services:\n- service: a\n  kinds: [doh]\n  names: [A.b]\n  source: s\n":                `name "A.b"`,
		"services:\n- service: a\n  kinds: [doh]\n  names: [b]\n  source: s\n":                  `name "b"`,
		"services:\n- service: a\n  kinds: [doh]\n  names: [a.b, a.b]\n  source: s\n":           "listed twice",
		"services:\n- service: a\n  kinds: [doh]\n  addresses: [1.2.3]\n  source: s\n":          `address "1.2.3"`,
		"services:\n- service: a\n  kinds: [doh]\n  addresses: [1.2.3.4/8]\n  source: s\n":      "bits after",
		"services:\n- service: a\n  kinds: [doh]\n  addresses: [::1, '::1/128']\n  source: s\n": "listed twice",
		"services:\n- service: a\n  kinds: [doh]\n  names: [a.b]\n":                             "no source",
		"services:\n- service: a\n  kinds: [doh]\n  source: s\n":                                "neither",
		"services:\n- service: a\n  names: [a.b]\n  source: s\n":                                "no kinds",
		"services:\n- kinds: [doh]\n  names: [a.b]\n  source: s\n":                              "no service",
		"services: 5\n": "x.yml",
	} {
		_, err := LoadHiders(fstest.MapFS{"x.yml": {Data: []byte(text)}})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "x.yml") {
			t.Errorf("%q: %v, want an error with %q and the file", text, err, want)
		}
	}
	if _, err := LoadHiders(fstest.MapFS{}); err == nil {
		t.Error("an empty directory is taken")
	}
}

func TestHidersAllocateNothing(t *testing.T) {
	h := shippedHiders(t)
	addr := netip.MustParseAddr("203.0.113.7")
	if n := testing.AllocsPerRun(100, func() {
		h.ByName("a.b.example.com")
		h.ByName("epdg.epc.mnc260.mcc310.pub.3gppnetwork.org")
		h.ByAddr(addr)
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func FuzzHiders(f *testing.F) {
	h := shippedHiders(f)
	for _, name := range []string{"dns.google", "epdg.epc.mnc260.mcc310.pub.3gppnetwork.org", "..", "mnc1.mcc1.pub.3gppnetwork.org"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if hider, ok := h.ByName(name); ok && hider.Kind == NotHidden {
			t.Errorf("%q: listed as nothing", name)
		}
	})
}

func BenchmarkHidersByName(b *testing.B) {
	h := shippedHiders(b)
	b.ReportAllocs()
	for b.Loop() {
		h.ByName("connectivitycheck.platform.hicloud.com")
	}
}

func BenchmarkHidersByAddr(b *testing.B) {
	h := shippedHiders(b)
	addr := netip.MustParseAddr("203.0.113.7")
	b.ReportAllocs()
	for b.Loop() {
		h.ByAddr(addr)
	}
}
