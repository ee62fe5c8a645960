package alerts

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

const fullPolicy = `
name: maker-x-to-country-y
severity: page
severity_at: {likely: ticket}
severities: {tried: observe, identifier: page, hidden: ticket, seen: off}
devices:    {makers: [xiaomi], models: ["Redmi*"], groups: [oppo-group], class: [handset, tablet], confidence: likely, families: [dhcp]}
restricted: {countries: [CN, eu], basis: [location, operator, owner], owners: [same-as-maker], plane: [os, app], location_confidence: high}
threshold:  {sent: 1KiB, within: 10m, count: payload}
quiet: 2h
hours: {days: [mon-fri], from: "08:00", to: "18:00", timezone: Europe/Oslo}
zones: {vlans: [10, 20], networks: [10.1.0.0/16]}
except:
  macs: ["02:00:5e:00:53:01"]
  devices: [{value: d-0123456789ab, until: 2026-12-31, comment: lab phone}]
  names: [updates.example.com]
  servers: [203.0.113.9]
  networks: [10.1.9.0/24]
examples:
  - {name: firmware talks home, device: {maker: xiaomi, families: [dhcp], vlan: 10, address: 10.1.2.3}, server: {location: CN, maker: xiaomi, plane: os}, want: page}
  - {name: only likely, device: {maker: xiaomi, confidence: likely, families: [dhcp], vlan: 10, address: 10.1.2.3}, server: {location: CN, maker: xiaomi, plane: os}, want: ticket}
  - {name: on a Sunday, at: "2026-03-01T12:00:00Z", device: {maker: xiaomi, families: [dhcp], vlan: 10, address: 10.1.2.3}, server: {location: CN, maker: xiaomi, plane: os}, want: nothing}
  - {name: the news, device: {maker: xiaomi, families: [dhcp], vlan: 10, address: 10.1.2.3}, server: {location: CN, plane: web}, want: nothing}
  - {name: an exempt server, device: {maker: xiaomi, families: [dhcp], vlan: 10, address: 10.1.2.3}, server: {address: 203.0.113.9, location: CN, maker: xiaomi, plane: os}, want: nothing}
  - {name: an exempt name, device: {maker: xiaomi, families: [dhcp], vlan: 10, address: 10.1.2.3}, server: {name: a.updates.example.com, location: CN, maker: xiaomi, plane: os}, want: nothing}
  - {name: IMEI, device: {maker: realme, families: [dhcp], vlan: 20, address: 10.1.2.3}, server: {owner: SE, maker: oppo-group, plane: app}, identifier: imei, sent: 100, want: page}
`

func parsePolicy(t *testing.T, text string) (Policy, error) {
	t.Helper()
	var p Policy
	if err := decodeYAML(text, &p); err != nil {
		return p, err
	}
	return p, p.Validate()
}

func TestSentence(t *testing.T) {
	p, err := parsePolicy(t, fullPolicy)
	if err != nil {
		t.Fatal(err)
	}
	r := compile(t, p)[0]
	want := "maker-x-to-country-y: page when a handset or tablet of xiaomi or oppo-group, or model Redmi*, at least likely and with evidence from dhcp" +
		" sends at least 1 KiB (handshakes apart) within 10m to CN, eu by location, operator or owner (location known at high confidence or better)," +
		" to servers of the device's own maker, by names of the os or app plane, mon-fri from 08:00 to 18:00 Europe/Oslo, in VLAN 10 or 20 and network 10.1.0.0/16;" +
		" resolved after 2h without data. (tried: observe, connected: observe, hidden: ticket, identifier: page, if only likely: ticket at most)" +
		" Not for mac 02:00:5e:00:53:01. Not for network 10.1.9.0/24. Not for name updates.example.com. Not for device d-0123456789ab (lab phone) until 2026-12-31. Not for server 203.0.113.9."
	if got := r.Sentence(); got != want {
		t.Errorf("sentence:\n%s\nwant:\n%s", got, want)
	}
	results, err := r.RunExamples()
	if err != nil || len(results) != 7 {
		t.Fatalf("%d results, %v", len(results), err)
	}
	for _, x := range results {
		if !x.OK() {
			t.Errorf("%s: %s, want %s (%s)", x.Name, x.Got, x.Want, x.Why)
		}
	}
}

func TestDefaults(t *testing.T) {
	p, err := parsePolicy(t, "name: p\ndevices: {makers: xiaomi}\nrestricted: {countries: CN}")
	if err != nil {
		t.Fatal(err)
	}
	want := "p: note, telling nobody, when a handset of xiaomi, at least certain sends at least 1 KiB (handshakes apart) within 10m" +
		" to CN by location, operator or owner (location known at medium confidence or better); resolved after 2h without data." +
		" (tried: observe, connected: observe, hidden: observe, identifier: observe)"
	if got := compile(t, p)[0].Sentence(); got != want {
		t.Errorf("sentence:\n%s\nwant:\n%s", got, want)
	}
}

func TestMistakesSayWhere(t *testing.T) {
	for text, want := range map[string]string{
		"name: p\nseverity: pgae":                                       `severity "pgae" is not known; did you mean "page"?`,
		"name: p\nthreshold: {sent: 1Kb}":                               `size "1Kb": want bytes`,
		"name: p\nquiet: 2":                                             `duration "2": want a number and a unit`,
		"name: p\ndevices: {class: [phone]}":                            `class "phone" is not known`,
		"name: p\ndevices: {confidence: sure}":                          `confidence "sure" is not known`,
		"name: p\ndevices: {makres: [xiaomi]}":                          `unknown field "makres"`,
		"name: p\ndevices: {models: [\"[\"]}":                           `pattern "["`,
		"name: p\nrestricted: {basis: [locaton]}":                       `did you mean "location"?`,
		"name: p\nrestricted: {countries: [XQ]}":                        `"XQ" is not a code`,
		"name: p\nrestricted: {match: some}":                            `match "some" is not known`,
		"name: p\nexcept: {macs: [\"1:2\"]}":                            `MAC address "1:2"`,
		"name: p\nexcept: {networks: [10.0.0.1/8]}":                     `did you mean 10.0.0.0/8?`,
		"name: p\nexcept: {devices: [{value: d-0123456789ab, til: 1}]}": `unknown field "til"`,
		"name: p\nhours: {from: \"25:00\"}":                             `time of day "25:00"`,
		"name: P Q":                                                     `want lower-case letters`,
		"name: p\nseverity: off":                                        `remove the policy instead`,
	} {
		_, err := parsePolicy(t, text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
		var syntax *yaml.SyntaxError
		var field *FieldError
		var unknown *yaml.UnknownFieldError
		if err != nil && !errors.As(err, &syntax) && !errors.As(err, &field) && !errors.As(err, &unknown) && !strings.Contains(want, "XQ") {
			t.Errorf("%q: %T does not say where", text, err)
		}
	}
}

func TestWarnings(t *testing.T) {
	until, _ := ParseDate("2026-01-31")
	soonUntil, _ := ParseDate("2026-03-09")
	p := Policy{Name: "p", Devices: Devices{Makers: OneOrMore[string]{"xiomi", "huawei"}}, Quiet: 1,
		Except: Except{Networks: []Exemption{{Value: "0.0.0.0/0"}, {Value: "10.9.0.0/16", Until: until}, {Value: "10.8.0.0/16", Until: soonUntil}}}}
	got := strings.Join(compile(t, p)[0].Warnings(known().Makers, start), "\n")
	for _, want := range []string{
		`it can never match: no signature knows the maker "xiomi", did you mean "xiaomi"?`,
		"devices known only as huawei-or-honor stay undecided: name all of huawei and honor",
		"restricts no country", "quiet 1ns is shorter than within", "0.0.0.0/0 covers everything",
		"exemption 10.9.0.0/16 ended on 2026-01-31", "exemption 10.8.0.0/16 ends on 2026-03-09",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("warnings lack %q:\n%s", want, got)
		}
	}
	if w := compile(t, xiaomiToCN())[0].Warnings(known().Makers, start); len(w) != 0 {
		t.Errorf("warnings about a good policy: %q", w)
	}
}

func TestSizesAndDurations(t *testing.T) {
	for text, want := range map[string]Size{"1": 1, "1KiB": 1024, "1.5 KiB": 1536, "2kB": 2000, "20MiB": 20 << 20} {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("ParseSize(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
	for text, want := range map[string]time.Duration{"90s": 90 * time.Second, "7d": 168 * time.Hour, "1w2d3h": 219 * time.Hour, "1h30m": 90 * time.Minute} {
		got, err := ParseDuration(text)
		if err != nil || time.Duration(got) != want {
			t.Errorf("ParseDuration(%q) = %s, %v; want %s", text, got, err, want)
		}
		if back, err := ParseDuration(got.String()); err != nil || back != got {
			t.Errorf("%s does not read back: %s, %v", got, back, err)
		}
	}
	for _, bad := range []string{"", "-1h", "2", "400d", "d", "1d1d"} {
		if _, err := ParseDuration(bad); err == nil {
			t.Errorf("ParseDuration(%q) succeeds", bad)
		}
	}
	for _, bad := range []string{"", "-1", "1.5", "1e30", "NaN", "KiB"} {
		if _, err := ParseSize(bad); err == nil {
			t.Errorf("ParseSize(%q) succeeds", bad)
		}
	}
}

func TestHoursOverMidnight(t *testing.T) {
	h := Hours{Days: OneOrMore[string]{"fri"}, From: "22:00", To: "06:00"}
	s, err := h.compile()
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{
		"2026-03-06T21:59:59Z": false, "2026-03-06T22:00:00Z": true, "2026-03-07T05:59:59Z": true,
		"2026-03-07T06:00:00Z": false, "2026-03-07T23:00:00Z": false, "2026-03-06T03:00:00Z": false,
	} {
		at, _ := time.Parse(time.RFC3339, text)
		if got := s.contains(at); got != want {
			t.Errorf("friday 22:00 to 06:00 contains %s: %v, want %v", text, got, want)
		}
	}
}

func TestGroupsOfMakers(t *testing.T) {
	for _, c := range []struct {
		makers []string
		maker  string
		want   bool
	}{
		{[]string{"oppo-group"}, "realme", true}, {[]string{"oppo"}, "oppo-group", false},
		{[]string{"oppo", "realme", "oneplus"}, "oppo-group", true}, {[]string{"huawei"}, "huawei-or-honor", false},
		{[]string{"huawei", "honor"}, "huawei-or-honor", true}, {[]string{"any"}, "whoever", true},
	} {
		p := xiaomiToCN()
		p.Devices.Makers = c.makers
		s, why := compile(t, p)[0].Standing(phone(dev, c.maker, 3), start)
		if (s == Prohibited) != c.want {
			t.Errorf("%v and a device of %s: %d (%s)", c.makers, c.maker, s, why)
		}
	}
}

func TestTryReplaysThePast(t *testing.T) {
	w := newWorld(t, worldConfig{})
	w.send(phone(dev, "xiaomi", 3), inCN, start, 2000)
	w.send(phone("d-00000000beef", "xiaomi", 3), inCN, start.Add(time.Hour), 9000)
	w.pass(start.Add(time.Hour), 5*time.Hour)
	high := xiaomiToCN()
	high.Threshold.Sent = 5000
	rules := compile(t, high)
	list, err := Try(rules, w.geo, w.episodes(), start.Add(48*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	got := Look(rules, list)[0].Words(5)
	want := "xiaomi-to-cn would have paged 1 device, written tickets for 0 devices and noted 1 device; these first:\n  page   Xiaomi handset d-00000000beef, certain, sent 8.8 KiB"
	if !strings.HasPrefix(got, want) {
		t.Errorf("outlook:\n%s\nwant:\n%s", got, want)
	}
}

// TestZeroIsRefused: a zero would be read as the default, and watch less than
// its author meant.
func TestZeroIsRefused(t *testing.T) {
	for _, text := range []string{"threshold: {sent: 0}", "threshold: {sent: 0KiB}", "threshold: {within: 0s}", "hidden: {sent: 0}", "devices: {confidence: none}", "zones: {vlans: [4095]}", "zones: {vlans: [0]}"} {
		if _, err := parsePolicy(t, "name: p\n"+text+"\n"); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
	if p, err := parsePolicy(t, "name: p\nthreshold: {sent: 1, within: 1s}\nquiet: 1s\n"); err != nil || p.Threshold.Sent != 1 || p.Quiet != Duration(time.Second) {
		t.Errorf("%+v: %v", p, err)
	}
	if _, err := parsePolicy(t, "name: p\nthreshhold: {sent: 1}\n"); err == nil || !strings.Contains(err.Error(), "threshhold") {
		t.Errorf("an unknown key: %v", err)
	}
}

// TestUnseenZones: zones where no device can be are warned of.
func TestUnseenZones(t *testing.T) {
	p := xiaomiToCN()
	p.Zones.Networks = OneOrMore[Prefix]{{netip.MustParsePrefix("203.0.113.0/24")}, {netip.MustParsePrefix("10.1.0.0/16")}}
	p.Zones.Realms = OneOrMore[string]{"default", "guets"}
	got := compile(t, p)[0].Unseen([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, []string{"default", "guests"})
	want := []string{"xiaomi-to-cn: zone 203.0.113.0/24 is outside home_networks: no device is there", "xiaomi-to-cn: no realm is named guets: no device is there"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
