package alerts

import (
	"testing"
	"time"

	"picket/geo"
	"picket/sensor/handset"
)

// ownedInCN is restricted by the owner of a name alone.
func ownedInCN() Policy {
	p := xiaomiToCN()
	p.Restricted.Basis = OneOrMore[Basis]{Basis(geo.Owner)}
	return p
}

// TestNamedLate: what a conversation carried before it showed its name counts
// from the first byte, once, for the rules that could not know.
func TestNamedLate(t *testing.T) {
	byPlace := xiaomiToCN()
	byPlace.Name, byPlace.Restricted.Basis = "by-place", OneOrMore[Basis]{Basis(geo.Location)}
	for _, c := range []struct {
		name string
		sure handset.Confidence
	}{{"known", handset.Certain}, {"identified late", handset.None}} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, worldConfig{policies: []Policy{ownedInCN(), byPlace}})
			v := phone(dev, "xiaomi", c.sure)
			flow := transfer(v, inNO, start, 700)
			flow.Name, flow.Handshake = "", 100
			w.judge.Transfer(flow)
			flow.Last = start.Add(time.Second)
			w.judge.Transfer(flow)
			w.wantTold()
			flow.Name, flow.Sent, flow.Last = "owned.example", 50, start.Add(2*time.Second)
			w.judge.Transfer(flow)
			flow.Sent = 60
			w.judge.Transfer(flow)
			w.verdict(phone(dev, "xiaomi", handset.Certain), start.Add(3*time.Second))
			list := w.episodes()
			if len(list) != 1 || list[0].Sent != 700+700+50+60 || list[0].Handshake != 400 || !list[0].First.Equal(start) {
				t.Errorf("episodes %+v", list)
			}
		})
	}
	// To a place restricted by location too: that rule has the bytes already.
	w := newWorld(t, worldConfig{policies: []Policy{ownedInCN(), byPlace}})
	flow := transfer(phone(dev, "xiaomi", handset.Certain), inCN, start, 2000)
	flow.Name = ""
	w.judge.Transfer(flow)
	flow.Name, flow.Sent = "owned.example", 500
	w.judge.Transfer(flow)
	for _, e := range w.episodes() {
		if e.Sent != 2500 {
			t.Errorf("policy %s counts %d bytes of 2500", e.Policy, e.Sent)
		}
	}
}

// TestUnnamedFlowsAreBounded: a flood of conversations that never show a name
// is forgotten, oldest first, and counted.
func TestUnnamedFlowsAreBounded(t *testing.T) {
	var e earlies
	forgot := 0
	v := phone(dev, "xiaomi", handset.Certain)
	for range 5 * maxEarly {
		tr := transfer(v, inNO, start, 10)
		if e.note(&tr, 0) {
			forgot++
		}
	}
	if n := len(e.young) + len(e.old); n > 2*maxEarly || forgot == 0 {
		t.Errorf("%d flows held, forgot %d times", n, forgot)
	}
	last := transfer(v, inNO, start, 10)
	e.note(&last, 0)
	last.Final = true
	e.note(&last, 0)
	if e.take(&last) != nil {
		t.Error("a flow that ended is held")
	}
}
