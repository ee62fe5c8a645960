package alerts

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"picket/evidence"
	"picket/sensor"
	"picket/sensor/device"
	"picket/sensor/handset"
	"picket/sensor/observation"
)

const dev = device.ID("d-0123456789ab")

func TestOneEpisodeFromFirstByteToQuiet(t *testing.T) {
	w := newWorld(t, worldConfig{})
	v := phone(dev, "xiaomi", handset.Certain)
	w.send(v, inCN, start, 500)
	w.wantTold() // below the threshold
	w.send(v, inCN, start.Add(time.Minute), 524)
	w.wantTold("opened page xiaomi-to-cn d-0123456789ab 1024")
	w.send(v, inCN, start.Add(2*time.Minute), 1)
	w.send(v, inNO, start.Add(3*time.Minute), 1<<20) // not restricted
	w.pass(start.Add(3*time.Minute), 3*time.Hour)
	w.wantTold("opened page xiaomi-to-cn d-0123456789ab 1024", "resolved page xiaomi-to-cn d-0123456789ab 1025: quiet")
	list := w.episodes()
	if len(list) != 1 {
		t.Fatalf("%d episodes, want 1", len(list))
	}
	e := list[0]
	if e.Sent != 1025 || !e.First.Equal(start) || !e.Closed.Equal(start.Add(2*time.Hour+2*time.Minute)) {
		t.Errorf("sent %d first %s closed %s", e.Sent, e.First, e.Closed)
	}
	want := "Xiaomi handset d-0123456789ab, certain, sent 1.0 KiB (1.0 KiB without handshakes) to CN by location and operator, most of it to api.example.com 203.0.113.7:443 (located in CN at high confidence, operated by Example Cloud of CN), since 2026-03-02T09:00:00Z; access point ap-7, SSID campus (radius)."
	if e.Sentence != want {
		t.Errorf("sentence:\n%s\nwant:\n%s", e.Sentence, want)
	}
}

func TestHandshakesDoNotCount(t *testing.T) {
	w := newWorld(t, worldConfig{})
	tr := transfer(phone(dev, "xiaomi", handset.Certain), inCN, start, 1<<20)
	tr.Handshake = 1<<20 - 1023
	w.judge.Transfer(tr)
	w.wantTold()
	if list := w.episodes(); len(list) != 1 || list[0].Condition != evidence.Connected || list[0].Severity != "observe" {
		t.Errorf("episodes %+v, want one observed, connected", list)
	}
	p := xiaomiToCN()
	p.Threshold.Count = all
	w = newWorld(t, worldConfig{policies: []Policy{p}})
	w.judge.Transfer(tr)
	w.wantTold("opened page xiaomi-to-cn d-0123456789ab 1048576")
}

func TestHeartbeatsPageOnceAndResolveOnce(t *testing.T) {
	for _, every := range []time.Duration{15 * time.Minute, 28 * time.Minute, 90 * time.Minute} {
		for _, quiet := range []time.Duration{10 * time.Minute, 2 * time.Hour} {
			p := xiaomiToCN()
			p.Quiet = Duration(quiet)
			w := newWorld(t, worldConfig{policies: []Policy{p}})
			v := phone(dev, "xiaomi", handset.Certain)
			at, total := start, uint64(0)
			for ; at.Before(start.Add(24 * time.Hour)); at = at.Add(every) {
				w.send(v, inCN, at, 2000)
				total += 2000
				w.pass(at, every-time.Minute)
			}
			w.pass(at, 3*time.Hour)
			opened, resolved := 0, 0
			for _, l := range w.told.lines {
				if strings.HasPrefix(l, "opened") {
					opened++
				} else {
					resolved++
				}
			}
			if opened != 1 || resolved != 1 {
				t.Errorf("every %s, quiet %s: %d pages and %d resolves, want one of each", every, quiet, opened, resolved)
			}
			if list := w.episodes(); len(list) != 1 || list[0].Sent != total {
				t.Errorf("every %s, quiet %s: %d episodes with %d bytes, want one with %d", every, quiet, len(list), list[0].Sent, total)
			}
		}
	}
}

func TestAfterADayOfQuietItPagesAnew(t *testing.T) {
	w := newWorld(t, worldConfig{})
	v := phone(dev, "xiaomi", handset.Certain)
	w.send(v, inCN, start, 2000)
	at := w.pass(start, 27*time.Hour)
	w.send(v, inCN, at, 3000)
	w.wantTold("opened page xiaomi-to-cn d-0123456789ab 2000", "resolved page xiaomi-to-cn d-0123456789ab 2000: quiet",
		"opened page xiaomi-to-cn d-0123456789ab 3000")
	if n := len(w.episodes()); n != 2 {
		t.Errorf("%d episodes, want 2", n)
	}
}

func TestIdentifiedLate(t *testing.T) {
	w := newWorld(t, worldConfig{})
	unknown := phone(dev, "", handset.None)
	for i := range 30 {
		w.send(unknown, inCN, start.Add(time.Duration(i)*time.Minute), 1000)
		w.send(unknown, inNO, start.Add(time.Duration(i)*time.Minute), 999)
	}
	w.wantTold()
	weak := phone(dev, "xiaomi", handset.Likely)
	w.verdict(weak, start.Add(time.Hour))
	w.wantTold()
	sure := phone(dev, "xiaomi", handset.Certain)
	w.verdict(sure, start.Add(90*time.Minute))
	w.wantTold("opened page xiaomi-to-cn d-0123456789ab 30000")
	n := w.told.all[0]
	if !n.Episode.First.Equal(start) || !n.Since.Equal(start.Add(90*time.Minute)) {
		t.Errorf("first %s, latency from %s; want the first byte, and the verdict", n.Episode.First, n.Since)
	}
	if !strings.Contains(strings.Join(n.Episode.Caveats, ";"), "29.3 KiB of it was sent before the device was identified") {
		t.Errorf("caveats %q do not say what was held", n.Episode.Caveats)
	}
}

func TestWithdrawnVerdictCloses(t *testing.T) {
	w := newWorld(t, worldConfig{})
	w.send(phone(dev, "xiaomi", handset.Certain), inCN, start, 2000)
	w.verdict(phone(dev, "apple", handset.Certain), start.Add(time.Minute))
	w.wantTold("opened page xiaomi-to-cn d-0123456789ab 2000",
		"resolved page xiaomi-to-cn d-0123456789ab 2000: verdict withdrawn: the device is apple")
	w.send(phone(dev, "apple", handset.Certain), inCN, start.Add(2*time.Minute), 2000)
	if len(w.told.lines) != 2 {
		t.Errorf("told after the verdict was withdrawn: %q", w.told.lines[2:])
	}
	// Sure again within the day: the episode goes on and is not told anew.
	w.send(phone(dev, "xiaomi", handset.Certain), inCN, start.Add(3*time.Minute), 2000)
	if list := w.episodes(); len(w.told.lines) != 2 || len(list) != 1 || list[0].Continued != 1 {
		t.Errorf("told %q, %d episodes", w.told.lines, len(list))
	}
}

func TestPermittedPhonesAreLeftAlone(t *testing.T) {
	tv := phone(dev, "xiaomi", handset.Certain)
	tv.Verdict.Class, tv.Verdict.Handset = "tv", "no"
	router := phone(dev, "xiaomi", handset.Certain)
	router.Router = true
	for name, v := range map[string]*device.View{
		"another maker": phone(dev, "apple", handset.Certain), "only likely": phone(dev, "xiaomi", handset.Likely),
		"a television": tv, "a router": router, "one of two makers": phone(dev, "huawei-or-honor", handset.Certain),
	} {
		p := xiaomiToCN()
		p.Devices.Makers = append(p.Devices.Makers, "huawei")
		w := newWorld(t, worldConfig{policies: []Policy{p}})
		w.send(v, inCN, start, 1<<20)
		if len(w.told.lines) != 0 || len(w.episodes()) != 0 {
			t.Errorf("%s: told %q, episodes %d", name, w.told.lines, len(w.episodes()))
		}
	}
}

func TestAttemptIsNoTransfer(t *testing.T) {
	w := newWorld(t, worldConfig{})
	tr := transfer(phone(dev, "xiaomi", handset.Certain), inCN, start, 0)
	tr.Attempt = true
	w.judge.Transfer(tr)
	w.wantTold()
	if list := w.episodes(); len(list) != 1 || list[0].Condition != evidence.Tried || !strings.Contains(list[0].Sentence, "tried to reach CN") {
		t.Errorf("episodes %+v", list)
	}
}

// TestIdentifierIsOfThePolicy: plane and owner decide about an identifier as
// they do about bytes, before any were counted.
func TestIdentifierIsOfThePolicy(t *testing.T) {
	for _, c := range []struct {
		name, maker string
		plane       handset.Plane
		episodes    int
	}{{"the maker's firmware", "xiaomi", handset.OS, 1}, {"the maker's app", "xiaomi", handset.App, 0}, {"somebody else's", "", handset.OS, 0}} {
		p := xiaomiToCN()
		p.Restricted.Owners, p.Restricted.Plane = OneOrMore[string]{sameAsMaker}, OneOrMore[Plane]{Plane(handset.OS)}
		w := newWorld(t, worldConfig{policies: []Policy{p}})
		w.judge.Identifier(sensor.Identifier{
			At: start, Device: phone(dev, "xiaomi", handset.Certain), Server: inCN, Name: "sdk.example.com",
			Plane: c.plane, NameMaker: c.maker, Found: observation.IdentifierFound{Kind: "imei"},
		})
		if n := len(w.episodes()); n != c.episodes {
			t.Errorf("%s: %d episodes, want %d", c.name, n, c.episodes)
		}
	}
}

func TestIdentifierInClear(t *testing.T) {
	w := newWorld(t, worldConfig{})
	w.judge.Identifier(sensor.Identifier{At: start, Device: phone(dev, "xiaomi", handset.Certain), Server: inCN, Name: "sdk.example.com", Found: observation.IdentifierFound{Kind: "imei"}})
	w.wantTold("opened page xiaomi-to-cn d-0123456789ab 0")
	if e := w.told.all[0].Episode; e.Condition != evidence.Identifier || !strings.Contains(e.Sentence, "sent imei in clear to CN by location") || !strings.Contains(e.Sentence, "sdk.example.com") {
		t.Errorf("condition %s, %s", e.Condition, e.Sentence)
	}
	w.judge.Identifier(sensor.Identifier{At: start, Device: phone("d-0000000000aa", "xiaomi", handset.Certain), Server: inNO, Found: observation.IdentifierFound{Kind: "imei"}})
	if len(w.told.lines) != 1 {
		t.Error("an identifier to a permitted place was told")
	}
}

// TestHiddenIsMostOfAll: the share is of all bytes, those to restricted places
// included, wherever the hidden ones went.
func TestHiddenIsMostOfAll(t *testing.T) {
	for _, c := range []struct {
		named, unnamed uint64
		server         netip.AddrPort
		want           evidence.Condition
	}{
		{10 << 20, 2 << 20, inNO, evidence.Sent},
		{1 << 20, 2 << 20, inNO, evidence.Hidden},
		{1 << 20, 2 << 20, inCN, evidence.Hidden},
	} {
		p := xiaomiToCN()
		p.Severity, p.Severities = Observe, map[Condition]Severity{"hidden": Ticket}
		w := newWorld(t, worldConfig{policies: []Policy{p}})
		v := phone(dev, "xiaomi", handset.Certain)
		w.send(v, inCN, start, c.named)
		tr := transfer(v, c.server, start.Add(time.Minute), c.unnamed)
		tr.Name, tr.Visibility = "", observation.Unnamed
		w.judge.Transfer(tr)
		if list := w.episodes(); len(list) != 1 || list[0].Condition != c.want {
			t.Errorf("%+v: %d episodes, %s", c, len(list), list[0].Condition)
		}
	}
}

func TestHiddenTraffic(t *testing.T) {
	p := xiaomiToCN()
	p.Severities = map[Condition]Severity{"hidden": Ticket}
	w := newWorld(t, worldConfig{policies: []Policy{p}})
	v := phone(dev, "xiaomi", handset.Certain)
	for i := range 4 {
		tr := transfer(v, inNO, start.Add(time.Duration(i)*time.Minute), 300<<10)
		tr.Visibility, tr.Tunnel = observation.HiddenTunnel, "wireguard"
		w.judge.Transfer(tr)
	}
	w.wantTold("opened ticket xiaomi-to-cn d-0123456789ab 0")
	if e := w.told.all[0].Episode; e.Condition != evidence.Hidden || e.Hidden != 4*300<<10 {
		t.Errorf("condition %s with %d bytes", e.Condition, e.Hidden)
	}
}

func TestTicketIsRaisedToPage(t *testing.T) {
	p, err := Quick([]string{"xiaomi"}, []string{"CN"})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, worldConfig{policies: []Policy{p}})
	w.send(phone(dev, "xiaomi", handset.Likely), inCN, start, 1)
	w.verdict(phone(dev, "xiaomi", handset.Certain), start.Add(time.Minute))
	w.wantTold("opened ticket xiaomi-to-cn d-0123456789ab 1",
		"resolved ticket xiaomi-to-cn d-0123456789ab 1: raised to page", "opened page xiaomi-to-cn d-0123456789ab 1")
}

func TestRestartIsNotAnnouncedTwice(t *testing.T) {
	w := newWorld(t, worldConfig{})
	w.send(phone(dev, "xiaomi", handset.Certain), inCN, start, 2000)
	again := newWorld(t, worldConfig{store: w.store, now: start.Add(time.Minute)})
	// The evidence comes in anew: not known yet is no withdrawal.
	again.send(phone(dev, "", handset.None), inCN, start.Add(2*time.Minute), 100)
	again.send(phone(dev, "xiaomi", handset.Likely), inCN, start.Add(3*time.Minute), 20)
	again.send(phone(dev, "xiaomi", handset.Certain), inCN, start.Add(4*time.Minute), 3)
	again.pass(start.Add(4*time.Minute), 3*time.Hour)
	again.wantTold("resumed page xiaomi-to-cn d-0123456789ab 2000", "resolved page xiaomi-to-cn d-0123456789ab 2123: quiet")
	if n := len(again.episodes()); n != 1 {
		t.Errorf("%d episodes, want 1", n)
	}
}

func TestReload(t *testing.T) {
	wider := xiaomiToCN()
	wider.Restricted.Countries = countries(t, "CN", "NO")
	elsewhere := xiaomiToCN()
	elsewhere.Restricted.Countries = countries(t, "NO")
	exempt := xiaomiToCN()
	exempt.Except.Devices = []Exemption{{Value: string(dev), Comment: "lab phone"}}
	for name, c := range map[string]struct {
		policies []Policy
		reason   string // empty: goes on
	}{
		"unchanged": {[]Policy{xiaomiToCN()}, ""},
		"wider":     {[]Policy{wider}, ""},
		"removed":   {nil, "policy removed"},
		"elsewhere": {[]Policy{elsewhere}, "policy changed: nothing it did is restricted any longer"},
		"exempt":    {[]Policy{exempt}, "policy changed: exempt: d-0123456789ab (lab phone)"},
	} {
		w := newWorld(t, worldConfig{})
		w.send(phone(dev, "xiaomi", handset.Certain), inCN, start, 2000)
		w.judge.SetRules(compile(t, c.policies...))
		e := w.episodes()[0]
		if e.CloseReason != c.reason {
			t.Errorf("%s: closed %q, want %q", name, e.CloseReason, c.reason)
		}
		if want := map[bool]int{true: 1, false: 2}[c.reason == ""]; len(w.told.lines) != want {
			t.Errorf("%s: told %q", name, w.told.lines)
		}
	}
}

func TestGeographyChangeVoids(t *testing.T) {
	w := newWorld(t, worldConfig{})
	w.send(phone(dev, "xiaomi", handset.Certain), inCN, start, 2000)
	w.geo[inCN.Addr()] = w.geo[inNO.Addr()]
	w.judge.Replaced()
	w.wantTold("opened page xiaomi-to-cn d-0123456789ab 2000",
		"resolved page xiaomi-to-cn d-0123456789ab 0: geography changed: nothing it did is restricted any longer")
}

func TestExemptionEnds(t *testing.T) {
	p := xiaomiToCN()
	until, _ := ParseDate("2026-03-02")
	p.Except.Devices = []Exemption{{Value: string(dev), Until: until}}
	w := newWorld(t, worldConfig{policies: []Policy{p}, now: start})
	v := phone(dev, "xiaomi", handset.Certain)
	w.send(v, inCN, start, 2000)
	w.wantTold()
	w.send(v, inCN, start.Add(16*time.Hour), 3000) // the day after
	w.wantTold("opened page xiaomi-to-cn d-0123456789ab 3000")
}

func TestJoinedDevicesMerge(t *testing.T) {
	const other = device.ID("d-00000000beef")
	w := newWorld(t, worldConfig{})
	a, b := phone(dev, "xiaomi", handset.Certain), phone(other, "xiaomi", handset.Certain)
	w.send(a, inCN, start, 2000)
	w.send(b, inCN, start.Add(time.Minute), 3000)
	w.judge.Verdict(sensor.VerdictChange{At: start.Add(2 * time.Minute), Device: a, Gone: true, Into: other})
	w.send(b, inCN, start.Add(3*time.Minute), 7)
	w.pass(start.Add(3*time.Minute), 3*time.Hour)
	list := w.episodes()
	opened := 0
	for _, l := range w.told.lines {
		if strings.HasPrefix(l, "opened") {
			opened++
		}
	}
	if len(list) != 2 || opened != 2 {
		t.Fatalf("%d episodes, told %q", len(list), w.told.lines)
	}
	if list[0].Sent != 5007 || list[0].Device != string(other) || list[0].AlertDevice != string(dev) || list[1].MergedInto != list[0].ID {
		t.Errorf("episodes %+v", list)
	}
}

func TestSameAsMaker(t *testing.T) {
	p := xiaomiToCN()
	p.Restricted.Owners = OneOrMore[string]{sameAsMaker}
	w := newWorld(t, worldConfig{policies: []Policy{p}})
	unknown, v := phone(dev, "", handset.None), phone(dev, "xiaomi", handset.Certain)
	own := transfer(unknown, inCN, start, 2000)
	own.NameMaker = "xiaomi"
	news := transfer(unknown, inCN, start, 4000)
	news.NameMaker = "huawei"
	w.judge.Transfer(own)
	w.judge.Transfer(news)
	w.verdict(v, start.Add(time.Minute))
	w.send(v, inCN, start.Add(2*time.Minute), 1<<20) // a server of nobody's
	w.wantTold("opened page xiaomi-to-cn d-0123456789ab 2000")
}

func TestComplementDoesNotAccuseTheUnknown(t *testing.T) {
	p := xiaomiToCN()
	if err := decodeYAML("anywhere-but: [NO]", &p.Restricted.Countries); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, worldConfig{policies: []Policy{p}})
	v := phone(dev, "xiaomi", handset.Certain)
	w.send(v, inNO, start, 1<<20)
	nowhere := inNO
	nowhere = addrPort(nowhere.Addr().Next())
	w.send(v, nowhere, start, 1<<20)
	w.wantTold()
	w.send(v, inSG, start, 1<<20)
	w.wantTold("opened page xiaomi-to-cn d-0123456789ab 1048576")
}

func TestBoundsHold(t *testing.T) {
	w := newWorld(t, worldConfig{limits: Limits{Devices: 100, Held: 50, Episodes: 20}})
	for i := range 1000 {
		id := device.ID("d-" + strings.Repeat("0", 8) + hex4(i))
		c := handset.None
		if i%3 == 0 {
			c = handset.Certain
		}
		w.send(phone(id, "xiaomi", c), inCN, start.Add(time.Duration(i)*time.Second), 2000)
		if w.judge.dossiers.count > 100 || len(w.judge.open) > 20 || w.judge.held > 50+20 || w.judge.held < 0 {
			t.Fatalf("after %d: %d devices, %d open, %d held", i, w.judge.dossiers.count, len(w.judge.open), w.judge.held)
		}
	}
	if n := len(w.episodes()); n != 334 {
		t.Errorf("%d episodes in the store, want all 334", n)
	}
}

func hex4(i int) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[i>>12&15], digits[i>>8&15], digits[i>>4&15], digits[i&15]})
}
