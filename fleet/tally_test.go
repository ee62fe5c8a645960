package fleet

import (
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"picket/alerts"
	"picket/evidence"
)

// saw makes the part of a sensor that saw conversations.
func saw(sensor string, list ...evidence.Conversation) *part {
	p := partAt(sensor, 0, 0.99, 0, "a.example")
	e := &p.Episode
	e.Flows, e.Servers = list, []evidence.Server{{Name: "a.example", Addr: netip.MustParseAddrPort("203.0.113.7:443"), First: start, Last: start}}
	for _, c := range list {
		e.Sent, e.Handshake = e.Sent+c.Sent, e.Handshake+c.Handshake
		if c.Last.After(e.Last) {
			e.Last = c.Last
		}
	}
	e.Servers[0].Sent, e.Servers[0].Handshake, e.Servers[0].Flows = e.Sent, e.Handshake, uint64(len(list))
	return p
}

func talk(key uint64, from, to time.Duration, up, down uint64) evidence.Conversation {
	return evidence.Conversation{Key: key, First: start.Add(from), Last: start.Add(to), Sent: up, Handshake: up / 10, Received: down}
}

func TestBytesOfConversations(t *testing.T) {
	s := time.Second
	blind := func(p *part) *part { p.Episode.Flows = nil; return p }
	half := saw("b", talk(1, 0, 9*s, 0, 70))
	half.Episode.Caveats = []string{alerts.OneWay}
	for name, tc := range map[string]struct {
		parts []*part
		sent  uint64
		exact bool
		both  bool
	}{
		"one sensor":                            {[]*part{saw("a", talk(1, 0, 9*s, 100, 5))}, 100, true, true},
		"the same seen twice":                   {[]*part{saw("a", talk(1, 0, 9*s, 100, 5)), saw("b", talk(1, 1*s, 10*s, 100, 5))}, 100, true, true},
		"one lost frames":                       {[]*part{saw("a", talk(1, 0, 9*s, 100, 5)), saw("b", talk(1, 1*s, 10*s, 90, 5))}, 100, true, true},
		"different ones":                        {[]*part{saw("a", talk(1, 0, 9*s, 100, 5)), saw("b", talk(2, 1*s, 10*s, 90, 5))}, 190, true, true},
		"up here, down there":                   {[]*part{saw("a", talk(1, 0, 9*s, 100, 0)), half}, 100, true, true},
		"up here alone":                         {[]*part{saw("a", talk(1, 0, 9*s, 100, 0))}, 100, true, false},
		"a port used again":                     {[]*part{saw("a", talk(1, 0, 9*s, 100, 5), talk(1, 600*s, 601*s, 40, 5)), saw("b", talk(1, 600*s, 601*s, 40, 5))}, 140, true, true},
		"cut in two by one":                     {[]*part{saw("a", talk(1, 0, 100*s, 100, 5)), saw("b", talk(1, 0, 30*s, 60, 5), talk(1, 70*s, 100*s, 40, 5))}, 100, true, true},
		"spread, and one seen by both":          {[]*part{saw("a", talk(1, 0, s, 100, 5), talk(3, 0, s, 7, 1)), saw("b", talk(2, 0, s, 90, 5), talk(3, 0, s, 7, 1))}, 197, true, true},
		"a sensor that tells none apart":        {[]*part{saw("a", talk(1, 0, 9*s, 100, 5)), blind(saw("b", talk(2, 0, 9*s, 90, 5)))}, 100, false, false},
		"the same, and later ones beyond doubt": {[]*part{saw("a", talk(1, 0, 9*s, 100, 5), talk(4, 900*s, 901*s, 11, 1)), blind(saw("b", talk(2, 0, 9*s, 90, 5)))}, 111, false, false},
	} {
		parts := map[string]*part{}
		for i, p := range tc.parts {
			parts[string(rune('a'+i))] = p
		}
		got := tallyOf(sortedParts(parts), parts)
		e := combine(parts)
		if e.Sent != tc.sent || got.exact != tc.exact || got.bothWays != tc.both {
			t.Errorf("%s: %d bytes, exact %v, both ways %v; want %d, %v, %v", name, e.Sent, got.exact, got.bothWays, tc.sent, tc.exact, tc.both)
		}
		if tc.both && slices.Contains(e.Caveats, alerts.OneWay) {
			t.Errorf("%s: %q", name, e.Caveats)
		}
	}
}

// What does not add up was not counted by an honest sensor.
func TestConversationsThatExceedTheEpisodeAreNotBelieved(t *testing.T) {
	liar := saw("b", talk(2, 0, time.Second, 1<<40, 5))
	liar.Episode.Sent, liar.Episode.Handshake, liar.Episode.Servers[0].Sent = 90, 0, 90
	if e := combine(map[string]*part{"a": saw("a", talk(1, 0, time.Second, 100, 5)), "b": liar}); e.Sent != 100 {
		t.Errorf("%d bytes, want 100", e.Sent)
	}
}

// Whatever of the truth each sensor saw, in whatever order it is told and
// however often: the sum is the same, never more than the truth, and the
// truth once every conversation was seen whole by somebody.
func TestTallyNeverExceedsTheTruth(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 300 {
		names := []string{"access", "core", "edge"}
		seen := make([][]evidence.Conversation, len(names))
		var truth uint64
		whole := true
		for k := range 1 + r.IntN(12) {
			at := time.Duration(r.IntN(3600)) * time.Second
			up := uint64(r.IntN(5000))
			truth += up
			best := uint64(0)
			for i := range names {
				if r.IntN(2) == 0 {
					continue
				}
				skew := time.Duration(r.IntN(2000)) * time.Millisecond
				part := up
				if r.IntN(4) == 0 {
					part = up * uint64(r.IntN(100)) / 100
				}
				best = max(best, part)
				seen[i] = append(seen[i], talk(uint64(k), at+skew, at+skew+time.Second, part, 1))
			}
			whole = whole && best == up
		}
		parts := map[string]*part{}
		for i, n := range names {
			if len(seen[i]) > 0 {
				parts[n] = saw(n, seen[i]...)
			}
		}
		if len(parts) == 0 {
			continue
		}
		want := combine(parts)
		if want.Sent > truth || whole && want.Sent != truth {
			t.Fatalf("round %d: %d bytes of %d", round, want.Sent, truth)
		}
		for range 3 {
			again := map[string]*part{}
			r.Shuffle(len(names), func(i, k int) { names[i], names[k] = names[k], names[i] })
			for _, n := range names {
				if p := parts[n]; p != nil {
					c := *p
					c.Episode.Flows = slices.Clone(p.Episode.Flows)
					r.Shuffle(len(c.Episode.Flows), func(i, k int) {
						c.Episode.Flows[i], c.Episode.Flows[k] = c.Episode.Flows[k], c.Episode.Flows[i]
					})
					again[n] = &c
				}
			}
			if got := combine(again); !reflect.DeepEqual(got, want) {
				t.Fatalf("round %d: another order gives\n%+v\nwant\n%+v", round, got, want)
			}
		}
	}
}

func TestFlowOfIsTheSameAtEverySensorWithTheKey(t *testing.T) {
	client, server := netip.MustParseAddrPort("10.1.2.3:40000"), netip.MustParseAddrPort("203.0.113.7:443")
	a, b, c := FlowOf([]byte("k1")), FlowOf([]byte("k1")), FlowOf([]byte("k2"))
	if a("r", client, server, 6) != b("r", client, server, 6) {
		t.Error("two sensors differ")
	}
	if a("r", client, server, 6) == a("r", client, server, 17) || a("r", client, server, 6) == a("s", client, server, 6) || a("r", client, server, 6) == c("r", client, server, 6) {
		t.Error("protocol, realm and key do not count")
	}
}
