package fleet

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"picket/alerts"
)

func deviceMessage(source, id string, at time.Time) *Message {
	body := fmt.Sprintf(`{"record":{"version":1,"id":%q,"realm":"default","first":%q,"last":%q,"mac":"28:6c:07:01:02:03"}}`, id, at.Format(time.RFC3339Nano), at.Format(time.RFC3339Nano))
	return &Message{Source: source, Kind: KindDevice, Scope: "default", ID: id, At: at, Key: Fingerprint(siteKey), Body: json.RawMessage(body)}
}

// Whatever way a device is in the spool, it is gone from the file afterwards,
// and what comes late is left alone.
func TestForgetLeavesNothingOfADevice(t *testing.T) {
	n := aloneNode(t, Config{})
	dir := filepath.Dir(n.spool.path)
	const id, other = "d-0123456789ab", "d-ba9876543210"
	at := n.now().Add(-time.Minute).UTC()
	d := NewDesk(n, &phone{}, nil)
	d.Announce(notice(alerts.Opened, "alone", id, 10, at))
	d.work(t.Context())
	n.Say(deviceMessage("alone", id, at))
	n.Say(deviceMessage("alone", other, at))
	n.Say(&Message{Kind: KindEvent, Scope: "device", About: id, ID: "x-1", Body: json.RawMessage(`{"id":"` + id + `"}`)})
	if err := n.commit(); err != nil {
		t.Fatal(err)
	}
	batch := &Message{Source: "peer", Kind: KindBatch, Scope: "default", ID: "1", Version: 1, At: at, Key: n.key}
	for _, dev := range []string{id, other} {
		m := deviceMessage("peer", dev, at)
		batch.Items = append(batch.Items, Item{ID: dev, Version: 1, At: at, Body: m.Body})
	}
	body, err := n.spool.pack.encode(batch)
	if err != nil {
		t.Fatal(err)
	}
	var taken []string
	n.OnMessage = func(m *Message) { taken = append(taken, m.ID) }
	if err := n.hear([]delivery{{batch.subject(), body}}); err != nil || len(taken) != 2 {
		t.Fatalf("%v, %v", taken, err)
	}
	var gone []string
	n.OnForget = func(id string, _ time.Time) error { gone = append(gone, id); return nil }
	if told, err := Forget(dir, id, n.now()); !told || err != nil {
		t.Fatalf("%v, %v", told, err)
	}
	if err := n.forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(gone) != 1 || gone[0] != id {
		t.Errorf("forgotten elsewhere: %q", gone)
	}
	n.spool.devices(func(m *Message) {
		if m.ID != other {
			t.Errorf("%s is on a sheet", m.ID)
		}
	})
	recalled := 0
	if err := n.spool.recall(time.Time{}, func(m *Message) { recalled++ }); err != nil || recalled != 1 {
		t.Errorf("%d devices of others, %v", recalled, err)
	}
	if w, err := n.spool.unsentOthers(10); err != nil || len(w) != 2 || !strings.Contains(string(w[0].body)+string(w[1].body), `"kind":"forget"`) {
		t.Errorf("%d wait, %v: want the withdrawal and the word to others", len(w), err)
	}
	raw, err := os.ReadFile(n.spool.path)
	if err != nil || strings.Contains(string(raw), "28:6c:07") {
		t.Errorf("the file still has it, %v", err)
	}
	taken = nil
	late := deviceMessage("peer", id, at)
	late.Version = 9
	early, _ := encode(late)
	fresh := deviceMessage("peer", id, n.now().Add(time.Second))
	fresh.Version = 10
	after, _ := encode(fresh)
	if err := n.hear([]delivery{{late.subject(), early}}); err != nil || len(taken) != 0 {
		t.Errorf("what comes late was taken: %v, %v", taken, err)
	}
	if err := n.hear([]delivery{{fresh.subject(), after}}); err != nil || len(taken) != 1 {
		t.Errorf("what was seen since is left out: %v, %v", taken, err)
	}
}

// Nobody empties the stores of a fleet at once.
func TestForgetsOfOneSensorAreBounded(t *testing.T) {
	n := aloneNode(t, Config{})
	for i := range maxForgets + 10 {
		m := &Message{Source: "peer", Kind: KindForget, Scope: "all", ID: fmt.Sprintf("d-%d", i), At: n.now(), Key: n.key}
		if err := n.forgets(m); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := n.spool.undone(); err != nil || len(list) != maxForgets || n.refused.Load() != 10 {
		t.Errorf("%d to forget, %d refused, %v", len(list), n.refused.Load(), err)
	}
	if err := n.forgets(&Message{Source: "stranger", Kind: KindForget, ID: "d-x", At: n.now(), Key: "another"}); err != nil || n.refused.Load() != 11 {
		t.Errorf("another site's word counts: %v", err)
	}
}

func TestAWordToForgetReachesWhoWasAway(t *testing.T) {
	c := newCluster(t)
	c.joined(3)
	const id = "d-0123456789ab"
	said := func(i int) func() bool {
		return func() bool { v, _ := c.heard[i].has("s1/device/" + id + "/"); return v > 0 }
	}
	c.nodes[0].Say(deviceMessage("s1", id, time.Now()))
	eventually(t, "the others know the device", func() bool { return said(1)() && said(2)() })
	c.kill(2)
	if told, err := Forget(c.dirs[1], id, time.Now()); !told || err != nil {
		t.Fatalf("%v, %v", told, err)
	}
	done := func(i int) func() bool {
		return func() bool {
			var n int
			err := c.nodes[i].spool.db.QueryRow("SELECT count(*) FROM forgotten WHERE device = ? AND done = 1", id).Scan(&n)
			return err == nil && n == 1
		}
	}
	eventually(t, "those that are up have forgotten it", func() bool { return done(0)() && done(1)() })
	c.start(2)
	eventually(t, "the one that was away has, too", done(2))
	for i, n := range c.nodes {
		n.spool.devices(func(m *Message) { t.Errorf("sensor %d says %s", i+1, m.ID) })
		if err := n.spool.recall(time.Time{}, func(m *Message) {
			if m.Kind == KindDevice {
				t.Errorf("sensor %d recalls %s", i+1, m.ID)
			}
		}); err != nil {
			t.Error(err)
		}
	}
}
