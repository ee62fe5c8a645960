package fleet

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"picket/alerts"
	"picket/evidence"
	"picket/geo"
	"picket/sensor"
	"picket/sensor/device"
	"picket/sensor/handset"
)

var inCN = netip.MustParseAddrPort("203.0.113.7:443")

// allOfIt is in China, wherever it is.
type allOfIt struct{}

func (allOfIt) Judge(q geo.Query) geo.Jurisdiction {
	return geo.Jurisdiction{Addr: q.Addr, Location: "CN", LocationConfidence: geo.High}
}

// judgeOf pages phones of Xiaomi that send a kilobyte to China.
func judgeOf(t testing.TB, name string, tell alerts.Announcer, store alerts.Store) *alerts.Judge {
	t.Helper()
	p, err := alerts.Quick([]string{"xiaomi"}, []string{"CN"})
	if err != nil {
		t.Fatal(err)
	}
	p.Threshold.Sent, p.Threshold.Within = 1<<10, alerts.Duration(10*time.Minute)
	rules, err := alerts.CompileAll([]alerts.Policy{p}, alerts.Known{Makers: []string{"xiaomi"}})
	if err != nil {
		t.Fatal(err)
	}
	j, err := alerts.NewJudge(alerts.JudgeConfig{Rules: rules, Geo: allOfIt{}, Announce: tell, Store: store, FlowOf: FlowOf(siteKey), Sensor: name, Now: time.Now().UTC()})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func phoneOf(id string) *device.View {
	v := device.View{ID: device.ID(id), Realm: "default", Verdict: &handset.Verdict{Maker: "xiaomi", Class: "handset", Handset: "yes", Confidence: handset.Certain}}
	return v.With(device.Details{Addrs: []netip.Addr{netip.MustParseAddr("10.0.0.5")}})
}

// sends is one conversation of a phone, by its port.
func sends(j *alerts.Judge, id string, port uint16, n uint64) {
	now := time.Now().UTC()
	j.Transfer(sensor.Transfer{
		Device: phoneOf(id), Client: netip.AddrPortFrom(netip.MustParseAddr("10.0.0.5"), port), Server: inCN, Proto: 6, Flow: uint64(port),
		Sent: n, Received: 10, Packets: 3, First: now, Last: now,
	})
}

// hearsay gives a judge what a message says.
func hearsay(t testing.TB, m *Message) {
	j := judgeOf(t, "us", nil, nil)
	if p := partialOf(m); p != nil {
		sends(j, p.Device, 1, 500)
		j.Hear(m.Source, m.ID, p)
		j.Hear(m.Source, m.ID, p)
		j.Hear(m.Source, m.ID, nil)
		if _, heard, _, _ := j.Summing(); heard != 0 {
			t.Errorf("%d are held", heard)
		}
	}
}

func (c *cluster) pages(device string) (n int, last evidence.Episode) {
	for _, p := range c.phones {
		p.mu.Lock()
		for _, l := range p.lines {
			if l.Episode.Device != device {
				continue
			}
			if l.Kind == alerts.Opened {
				n++
			}
			last = l.Episode
		}
		p.mu.Unlock()
	}
	return n, last
}

func TestAThresholdThatTwoSensorsPassTogetherIsOnePage(t *testing.T) {
	c := newCluster(t)
	c.joined(3)
	sends(c.judges[0], "d-below", 1, 500)
	sends(c.judges[1], "d-below", 2, 500)
	sends(c.judges[0], "d-same", 3, 800)
	sends(c.judges[1], "d-same", 3, 800) // the very same conversation
	sends(c.judges[2], "d-same", 3, 790) // of which one frame was lost
	at := time.Now()
	sends(c.judges[0], "d-above", 4, 600)
	sends(c.judges[1], "d-above", 5, 500)
	sends(c.judges[2], "d-above", 6, 10) // too little to tell of by itself
	var e evidence.Episode
	eventually(t, "one page with the sum", func() bool {
		n, last := c.pages("d-above")
		e = last
		return n > 0 && last.Sent == 1110
	})
	t.Logf("after %v", time.Since(at))
	if n, _ := c.pages("d-above"); n != 1 || !strings.Contains(e.Sentence, "as the sum of 3 sensors (s1, s2, s3)") || e.Condition != evidence.Sent || e.AlertedAs != "page" {
		t.Errorf("%d pages, %s", n, e.Sentence)
	}
	for i := range 3 {
		c.kill(i)
	}
	for i := range 3 {
		c.start(i)
	}
	c.joined(3)
	sends(c.judges[0], "d-above", 7, 40)
	sends(c.judges[0], "d-below", 8, 23) // 1,023 bytes together
	sends(c.judges[2], "d-late", 9, 1100)
	eventually(t, "a page of after the restart", func() bool { n, _ := c.pages("d-late"); return n == 1 })
	for _, device := range []string{"d-below", "d-same"} {
		if n, _ := c.pages(device); n != 0 {
			t.Errorf("%s: %d pages", device, n)
		}
	}
	if n, _ := c.pages("d-above"); n != 1 {
		t.Errorf("%d pages after the restart, want the one of before", n)
	}
	c.judges[1].Verdict(sensor.VerdictChange{At: time.Now().UTC(), Device: phoneOf("d-below")}) // as the device table has it
	sends(c.judges[2], "d-below", 10, 1)
	eventually(t, "what was told before the restart counts", func() bool { n, e := c.pages("d-below"); return n == 1 && e.Sent == 1024 })
}

func TestWhatASensorSawThatWasCutOffCountsOnceItIsBack(t *testing.T) {
	c := newCluster(t)
	c.joined(3)
	c.isolate(0, true)
	eventually(t, "it is cut off", func() bool {
		for _, s := range c.nodes[1].Sensors() {
			if s.Name == "s1" && s.State != "up" {
				return true
			}
		}
		return false
	})
	sends(c.judges[0], "d-1", 1, 600)
	sends(c.judges[1], "d-1", 2, 600)
	sends(c.judges[0], "d-alone", 3, 2000)
	eventually(t, "alone it works by its own threshold", func() bool { n, _ := c.pages("d-alone"); return n == 1 })
	if n, _ := c.pages("d-1"); n != 0 {
		t.Fatal("told of what it cannot know")
	}
	c.isolate(0, false)
	eventually(t, "one page with the sum", func() bool { n, e := c.pages("d-1"); return n == 1 && e.Sent == 1200 })
	if n, _ := c.pages("d-1"); n != 1 {
		t.Errorf("%d pages", n)
	}
}

// A page of several sensors' sum waits for their parts, not for long, and is
// told once.
func TestAPageWaitsForThePartsOfItsSum(t *testing.T) {
	for _, comes := range []bool{true, false} {
		n := aloneNode(t, Config{})
		now := time.Now()
		n.now = func() time.Time { return now }
		told := &phone{}
		d := NewDesk(n, told, nil)
		ours := notice(alerts.Opened, "alone", "d-000000000001", 600, now)
		ours.Episode.SumOf, ours.Episode.Condition = []string{"alone", "edge"}, evidence.Sent
		d.Announce(ours)
		d.work(t.Context())
		d.openWaiting(false)
		if told.count(alerts.Opened) != 0 {
			t.Fatal("told at once")
		}
		want := uint64(600)
		if comes {
			e := notice(alerts.Opened, "edge", "d-000000000001", 500, now).Episode
			e.SumOf, e.Condition = []string{"alone", "edge"}, evidence.Sent
			body, _ := json.Marshal(part{Episode: e, Shared: true})
			d.remote(&Message{Source: "edge", Kind: KindEpisode, ID: e.ID, Version: 1, At: n.now(), Key: n.key, Body: body})
			want = 1100
		} else {
			now = now.Add(partWait)
			d.openWaiting(false)
		}
		d.openWaiting(true)
		if got := told.last(alerts.Opened).Episode; told.count(alerts.Opened) != 1 || got.Sent != want || fmt.Sprint(got.SumOf) != "[alone edge]" || len(d.waiting) != 0 {
			t.Errorf("told %d times, %d bytes of %v", told.count(alerts.Opened), got.Sent, got.SumOf)
		}
	}
}

// When one sensor passes the threshold by itself it is no sum any longer.
func TestWhoseSum(t *testing.T) {
	of := func(sums ...[]string) []string {
		parts := map[string]*part{}
		for i, s := range sums {
			p := partAt(fmt.Sprint("s", i), 0, 0.99, 600, "a.example")
			p.Episode.Condition, p.Episode.SumOf = evidence.Sent, s
			parts[fmt.Sprint("s", i)] = p
		}
		return combine(parts).SumOf
	}
	for i, tc := range []struct{ got, want []string }{
		{of([]string{"a", "b"}, []string{"b", "a"}), []string{"a", "b"}},
		{of([]string{"a", "b"}, []string{"b", "c"}), []string{"a", "b", "c"}},
		{of([]string{"a", "b"}, nil), nil},
		{of(nil), nil},
	} {
		if fmt.Sprint(tc.got) != fmt.Sprint(tc.want) {
			t.Errorf("%d: %v, want %v", i, tc.got, tc.want)
		}
	}
}

// What cannot be a partial is not taken, nor one of a sensor whose clock or key
// is another; it is as soon as the clock is known.
func TestWhatIsNotBelievedIsNotSummed(t *testing.T) {
	good := func() (*Message, *alerts.Partial) {
		m, err := decode(golden(t, "schema-3-partial.json"))
		if err != nil {
			t.Fatal(err)
		}
		return m, partialOf(m)
	}
	for name, change := range map[string]func(m *Message, p *alerts.Partial){
		"another device":  func(m *Message, p *alerts.Partial) { p.Device = "d-1" },
		"no device":       func(m *Message, p *alerts.Partial) { p.Device = "" },
		"another realm":   func(m *Message, p *alerts.Partial) { p.Realm = "x" },
		"another policy":  func(m *Message, p *alerts.Partial) { p.Hash = "x" },
		"no bytes":        func(m *Message, p *alerts.Partial) { p.Bytes = nil },
		"too many":        func(m *Message, p *alerts.Partial) { p.Bytes = make([]alerts.Portion, alerts.MaxPortions+1) },
		"bytes of a year": func(m *Message, p *alerts.Partial) { p.Bytes[0].Sent = alerts.MaxPortion + 1 },
		"no time":         func(m *Message, p *alerts.Partial) { p.Bytes[0].Stretch = -1 },
		"for ever":        func(m *Message, p *alerts.Partial) { p.Until = p.Until.AddDate(1, 0, 0) },
		"withdrawn":       func(m *Message, p *alerts.Partial) { m.Gone = true },
	} {
		m, p := good()
		change(m, p)
		m.Body, _ = json.Marshal(p)
		if partialOf(m) != nil {
			t.Errorf("%s: taken", name)
		}
	}
	n := aloneNode(t, Config{})
	judge := judgeOf(t, "alone", nil, nil)
	s, err := NewSums(n, judge, nil)
	if err != nil {
		t.Fatal(err)
	}
	m, p := good()
	p.Until = n.now().Add(time.Hour)
	m.Body, _ = json.Marshal(p)
	m.At, m.Key = n.now(), n.key
	heard := func() int { _, heard, _, _ := judge.Summing(); return heard }
	if s.Receive(m); heard() != 0 || n.refused.Load() != 1 {
		t.Errorf("a clock that is not known: %d taken", heard())
	}
	h := &heardOf{}
	h.take(Health{Name: "edge", At: n.now()}, n.now(), true)
	n.sensors["edge"] = h
	if s.again(); heard() != 1 || len(s.waiting) != 0 {
		t.Errorf("%d taken once the clock is known", heard())
	}
	s.Receive(m)
	if heard() != 1 {
		t.Errorf("twice: %d", heard())
	}
	other := *m
	other.Key = "ffff"
	if s.Receive(&other); heard() != 0 {
		t.Error("another key")
	}
	s.Receive(m)
	gone := *m
	gone.Gone, gone.Body = true, nil
	if s.Receive(&gone); heard() != 0 {
		t.Error("withdrawn and held")
	}
}

// What was told of a device that is to be forgotten is withdrawn, and what
// others told of it goes; what comes late of before is left alone.
func TestPartialsAreForgotten(t *testing.T) {
	n := aloneNode(t, Config{})
	judge := judgeOf(t, "alone", nil, nil)
	s, err := NewSums(n, judge, nil)
	if err != nil {
		t.Fatal(err)
	}
	sends(judge, "d-0123456789ab", 1, 600)
	s.tell()
	if err := n.commit(); err != nil {
		t.Fatal(err)
	}
	said := func() (n2 int) {
		if err := n.spool.ownPartials(func(*Message) { n2++ }); err != nil {
			t.Fatal(err)
		}
		return n2
	}
	if said() != 1 {
		t.Fatalf("%d said, want one", said())
	}
	late, err := decode(golden(t, "schema-3-partial.json"))
	if err != nil {
		t.Fatal(err)
	}
	n.OnForget = func(id string, _ time.Time) error { s.Forget(device.ID(id)); return nil }
	if err := n.spool.toForget("d-0123456789ab", n.now()); err != nil {
		t.Fatal(err)
	}
	if err := n.forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	if said() != 0 || !n.stale(late) {
		t.Errorf("%d said; what comes late is stale: %v", said(), n.stale(late))
	}
	if near, _, _, _ := judge.Summing(); near != 1 || len(judge.Partials(n.now().Add(time.Hour), 9)[0].Bytes) != 0 {
		t.Errorf("%d still told of", near)
	}
}
