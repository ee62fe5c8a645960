package flow

import (
	"testing"

	"picket/sensor/packet"
)

// TestPlaceGoesStale: between Seek and TouchAt other packets may end the flow,
// or give its number to another.
func TestPlaceGoesStale(t *testing.T) {
	tab := New(Config{Home: home(), MaxFlows: 1}, nil)
	var k talk
	p := k.udp(true, "payload")
	first, _ := tab.Touch(p)
	id := first.ID
	var l [1]Place
	l[0].Key(tab, p)
	tab.Seek(l[:])
	if f, _ := tab.TouchAt(p, &l[0]); f.ID != id || f.Total(Up).Bytes != 14 {
		t.Fatalf("flow %d with %d bytes, want %d with 14", f.ID, f.Total(Up).Bytes, id)
	}
	other := *p
	other.Src[15]++
	tab.Touch(&other) // takes the only number
	f, _ := tab.TouchAt(p, &l[0])
	if f.ID == id || f.Total(Up).Bytes != 7 {
		t.Errorf("flow %d with %d bytes, want a new one with 7", f.ID, f.Total(Up).Bytes)
	}
}

// TestPlaceOfNothing: what belongs to no flow has no place.
func TestPlaceOfNothing(t *testing.T) {
	tab := New(Config{Home: home()}, nil)
	l := make([]Place, 2)
	var k talk
	l[0].Key(tab, k.udp(true, "payload"))
	l[1].Key(tab, k.udp(true, "payload"))
	l[1].Key(tab, &packet.Packet{Stop: packet.Decoded, Proto: packet.ProtoICMP, Version: 4})
	tab.Seek(l)
	if f, _ := tab.TouchAt(&packet.Packet{}, &l[1]); f != nil || tab.Stats().Flows != 0 {
		t.Errorf("%+v, %d flows", f, tab.Stats().Flows)
	}
}

// TestSeekAllocates nothing, nor does what follows it.
func TestSeekAllocates(t *testing.T) {
	tab := New(Config{Home: home()}, nil)
	var k talk
	p := k.udp(true, "payload")
	var l [16]Place
	n := testing.AllocsPerRun(100, func() {
		for i := range l {
			p.FragID++
			l[i].Key(tab, p)
		}
		tab.Seek(l[:])
		for i := range l {
			tab.TouchAt(p, &l[i])
		}
	})
	if n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
