package sensor

import (
	"testing"

	"picket/sensor/packet"
)

// Both directions of a conversation, and every fragment, have one worker.
func TestGuideKeepsConversationsTogether(t *testing.T) {
	g := guide{cfg: &WorkerConfig{}, workers: 7}
	workers := map[uint32]bool{}
	for port := range 50 {
		k := newTalk("203.0.113.53:53")
		body := udpOf(k, true, []byte{byte(port)})
		k.frame(true, ipOf(k, true, packet.ProtoUDP, 77<<16|0x2000, body))
		k.frame(true, ipOf(k, true, packet.ProtoUDP, 77<<16|1, body))
		k.frame(false, ipOf(k, false, packet.ProtoUDP, 0, body))
		k.frame(false, ipOf(k, false, packet.ProtoTCP, 0x4000, make([]byte, 20)))
		first := g.of(&k.frames[0])
		for i := range k.frames {
			if got := g.of(&k.frames[i]); got != first {
				t.Fatalf("frame %d: worker %d, want %d", i, got, first)
			}
		}
	}
	for i := range 200 {
		var a, b packet.Addr
		a[15], b[15], b[0] = byte(i), byte(7*i), 1
		w := g.between(a, b)
		if w != g.between(b, a) || w >= g.workers {
			t.Fatalf("%v and %v: worker %d one way, %d the other", a, b, w, g.between(b, a))
		}
		workers[w] = true
	}
	if len(workers) != 7 {
		t.Errorf("only %d of 7 workers have work", len(workers))
	}
}

func TestGuideReadsWhateverComes(t *testing.T) {
	g := guide{cfg: &WorkerConfig{}, workers: 3}
	k := newTalk("203.0.113.53:53").datagram(true, []byte("x"))
	whole := k.frames[0]
	for n := range whole.Data {
		f := whole
		f.Data = whole.Data[:n]
		if w := g.of(&f); w >= 3 {
			t.Fatalf("%d bytes: worker %d", n, w)
		}
	}
	if n := testing.AllocsPerRun(100, func() { g.of(&whole) }); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}
