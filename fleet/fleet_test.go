package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"picket/alerts"
	"picket/evidence"
)

func notice(kind alerts.NoticeKind, sensor, device string, sent uint64, at time.Time) alerts.Notice {
	e := evidence.Episode{
		ID: "e-" + sensor + device, Policy: "p", PolicyHash: "h1", Severity: "page", AlertedAs: "page", Device: device, Realm: "default",
		Maker: "xiaomi", Confidence: "certain", Posterior: 0.995, Sent: sent, First: at, Opened: at, Last: at, Firing: true, Announced: true,
		Servers: []evidence.Server{{Name: sensor + ".example", Sent: sent, First: at, Last: at}},
		Flows:   []evidence.Conversation{{Key: uint64(sensor[1]), First: at, Last: at, Sent: sent}},
	}
	if kind == alerts.Resolved {
		e.Closed, e.CloseReason, e.Firing = at, "quiet", false
	}
	return alerts.Notice{Kind: kind, Episode: e, Since: at}
}

func TestOnePageForADeviceThatTwoSensorsSee(t *testing.T) {
	c := newCluster(t)
	c.joined(3)
	at := time.Now().UTC()
	for i := range 2 {
		c.desks[i].Announce(notice(alerts.Opened, fmt.Sprint("s", i+1), "d-000000000001", 1000*uint64(i+1), at))
	}
	opened := func() int { return c.phones[0].count(alerts.Opened) + c.phones[1].count(alerts.Opened) }
	eventually(t, "one of them pages with what both saw", func() bool {
		return opened() == 1 && (c.phones[0].last(alerts.Changed).Episode.Sent == 3000 || c.phones[1].last(alerts.Changed).Episode.Sent == 3000 ||
			c.phones[0].last(alerts.Opened).Episode.Sent == 3000 || c.phones[1].last(alerts.Opened).Episode.Sent == 3000)
	})
	c.desks[0].Announce(notice(alerts.Resolved, "s1", "d-000000000001", 1000, at.Add(time.Second)))
	v, _ := 0, 0
	eventually(t, "the end of the first part has arrived", func() bool {
		v, _ = c.heard[1].has("s1/episode/e-s1d-000000000001/")
		return v >= 2
	})
	if n := c.phones[0].count(alerts.Resolved) + c.phones[1].count(alerts.Resolved); n != 0 {
		t.Fatalf("resolved while the second sensor still sees it")
	}
	c.desks[1].Announce(notice(alerts.Resolved, "s2", "d-000000000001", 2000, at.Add(2*time.Second)))
	resolved := func() int { return c.phones[0].count(alerts.Resolved) + c.phones[1].count(alerts.Resolved) }
	eventually(t, "the end is told", func() bool { return resolved() > 0 })
	if opened() != 1 || resolved() != 1 || c.phones[2].count(alerts.Opened) != 0 {
		t.Errorf("%d pages, %d ends; want one of each", opened(), resolved())
	}
}

func TestNothingLostOrDoubledThroughKillPartitionAndRestart(t *testing.T) {
	c := newCluster(t)
	c.joined(3)
	say := func(i, from, to int) {
		for k := from; k < to; k++ {
			body, err := json.Marshal(map[string]int{"n": k})
			if err != nil {
				t.Fatal(err)
			}
			c.nodes[i].Say(&Message{Kind: KindDevice, Scope: "default", ID: fmt.Sprintf("d-%012d", k), Body: body})
		}
	}
	all := func(at int, from, sensor, n int) func() bool {
		return func() bool {
			for k := from; k < n; k++ {
				if v, _ := c.heard[at].has(fmt.Sprintf("s%d/device/d-%012d/", sensor, k)); v == 0 {
					return false
				}
			}
			return true
		}
	}
	say(0, 0, 300)
	eventually(t, "the others have it", func() bool { return all(1, 0, 1, 300)() && all(2, 0, 1, 300)() })

	c.kill(2)
	say(0, 300, 600) // while one is dead
	eventually(t, "two of three go on", all(1, 300, 1, 600))
	c.start(2)
	eventually(t, "the third catches up", all(2, 300, 1, 600))

	c.isolate(0, true)
	say(0, 600, 900) // it is alone
	say(1, 0, 300)   // the others go on
	eventually(t, "the majority goes on", all(2, 0, 2, 300))
	if v, _ := c.heard[1].has("s1/device/d-000000000600/"); v != 0 {
		t.Fatal("the partition is none")
	}
	c.isolate(0, false)
	eventually(t, "both sides know all", func() bool { return all(1, 600, 1, 900)() && all(2, 600, 1, 900)() && all(0, 0, 2, 300)() })

	for i := range 3 {
		c.kill(i)
	}
	for i := range 3 {
		c.start(i)
	}
	say(1, 300, 400)
	eventually(t, "after a restart of all", func() bool { return all(0, 300, 2, 400)() && all(2, 300, 2, 400)() })
	for i, box := range c.heard {
		if _, most := box.has(fmt.Sprintf("s%d/", (i+1)%3+1)); most > 4 { // once, and once at each start: recalled
			t.Errorf("sensor %d was given a message %d times", i+1, most)
		}
	}
	eventually(t, "nothing waits", func() bool {
		for _, n := range c.nodes {
			if w, _, err := n.spool.waiting(); err != nil || w != 0 {
				return false
			}
		}
		return true
	})
}

func TestAPageIsToldThoughTheClusterIsOutOfReach(t *testing.T) {
	n, err := NewNode(NodeConfig{Config: Config{Mode: URL, Name: "alone", URLs: []string{"nats://127.0.0.1:1"}, Share: []string{"default"}}, Dir: t.TempDir(), Key: siteKey})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	var told phone
	d := NewDesk(n, &told, nil)
	at := time.Now().UTC()
	for _, kind := range []alerts.NoticeKind{alerts.Opened, alerts.Changed, alerts.Resolved} {
		d.Announce(notice(kind, "alone", "d-000000000002", 10, at))
	}
	d.work(t.Context())
	if told.count(alerts.Opened) != 1 || told.count(alerts.Resolved) != 1 {
		t.Errorf("told %+v, want one page and one end", told.lines)
	}
	if err := n.commit(); err != nil {
		t.Fatal(err)
	}
	if w, _, err := n.spool.waiting(); err != nil || w != 1 {
		t.Errorf("%d wait for the cluster, %v; want the latest state of the one episode", w, err)
	}
}

func TestAnotherSensorGoesOnTellingWhenTheFirstIsLost(t *testing.T) {
	c := newCluster(t)
	c.joined(3)
	at := time.Now().UTC()
	c.desks[0].Announce(notice(alerts.Opened, "s1", "d-000000000003", 1000, at))
	eventually(t, "the first tells", func() bool { return c.phones[0].count(alerts.Opened) == 1 })
	c.desks[1].Announce(notice(alerts.Opened, "s2", "d-000000000003", 2000, at.Add(time.Second)))
	eventually(t, "the first tells of both", func() bool { return c.phones[0].last(alerts.Changed).Episode.Sent == 3000 })
	c.kill(0)
	eventually(t, "the second goes on", func() bool { return c.phones[1].count(alerts.Resumed) == 1 })
	if c.phones[1].count(alerts.Opened) != 0 {
		t.Error("told anew, and not gone on with")
	}
	if e := c.phones[1].last(alerts.Resumed).Episode; e.Sent != 3000 || e.ID != "e-s1d-000000000003" {
		t.Errorf("goes on with %s, %d bytes", e.ID, e.Sent)
	}
}

// BenchmarkReplicated is the way of a device's state from one sensor to
// another over a cluster of three with three copies, disks included.
func BenchmarkReplicated(b *testing.B) { replicate(b, 50*time.Millisecond) } // 2,000 a second are offered

// BenchmarkFlood offers all at once: what it gives is where one sensor and a
// cluster on one machine saturate.
func BenchmarkFlood(b *testing.B) { replicate(b, 0) }

func replicate(b *testing.B, pause time.Duration) {
	b.Helper()
	c := newCluster(b)
	c.joined(3)
	body := json.RawMessage(`{"record":{"pad":"` + strings.Repeat("x", 900) + `"}}`)
	var mu sync.Mutex
	var took []time.Duration
	done := make(chan struct{})
	next := c.nodes[1]
	c.kill(1)
	n, err := NewNode(NodeConfig{Config: next.c, Dir: c.dirs[1], Key: siteKey})
	if err != nil {
		b.Fatal(err)
	}
	n.OnMessage = func(m *Message) {
		mu.Lock()
		defer mu.Unlock()
		if took = append(took, time.Since(m.At)); len(took) == b.N {
			close(done)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() { _ = n.Run(ctx) }()
	c.nodes[1], c.stop[1] = n, func() { cancel(); n.Close() }
	c.joined(3)
	b.ResetTimer()
	for i := range b.N {
		c.nodes[0].Say(&Message{Kind: KindDevice, Scope: "default", ID: fmt.Sprintf("d-%012x", i), Body: body})
		if i%100 == 99 {
			time.Sleep(pause)
		}
	}
	<-done
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Milliseconds()), "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Milliseconds()), "p99-ms")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "devices/s")
}
