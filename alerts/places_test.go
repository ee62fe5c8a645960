package alerts

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"testing"

	"picket/geo"
	"picket/sensor"
	"picket/sensor/handset"
)

func nthKey(i int) placeKey {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], 0x01000000+uint32(i))
	return placeKey{addr: netip.AddrFrom4(b), name: "host" + strconv.Itoa(i%97) + ".example"}
}

// What is used again stays for another generation, and no more than two
// generations are held.
func TestPlacesKeepTwoGenerations(t *testing.T) {
	p := newPlaces()
	first := nthKey(0)
	p.put(p.hash(&first), &place{key: first})
	for i := 1; i < 4*maxPlaces; i++ {
		k := nthKey(i)
		h := p.hash(&k)
		if p.get(h, &k) != nil {
			t.Fatalf("%v is there before it was put", k)
		}
		p.put(h, &place{key: k})
		if i%1000 == 0 && p.get(p.hash(&first), &first) == nil {
			t.Fatalf("after %d others the one that is used is gone", i)
		}
	}
	if e := p.get(p.hash(&first), &first); e == nil || e.key != first {
		t.Errorf("got %v", e)
	}
	if k := nthKey(1); p.get(p.hash(&k), &k) != nil {
		t.Error("one that was never used again is kept for ever")
	}
	if n := p.young.held + p.old.held; n > 2*maxPlaces || len(p.young.slots) > 2*maxPlaces || len(p.old.slots) > 2*maxPlaces {
		t.Errorf("%d held in %d and %d slots", n, len(p.young.slots), len(p.old.slots))
	}
	last := nthKey(4*maxPlaces - 1)
	h := p.hash(&last)
	if n := testing.AllocsPerRun(100, func() { p.get(h, &last) }); n != 0 {
		t.Errorf("%v allocations to find one", n)
	}
}

// Keys are told apart by every part, even if all have one hash.
func TestPlacesOfOneHash(t *testing.T) {
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	keys := []placeKey{
		{addr: a}, {addr: b}, {addr: a, name: "x.example"}, {addr: a, name: "y.example"}, {addr: a, name: "x.example", cname: "z.example"},
		{addr: a, name: "x.example", tunnel: true}, {name: "x.example", question: true}, {name: "x.example"},
	}
	var table placeTable
	hashes := map[uint64]bool{}
	p := newPlaces()
	for _, k := range keys {
		if e := table.find(7, &k); e != nil {
			t.Errorf("%v: found %v", k, e.key)
		}
		table.put(7, &place{key: k})
		hashes[p.hash(&k)] = true
	}
	for _, k := range keys {
		if e := table.find(7, &k); e == nil || e.key != k {
			t.Errorf("%v: found %v", k, e)
		}
	}
	if len(hashes) < len(keys)-1 { // tunnel alone does not count
		t.Errorf("%d hashes of %d keys", len(hashes), len(keys))
	}
}

// sharing answers without a copy, as geo.Geo does.
type sharing struct{ geo.Jurisdiction }

func (s *sharing) Judge(geo.Query) geo.Jurisdiction { return s.Jurisdiction }
func (s *sharing) Of(geo.Query) *geo.Jurisdiction   { return &s.Jurisdiction }

func TestAnswersAreShared(t *testing.T) {
	g := &sharing{geo.Jurisdiction{Location: "DE", LocationConfidence: geo.High}}
	j, err := NewJudge(JudgeConfig{Rules: compile(t, xiaomiToCN()), Geo: g})
	if err != nil {
		t.Fatal(err)
	}
	p := j.place(nthKey(1), nil)
	if p.Jurisdiction != &g.Jurisdiction || p.location != "DE" || p.any || len(p.hits) != len(j.rules) {
		t.Errorf("%+v", p)
	}
	if again := j.place(nthKey(2), nil); &again.hits[0] != &p.hits[0] {
		t.Error("servers that no rule is about do not share their empty hits")
	}
}

func BenchmarkPlaceKnown(b *testing.B) {
	w := newWorld(b, worldConfig{})
	keys := make([]placeKey, 8192)
	for i := range keys {
		keys[i] = nthKey(i)
		w.judge.place(keys[i], nil)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		w.judge.place(keys[i*7919%len(keys)], nil)
	}
}

// TestQuestionIsPlacedWhereItCounts: a name that a device asks for is placed
// only once a rule counts what that device asks.
func TestQuestionIsPlacedWhereItCounts(t *testing.T) {
	for confidence, want := range map[handset.Confidence]int{handset.Likely: 0, handset.Certain: 1} {
		w := newWorld(t, worldConfig{})
		v := phone(dev, "xiaomi", confidence)
		w.judge.Question(sensor.Question{At: start, Device: v, Name: "owned.example"})
		if got := w.judge.places.young.held; got != want {
			t.Errorf("%v: %d names placed, want %d", confidence, got, want)
		}
	}
}
