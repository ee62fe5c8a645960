package sensor

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"picket/sensor/capture"
	"picket/sensor/flow"
	"picket/sensor/observation"
	"picket/sensor/packet"
)

func phoneAt(port uint16) netip.AddrPort { return netip.AddrPortFrom(phone.Addr(), port) }

func TestDatagrams(t *testing.T) {
	q, a := query(t, "www.example.com", 1), answer(t, "www.example.com", 1, "www.example.com. 60 CNAME edge.example.net.", "edge.example.net. 60 A 203.0.113.7")
	wireguard := append([]byte{1, 0, 0, 0, 9}, make([]byte, 143)...)
	quics := initials(t, "quic.example.com", 2)
	mdns := answer(t, "_miio._udp.local", 12, "_miio._udp.local. 120 PTR lamp._miio._udp.local.")
	for _, c := range []struct {
		name   string
		talk   *talk
		events []string
	}{
		{"DNS", newTalk("203.0.113.53:53").datagram(true, q).datagram(false, a), []string{
			"dns udp www.example.com 1 response=false", "dns udp www.example.com 1 response=true www.example.com=invalid IPedge.example.net edge.example.net=203.0.113.7",
		}},
		{"DNS on an odd port", newTalk("203.0.113.53:5300").datagram(true, q), []string{"dns udp www.example.com 1 response=false"}},
		{"DNS over IPv6", func() *talk {
			k := newTalk("[2001:db8::53]:53")
			k.client = netip.MustParseAddrPort("[2001:db8:1::9]:40000")
			return k.datagram(true, q)
		}(), []string{"dns udp www.example.com 1 response=false"}},
		{"mDNS", newTalk("224.0.0.251:5353").datagram(true, mdns), []string{"mdns udp _miio._udp.local 12 response=true _miio._udp.local=invalid IPlamp._miio._udp.local"}},
		{"SSDP", newTalk("239.255.255.250:1900").datagram(true, []byte("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: ssdp:all\r\nUSER-AGENT: MIUI/1\r\n\r\n")), []string{`ssdp unanswered M-SEARCH host=239.255.255.250 ua="MIUI/1"`}},
		{"QUIC over two Initials", newTalk("203.0.113.5:443").datagram(true, quics[0]).datagram(true, quics[1]).datagram(false, make([]byte, 30)), []string{"quic sni=quic.example.com alpn=[h3] segments=2 via="}},
		{"QUIC over two Initials, reordered", newTalk("203.0.113.5:443").datagram(true, quics[1]).datagram(true, quics[0]).datagram(false, make([]byte, 30)), []string{"quic sni=quic.example.com alpn=[h3] segments=2 via="}},
		{"WireGuard", newTalk("203.0.113.5:51820").datagram(true, wireguard).datagram(false, append([]byte{2, 0, 0, 0, 9}, make([]byte, 87)...)), []string{"tunnel wireguard by bytes "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			events, _ := told(observe(t, WorkerConfig{}, c.talk.frames))
			check(t, "events", events, c.events)
		})
	}
}

// TestDNSHandshakeBytes: questions are handshake, not data.
func TestDNSHandshakeBytes(t *testing.T) {
	q := query(t, "www.example.com", 1)
	_, flows := told(observe(t, WorkerConfig{}, newTalk("203.0.113.53:53").datagram(true, q).frames))
	check(t, "flows", flows, []string{"flow unanswered name= by none sent=33-33 received=0"})
}

func TestDNSFragments(t *testing.T) {
	var records []string
	for i := range 60 {
		records = append(records, "www.example.com. 60 A 203.0.113."+string(rune('0'+i%10)))
	}
	k := newTalk("203.0.113.53:53").datagram(true, query(t, "www.example.com", 1))
	body := udpOf(k, false, answer(t, "www.example.com", 1, records...))
	cut := 512
	first := ipOf(k, false, packet.ProtoUDP, 77<<16|0x2000, body[:cut])
	rest := ipOf(k, false, packet.ProtoUDP, 77<<16|uint32(cut/8), body[cut:])
	whole := append([]capture.Frame(nil), k.frames...)
	k.frame(false, first)
	cutOff := append([]capture.Frame(nil), k.frames...)
	k.frame(false, rest)
	whole = append(whole, k.frames[1:]...)
	for name, frames := range map[string][]capture.Frame{"whole": whole, "the rest never came": cutOff} {
		events, _ := told(observe(t, WorkerConfig{}, frames))
		want := len(records)
		if name != "whole" {
			want = 29 // what the first fragment holds
		}
		if len(events) != 2 || strings.Count(events[1], "=203.0.113.") != want || !strings.HasPrefix(events[1], "dns udp www.example.com 1 response=true") {
			t.Errorf("%s: %d events, %d answers of %d: %.90q", name, len(events), strings.Count(strings.Join(events, ""), "=203.0.113."), want, events)
		}
	}
}

// TestFragmentsInFragments: both the tunnel's datagram and the one inside come
// in two pieces.
func TestFragmentsInFragments(t *testing.T) {
	k := newTalk("203.0.113.53:53")
	body := udpOf(k, true, query(t, "www.example.com", 1))
	outer := newTalk("198.51.100.1:1")
	for i, inner := range [][]byte{ipOf(k, true, packet.ProtoUDP, 7<<16|0x2000, body[:24]), ipOf(k, true, packet.ProtoUDP, 7<<16|3, body[24:])} {
		if n := len(inner) / 16 * 8; n > 0 {
			id := uint32(90+i) << 16
			outer.frame(true, ipOf(outer, true, 4, id|0x2000, inner[:n]))
			outer.frame(true, ipOf(outer, true, 4, id|uint32(n/8), inner[n:]))
		}
	}
	events, _ := told(observe(t, WorkerConfig{}, outer.frames))
	check(t, "events", events, []string{"dns udp www.example.com 1 response=false"})
	outer.client = netip.MustParseAddrPort("198.51.100.2:1") // only the inner address is never watched
	never := flow.NewHome([]netip.Prefix{netip.MustParsePrefix("192.168.1.0/28")})
	if seen := observe(t, WorkerConfig{Never: never}, outer.frames); len(seen) != 0 {
		t.Errorf("never watched, and yet %s", words(&seen[0]))
	}
}

func TestNeverWatched(t *testing.T) {
	k := tcpTalk("203.0.113.5:443").up(helloOfChrome(t, "www.example.com"))
	k.datagram(true, query(t, "www.example.com", 1))
	b := newBench(t, WorkerConfig{Never: flow.NewHome([]netip.Prefix{netip.MustParsePrefix("192.168.1.0/28")})}).play(k.frames)
	if seen := b.end(); len(seen) != 0 {
		t.Errorf("observed %s", words(&seen[0]))
	}
	bytes := 0
	for _, f := range k.frames {
		bytes += f.Wire
	}
	if s := b.w.Stats(); s.NeverWatched != uint64(bytes) || s.Flow.New != 0 {
		t.Errorf("%d bytes, %d flows; want %d, 0", s.NeverWatched, s.Flow.New, bytes)
	}
}

func TestRealms(t *testing.T) {
	realms, err := NewRealms(map[string]Realm{"guests": {VLANs: []uint16{20}}})
	if err != nil {
		t.Fatal(err)
	}
	var frames []capture.Frame
	for i, name := range []string{"one.example.com", "two.example.com"} {
		k := newTalk("203.0.113.53:53")
		k.client = netip.MustParseAddrPort("10.1.2.3:40000")
		k.vlan = uint16(10 * (i + 1))
		frames = append(frames, k.datagram(true, query(t, name, 1)).frames...)
	}
	var got []string
	for _, o := range observe(t, WorkerConfig{Realms: realms}, frames) {
		if o.Kind == observation.DNS {
			got = append(got, o.Realm+" "+o.Client.Addr().String()+" "+o.DNS.QName)
		} else {
			got = append(got, o.Realm+" flow")
		}
	}
	slices.Sort(got)
	check(t, "realms", got, []string{"default 10.1.2.3 one.example.com", "default flow", "guests 10.1.2.3 two.example.com", "guests flow"})
}

// TestESP: a tunnel without ports is told once a minute.
func TestESP(t *testing.T) {
	k := newTalk("203.0.113.5:1")
	for range 5 {
		k.ip(true, 50, make([]byte, 64))
	}
	k.at += 61e9
	k.ip(true, 50, make([]byte, 64))
	events, _ := told(observe(t, WorkerConfig{}, k.frames))
	check(t, "events", events, []string{"tunnel unanswered esp by protocol ", "tunnel unanswered esp by protocol "})
}
