package flow

import (
	"math/rand/v2"
	"strings"
	"testing"

	"picket/sensor/packet"
)

func record(kind byte, n int) string {
	return string([]byte{kind, 3, 3, byte(n >> 8), byte(n)}) + strings.Repeat("x", n)
}

// tlsStream is a hello of 505 bytes, CCS, a finished message and two records
// of data: 505 + 6 + 45 of handshake.
func tlsStream() (s string, handshake int) {
	return record(22, 500) + record(20, 1) + record(22, 40) + record(23, 3000) + record(23, 700) + record(21, 2), 505 + 6 + 45 + 7
}

func TestRecordsInAnyCut(t *testing.T) {
	stream, want := tlsStream()
	for cut := 1; cut < 2000; cut += 7 {
		tab := New(Config{}, nil)
		var k talk
		f := begin(tab, &k)
		on := false
		for off := 0; off < len(stream); off += cut {
			got := feed(tab, &k, off, stream[off:min(len(stream), off+cut)])
			switch {
			case on:
			case len(got) >= 505:
				tab.FollowRecords(f, Up, got)
				tab.Release(f, Up)
				on = true
			default:
				tab.Hold(f, Up)
			}
		}
		if got := f.Total(Up); got.Handshake != uint64(want) || got.Bytes != uint64(len(stream)) {
			t.Fatalf("segments of %d: handshake %d of %d, want %d of %d", cut, got.Handshake, got.Bytes, want, len(stream))
		}
		if _, exact := f.Records(Up); !exact {
			t.Fatalf("segments of %d: boundary lost", cut)
		}
	}
}

// Snapped and reordered bulk stays data.
func TestRecordsSurviveGaps(t *testing.T) {
	hello, bulk := record(22, 500), record(23, 16000)
	tab := New(Config{}, nil)
	var k talk
	f := begin(tab, &k)
	got := feed(tab, &k, 0, hello)
	tab.FollowRecords(f, Up, got)
	tab.Release(f, Up)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 10 {
		from := 505 + i*len(bulk)
		order := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
		r.Shuffle(3, func(a, b int) { order[a+4], order[b+4] = order[b+4], order[a+4] })
		for _, j := range order {
			lo, hi := j*1460, min(len(bulk), (j+1)*1460)
			p := k.tcp(true, packet.ACK, 100+uint32(from+lo), 1, bulk[lo:hi])
			if j == 8 {
				p.Payload = p.Payload[:20] // cut by the snap length
			}
			tab.Touch(p)
		}
	}
	if got := f.Total(Up); got.Handshake != 505 || got.Bytes != uint64(505+10*len(bulk)) {
		t.Errorf("handshake %d of %d", got.Handshake, got.Bytes)
	}
}

func TestRecordsOtherDirection(t *testing.T) {
	tab := New(Config{}, nil)
	var k talk
	f := begin(tab, &k)
	tab.FollowRecords(f, Up, feed(tab, &k, 0, record(22, 100)))
	tab.Touch(k.tcp(false, packet.SYN|packet.ACK, 499, 100, ""))
	tab.Touch(k.tcp(false, packet.ACK, 500, 205, record(22, 1200)+record(23, 50)))
	if got := f.Total(Down); got.Handshake != 1205 || got.Bytes != 1260 {
		t.Errorf("handshake %d of %d, want 1205 of 1260", got.Handshake, got.Bytes)
	}
}

func TestCountHandshakeStaysWithinBytes(t *testing.T) {
	tab := New(Config{}, nil)
	var k talk
	f, d := tab.Touch(k.udp(true, "12345"))
	f.CountHandshake(d, 9)
	if got := f.Total(d).Handshake; got != 5 {
		t.Errorf("handshake %d of 5 bytes", got)
	}
}
