package sensor

import (
	"context"
	"net/netip"
	"testing"

	"picket/sensor/capture"
	"picket/sensor/flow"
	"picket/sensor/observation"
	"picket/sensor/packets"
)

func keepingWorker(t *testing.T, x *packets.Exchange) *Worker {
	t.Helper()
	realms, err := NewRealms(nil)
	if err != nil {
		t.Fatal(err)
	}
	out := make(chan []observation.Observation, 1<<10)
	return NewWorker(context.Background(), WorkerConfig{Home: flow.NewHome([]netip.Prefix{netip.MustParsePrefix("192.168.0.0/16")}), Realms: realms, Keep: x}, out, nil)
}

func held(x *packets.Exchange) (out []packets.Record) {
	x.Take(func(r *packets.Record, _ []byte) { out = append(out, *r) })
	return out
}

func TestFirstFramesAreCopied(t *testing.T) {
	x := packets.NewExchange(packets.Handshakes, 0, 4)
	w := keepingWorker(t, x)
	hello := helloOfChrome(t, "www.example.com")
	talk := tcpTalk("203.0.113.5:443").up(hello).down([]byte("server"))
	for range 40 {
		talk = talk.up(make([]byte, 1000))
	}
	w.Frames(talk.frames)
	w.Close()
	got := held(x)
	if len(got) == 0 || len(got) > 2*keptFrames {
		t.Fatalf("%d frames were copied, want at most %d", len(got), 2*keptFrames)
	}
	whole := false
	for _, r := range got {
		whole = whole || r.Sent && int(r.Size-r.Body) == len(hello)
		if r.Home.Netip() != phone.Addr() {
			t.Errorf("home is %s", r.Home.Netip())
		}
	}
	if !whole {
		t.Error("the ClientHello is not among them")
	}
}

func TestStrangersAreNotCopied(t *testing.T) {
	x := packets.NewExchange(packets.Handshakes, 0, 4)
	w := keepingWorker(t, x)
	w.cfg.Home = nil
	w = NewWorker(context.Background(), WorkerConfig{Home: flow.NewHome([]netip.Prefix{netip.MustParsePrefix("172.16.0.0/12")}), Realms: w.cfg.Realms, Keep: x},
		make(chan []observation.Observation, 1<<10), nil)
	w.Frames(tcpTalk("203.0.113.5:443").up(helloOfChrome(t, "www.example.com")).frames)
	w.Close()
	if got := held(x); len(got) != 0 {
		t.Errorf("%d frames of conversations that are nobody's of ours", len(got))
	}
}

// TestCopyingIsFree: nothing is allocated, whether there is room or not.
func TestCopyingIsFree(t *testing.T) {
	for _, batches := range []int{1, 64} {
		x := packets.NewExchange(packets.Payload, 512, batches)
		w := keepingWorker(t, x)
		frames := tcpTalk("203.0.113.5:443").up(helloOfChrome(t, "www.example.com")).frames
		w.Frames(frames)
		last := frames[len(frames)-1:]
		if n := testing.AllocsPerRun(1000, func() { w.Frames(last) }); n != 0 {
			t.Errorf("%d batches: %v allocations a frame, want none", batches, n)
		}
	}
}

func BenchmarkKeep(b *testing.B) {
	x := packets.NewExchange(packets.Handshakes, 0, 8)
	realms, _ := NewRealms(nil)
	w := NewWorker(context.Background(), WorkerConfig{Home: flow.NewHome([]netip.Prefix{netip.MustParsePrefix("192.168.0.0/16")}), Realms: realms, Keep: x},
		make(chan []observation.Observation, 1), nil)
	frames := youngFrames(b)
	b.ReportAllocs()
	for b.Loop() {
		w.Frames(frames)
		x.Take(func(*packets.Record, []byte) {})
	}
}

// youngFrames are the handshake of one conversation.
func youngFrames(b *testing.B) []capture.Frame {
	b.Helper()
	return tcpTalk("203.0.113.5:443").frames
}
