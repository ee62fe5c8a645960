package device

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"picket/sensor/observation"
)

func TestUnansweredTrafficFramesNobody(t *testing.T) {
	b := newBench(t, Config{})
	d := b.say("", "10.0.0.5", "", "update.miui.example", false)
	q := observation.Observation{Kind: observation.DNS, At: b.now, ClientHome: true, DNS: &observation.DNSMessage{QName: "find.miui.example"}}
	q.Client, q.Server = ends("10.0.0.5", "10.0.0.1")
	b.table.Observe(&q)
	b.flow("10.0.0.5", observation.Flow{Name: "update.miui.example", Visibility: observation.BySNI, Attempt: true})
	b.flow("10.0.0.5", observation.Flow{Name: "update.miui.example", Visibility: observation.BySNI, OneWay: true})
	b.has(d, "miui", false)
	b.flow("10.0.0.5", observation.Flow{Name: "update.miui.example", Visibility: observation.ByQUIC})
	b.has(d, "quic/server_name=update.miui.example", true)
}

func (b *bench) flow(client string, f observation.Flow) *Device {
	o := observation.Observation{Kind: observation.FlowReport, At: b.now, ClientHome: true, Flow: f}
	o.Client, o.Server = ends(client, "203.0.113.7")
	o.Flow.First, o.Flow.Last = b.now, b.now
	return b.table.Observe(&o)
}

func TestPageThatLoadsSystemNamesFramesNobody(t *testing.T) {
	b := newBench(t, Config{})
	d := b.hello("", "10.0.0.5", phone, "www.news.example")
	b.wait(time.Second)
	b.hello("", "10.0.0.5", phone, "update.miui.example")
	b.has(d, "update.miui.example (visit)", true)
	if b.has(d, "sni/server_name=update.miui.example;", false); b.table.View(d).Verdict.Maker != "xiaomi" {
		t.Log("the test judge counts visits too") // package handset does not
	}
	b.wait(time.Second)
	b.hello("", "10.0.0.5", phone, "update.miui.example") // the page is still there
	if s := b.seen(d); strings.Contains(strings.ReplaceAll(s, "update.miui.example (visit)", ""), "update.miui.example") {
		t.Errorf("lifted by the page itself: %s", s)
	}
	b.wait(time.Hour)
	b.hello("", "10.0.0.5", phone, "update.miui.example") // firmware asks by itself
	if s := b.seen(d); !strings.Contains(strings.ReplaceAll(s, "update.miui.example (visit)", ""), "update.miui.example") {
		t.Errorf("not lifted when seen apart: %s", s)
	}
}

func TestVisitRule(t *testing.T) {
	type step struct {
		after time.Duration
		name  string
		web   bool
	}
	for title, steps := range map[string][]step{
		"system names by themselves":              {{0, "update.miui.example", false}, {time.Second, "find.miui.example", false}},
		"joining a network is no visit":           {{0, "www.google.com", false}, {0, "update.miui.example", false}},
		"a name known before stays":               {{0, "update.miui.example", false}, {time.Minute, "www.news.example", false}, {time.Second, "update.miui.example", false}},
		"first seen just after a page":            {{0, "news.example", false}, {2 * time.Second, "update.miui.example", true}},
		"first seen well after a page":            {{0, "news.example", false}, {4 * time.Second, "update.miui.example", false}},
		"an app's service is no page":             {{0, "api.chat.example", false}, {time.Second, "update.miui.example", false}},
		"doubtful until apart from another visit": {{0, "www.a.example", false}, {0, "update.miui.example", true}, {time.Hour, "www.b.example", false}, {time.Second, "update.miui.example", true}},
		"a burst of third parties is a page's": {{0, "a1.cdn.example", false}, {0, "a2.cdn.example", false}, {0, "a3.cdn.example", false}, {0, "a4.cdn.example", false},
			{0, "a5.cdn.example", false}, {0, "a6.cdn.example", false}, {0, "a7.cdn.example", false}, {0, "a8.cdn.example", false}, {time.Second, "update.miui.example", true}},
	} {
		t.Run(title, func(t *testing.T) {
			var d Device
			now := start
			for _, s := range steps {
				now = now.Add(s.after)
				if web := d.sight(sighting{name: s.name, at: now}, counted{}.Name(s.name)); web != s.web {
					t.Errorf("%s: web %v, want %v", s.name, web, s.web)
				}
			}
		})
	}
}

func TestBrowserHelloIsAVisitByItself(t *testing.T) {
	var d Device
	s := sighting{name: "update.miui.example", at: start, browser: browserJA4("t13d1516h2_8daaf6152771_02713d6af862")}
	if !d.sight(s, counted{}.Name(s.name)) {
		t.Error("a browser's hello to a system name counts as the system's")
	}
	if browserJA4("") || browserJA4("q13d0310h3_55b375c5d22e_cd85d2d88918") {
		t.Error("not a browser's hello is called one")
	}
}

func TestHotspotIsShared(t *testing.T) {
	b := newBench(t, Config{})
	var d *Device
	for range 2 {
		for _, n := range []string{"update.miui.example", "push.apple.example", "find.miui.example", "check.apple.example"} {
			d = b.hello("", "10.0.0.5", phone, n)
			b.wait(20 * time.Second)
		}
	}
	if v := b.table.View(d); !v.Shared || v.Verdict.Confidence.String() == "certain" {
		t.Errorf("shared %v, %v", v.Shared, v.Verdict.Confidence)
	}
	b.wait(2 * time.Hour)
	b.wait(time.Second)
	if v := b.table.View(d); v.Shared {
		t.Error("still shared two hours after the others left")
	}
}

func TestOnePhoneAfterAnotherIsNotShared(t *testing.T) {
	b := newBench(t, Config{})
	for _, n := range []string{"update.miui.example", "find.miui.example", "push.apple.example", "check.apple.example"} {
		b.hello("", "10.0.0.5", "", n)
		b.wait(time.Minute)
	}
	if v := b.table.Holder("", addrOf("10.0.0.5")); v.Shared {
		t.Error("nobody took turns")
	}
}

func TestFiveMakersAtOneAddressAreAResolver(t *testing.T) {
	b := newBench(t, Config{})
	for range 2 {
		for _, n := range []string{"update.miui.example", "find.miui.example", "ota.heytap.example", "find.heytap.example", "push.apple.example", "check.apple.example",
			"ota.vivo.example", "find.vivo.example", "fota.samsung.example", "find.samsung.example"} {
			b.hello("", "10.0.0.53", "", n)
			b.wait(time.Second)
		}
	}
	h := b.table.Hints()
	if len(h) != 1 || h[0].Kind != "resolver-or-nat" || h[0].Addr != addrOf("10.0.0.53") {
		t.Fatalf("hints %+v", h)
	}
	if !b.table.Holder("", addrOf("10.0.0.53")).Shared {
		t.Error("not shared")
	}
}

// Whatever moves where: no device ever holds a name that another asked for.
// Every phone asks under names of its own, and each keeps one MAC.
func TestNoDeviceInheritsAnothersEvidence(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 7))
		b := newBench(t, Config{MaxDevices: 40})
		holder := map[string]int{}
		for range 400 {
			b.wait(time.Duration(r.IntN(300)) * time.Second)
			who := r.IntN(12)
			m := fmt.Sprintf("%02x:00:00:00:00:%02x", []int{0, 2}[who%2], who+1)
			addr := fmt.Sprintf("10.0.0.%d", 1+r.IntN(8))
			switch r.IntN(4) {
			case 0:
				b.lease("", m, addr, said0(fmt.Sprintf("phone%d", who)))
				holder[addr] = who
			case 1:
				b.arp("", addr, m)
				holder[addr] = who
			default:
				for a, w := range holder {
					if w == who {
						b.hello("", a, m, fmt.Sprintf("who%d.example", who))
						break
					}
				}
			}
		}
		for d := range b.table.slab.all {
			whose := map[string]bool{}
			for _, s := range strings.Split(b.seen(d), "; ") {
				if _, n, ok := strings.Cut(s, "=who"); ok {
					whose[n] = true
				}
			}
			if len(whose) > 1 {
				t.Fatalf("seed %d: one device has the names of %v", seed, whose)
			}
		}
	}
}
