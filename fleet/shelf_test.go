package fleet

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// stream is what a stream that keeps the latest of each subject would hold.
type stream map[string]*Message

func (st stream) take(t *testing.T, s *spool) {
	t.Helper()
	for {
		list, err := s.unsent(8)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			return
		}
		for _, v := range list {
			m, err := s.pack.decode(v.body)
			if err != nil {
				t.Fatal(err)
			}
			st[v.subject] = m
		}
		if err := s.acknowledged(list); err != nil {
			t.Fatal(err)
		}
		if err := s.tidy(); err != nil {
			t.Fatal(err)
		}
	}
}

// holds is what a reader of the stream from its start ends with.
func (st stream) holds() (bodies map[string]string, items int) {
	latest := map[string]*Message{}
	for _, m := range st {
		for _, d := range m.devices() {
			items++
			if was := latest[d.ID]; was == nil || was.Version < d.Version {
				latest[d.ID] = d
			}
		}
	}
	bodies = map[string]string{}
	for id, d := range latest {
		if !d.Gone {
			bodies[id] = string(d.Body)
		}
	}
	return bodies, items
}

// However often devices change, and whenever the sensor starts again: who
// reads the stream from its start has the latest of every device, and stream
// and disk hold no more than some times what there is.
func TestSheetsHoldTheLatestOfEveryDeviceAndLittleElse(t *testing.T) {
	dir := t.TempDir()
	s, err := openSpool(dir, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { s.close() }()
	r := rand.New(rand.NewPCG(3, 4))
	st, want := stream{}, map[string]string{}
	at := time.Unix(1790000000, 0)
	for round := range 300 {
		var list []*Message
		for range 1 + r.IntN(100) {
			id := fmt.Sprintf("d-%012x", r.IntN(600))
			m := &Message{Source: "s", Kind: KindDevice, Scope: []string{"x", "y"}[r.IntN(2)], ID: id, At: at, Key: "k"}
			if r.IntN(10) == 0 {
				m.Gone = true
				delete(want, id)
			} else {
				m.Body = json.RawMessage(fmt.Sprintf(`{"n":%d}`, round))
				want[id] = string(m.Body)
			}
			list = append(list, m)
			at = at.Add(time.Millisecond)
		}
		if err := s.say(list, false); err != nil {
			t.Fatal(err)
		}
		switch r.IntN(6) {
		case 0: // an outage goes on
		case 1:
			if err := s.close(); err != nil {
				t.Fatal(err)
			}
			if s, err = openSpool(dir, 100_000); err != nil {
				t.Fatal(err)
			}
		default:
			st.take(t, s)
		}
	}
	st.take(t, s)
	got, items := st.holds()
	if len(got) != len(want) {
		t.Errorf("%d devices on the stream, want %d", len(got), len(want))
	}
	for id, body := range want {
		if got[id] != body {
			t.Fatalf("%s is %s on the stream, want %s", id, got[id], body)
		}
	}
	var rows, stored int
	if err := s.db.QueryRow("SELECT count(*), coalesce(sum(items), 0) FROM shelf").Scan(&rows, &stored); err != nil {
		t.Fatal(err)
	}
	if most := 6 * len(want); items > most || stored > most {
		t.Errorf("%d items on the stream, %d on disk, for %d devices", items, stored, len(want))
	}
	own := 0
	if err := s.devices(func(m *Message) {
		own++
		if string(m.Body) != want[m.ID] && !m.Gone {
			t.Errorf("%s is %s on disk, want %s", m.ID, m.Body, want[m.ID])
		}
	}); err != nil || own != len(want) {
		t.Errorf("%d devices on disk, %v; want %d", own, err, len(want))
	}
}

// An outage, however long, makes the queue no longer than what there is to say.
func TestALongOutageIsNoLongerThanAShortOne(t *testing.T) {
	s, err := openSpool(t.TempDir(), 100_000)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	at := time.Unix(1790000000, 0)
	for round := range 400 {
		var list []*Message
		for i := range 50 {
			list = append(list, &Message{Source: "s", Kind: KindDevice, Scope: "x", ID: fmt.Sprintf("d-%d", (round*7+i)%200), At: at, Body: json.RawMessage(`{}`)})
		}
		at = at.Add(time.Second)
		if err := s.say(list, false); err != nil {
			t.Fatal(err)
		}
		if err := s.tidy(); err != nil {
			t.Fatal(err)
		}
	}
	if n, _, err := s.waiting(); err != nil || n > 4*200+50 {
		t.Errorf("%d wait, %v; there are 200 devices", n, err)
	}
}

func TestTheShelfIsBounded(t *testing.T) {
	s, err := openSpool(t.TempDir(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	for round := range 40 {
		var list []*Message
		for i := range 100 {
			list = append(list, &Message{Source: "s", Kind: KindDevice, Scope: "x", ID: fmt.Sprintf("d-%d-%d", round, i), At: time.Unix(1790000000+int64(round), 0), Body: json.RawMessage(`{}`)})
		}
		if err := s.say(list, false); err != nil {
			t.Fatal(err)
		}
	}
	if n, _, err := s.waiting(); err != nil || n > 1200 || s.dropped.Load() < 2800 {
		t.Errorf("%d wait, %d given up, %v", n, s.dropped.Load(), err)
	}
}

// A sheet of ours that our disk does not know is withdrawn.
func TestAnOrphanIsWithdrawn(t *testing.T) {
	s, err := openSpool(t.TempDir(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	m := &Message{Source: "s", Kind: KindBatch, Scope: "x", ID: "18", Version: 24, At: time.Unix(1, 0), Items: []Item{{ID: "d", Version: 1, At: time.Unix(1, 0)}}}
	for range 2 {
		if err := s.orphan(m); err != nil {
			t.Fatal(err)
		}
	}
	s.shelf.source = "s"
	list, err := s.unsent(8)
	if err != nil || len(list) != 1 || list[0].subject != m.subject() {
		t.Fatalf("%+v, %v", list, err)
	}
	if got, err := s.pack.decode(list[0].body); err != nil || !got.Gone || got.Version <= m.Version {
		t.Errorf("%+v, %v", got, err)
	}
	if err := s.acknowledged(list); err != nil {
		t.Fatal(err)
	}
	if n, _, _ := s.waiting(); n != 0 {
		t.Errorf("%d wait", n)
	}
}

// A sensor that reads schema 1 alone is told of devices one by one.
func TestOldReadersAreToldOneByOne(t *testing.T) {
	n := aloneNode(t, Config{})
	say := func(id string) {
		n.Say(&Message{Kind: KindDevice, Scope: "default", ID: id, Body: json.RawMessage(`{}`)})
		if err := n.commit(); err != nil {
			t.Fatal(err)
		}
	}
	singles := func() (k int) {
		if err := n.spool.db.QueryRow("SELECT count(*) FROM said WHERE kind = 'device'").Scan(&k); err != nil {
			t.Fatal(err)
		}
		return k
	}
	say("d-1")
	if err := n.speakOld(); err != nil || singles() != 0 {
		t.Errorf("%d messages for nobody, %v", singles(), err)
	}
	n.sensors["old"] = &heardOf{health: Health{Schema: 1}, heard: n.now()}
	if err := n.speakOld(); err != nil || singles() != 1 {
		t.Errorf("%d messages of what was said before, %v; want 1", singles(), err)
	}
	say("d-2")
	if singles() != 2 {
		t.Errorf("%d messages, want 2", singles())
	}
	delete(n.sensors, "old")
	if err := n.speakOld(); err != nil {
		t.Fatal(err)
	}
	if say("d-3"); singles() != 2 {
		t.Errorf("%d messages after it went, want 2", singles())
	}
}
