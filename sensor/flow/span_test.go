package flow

import (
	"fmt"
	"strings"
	"testing"

	"picket/sensor/packet"
)

// double touches a copy of p that the span shows after delay, changed by f.
func double(tab *Table, p *packet.Packet, delay int64, change func(*packet.Packet)) {
	tab.Touch(p)
	c := *p
	c.At += delay
	change(&c)
	tab.Touch(&c)
}

func TestDoubledSpan(t *testing.T) {
	for _, c := range []struct {
		name   string
		delay  int64
		change func(*packet.Packet)
	}{
		{"routed", 20e3, func(p *packet.Packet) { p.TTL--; p.LinkSrc[5]++ }},
		{"vlan", 3e6, func(p *packet.Packet) {
			p.VLANs[0], p.NVLAN, p.Encap[0], p.NEncap = 5, 1, packet.Encap{Layer: packet.VLAN, ID: 5}, 1
		}},
		{"erspan", 1e6, func(p *packet.Packet) { p.Encap[0], p.NEncap = packet.Encap{Layer: packet.ERSPAN, ID: 1}, 1 }},
		{"identical", 2e3, func(*packet.Packet) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLedger()
			tab := New(Config{Home: home()}, l.report)
			var k talk
			for i := range 100 {
				double(tab, k.udp(true, fmt.Sprintf("%04d", i)+strings.Repeat("q", 400)), c.delay, c.change)
			}
			tab.Close()
			if s := tab.Stats(); l.sent[0] != 100*404 || !s.Doubled || s.Duplicates != 100 {
				t.Errorf("sent %d, want %d; duplicates %d doubled %v", l.sent[0], 100*404, s.Duplicates, s.Doubled)
			}
			if l.last.Total(Up).Packets != 100 {
				t.Errorf("%d packets, want 100", l.last.Total(Up).Packets)
			}
		})
	}
}

// Identical datagrams of an ordinary span all count.
func TestIdenticalDatagramsAreNoCopies(t *testing.T) {
	tab := New(Config{}, nil)
	var k talk
	var f *Flow
	for range 500 {
		p := k.udp(true, "M-SEARCH * HTTP/1.1, and again")
		p.FragID = 0
		f, _ = tab.Touch(p)
		c := *p
		c.At += 5e3
		tab.Touch(&c)
		for i := range 8 { // beside ordinary traffic
			k.port = 50000
			tab.Touch(k.udp(true, strings.Repeat("z", 300+i)))
			k.port = 0
		}
	}
	if got := f.Total(Up).Packets; got != 1000 || tab.Stats().Doubled {
		t.Errorf("%d packets, want 1000; doubled %v", got, tab.Stats().Doubled)
	}
}

func TestDoubledTCPCountsOnceEvenUnlearnt(t *testing.T) {
	tab := New(Config{}, nil)
	var k talk
	f := begin(tab, &k)
	for i := range 5 {
		double(tab, k.tcp(true, packet.ACK, uint32(100+10*i), 1, "0123456789"), 1e3, func(p *packet.Packet) { p.TTL-- })
	}
	if got := f.Total(Up).Bytes; got != 50 {
		t.Errorf("%d bytes, want 50", got)
	}
}

func TestOneWaySpan(t *testing.T) {
	l := newLedger()
	tab := New(Config{Home: home()}, l.report)
	var k talk
	for i := range 10 {
		k.port = uint16(41000 + i)
		tab.Touch(k.tcp(true, packet.SYN, 1, 0, ""))
		tab.Touch(k.tcp(true, packet.ACK, 2, 9, "x"))
		tab.Touch(k.tcp(true, packet.RST, 3, 9, ""))
	}
	tab.Expire(k.at + 60e9)
	k.at += 60e9
	k.port = 42000
	tab.Touch(k.udp(true, "never answered, as far as this span shows"))
	tab.Close()
	if l.last.Attempt() || !l.last.OneWay() || !tab.Stats().OneWay {
		t.Errorf("attempt %v one-way %v span %v", l.last.Attempt(), l.last.OneWay(), tab.Stats().OneWay)
	}
}

// Each table hides its keys with a secret of its own; what it recognises as
// copies must not hang on it, though it remembers fewer frames than there are.
func TestCopiesAreTheSameInEveryTable(t *testing.T) {
	copies := func() uint64 {
		tab := New(Config{Home: home()}, nil)
		var frames []*packet.Packet
		for n := range 4 * windowSize {
			k := talk{port: uint16(20000 + n%windowSize), at: int64(n) * 100, id: uint32(n)}
			frames = append(frames, k.udp(true, fmt.Sprintf("%08d", n)+strings.Repeat("q", 400)))
			if n >= windowSize/2 {
				c := *frames[n-windowSize/2]
				c.At, c.TTL = frames[n].At, 63
				tab.Touch(&c)
			}
			tab.Touch(frames[n])
		}
		return tab.Stats().Duplicates
	}
	first := copies()
	if first == 0 || first > 4*windowSize {
		t.Fatalf("%d copies", first)
	}
	for range 3 {
		if again := copies(); again != first {
			t.Errorf("%d copies, then %d", first, again)
		}
	}
}
