package fleet

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"picket/evidence"
)

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func partAt(sensor string, opened time.Duration, posterior float64, sent uint64, server string) *part {
	return &part{Shared: true, Episode: evidence.Episode{
		ID: "e-" + sensor, Policy: "p", Device: "d-1", Severity: "page", AlertedAs: "page", Maker: "xiaomi", Confidence: "certain", Posterior: posterior,
		First: start.Add(opened), Opened: start.Add(opened), Last: start.Add(opened + time.Minute), Sent: sent,
		Servers: []evidence.Server{{Name: server, Sent: sent, First: start.Add(opened), Last: start.Add(opened + time.Minute)}},
		Flows:   []evidence.Conversation{{Key: uint64(len(server)) + uint64(server[0]), First: start.Add(opened), Last: start.Add(opened + time.Minute), Sent: sent}},
	}}
}

func TestCombineDoesNotDependOnOrderAndCountsNoByteTwice(t *testing.T) {
	parts := map[string]*part{
		"edge": partAt("edge", time.Second, 0.995, 900, "a.example"), "access": partAt("access", 2*time.Second, 0.999, 1000, "a.example"),
		"west": partAt("west", 3*time.Second, 0.991, 50, "b.example"),
	}
	want := combine(parts)
	if want.ID != "e-edge" || want.Sent != 1050 || !want.First.Equal(start.Add(time.Second)) || want.Posterior != 0.999 || !want.Closed.IsZero() {
		t.Errorf("combined: %+v", want)
	}
	names := []string{"edge", "access", "west"}
	for range 20 {
		rand.Shuffle(3, func(i, k int) { names[i], names[k] = names[k], names[i] })
		again := map[string]*part{}
		for _, n := range append(names, names...) { // each comes twice
			again[n] = parts[n]
		}
		if got := combine(again); !reflect.DeepEqual(got, want) {
			t.Fatalf("order %v:\n%+v\nwant\n%+v", names, got, want)
		}
	}
	for _, p := range parts {
		p.Episode.Closed, p.Episode.CloseReason = p.Episode.Last, "quiet"
	}
	if got := combine(parts); !got.Closed.Equal(start.Add(3*time.Second+time.Minute)) || got.Firing {
		t.Errorf("all ended: closed %v", got.Closed)
	}
}

func TestDifferencesAreNamed(t *testing.T) {
	a := Sensor{Health: Health{Name: "a", Key: "k1", Signatures: "s1", Policies: map[string]string{"p": "1", "q": "2"}}}
	b := Sensor{Health: Health{Name: "b", Key: "k1", Signatures: "s2", Policies: map[string]string{"p": "1"}}}
	want := []string{"signatures differ: s1 at a; s2 at b", "policies called q differ: 2 at a; none at b"}
	if got := Differences([]Sensor{a, b}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
