package flow

import (
	"testing"

	"pgregory.net/rapid"

	"picket/sensor/packet"
)

func TestReports(t *testing.T) {
	l := newLedger()
	tab := New(Config{Home: home()}, l.report)
	var k talk
	tab.Touch(k.udp(true, "12345"))
	tab.Expire(k.at + 100*ms)
	if l.reports != 0 {
		t.Fatal("reported at once")
	}
	tab.Expire(k.at + 500*ms)
	if l.reports != 1 || l.sent[0] != 5 {
		t.Fatalf("%d reports, %d bytes after half a second", l.reports, l.sent[0])
	}
	k.at += 600 * ms
	tab.Touch(k.udp(true, "678"))
	tab.Expire(k.at + 100*ms)
	if l.reports != 1 {
		t.Fatalf("%d reports before it was twice as old", l.reports)
	}
	l.refuse = true
	tab.Expire(k.at + 2000*ms)
	l.refuse = false
	tab.Expire(k.at + 3000*ms)
	if l.reports != 2 || l.sent[0] != 8 {
		t.Fatalf("%d reports, %d bytes after a refusal", l.reports, l.sent[0])
	}
	l.refuse = true
	tab.Expire(k.at + 300e9)
	if tab.Stats().Flows != 1 || tab.Stats().Refused == 0 {
		t.Fatalf("a refused end was dropped: %+v", tab.Stats())
	}
	l.refuse = false
	tab.Expire(k.at + 301e9)
	if tab.Stats().Flows != 0 || l.sent[0] != 8 || len(l.finals) != 1 {
		t.Errorf("%+v, sent %d, finals %v", tab.Stats(), l.sent[0], l.finals)
	}
}

// TestReportsOfALongFlow: a young flow is told of within as long as it has
// lived, an old one every ten seconds.
func TestReportsOfALongFlow(t *testing.T) {
	l := newLedger()
	tab := New(Config{Home: home()}, l.report)
	var k talk
	for range 1000 { // a hundred seconds
		tab.Touch(k.udp(true, "12345"))
		tab.Expire(k.at)
		k.at += 100 * ms
	}
	if l.reports < 12 || l.reports > 17 {
		t.Errorf("%d reports in 100 s", l.reports)
	}
}

// TestReportAfterTheHandshake: the first report of a flow that had only shaken
// hands does not make its first byte wait for the next interval.
func TestReportAfterTheHandshake(t *testing.T) {
	l := newLedger()
	tab := New(Config{Home: home()}, l.report)
	var k talk
	f, _ := tab.Touch(k.udp(true, "hello"))
	f.CountHandshake(Up, 5)
	tab.Expire(k.at + 9000*ms)
	if l.reports != 1 {
		t.Fatalf("%d reports of a handshake", l.reports)
	}
	k.at += 9000 * ms
	tab.Touch(k.udp(true, "data"))
	tab.Expire(k.at + 500*ms)
	if l.reports != 2 || l.sent[0] != 9 {
		t.Errorf("%d reports, %d bytes half a second after the first data", l.reports, l.sent[0])
	}
}

// TestOneReportOfAShortFlow: a flow that said goodbye by its first report has
// no other, unless more comes; a patient one is told at its end.
func TestOneReportOfAShortFlow(t *testing.T) {
	l := newLedger()
	tab := New(Config{Home: home()}, l.report)
	var k talk
	tab.Touch(k.tcp(true, packet.SYN, 99, 0, ""))
	tab.Touch(k.tcp(false, packet.SYN|packet.ACK, 499, 100, ""))
	tab.Touch(k.tcp(true, packet.ACK|packet.FIN, 100, 500, "hello"))
	tab.Touch(k.tcp(false, packet.ACK|packet.FIN, 500, 106, ""))
	tab.Expire(k.at + 500*ms)
	if l.reports != 1 || len(l.finals) != 1 || l.sent[0] != 5 || tab.Stats().Flows != 1 {
		t.Fatalf("%d reports, %d final, %d bytes, %d flows", l.reports, len(l.finals), l.sent[0], tab.Stats().Flows)
	}
	if f, _ := tab.Touch(k.tcp(true, packet.ACK, 100, 501, "hello")); f.Inspect != 0 { // a late copy
		t.Errorf("inspect %b after the final report", f.Inspect)
	}
	tab.Expire(k.at + 20e9)
	if l.reports != 1 || tab.Stats().Flows != 0 || tab.Stats().Evicted[EndClosed] != 1 {
		t.Errorf("%d reports, %+v", l.reports, tab.Stats())
	}

	l = newLedger()
	tab = New(Config{Home: home()}, l.report)
	f, _ := tab.Touch(k.udp(true, "question"))
	f.SetPatient()
	tab.Touch(k.udp(false, "answer"))
	tab.Expire(k.at + 50e9)
	if l.reports != 0 {
		t.Errorf("%d reports of a patient flow that lives", l.reports)
	}
	start := k.at
	for range 10 { // it goes on: after five minutes it is told
		k.at += 50e9
		tab.Touch(k.udp(true, "question"))
		tab.Expire(k.at)
	}
	if l.reports == 0 {
		t.Errorf("nothing told after %d s", (k.at-start)/1e9)
	}
	tab.Expire(k.at + 61e9)
	if len(l.finals) != 1 || l.sent[0] != 11*8 {
		t.Errorf("%d final reports, %d bytes", len(l.finals), l.sent[0])
	}
}

func TestExpiryOrderAndLimits(t *testing.T) {
	l := newLedger()
	tab := New(Config{Home: home()}, l.report)
	var k talk
	for i := range 20 {
		k.port = uint16(41000 + i)
		k.at += 1000 * ms
		tab.Touch(k.udp(true, ""))
	}
	k.port, k.at = 41003, k.at+1000*ms // one of the old ones speaks again
	tab.Touch(k.udp(true, ""))
	tab.Expire(k.at + 3600e9)
	if len(l.finals) != 20 || l.finals[19] != 3 {
		t.Fatalf("order %v", l.finals)
	}
	for i := 1; i < 19; i++ {
		if l.finals[i] < l.finals[i-1] {
			t.Errorf("order %v", l.finals)
		}
	}
}

func TestTableFull(t *testing.T) {
	l := newLedger()
	tab := New(Config{Home: home(), MaxFlows: 10}, l.report)
	var k talk
	for i := range 25 {
		k.port = uint16(41000 + i)
		tab.Touch(k.udp(true, "abc"))
	}
	s := tab.Stats()
	if s.Flows != 10 || s.Evicted[EndTableFull] != 15 || l.total() != 45 {
		t.Errorf("%+v, %d bytes reported", s, l.total())
	}
	for i, id := range l.finals {
		if id != uint64(i) {
			t.Errorf("evicted %v, want the oldest first", l.finals)
			break
		}
	}
	l.refuse = true
	k.port = 50000
	tab.Touch(k.udp(true, "abc"))
	if s = tab.Stats(); s.Flows != 10 || s.LostBytes != 3 {
		t.Errorf("refused: %+v", s)
	}
}

// The index against a map, under insertion and removal.
func TestIndex(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tab := New(Config{MaxFlows: 1 << 14}, nil)
		want := map[uint16]uint64{}
		var k talk
		for range rapid.IntRange(1, 3000).Draw(t, "steps") {
			k.port = uint16(rapid.IntRange(1024, 3000).Draw(t, "port"))
			f, _ := tab.Touch(k.udp(true, ""))
			if id, ok := want[k.port]; ok && id != f.ID {
				t.Fatalf("port %d: flow %d, want %d", k.port, f.ID, id)
			}
			want[k.port] = f.ID
			if f.ID%3 == 0 {
				tab.remove(f, EndIdle)
				delete(want, k.port)
			}
		}
		if tab.Stats().Flows != len(want) {
			t.Fatalf("%d flows, want %d", tab.Stats().Flows, len(want))
		}
	})
}

func TestHomeCounts(t *testing.T) {
	tab := New(Config{}, nil)
	var k talk
	tab.Touch(k.udp(true, "abcd"))
	if s := tab.Stats(); s.NoHome != 58 || s.Bytes != 58 {
		t.Errorf("%+v", s)
	}
}

func TestNoAllocation(t *testing.T) {
	tab := New(Config{Home: home()}, nil)
	var k talk
	p := k.tcp(true, packet.ACK, 1, 1, "payload")
	if n := testing.AllocsPerRun(1000, func() {
		p.Seq += 7
		p.At += ms
		f, d := tab.Touch(p)
		tab.Collect(f, d, p)
		tab.Consume(f, d, 7)
		tab.Expire(p.At)
	}); n != 0 {
		t.Errorf("%v allocations a frame of a known flow, want none", n)
	}
}

// A frame whose time lies years ahead must not keep Expire from ending.
func TestTimeLeaps(t *testing.T) {
	l := newLedger()
	tab := New(Config{Home: home()}, l.report)
	var k talk
	tab.Touch(k.udp(true, "now"))
	k.at += 1e18
	k.port = 41000
	tab.Touch(k.udp(true, "in thirty years"))
	k.at -= 1e18
	for range 100 {
		k.at += 100e9
		tab.Expire(k.at)
	}
	if len(l.finals) != 1 || l.finals[0] != 0 {
		t.Errorf("ended %v, want the first flow alone", l.finals)
	}
	tab.Expire(k.at + 2e18)
	if tab.Stats().Flows != 0 || l.total() != 3+15 {
		t.Errorf("%d flows left, %d bytes", tab.Stats().Flows, l.total())
	}
}
