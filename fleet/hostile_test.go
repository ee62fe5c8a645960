package fleet

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"picket/alerts"
	"picket/evidence"
)

// keptEpisodes is a store.
type keptEpisodes map[string]evidence.Episode

func (k keptEpisodes) Episode(id string) (evidence.Episode, bool, error) {
	e, ok := k[id]
	return e, ok, nil
}

func (k keptEpisodes) SaveEpisode(e evidence.Episode) error {
	k[e.ID] = e
	return nil
}

// A sensor says things under its own name alone: with permissions of its own
// in NATS, one in the wrong hands cannot speak for another.
func TestNobodySpeaksUnderAnothersSubject(t *testing.T) {
	n := aloneNode(t, Config{})
	var taken []string
	n.OnMessage = func(m *Message) { taken = append(taken, m.Source) }
	m := deviceMessage("access", "d-0123456789ab", n.now())
	m.Version = 1
	b, err := encode(m)
	if err != nil {
		t.Fatal(err)
	}
	forged := strings.Replace(m.subject(), ".access.", ".edge.", 1)
	if err := n.hear([]delivery{{forged, b}, {strings.Replace(m.subject(), "default", "other", 1), b}}); err != nil || len(taken) != 0 || n.refused.Load() != 2 {
		t.Errorf("taken from %v, %d refused, %v", taken, n.refused.Load(), err)
	}
	if err := n.hear([]delivery{{m.subject(), b}}); err != nil || len(taken) != 1 {
		t.Errorf("taken from %v, %v", taken, err)
	}
	health, _ := json.Marshal(Health{Name: "access"})
	if n.learn("edge", health, true); len(n.Sensors()) != 0 {
		t.Error("health under another's key is believed")
	}
}

// No sensor writes over another's evidence, or ours; what comes from it bears
// its name; and it fills no disk.
func TestEvidenceOfOthersStaysTheirs(t *testing.T) {
	n := aloneNode(t, Config{})
	store := keptEpisodes{"e-ours": {ID: "e-ours", Sent: 1}}
	d := NewDesk(n, &phone{}, nil)
	d.Keep(store)
	say := func(source, id string, sent uint64) {
		e := notice(alerts.Opened, source, "d-0123456789ab", sent, start).Episode
		e.ID, e.Sensor = id, "forged"
		body, err := json.Marshal(part{Episode: e, Shared: true})
		if err != nil {
			t.Fatal(err)
		}
		d.remote(&Message{Source: source, Kind: KindEpisode, ID: id, Version: 1, At: n.now(), Key: n.key, Body: body})
	}
	say("edge", "e-edge", 100)
	say("edge", "e-ours", 100)
	say("core", "e-edge", 9999)
	if e := store["e-edge"]; e.Sensor != "edge" || e.Sent != 100 {
		t.Errorf("kept %s with %d bytes of %q", e.ID, e.Sent, e.Sensor)
	}
	if e := store["e-ours"]; e.Sensor != "" || e.Sent != 1 {
		t.Errorf("ours became %+v", e)
	}
	for i := range maxParts + 5 {
		say("edge", fmt.Sprintf("e-%d", i), 1)
	}
	if len(store) > maxParts+2 {
		t.Errorf("%d kept", len(store))
	}
	if n.refused.Load() == 0 {
		t.Error("nothing refused")
	}
}

// Different policies, realms that are not shared, and other site keys make
// different cases: nothing of one gets into another.
func TestWhatDiffersIsNeverMerged(t *testing.T) {
	n := aloneNode(t, Config{})
	told := &phone{}
	d := NewDesk(n, told, nil)
	d.Announce(notice(alerts.Opened, "alone", "d-0123456789ab", 1000, start))
	d.work(t.Context())
	for name, change := range map[string]func(*evidence.Episode, *Message){
		"another policy":   func(e *evidence.Episode, _ *Message) { e.PolicyHash = "h2" },
		"another network":  func(e *evidence.Episode, _ *Message) { e.Realm = "dormitory" },
		"another site key": func(_ *evidence.Episode, m *Message) { m.Key = "ffff" },
	} {
		e := notice(alerts.Opened, "edge", "d-0123456789ab", 500, start).Episode
		m := &Message{Source: "edge", Kind: KindEpisode, ID: e.ID, Version: 1, At: n.now(), Key: n.key}
		change(&e, m)
		m.Body, _ = json.Marshal(part{Episode: e, Shared: true})
		if d.remote(m); told.count(alerts.Changed) != 0 {
			t.Errorf("%s: merged", name)
		}
	}
	e := notice(alerts.Opened, "edge", "d-0123456789ab", 500, start).Episode
	body, _ := json.Marshal(part{Episode: e, Shared: true})
	d.remote(&Message{Source: "edge", Kind: KindEpisode, ID: e.ID, Version: 1, At: n.now(), Key: n.key, Body: body})
	if got := told.last(alerts.Changed).Episode; got.Sent != 1500 {
		t.Errorf("the same policy: %d bytes, want 1500", got.Sent)
	}
}
