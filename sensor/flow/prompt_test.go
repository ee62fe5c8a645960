package flow

import (
	"net/netip"
	"testing"

	"picket/sensor/packet"
)

// chatter touches k for a while, a tenth of a second apart.
func chatter(tab *Table, k *talk, tenths int) {
	for range tenths {
		tab.Touch(k.udp(true, "12345"))
		tab.Expire(k.at)
		k.at += 100 * ms
	}
}

// TestNobodyWaits: a stranger's flow is told of once, and then each minute.
func TestNobodyWaits(t *testing.T) {
	l := newLedger()
	tab := New(Config{Home: home(), Prompt: new(Prompt)}, l.report)
	var k talk
	chatter(tab, &k, 10)
	if l.reports != 1 {
		t.Fatalf("%d reports in the first second", l.reports)
	}
	chatter(tab, &k, 1190) // two minutes in all
	if l.reports < 2 || l.reports > 4 {
		t.Errorf("%d reports in two minutes", l.reports)
	}
	tab.Close()
	if l.sent[0] != 1200*5 {
		t.Errorf("%d bytes", l.sent[0])
	}
}

// TestIntroduced: an observation stands for the first report.
func TestIntroduced(t *testing.T) {
	l := newLedger()
	tab := New(Config{Home: home(), Prompt: new(Prompt)}, l.report)
	var k talk
	f, _ := tab.Touch(k.udp(true, "hello"))
	f.SetIntroduced()
	chatter(tab, &k, 100)
	if l.reports != 0 {
		t.Errorf("%d reports in ten seconds", l.reports)
	}
}

// TestSomebodyWaits: an address that comes into the set late has what waited
// told within a second, and the rest as it happens.
func TestSomebodyWaits(t *testing.T) {
	for _, a := range []packet.Addr{phone, server} {
		l := newLedger()
		prompt := new(Prompt)
		tab := New(Config{Home: home(), Prompt: prompt}, l.report)
		var k talk
		chatter(tab, &k, 30)
		prompt.Add(netip.MustParseAddr("192.0.2.77"))
		chatter(tab, &k, 10)
		before := l.reports
		prompt.Add(a.Netip())
		chatter(tab, &k, 10)
		if before != 1 || l.reports <= before || l.sent[0] < 40*5 {
			t.Fatalf("%d reports, then %d; %d bytes told", before, l.reports, l.sent[0])
		}
		chatter(tab, &k, 1000)
		if l.reports < 10 {
			t.Errorf("%d reports in 105 s", l.reports)
		}
	}
}

// TestOverIsToldSoon: whoever waits, a connection that is closed is told of
// at once, and once.
func TestOverIsToldSoon(t *testing.T) {
	l := newLedger()
	tab := New(Config{Home: home(), Prompt: new(Prompt)}, l.report)
	var k talk
	f, _ := tab.Touch(k.tcp(true, packet.SYN, 1, 0, ""))
	f.SetIntroduced()
	for _, p := range []*packet.Packet{
		k.tcp(false, packet.SYN|packet.ACK, 100, 2, ""), k.tcp(true, packet.ACK, 2, 101, "hello"),
		k.tcp(false, packet.ACK|packet.FIN, 101, 7, ""), k.tcp(true, packet.ACK|packet.FIN, 7, 102, ""),
	} {
		tab.Touch(p)
		tab.Expire(k.at)
	}
	tab.Expire(k.at + 500*ms)
	if l.reports != 1 || len(l.finals) != 1 || l.sent[0] != 5 {
		t.Errorf("%d reports, %d final, %d bytes", l.reports, len(l.finals), l.sent[0])
	}
	tab.Expire(k.at + 60e9)
	if l.reports != 1 || tab.Stats().Flows != 0 {
		t.Errorf("%d reports, %d flows left", l.reports, tab.Stats().Flows)
	}
}
