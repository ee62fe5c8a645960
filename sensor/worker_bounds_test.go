package sensor

import (
	"testing"
	"time"

	"picket/sensor/capture"
	"picket/sensor/observation"
)

// TestDecryptBudget: what the budget of a second does not allow is counted,
// and the next second has a new one.
func TestDecryptBudget(t *testing.T) {
	quics := initials(t, "quic.example.com", 2)
	one := func(port uint16, at int64) []capture.Frame {
		k := newTalk("203.0.113.5:443")
		k.client, k.at = phoneAt(port), at
		return k.datagram(true, quics[0]).datagram(true, quics[1]).frames
	}
	b := newBench(t, WorkerConfig{Decrypts: 4})
	start := int64(1_700_000_000e9)
	for i := range 6 {
		b.play(one(uint16(20000+i), start+int64(i)*10*millisecond))
	}
	if got := b.w.stats.Handshakes[ProtocolQUIC]; got[Named] == 0 || got[OverBudget] == 0 || got[Named]+got[OverBudget] != 6 {
		t.Errorf("outcomes %v, want some named, the others over the budget", got)
	}
	named := b.w.stats.Handshakes[ProtocolQUIC][Named]
	b.w.Tick(start + 2*second)
	b.play(one(30000, start+2*second))
	if got := b.w.stats.Handshakes[ProtocolQUIC][Named]; got != named+1 {
		t.Errorf("%d named a second later, want %d", got, named+1)
	}
}

func TestConversationsAreBounded(t *testing.T) {
	hello := helloOfChrome(t, "www.example.com")
	b := newBench(t, WorkerConfig{MaxConversations: 3})
	for i := range 5 {
		k := newTalk("203.0.113.5:443")
		k.client = phoneAt(uint16(20000 + i))
		b.play(k.up(hello).frames)
	}
	if b.w.convos.used != 3 || b.w.convos.made != 3 || b.w.stats.ConversationsFull == 0 {
		t.Errorf("%d of %d conversations, %d refused", b.w.convos.used, b.w.convos.made, b.w.stats.ConversationsFull)
	}
	hellos, named := 0, 0
	for _, o := range b.end() {
		if o.Kind == observation.TLS && o.Hello.SNI == "www.example.com" {
			hellos++
		}
		if o.Kind == observation.FlowReport && o.Flow.Name != "" {
			named++
		}
	}
	if hellos != 5 || named != 3 {
		t.Errorf("%d hellos, %d flows named; want 5, 3", hellos, named)
	}
	if b.w.convos.used != 0 {
		t.Errorf("%d conversations left at the end", b.w.convos.used)
	}
	k := newTalk("203.0.113.5:443")
	b.play(k.up(hello).frames)
	if b.w.convos.used != 1 || b.w.convos.made != 3 {
		t.Errorf("a place given back is not used again: %d of %d", b.w.convos.used, b.w.convos.made)
	}
}

// TestTunnelsAreBounded: a scan with ESP does not fill the memory.
func TestTunnelsAreBounded(t *testing.T) {
	b := newBench(t, WorkerConfig{})
	k := newTalk("203.0.113.5:1")
	for i := range maxTunnels + 10 {
		frame := ipOf(k, true, 50, 0, make([]byte, 16))
		be.PutUint16(frame[18:], uint16(i))
		k.frame(true, frame)
	}
	b.play(k.frames)
	if n := len(b.w.tunnels); n > maxTunnels {
		t.Errorf("%d tunnels remembered, want at most %d", n, maxTunnels)
	}
}

func TestInternedIsBounded(t *testing.T) {
	var n interned
	var key [4]byte
	for i := range maxInterned + 100 {
		be.PutUint32(key[:], uint32(i)+1)
		n.string(key[:])
	}
	if len(n.m) > maxInterned {
		t.Errorf("%d names kept", len(n.m))
	}
	a, b := n.string([]byte("www.example.com")), n.string([]byte("www.example.com"))
	if a != b {
		t.Error("two strings for one name")
	}
}

// knownFlow returns a worker that knows a flow, and a frame of it.
func knownFlow(t testing.TB, udp bool) (*Worker, []capture.Frame) {
	b := newBench(t, WorkerConfig{})
	k := tcpTalk("203.0.113.5:443")
	if udp {
		quics := initials(t, "quic.example.com", 2)
		k = newTalk("203.0.113.5:443").datagram(true, quics[0]).datagram(true, quics[1]).datagram(false, make([]byte, 40))
	} else {
		k.up(helloOfChrome(t, "www.example.com")).down(append([]byte{23, 3, 3, 0x3f, 0xf0}, make([]byte, 1200)...))
	}
	b.play(k.frames)
	data := make([]byte, 1300)
	data[0] = 0x41 // a short header of QUIC
	if udp {
		k.datagram(true, data).datagram(false, data)
	} else {
		k.up(data).down(data)
	}
	return b.w, k.frames[len(k.frames)-2:]
}

func TestWorkerAllocatesNothing(t *testing.T) {
	for name, udp := range map[string]bool{"TCP": false, "UDP": true} {
		w, frames := knownFlow(t, udp)
		if a := testing.AllocsPerRun(1000, func() { w.Frames(frames) }); a != 0 {
			t.Errorf("%s: %v allocations for a frame of a known flow, want none", name, a)
		}
	}
}

func BenchmarkWorkerKnownFlow(b *testing.B) {
	for name, udp := range map[string]bool{"TCP": false, "UDP": true} {
		b.Run(name, func(b *testing.B) {
			w, two := knownFlow(b, udp)
			batch := make([]capture.Frame, 0, frameBatch)
			for len(batch) < frameBatch {
				batch = append(batch, two...)
			}
			b.ReportAllocs()
			for range b.N / frameBatch {
				w.Frames(batch)
			}
		})
	}
}

// BenchmarkWorkerNewFlow is a whole short conversation: handshake, hello in
// two segments, an answer.
func BenchmarkWorkerNewFlow(b *testing.B) {
	hello := helloOfChrome(b, "www.example.com")
	k := tcpTalk("203.0.113.5:443").up(hello[:1300], hello[1300:]).down(append([]byte{22, 3, 3, 0, 100}, make([]byte, 100)...))
	w, spare := newBench(b, WorkerConfig{}), make(chan []observation.Observation, 8)
	w.w.spare = spare
	go func() {
		for batch := range w.out {
			clear(batch)
			spare <- batch
		}
	}()
	b.ReportAllocs()
	for i := range b.N {
		for j := range k.frames {
			f := &k.frames[j]
			f.At += 10 * millisecond
			be.PutUint32(f.Data[26:], 192<<24|168<<16|uint32(i)&0xffff) // another client
			if j == 1 || j == len(k.frames)-1 {
				be.PutUint32(f.Data[26:], 203<<24|113<<8|5)
				be.PutUint32(f.Data[30:], 192<<24|168<<16|uint32(i)&0xffff)
			}
		}
		w.w.Frames(k.frames)
	}
}

// With more frames at hand, what was observed waits; it is handed over with
// the last of them.
func TestFollowHandsOverWithTheLast(t *testing.T) {
	b := newBench(t, WorkerConfig{})
	b.w.Follow(tcpTalk("203.0.113.5:443").up(helloOfChrome(t, "www.example.com")).down([]byte("x")).frames)
	if len(b.out) != 0 {
		t.Errorf("%d batches were handed over while more was to come", len(b.out))
	}
	b.w.Frames(nil)
	if len(b.out) != 1 {
		t.Errorf("%d batches, want 1", len(b.out))
	}
}

// A source that always has more must not keep what was observed for itself.
func TestFollowHandsOverAsTimePasses(t *testing.T) {
	b := newBench(t, WorkerConfig{})
	k := tcpTalk("203.0.113.5:443").up(helloOfChrome(t, "www.example.com")).down([]byte("x"))
	b.w.Follow(k.frames)
	late := k.frames[len(k.frames)-1]
	late.At += int64(200 * time.Millisecond)
	b.w.Follow([]capture.Frame{late})
	if len(b.out) != 1 {
		t.Errorf("%d batches after a fifth of a second, want 1", len(b.out))
	}
}
