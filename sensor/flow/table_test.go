package flow

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"picket/sensor/packet"
)

const ms = int64(1e6)

var (
	phone  = addr("10.0.0.7")
	server = addr("192.0.2.9")
)

func addr(s string) packet.Addr { return packet.AddrFrom(netip.MustParseAddr(s)) }

// talk makes packets of one conversation, phone to server.
type talk struct {
	at   int64
	port uint16
	id   uint32
}

func (k *talk) tcp(up bool, flags uint8, seq, ack uint32, payload string) *packet.Packet {
	return k.packet(up, packet.ProtoTCP, flags, seq, ack, payload)
}

func (k *talk) udp(up bool, payload string) *packet.Packet {
	return k.packet(up, packet.ProtoUDP, 0, 0, 0, payload)
}

func (k *talk) packet(up bool, proto, flags uint8, seq, ack uint32, payload string) *packet.Packet {
	if k.port == 0 {
		k.port = 40000
	}
	k.at += ms
	k.id++
	p := &packet.Packet{At: k.at, Version: 4, TTL: 64, Proto: proto, Flags: flags, Seq: seq, Ack: ack, FragID: k.id,
		Src: phone, Dst: server, SrcPort: k.port, DstPort: 443, Payload: []byte(payload), PayloadLen: len(payload), Wire: 54 + len(payload)}
	p.LinkSrc = packet.MAC{2, 0, 0, 0, 0, 1}
	if !up {
		p.Src, p.Dst, p.SrcPort, p.DstPort = p.Dst, p.Src, p.DstPort, p.SrcPort
		p.LinkSrc = packet.MAC{2, 0, 0, 0, 0, 2}
	}
	return p
}

// ledger adds up what a table reports.
type ledger struct {
	sent, received, handshake, missed map[uint64]uint64
	finals                            []uint64
	reports                           int
	refuse                            bool
	last                              Flow
}

func newLedger() *ledger {
	return &ledger{sent: map[uint64]uint64{}, received: map[uint64]uint64{}, handshake: map[uint64]uint64{}, missed: map[uint64]uint64{}}
}

func (l *ledger) report(f *Flow, final bool) bool {
	if l.refuse {
		return false
	}
	l.reports++
	l.sent[f.ID] += f.Increase(f.Ours()).Bytes
	l.received[f.ID] += f.Increase(f.Ours().Other()).Bytes
	l.handshake[f.ID] += f.Increase(f.Ours()).Handshake
	l.missed[f.ID] += uint64(f.Increase(f.Ours().Other()).Missed)
	if final {
		l.finals = append(l.finals, f.ID)
	}
	l.last = *f
	return true
}

func (l *ledger) total() (n uint64) {
	for _, v := range l.sent {
		n += v
	}
	return n
}

func home() *Home { return NewHome([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}) }

func TestConversation(t *testing.T) {
	l := newLedger()
	tab := New(Config{Home: home()}, l.report)
	var k talk
	f, d := tab.Touch(k.tcp(true, packet.SYN, 99, 0, ""))
	if d != Up || f.Answered() || !f.Attempt() || f.Client() != netip.MustParseAddrPort("10.0.0.7:40000") {
		t.Fatalf("SYN: dir %d, %+v", d, f)
	}
	if f, d = tab.Touch(k.tcp(false, packet.SYN|packet.ACK, 499, 100, "")); d != Down || !f.Answered() {
		t.Errorf("SYN ACK: dir %d answered %v", d, f.Answered())
	}
	tab.Touch(k.tcp(true, packet.ACK, 100, 500, ""))
	tab.Touch(k.tcp(true, packet.ACK|packet.PSH, 100, 500, "hello"))
	tab.Touch(k.tcp(true, packet.ACK|packet.PSH, 100, 500, "hello")) // retransmitted
	tab.Touch(k.tcp(true, packet.ACK, 104, 500, "o"))                // keep-alive
	tab.Touch(k.tcp(false, packet.ACK, 500, 105, "good day"))
	f, _ = tab.Touch(k.tcp(true, packet.FIN|packet.ACK, 105, 508, ""))
	if f.ClientMAC() != (packet.MAC{2, 0, 0, 0, 0, 1}) || f.ServerMAC() != (packet.MAC{2, 0, 0, 0, 0, 2}) || !f.ClientHome() || f.ServerHome() {
		t.Errorf("ends: %v %v home %v %v", f.ClientMAC(), f.ServerMAC(), f.ClientHome(), f.ServerHome())
	}
	f, _ = tab.Touch(k.tcp(false, packet.FIN|packet.ACK, 508, 106, ""))
	if !f.Closed() || f.Total(Up).Packets != 6 || f.TCPFlags(Up) != packet.SYN|packet.ACK|packet.PSH|packet.FIN {
		t.Errorf("closed %v, packets %d, flags %#x", f.Closed(), f.Total(Up).Packets, f.TCPFlags(Up))
	}
	f, _ = tab.Touch(k.tcp(true, packet.ACK, 106, 509, "")) // late, and behind the FIN: nothing is missing
	if tab.holes.used != 0 || !f.over() {
		t.Errorf("%d sets of gaps after a goodbye of both ends", tab.holes.used)
	}
	tab.Expire(k.at + 20e9)
	if l.sent[0] != 5 || l.received[0] != 8 || l.missed[0] != 0 || len(l.finals) != 1 {
		t.Errorf("sent %d received %d missed %d finals %v", l.sent[0], l.received[0], l.missed[0], l.finals)
	}
	if s := tab.Stats(); s.Flows != 0 || s.Evicted[EndClosed] != 1 {
		t.Errorf("stats %+v", s)
	}
}

// Whatever the order, overlap, repetition and wraparound, each byte counts
// once.
func TestBytesExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 4000).Draw(t, "size")
		isn := rapid.Uint32().Draw(t, "isn")
		data := make([]byte, size)
		type seg struct{ from, to int }
		var segs []seg
		for at := 0; at < size; {
			n := min(size-at, rapid.IntRange(1, 400).Draw(t, "n"))
			segs = append(segs, seg{at, at + n})
			at += n
		}
		for range rapid.IntRange(0, 10).Draw(t, "overlaps") {
			a := rapid.IntRange(0, size-1).Draw(t, "a")
			segs = append(segs, seg{a, min(size, a+rapid.IntRange(1, 600).Draw(t, "len"))})
		}
		if len(segs) > maxHoles {
			segs = append(segs[:0], seg{0, size}, segs[0], segs[1])
		}
		r := rand.New(rand.NewPCG(1, rapid.Uint64().Draw(t, "seed")))
		r.Shuffle(len(segs), func(i, j int) { segs[i], segs[j] = segs[j], segs[i] })
		tab := New(Config{}, nil)
		var k talk
		f, _ := tab.Touch(k.tcp(true, packet.SYN, isn, 0, ""))
		for _, s := range segs {
			f, _ = tab.Touch(k.tcp(true, packet.ACK, isn+1+uint32(s.from), 1, string(data[s.from:s.to])))
		}
		if got := f.Total(Up).Bytes; got != uint64(size) {
			t.Fatalf("%d bytes in %v: counted %d", size, segs, got)
		}
		if f.sides[0].holes|f.sides[1].holes != 0 || tab.holes.used != 0 {
			t.Fatalf("gaps left behind")
		}
	})
}

func TestDataWithSYN(t *testing.T) {
	tab := New(Config{}, nil)
	var k talk
	f, _ := tab.Touch(k.tcp(true, packet.SYN, 1000, 0, "early"))
	tab.Touch(k.tcp(true, packet.ACK, 1001, 1, "early data"))
	if got := f.Total(Up).Bytes; got != 10 {
		t.Errorf("%d bytes, want 10", got)
	}
}

func TestSnappedFramesCountInFull(t *testing.T) {
	tab := New(Config{}, nil)
	var k talk
	tab.Touch(k.tcp(true, packet.SYN, 0, 0, ""))
	p := k.tcp(true, packet.ACK, 1, 1, "ab")
	p.PayloadLen = 1400
	f, _ := tab.Touch(p)
	if got := f.Total(Up).Bytes; got != 1400 {
		t.Errorf("%d bytes, want 1400", got)
	}
}

// What the other end acknowledged and nobody saw is missed, unless it comes.
func TestMissed(t *testing.T) {
	l := newLedger()
	tab := New(Config{Home: home()}, l.report)
	var k talk
	tab.Touch(k.tcp(true, packet.SYN, 99, 0, ""))
	tab.Touch(k.tcp(false, packet.SYN|packet.ACK, 499, 100, ""))
	tab.Touch(k.tcp(false, packet.ACK, 500, 100, "0123456789"))
	tab.Touch(k.tcp(true, packet.ACK, 100, 540, "")) // 30 bytes unseen
	tab.Touch(k.tcp(false, packet.ACK, 510, 100, "0123456789"))
	tab.Touch(k.tcp(false, packet.ACK, 540, 100, "xyz"))
	tab.Touch(k.tcp(true, packet.ACK, 100, 543, ""))
	tab.Close()
	if l.received[0] != 23 || l.missed[0] != 20 {
		t.Errorf("received %d missed %d, want 23 and 20", l.received[0], l.missed[0])
	}
}

func TestOneWayFromClient(t *testing.T) {
	l := newLedger()
	tab := New(Config{Home: home()}, l.report)
	var k talk
	f, _ := tab.Touch(k.tcp(true, packet.SYN, 99, 0, ""))
	if f.OneWay() || !f.Attempt() {
		t.Errorf("SYN alone: one-way %v attempt %v", f.OneWay(), f.Attempt())
	}
	f, _ = tab.Touch(k.tcp(true, packet.ACK, 100, 500, "hello"))
	if !f.OneWay() || !f.Answered() || f.Attempt() {
		t.Errorf("after the handshake: one-way %v answered %v", f.OneWay(), f.Answered())
	}
	tab.Touch(k.tcp(true, packet.ACK, 105, 3500, ""))
	tab.Close()
	if l.sent[0] != 5 || l.missed[0] != 3000 {
		t.Errorf("sent %d, missed %d", l.sent[0], l.missed[0])
	}
}

func TestOneWayFromServer(t *testing.T) {
	l := newLedger()
	tab := New(Config{Home: home()}, l.report)
	var k talk
	f, d := tab.Touch(k.tcp(false, packet.SYN|packet.ACK, 499, 100, ""))
	if d != Down || f.ClientPort() != 40000 || !f.Answered() || !f.OneWay() {
		t.Errorf("dir %d client %v answered %v one-way %v", d, f.Client(), f.Answered(), f.OneWay())
	}
	tab.Touch(k.tcp(false, packet.ACK, 500, 700, "hi"))
	tab.Close()
	if l.received[0] != 2 || l.last.Total(Up).Missed != 600 {
		t.Errorf("received %d, missed of the client %d", l.received[0], l.last.Total(Up).Missed)
	}
}

func TestMidStream(t *testing.T) {
	tab := New(Config{Home: home()}, nil)
	var k talk
	f, d := tab.Touch(k.tcp(false, packet.ACK, 5000, 100, "data"))
	if d != Down || f.ClientPort() != 40000 || !f.MissedStart() {
		t.Errorf("dir %d, client %v, missed start %v", d, f.Client(), f.MissedStart())
	}
	k.port = 40001
	f, _ = tab.Touch(k.tcp(true, packet.ACK, 5000, 100, "x")) // a keep-alive probe comes first
	tab.Touch(k.tcp(true, packet.ACK, 5001, 100, "abc"))
	if got := f.Total(Up).Bytes; got != 3 || !f.OneWay() || f.Attempt() {
		t.Errorf("%d bytes one-way %v attempt %v", got, f.OneWay(), f.Attempt())
	}
	if tab.Touch(k.tcp(true, packet.ACK, 5004, 900, "")); !f.Answered() {
		t.Error("an advancing acknowledgement proves an answer")
	}
}

// A server inside home_networks that a stranger connects to: the line's
// client is our end, the opener stays the opener.
func TestOurs(t *testing.T) {
	tab := New(Config{Home: NewHome([]netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")})}, nil)
	var k talk
	f, _ := tab.Touch(k.tcp(true, packet.SYN, 1, 0, ""))
	if f.Ours() != Down || f.ClientHome() || !f.ServerHome() {
		t.Errorf("ours %d", f.Ours())
	}
}

func TestSetOpener(t *testing.T) {
	tab := New(Config{}, nil)
	var k talk
	f, _ := tab.Touch(k.udp(false, "server first"))
	if f.ClientPort() != 40000 { // port 443 is a server's
		t.Errorf("client %v", f.Client())
	}
	f.SetOpener(Down)
	if f.ClientPort() != 443 || f.Total(Up).Bytes != 12 {
		t.Errorf("client %v, up %d", f.Client(), f.Total(Up).Bytes)
	}
	f.SetOpener(Down)
	if f.ClientPort() != 443 {
		t.Error("the opener was turned twice")
	}
}

func TestPortReuse(t *testing.T) {
	l := newLedger()
	tab := New(Config{Home: home()}, l.report)
	var k talk
	tab.Touch(k.tcp(true, packet.SYN, 99, 0, ""))
	tab.Touch(k.tcp(true, packet.ACK, 100, 5, "one"))
	tab.Touch(k.tcp(true, packet.SYN, 7777, 0, "")) // a forged SYN amid the conversation
	tab.Touch(k.tcp(true, packet.RST, 103, 0, ""))
	f, _ := tab.Touch(k.tcp(true, packet.SYN, 99, 0, "")) // a late copy
	if f.ID != 0 {
		t.Errorf("flow %d: a retransmitted SYN made a flow", f.ID)
	}
	f, _ = tab.Touch(k.tcp(true, packet.SYN, 5000, 0, ""))
	tab.Touch(k.tcp(true, packet.ACK, 5001, 5, "second"))
	id := f.ID
	tab.Close()
	if id != 1 || l.sent[0] != 3 || l.sent[1] != 6 || tab.Stats().Evicted[EndReused] != 1 {
		t.Errorf("flow %d, sent %v, %+v", id, l.sent, tab.Stats().Evicted)
	}
}
