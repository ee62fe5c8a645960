package alerts

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"picket/evidence"
	"picket/sensor/device"
	"picket/sensor/handset"
)

// partner is one sensor of a fleet of judges, which tell each other what the
// test hands over.
func partner(t *testing.T, name string, c worldConfig) *world {
	t.Helper()
	w := newWorld(t, c)
	w.judge.flowOf, w.judge.sums = plainFlow, newSums(name)
	return w
}

func (w *world) sendBy(v *device.View, port uint16, at time.Time, n uint64) {
	tr := transfer(v, inCN, at, n)
	tr.Client, tr.Flow = netip.AddrPortFrom(tr.Client.Addr(), port), uint64(port)
	w.judge.Transfer(tr)
}

func (p *Partial) id() string { return p.Device + p.Policy + p.Hash + p.Maker }

// tellAll hands over what changed until nobody has anything to say.
func tellAll(at time.Time, all ...*world) {
	for range 4 {
		at = at.Add(time.Minute)
		for _, from := range all {
			for _, p := range from.judge.Partials(at, 100) {
				for _, to := range all {
					to.judge.hearOrUnhear(from.judge.sums.self, &p)
				}
			}
		}
	}
}

func (j *Judge) hearOrUnhear(name string, p *Partial) {
	if len(p.Bytes) == 0 {
		j.Hear(name, p.id(), nil)
		return
	}
	j.Hear(name, p.id(), p)
}

func TestAThresholdIsPassedTogether(t *testing.T) {
	s := time.Second
	type sight struct {
		sensor, port int
		at           time.Duration
		n            uint64
	}
	other := xiaomiToCN()
	other.Quiet = Duration(time.Hour)
	for name, tc := range map[string]struct {
		saw   []sight
		b     func(*worldConfig)
		realm string // at b
		who   handset.Confidence
		want  [2]uint64 // bytes of the episode at each; 0: none
	}{
		"each below, together above":           {saw: []sight{{0, 1, 0, 600}, {1, 2, s, 500}}, want: [2]uint64{600, 500}},
		"each below, together just at it":      {saw: []sight{{0, 1, 0, 1000}, {1, 2, s, 24}}, want: [2]uint64{1000, 24}},
		"each below, together below":           {saw: []sight{{0, 1, 0, 600}, {1, 2, s, 423}}},
		"the same conversation at both":        {saw: []sight{{0, 1, 0, 600}, {1, 1, s, 600}}},
		"the same, reported at another moment": {saw: []sight{{0, 1, 0, 600}, {1, 1, 0, 200}, {1, 1, 100 * s, 400}}},
		"the same and another one, below":      {saw: []sight{{0, 1, 0, 600}, {1, 1, s, 600}, {1, 2, s, 400}}},
		"the same and another one, above":      {saw: []sight{{0, 1, 0, 600}, {1, 1, s, 580}, {1, 2, s, 430}}, want: [2]uint64{600, 1010}},
		"not within the window":                {saw: []sight{{0, 1, 0, 600}, {1, 2, 601 * s, 600}}},
		"within the window":                    {saw: []sight{{0, 1, 0, 600}, {1, 2, 560 * s, 600}}, want: [2]uint64{600, 600}},
		"above at one, little at the other":    {saw: []sight{{0, 1, 0, 5000}, {1, 2, s, 10}}, want: [2]uint64{5000, 10}},
		"another policy":                       {saw: []sight{{0, 1, 0, 600}, {1, 2, s, 600}}, b: func(c *worldConfig) { c.policies = []Policy{other} }},
		"another realm":                        {saw: []sight{{0, 1, 0, 600}, {1, 2, s, 600}}, realm: "dormitory"},
		"not known who it is":                  {saw: []sight{{0, 1, 0, 600}, {1, 2, s, 600}}, who: handset.Likely},
	} {
		t.Run(name, func(t *testing.T) {
			var c worldConfig
			if tc.b != nil {
				tc.b(&c)
			}
			both := []*world{partner(t, "a", worldConfig{}), partner(t, "b", c)}
			v := phone("d-1", "xiaomi", handset.Certain)
			at := phone("d-1", "xiaomi", max(tc.who, 0))
			if tc.who == 0 {
				at = phone("d-1", "xiaomi", handset.Certain)
			}
			if tc.realm != "" {
				at.Realm = tc.realm
			}
			for _, x := range tc.saw {
				both[x.sensor].sendBy([]*device.View{v, at}[x.sensor], uint16(x.port), start.Add(x.at), x.n)
			}
			tellAll(start, both...)
			tellAll(start.Add(time.Hour), both...) // again: nothing changes
			for i, w := range both {
				open := slices.DeleteFunc(w.judge.Open(), func(e evidence.Episode) bool { return e.Condition != evidence.Sent })
				if tc.want[i] == 0 {
					if len(open) > 0 || len(w.told.lines) > 0 {
						t.Errorf("at %d: %v", i, w.told.lines)
					}
					continue
				}
				if len(open) != 1 || open[0].Sent != tc.want[i] || len(w.told.lines) != 1 {
					t.Fatalf("at %d: %+v, told %v", i, open, w.told.lines)
				}
				alone := open[0].Sent >= 1024
				if sum := strings.Contains(open[0].Sentence, "as the sum of 2 sensors (a, b)"); sum == alone {
					t.Errorf("at %d: %s", i, open[0].Sentence)
				}
			}
		})
	}
}

// Whatever order messages come in, and however often, the same is passed.
func TestSumsDoNotDependOnOrder(t *testing.T) {
	v := phone("d-1", "xiaomi", handset.Certain)
	var messages []Partial
	var from []string
	for i := range 5 {
		w := partner(t, fmt.Sprint("s", i), worldConfig{})
		for k := range 3 { // states of one sensor, one after the other
			w.sendBy(v, uint16(i), start.Add(time.Duration(k)*time.Second), 70)
			p := w.judge.Partials(start.Add(time.Duration(k)*time.Minute), 10)
			messages, from = append(messages, p...), append(from, w.judge.sums.self)
		}
	}
	want := ""
	for range 200 {
		w := partner(t, "us", worldConfig{})
		w.sendBy(v, 100, start, 20)
		for _, k := range append(rand.Perm(len(messages)), rand.Perm(len(messages))...) {
			w.judge.Hear(from[k], messages[k].id(), &messages[k])
		}
		for k := range messages { // the latest of each last, as the fleet sees to
			w.judge.Hear(from[k], messages[k].id(), &messages[k])
		}
		open := w.judge.Open()
		got := fmt.Sprint(len(open), w.told.lines)
		if len(open) == 1 {
			got += fmt.Sprint(open[0].SumOf)
		}
		if want == "" {
			want = got
		}
		if got != want || !strings.Contains(got, "[s0 s1 s2 s3 s4 us]") {
			t.Fatalf("%s, want %s", got, want)
		}
	}
}

func TestSumOfCountsAConversationOnceAndMovesOn(t *testing.T) {
	p := func(key uint64, stretch int64, n uint64) Portion { return Portion{key, stretch, n} }
	for name, tc := range map[string]struct {
		sensors [][]Portion
		from    int64
		want    []int
	}{
		"nothing":                   {[][]Portion{nil, nil}, 0, nil},
		"alone":                     {[][]Portion{{p(1, 5, 100)}}, 0, []int{0}},
		"two":                       {[][]Portion{{p(1, 5, 60)}, {p(2, 6, 40)}}, 0, []int{0, 1}},
		"too far apart":             {[][]Portion{{p(1, 5, 60)}, {p(2, 9, 40)}}, 0, nil},
		"just near enough":          {[][]Portion{{p(1, 5, 60)}, {p(2, 8, 40)}}, 0, []int{0, 1}},
		"the most of each":          {[][]Portion{{p(1, 5, 30), p(1, 6, 30)}, {p(1, 6, 59), p(2, 6, 39)}}, 0, nil},
		"the most of each, above":   {[][]Portion{{p(1, 5, 30), p(1, 6, 30)}, {p(1, 6, 59), p(2, 6, 40)}}, 0, []int{0, 1}},
		"before the last end":       {[][]Portion{{p(1, 5, 60)}, {p(2, 6, 40)}}, 6, nil},
		"others alone":              {[][]Portion{{p(1, 5, 60)}, {p(2, 20, 100)}}, 0, nil},
		"others first, us later on": {[][]Portion{{p(1, 22, 1)}, {p(2, 20, 100)}}, 0, []int{0, 1}},
		"not all of them":           {[][]Portion{{p(1, 5, 60)}, {p(2, 20, 1)}, {p(3, 4, 40)}}, 0, []int{0, 2}},
	} {
		for range 10 {
			for _, l := range tc.sensors {
				rand.Shuffle(len(l), func(i, k int) { l[i], l[k] = l[k], l[i] })
			}
			if got := sumOf(tc.sensors, 4, tc.from, 100); !slices.Equal(got, tc.want) {
				t.Errorf("%s: %v, want %v", name, got, tc.want)
			}
		}
	}
}

// What was told is withdrawn when it holds no longer, and a device that no
// policy prohibits is never told of.
func TestPartialsComeAndGo(t *testing.T) {
	w := partner(t, "a", worldConfig{})
	w.sendBy(phone("d-apple", "apple", handset.Certain), 1, start, 900)
	w.sendBy(phone("d-weak", "xiaomi", handset.Weak), 2, start, 900)
	w.sendBy(phone("d-little", "xiaomi", handset.Certain), 3, start, 63)
	if list := w.judge.Partials(start, 100); len(list) != 0 {
		t.Fatalf("told: %+v", list)
	}
	v := phone("d-near", "xiaomi", handset.Certain)
	w.sendBy(v, 4, start, 64)
	list := w.judge.Partials(start, 100)
	if len(list) != 1 || list[0].Device != "d-near" || len(list[0].Bytes) != 1 || list[0].Bytes[0].Sent != 64 || list[0].Realm != "default" {
		t.Fatalf("told: %+v", list)
	}
	w.sendBy(v, 4, start.Add(100*time.Millisecond), 10)
	if list := w.judge.Partials(start.Add(500*time.Millisecond), 100); len(list) != 0 {
		t.Errorf("told again after half a second: %+v", list)
	}
	if list := w.judge.Partials(start.Add(time.Second), 100); len(list) != 1 || list[0].Bytes[0].Sent != 74 {
		t.Errorf("told a second later: %+v", list)
	}
	// Another one tells of the little one: now ours counts.
	w.judge.Hear("b", "x", &Partial{Device: "d-little", Realm: "default", Policy: "xiaomi-to-cn", Hash: w.judge.rules[0].Hash, Until: start.Add(time.Hour), Bytes: []Portion{{9, w.judge.rules[0].stretchOf(start), 100}}})
	if list := w.judge.Partials(start.Add(2*time.Second), 100); len(list) != 1 || list[0].Device != "d-little" {
		t.Errorf("told: %+v", list)
	}
	w.pass(start, 80*time.Minute)
	list = w.judge.Partials(start.Add(80*time.Minute), 100)
	if len(list) != 2 || len(list[0].Bytes)+len(list[1].Bytes) != 0 {
		t.Errorf("withdrawn: %+v", list)
	}
	if near, heard, _, _ := w.judge.Summing(); near != 0 || heard != 0 {
		t.Errorf("%d told, %d heard are held", near, heard)
	}
}

// An episode that has ended does not open again by bytes of before its end.
func TestBytesOfBeforeTheEndDoNotCountAgain(t *testing.T) {
	p := xiaomiToCN()
	p.Quiet = Duration(5 * time.Minute)
	a, b := partner(t, "a", worldConfig{policies: []Policy{p}}), partner(t, "b", worldConfig{policies: []Policy{p}})
	v := phone("d-1", "xiaomi", handset.Certain)
	a.sendBy(v, 1, start, 600)
	b.sendBy(v, 2, start, 600)
	tellAll(start, a, b)
	if len(a.told.lines) != 1 {
		t.Fatalf("told %v", a.told.lines)
	}
	a.pass(start, 6*time.Minute)
	a.sendBy(v, 3, start.Add(6*time.Minute), 500)
	tellAll(start.Add(time.Hour), a, b)
	if n := len(a.judge.Open()); n != 0 {
		for _, e := range a.judge.Open() {
			if e.Condition == evidence.Sent && e.Continued > 0 && len(e.SumOf) > 0 {
				t.Errorf("open again: %+v", e)
			}
		}
	}
}

// Through a restart what an open episode rests on stays, one below its
// threshold too; what is evidence of nothing any longer is withdrawn. Nothing is
// told twice.
func TestPartialsThroughARestart(t *testing.T) {
	store := &Memory{}
	a, b := partner(t, "a", worldConfig{store: store}), partner(t, "b", worldConfig{})
	v := phone("d-1", "xiaomi", handset.Certain)
	a.sendBy(v, 1, start, 600)
	a.sendBy(phone("d-2", "xiaomi", handset.Certain), 3, start, 600)
	b.sendBy(phone("d-2", "xiaomi", handset.Certain), 4, start.Add(3*time.Second), 420)
	b.sendBy(v, 2, start, 600)
	said := a.judge.Partials(start, 100)
	tellAll(start, a, b)
	a.judge.Flush()
	told := &recorder{}
	again := partner(t, "a", worldConfig{store: store, told: told, now: start})
	gone := said[0]
	gone.Device = "d-3"
	for _, p := range append(said, gone) {
		again.judge.Recall(p)
	}
	again.verdict(v, start.Add(time.Second))
	list := again.judge.Partials(start.Add(time.Second), 100)
	if len(list) != 1 || list[0].Device != "d-3" || len(list[0].Bytes) != 0 {
		t.Errorf("withdrawn: %+v", list)
	}
	again.sendBy(v, 9, start.Add(2*time.Second), 5)
	tellAll(start, again, b)
	if e := again.judge.Open(); len(e) != 2 || e[0].Sent != 605 || !slices.Equal(e[0].SumOf, []string{"a", "b"}) {
		t.Errorf("%+v", e)
	}
	if len(told.lines) != 1 || !strings.HasPrefix(told.lines[0], "resumed") || len(b.told.lines) != 1 {
		t.Errorf("told %v and %v", told.lines, b.told.lines)
	}
	again.sendBy(phone("d-2", "xiaomi", handset.Certain), 5, start.Add(4*time.Second), 5)
	tellAll(start.Add(time.Hour), again, b)
	if len(told.lines) != 2 || len(b.told.lines) != 2 || told.lines[1] != "opened page xiaomi-to-cn d-2 605" || b.told.lines[1] != "opened page xiaomi-to-cn d-2 420" {
		t.Errorf("told %v and %v", told.lines, b.told.lines)
	}
}

func TestSumsAreBounded(t *testing.T) {
	w := partner(t, "a", worldConfig{})
	v := phone("d-1", "xiaomi", handset.Certain)
	for i := range 1000 {
		w.sendBy(v, uint16(i), start.Add(time.Duration(i)*time.Second), 1)
	}
	list := w.judge.Partials(start, 10)
	if len(list) != 1 || len(list[0].Bytes) > MaxPortions {
		t.Errorf("%d told", len(list))
	}
	h := w.judge.rules[0].Hash
	for i := range maxHeard + 100 {
		id := fmt.Sprint("d-", i)
		w.judge.Hear("b", id, &Partial{Device: id, Realm: "default", Hash: h, Until: start.Add(time.Hour), Bytes: []Portion{{1, 1, 1}}})
	}
	for i := range 100 {
		w.judge.Hear(fmt.Sprint("c", i), "d-1", &Partial{Device: "d-1", Realm: "default", Hash: h, Until: start.Add(time.Hour), Bytes: []Portion{{1, 1, 1}}})
	}
	if _, heard, dropped, _ := w.judge.Summing(); heard > maxHeard || dropped == 0 {
		t.Errorf("%d heard, %d dropped", heard, dropped)
	}
	for i := range maxNear + 100 {
		w.sendBy(phone(device.ID(fmt.Sprint("e-", i)), "xiaomi", handset.Certain), 7, start.Add(time.Hour), 500)
	}
	if near, _, _, _ := w.judge.Summing(); near > maxNear {
		t.Errorf("%d told of", near)
	}
	w.judge.ForgetPartials("d-1")
	w.judge.sweepHeard(start.Add(2 * time.Hour))
	if _, heard, _, _ := w.judge.Summing(); heard != 0 || len(w.judge.sums.heard) != 0 {
		t.Errorf("%d heard are left", heard)
	}
}
