package main

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"picket/evidence"
	"picket/fleet"
	"picket/sensor/device"
	"picket/sensor/handset"
)

// ecsFields are those of the Elastic Common Schema 8.17 that the mapping uses.
var ecsFields = []string{
	"@timestamp", "observer.name", "observer.type", "event.kind", "event.category", "event.dataset", "event.id", "event.start", "event.end", "event.reason",
	"event.action", "message", "rule.name", "log.level", "host.id", "host.mac", "host.ip", "host.name", "device.manufacturer", "device.model.name", "device.id",
	"destination.domain", "destination.ip", "destination.geo.country_iso_code", "destination.bytes", "source.bytes", "network.bytes", "labels", "tags",
}

// TestTheSchemaOfEventsIsDocumented holds docs/fleet.md against the lines
// that are published: every key is in its table, and nothing else.
func TestTheSchemaOfEventsIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("docs/fleet.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(doc), "## Events for log stores and SIEMs")
	section, _, _ = strings.Cut(section, "\n## ")
	if !ok {
		t.Fatal("docs/fleet.md: no section about events")
	}
	documented := map[string]bool{}
	row := regexp.MustCompile("(?m)^\\| `([^|]*)` \\| ([^|]*) \\| ([^|]*) \\|$")
	name := regexp.MustCompile("`([^`]+)`")
	for _, m := range row.FindAllStringSubmatch(section, -1) {
		for _, kind := range strings.Fields(strings.ReplaceAll(m[2], ",", " ")) {
			documented[kind+"."+m[1]] = true
		}
		for _, f := range name.FindAllStringSubmatch(m[3], -1) {
			field, _, _ := strings.Cut(f[1], ":")
			if !slices.Contains(ecsFields, field) && !strings.HasPrefix(field, "picket.") {
				t.Errorf("%s: %q is no field of ECS", m[1], field)
			}
		}
	}
	published := map[string]bool{}
	for kind, line := range map[string]any{
		"message": fleet.Message{Body: json.RawMessage(`{}`), About: "d-1"}, "episode": newEpisodeLine(&evidence.Episode{}),
		"device": newDeviceLine(&device.View{Verdict: new(handset.Verdict)}), "ledger": newLedgerEvent(&evidence.LedgerRow{}, time.Now()),
	} {
		b, err := json.Marshal(line)
		if err != nil {
			t.Fatal(err)
		}
		var keys map[string]any
		if err := json.Unmarshal(b, &keys); err != nil {
			t.Fatal(err)
		}
		for k, v := range keys {
			if in, nested := v.(map[string]any); nested && k != "body" {
				for sub := range in {
					published[kind+"."+k+"."+sub] = true
				}
				continue
			}
			published[kind+"."+k] = true
		}
	}
	for k := range published {
		if !documented[k] {
			t.Errorf("docs/fleet.md says nothing of %s", k)
		}
	}
	for k := range documented {
		if !published[k] {
			t.Errorf("docs/fleet.md tells of %s, which is not published", k)
		}
	}
}

// The ledger goes on the stream once an hour, and a row again only when it
// has grown.
func TestTheLedgerIsToldWhenItGrows(t *testing.T) {
	store, err := evidence.Open(evidence.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	m := newMember(t)
	m.store = store
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	count := func(maker string) {
		store.Count(evidence.Residence{Maker: maker, Class: "handset", Location: "CN"}, evidence.Flow{At: at, Sent: 100, Flows: 1})
		if err := store.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	m.tellLedger(at)
	for i, step := range []struct {
		maker string
		want  uint64
	}{{"xiaomi", 1}, {"", 1}, {"honor", 2}, {"xiaomi", 3}} {
		if step.maker != "" {
			count(step.maker)
		}
		at = at.Add(ledgerEvery)
		m.tellLedger(at)
		m.tellLedger(at.Add(time.Minute)) // too early
		if n := m.events.Load(); n != step.want {
			t.Errorf("step %d: %d lines so far, want %d", i, n, step.want)
		}
	}
}

func newMember(t *testing.T) *member {
	t.Helper()
	n, err := fleet.NewNode(fleet.NodeConfig{Config: fleet.Config{Mode: fleet.URL, Name: "alone", URLs: []string{"nats://127.0.0.1:1"}}, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return &member{node: n}
}
