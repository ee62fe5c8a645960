package flow

import (
	"bytes"
	"strings"
	"testing"

	"picket/sensor/packet"
)

func begin(tab *Table, k *talk) *Flow {
	f, _ := tab.Touch(k.tcp(true, packet.SYN, 99, 0, ""))
	return f
}

// feed touches and collects one segment, off bytes into the stream.
func feed(tab *Table, k *talk, off int, s string) []byte {
	p := k.tcp(true, packet.ACK, 100+uint32(off), 1, s)
	f, d := tab.Touch(p)
	return tab.Collect(f, d, p)
}

func TestCollectInOrderLendsThePacket(t *testing.T) {
	tab := New(Config{}, nil)
	var k talk
	f := begin(tab, &k)
	p := k.tcp(true, packet.ACK, 100, 1, "hello")
	tab.Touch(p)
	b := tab.Collect(f, Up, p)
	if string(b) != "hello" || &b[0] != &p.Payload[0] {
		t.Fatalf("lent %q, want the packet's own bytes", b)
	}
	tab.Consume(f, Up, 5)
	if got := feed(tab, &k, 5, "again"); string(got) != "again" {
		t.Errorf("lent %q", got)
	}
	tab.Hold(f, Up)
	if got := feed(tab, &k, 10, "!"); string(got) != "again!" {
		t.Errorf("lent %q", got)
	}
	tab.Consume(f, Up, 4)
	if got := feed(tab, &k, 11, "?"); string(got) != "n!?" {
		t.Errorf("lent %q", got)
	}
	tab.Release(f, Up)
	if got := feed(tab, &k, 12, "x"); got != nil || tab.Stream(f, Up) != Released || f.Inspect != InspectDown {
		t.Errorf("after Release: %q, %v, inspect %b", got, tab.Stream(f, Up), f.Inspect)
	}
	if tab.Stats().StreamBytes != 0 {
		t.Errorf("%d bytes still held", tab.Stats().StreamBytes)
	}
}

// TestReleaseOfTheOtherDirection: what one direction was lent is consumed
// even when the other was released in between.
func TestReleaseOfTheOtherDirection(t *testing.T) {
	tab := New(Config{}, nil)
	var k talk
	f := begin(tab, &k)
	if got := feed(tab, &k, 0, "request"); string(got) != "request" {
		t.Fatalf("lent %q", got)
	}
	tab.Release(f, Down)
	tab.Consume(f, Up, 7)
	if got := feed(tab, &k, 7, "next"); string(got) != "next" {
		t.Errorf("lent %q, want the next request", got)
	}
}

func TestCollectOutOfOrder(t *testing.T) {
	tab := New(Config{}, nil)
	var k talk
	f := begin(tab, &k)
	for _, s := range []struct {
		off  int
		data string
		want string
	}{
		{6, "world", ""},
		{3, "xyzOLD", ""}, // overlaps: world came first
		{0, "abc", "abcxyzworld"},
		{0, "abcdef", ""},
		{11, "!", "abcxyzworld!"},
	} {
		if got := feed(tab, &k, s.off, s.data); string(got) != s.want {
			t.Fatalf("%q at %d: lent %q, want %q", s.data, s.off, got, s.want)
		}
	}
	if tab.Stream(f, Up) != Flowing {
		t.Error(tab.Stream(f, Up))
	}
}

func TestCollectBrokenAndResync(t *testing.T) {
	tab := New(Config{}, nil)
	var k talk
	f := begin(tab, &k)
	feed(tab, &k, 10, "0123456789")
	if tab.Stream(f, Up) != Flowing {
		t.Error("a gap that may yet fill")
	}
	tab.Touch(k.tcp(false, packet.ACK, 1, 120, "")) // the server has it all
	feed(tab, &k, 20, "abc")
	if got := tab.Stream(f, Up); got != Broken {
		t.Errorf("%v, want broken", got)
	}
	if got := tab.Resync(f, Up); string(got) != "0123456789abc" {
		t.Errorf("behind the gap: %q", got)
	}
}

func TestCollectMissedStart(t *testing.T) {
	tab := New(Config{}, nil)
	var k talk
	p := k.tcp(true, packet.ACK, 5000, 1, "middle")
	f, d := tab.Touch(p)
	if got := tab.Collect(f, d, p); string(got) != "middle" || tab.Stream(f, d) != MissedStart {
		t.Errorf("%q, %v", got, tab.Stream(f, d))
	}
}

func TestCollectBounds(t *testing.T) {
	tab := New(Config{StreamBytes: 3 * bufferSizes[0]}, nil)
	var k talk
	var flows []*Flow
	for i := range 5 {
		k.port = uint16(41000 + i)
		flows = append(flows, begin(tab, &k))
		feed(tab, &k, 1, "out of order")
	}
	if s := tab.Stats(); s.StreamBytes > 3*bufferSizes[0] || s.StreamEvicted != 2 {
		t.Errorf("%+v", s)
	}
	if tab.Stream(flows[0], Up) != Full || tab.Stream(flows[4], Up) != Flowing {
		t.Errorf("oldest %v, newest %v", tab.Stream(flows[0], Up), tab.Stream(flows[4], Up))
	}
	for _, f := range flows {
		tab.remove(f, EndIdle)
	}
	if got := tab.Stats().StreamBytes; got != 0 {
		t.Errorf("%d bytes held by nobody", got)
	}

	tab = New(Config{StreamBytesFlow: 8192}, nil)
	k.port = 42000
	f := begin(tab, &k)
	for off := 0; off < 20000; off += 1000 {
		if feed(tab, &k, off, strings.Repeat("x", 1000)) != nil {
			tab.Hold(f, Up)
		}
	}
	if tab.Stream(f, Up) != Full || tab.Stats().StreamBytes != 0 {
		t.Errorf("%v, %d held", tab.Stream(f, Up), tab.Stats().StreamBytes)
	}
}

// FuzzCollect compares the stream with a plain model: a map of which byte
// came first.
func FuzzCollect(f *testing.F) {
	f.Add([]byte{0, 5, 0, 5, 5, 1, 20, 9, 2, 10, 10, 3})
	f.Add([]byte{9, 30, 0, 0, 9, 0, 3, 200, 1})
	f.Fuzz(func(t *testing.T, ops []byte) {
		tab := New(Config{}, nil)
		var k talk
		fl := begin(tab, &k)
		model := map[int]byte{}
		front, have, counted := 0, 0, map[int]bool{}
		for n := byte(1); len(ops) >= 3; ops, n = ops[3:], n+1 {
			off, size, act := int(ops[0])*3, int(ops[1]), ops[2]
			seg := bytes.Repeat([]byte{n}, size)
			pieces := 0
			for i := front + have; i < 1100; i++ {
				_, a := model[i]
				_, b := model[i+1]
				if a && !b {
					pieces++
				}
			}
			if pieces >= maxPieces-1 || tab.holes.discarded != 0 {
				return
			}
			before := front + have
			for i, c := range seg {
				counted[off+i] = true
				if _, ok := model[off+i]; !ok && off+i >= front+have {
					model[off+i] = c
				}
			}
			for {
				if _, ok := model[front+have]; !ok {
					break
				}
				have++
			}
			got := feed(tab, &k, off, string(seg))
			if (got != nil) != (front+have > before) {
				t.Fatalf("segment %d [%d,%d): lent %d bytes, model has %d of them", n, off, off+size, len(got), have)
			}
			for i, c := range got {
				if model[front+i] != c || len(got) != have {
					t.Fatalf("byte %d is %d, want %d; %d lent, want %d", front+i, c, model[front+i], len(got), have)
				}
			}
			if got != nil {
				drop := min(int(act), have)
				tab.Consume(fl, Up, drop)
				front, have = front+drop, have-drop
			}
		}
		if got := fl.Total(Up).Bytes; got != uint64(len(counted)) {
			t.Fatalf("counted %d bytes, want %d", got, len(counted))
		}
	})
}
