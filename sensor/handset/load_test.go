package handset

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

const tinyRules = `prior: 0.08
discount: 0.6
weight: 1.5
bands: {weak: 0.60, likely: 0.90, certain: 0.99}
names: {exclusive: 3.5, likely: 1.8, copied: 0.9, app: 0.3, cap: 5.0, cap_likely: 4.2, cap_app: 0.8}
dhcp: {exclusive: 6.0, likely: 3.2, weak: 0.8}
half_life: {names: 168}
counter: 1.5
platform_cap: 2.4
rival: {identity: 1.5, names: 3.0}
aggregator: 3
forwarder: 5
form: 1.0
items: 8
enough: 4
search_suffixes: [home]
`

const tinyMaker = `maker: acme
company: Acme
home: NO
owns:
  - domains: [acme.com]
    source: itself
signatures:
  - id: acme.updater
    names: [update.acme.com, ota-*.acme.com]
    plane: os
    strength: exclusive
    form: phone
    verified: device
    source: our laboratory
    says: asks Acme's updater
`

func tiny(change ...string) fs.FS {
	m, r := tinyMaker, tinyRules
	for i := 0; i+1 < len(change); i += 2 {
		m, r = strings.Replace(m, change[i], change[i+1], 1), strings.Replace(r, change[i], change[i+1], 1)
	}
	return fstest.MapFS{"rules.yml": {Data: []byte(r)}, "acme.yml": {Data: []byte(m)}}
}

func TestLoadErrors(t *testing.T) {
	for name, x := range map[string]struct {
		old, new, want string
	}{
		"unknown key":      {"strength:", "strenght:", "acme.yml:11: strenght: unknown key; nearest is strength"},
		"unknown rule":     {"discount:", "discuont:", "rules.yml:2: discuont: unknown key; nearest is discount"},
		"plane":            {"plane: os", "plane: oz", `acme.yml:10: plane: unknown "oz"; want one of web, app, os`},
		"strength":         {"strength: exclusive", "strength: exclusiv", `acme.yml:11: strength: unknown "exclusiv"; want one of`},
		"form":             {"form: phone", "form: fone", `acme.yml:12: form: unknown "fone"; nearest is phone`},
		"verified":         {"verified: device", "verified: maybe", `acme.yml:13: verified: unknown "maybe"`},
		"no source":        {"source: our laboratory", "source: ''", "acme.yml:8: source: every entry says where it is from"},
		"no words":         {"says: asks Acme's updater", "says: ''", "acme.yml:8: says: every entry says"},
		"bad expression":   {"names: [update.acme.com, ota-*.acme.com]\n    plane: os", "hostname: ['acme[']", "acme.yml:9: hostname: bad regular expression"},
		"public suffix":    {"ota-*.acme.com", "'*.com'", "acme.yml:9: names: \"*.com\": com is a public suffix"},
		"no name":          {"ota-*.acme.com", "'a b'", `acme.yml:9: names: "a b" is no host name`},
		"twice":            {"ota-*.acme.com", "update.acme.com", "acme.yml:9: names: update.acme.com is in another entry"},
		"country":          {"home: NO", "home: Norway", `acme.yml:3: home: "Norway" is no country code`},
		"system":           {"home: NO", "home: NO\nsystem: andriod", `acme.yml:4: system: unknown "andriod"`},
		"two kinds":        {"plane: os", "hostname: [x]", "acme.yml:8: hostname: an entry has one kind of pattern, and this one has names"},
		"no pattern":       {"names: [update.acme.com, ota-*.acme.com]\n    plane: os", "", "acme.yml:8: no pattern"},
		"maker":            {"maker: acme", "maker: Acme!", "acme.yml:1: maker: want a lower-case word"},
		"prior":            {"prior: 0.08", "prior: 0.9", "rules.yml: prior: 0.9 is not between"},
		"not YAML":         {"maker: acme", "maker: [", "acme.yml:"},
		"id":               {"id: acme.updater", "id: Acme Updater", "acme.yml:8: id: want lower-case"},
		"strength and app": {"plane: os", "plane: app", "acme.yml:8: strength: names of the app plane have none"},
	} {
		_, err := Load(tiny(x.old, x.new))
		if err == nil || !strings.HasPrefix(err.Error(), x.want) {
			t.Errorf("%s: %v, want %s", name, err, x.want)
		}
	}
	two := tiny().(fstest.MapFS)
	two["beta.yml"] = &fstest.MapFile{Data: []byte(strings.NewReplacer("acme.com", "beta.com", "maker: acme", "maker: beta").Replace(tinyMaker))}
	if _, err := Load(two); err == nil || err.Error() != "beta.yml:8: id: acme.updater is taken by another entry" {
		t.Errorf("duplicate id: %v", err)
	}
	two["oui.tsv"] = &fstest.MapFile{Data: []byte("acme handset 04CF8G\n")}
	delete(two, "beta.yml")
	if _, err := Load(two); err == nil || !strings.HasPrefix(err.Error(), `oui.tsv:1: "04CF8G": want 6, 7 or 9`) {
		t.Errorf("bad prefix: %v", err)
	}
	if _, err := Load(fstest.MapFS{}); err == nil {
		t.Error("an empty directory is no signature set")
	}
}

func TestNorwayStaysNorway(t *testing.T) {
	s, err := Load(tiny())
	if err != nil {
		t.Fatal(err)
	}
	if o := s.Owners(); len(o) != 1 || o[0] != (Owner{"acme.com", "Acme", "NO", "itself"}) {
		t.Errorf("owners %v", o)
	}
}

func overlayOf(text string) fs.FS { return fstest.MapFS{"site.yml": {Data: []byte(text)}} }

func TestOverlay(t *testing.T) {
	plain, err := Load(tiny())
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	seen := []Evidence{{At: at, Family: "dns", Field: "qname", Value: "update.acme.com"}}
	if v := judge(plain, Network{}, seen); v.Confidence != Weak {
		t.Fatalf("without overlay: %v", v.Confidence)
	}
	const off = "change:\n  - id: acme.updater\n    disable: true\n    reason: our own server is named alike\n"
	for name, x := range map[string]struct {
		text string
		want Confidence
		says string
	}{
		"disabled":            {off, None, "disabled here: our own server is named alike"},
		"disabled until then": {off + "    expires: 2026-06-01\n", None, "disabled here"},
		"expired":             {off + "    expires: 2026-05-31\n", Weak, "asks Acme's updater"},
		"weakened":            {"change:\n  - id: acme.updater\n    strength: likely\n    reason: seen elsewhere\n", None, "weakened here: seen elsewhere"},
		"weakened to app":     {"change:\n  - id: acme.updater\n    strength: app\n    reason: seen elsewhere\n", None, "weakened here: seen elsewhere"},
	} {
		s, err := Load(tiny(), overlayOf(x.text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		v := judge(s, Network{}, seen)
		if v.Confidence != x.want || len(v.Reasons) == 0 || !strings.Contains(v.Reasons[0].Text, x.says) {
			t.Errorf("%s: %v %v, want %v and %q", name, v.Confidence, v.Reasons, x.want, x.says)
		}
		if s.Hash() == plain.Hash() {
			t.Errorf("%s: the hash is that of the set without overlay", name)
		}
	}
	const more = "add:\n  - id: site.acme\n    maker: acme\n    hostname: ['^acme-']\n    strength: likely\n    verified: device\n    source: our lab\n    says: is one of ours\n    reason: enrolled\n    expires: 2026-06-30\n"
	s, err := Load(tiny(), overlayOf(more))
	if err != nil {
		t.Fatal(err)
	}
	host := []Evidence{{At: at, Family: "dhcp", Field: "hostname", Value: "acme-1"}}
	if v := judge(s, Network{}, host); v.Confidence != Weak || v.Maker != "acme" {
		t.Errorf("added entry: %v %v", v.Maker, v.Confidence)
	}
	host[0].At = at.AddDate(0, 2, 0)
	if v := judge(s, Network{}, host); v.Confidence != None || v.Maker != "" {
		t.Errorf("added entry, expired: %v %v", v.Maker, v.Confidence)
	}
}

func TestOverlayErrors(t *testing.T) {
	for text, want := range map[string]string{
		"change:\n  - id: acme.updatr\n    disable: true\n    reason: x\n":                                      `site.yml:2: id: unknown "acme.updatr"`,
		"change:\n  - id: acme.updater\n    disable: true\n":                                                    "site.yml:2: reason:",
		"change:\n  - id: acme.updater\n    reason: x\n":                                                        "site.yml:2: acme.updater: want either",
		"change:\n  - id: acme.updater\n    disable: true\n    reason: x\n    expires: soon\n":                  `site.yml:5: expires: "soon" is no date`,
		"change:\n  - id: acme.web1\n    strength: exclusive\n    reason: x\n":                                  "site.yml:3: strength: acme.web1 is none; an overlay can only weaken",
		"add:\n  - id: a\n    maker: acne\n    hostname: [x]\n    reason: x\n":                                  `site.yml:3: maker: unknown "acne"`,
		"add:\n  - id: a\n    maker: acme\n    hostname: [x]\n    strength: weak\n    source: x\n    says: x\n": "site.yml:2: reason:",
		"changes: []\n": "site.yml:1: changes: unknown key; nearest is change",
	} {
		if _, err := Load(tiny(), overlayOf(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(tinyMaker), []byte("change:\n  - id: acme.updater\n    disable: true\n    reason: x\n"))
	f.Fuzz(func(t *testing.T, maker, overlay []byte) {
		set := fstest.MapFS{"rules.yml": {Data: []byte(tinyRules)}, "m.yml": {Data: maker}}
		s, err := Load(set, fstest.MapFS{"o.yml": {Data: overlay}})
		if err == nil {
			s.Examples()
			s.Name("update.acme.com")
		}
	})
}
