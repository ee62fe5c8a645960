package sensor

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"picket/sensor/observation"
	"picket/sensor/packet"
)

func check(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got  %s\n want %s", what, strings.Join(got, "\n      "), strings.Join(want, "\n      "))
	}
}

func TestTCPConversations(t *testing.T) {
	hello := helloOfChrome(t, "www.example.com")
	half := len(hello) / 2
	tlsEvent := func(segments int, via string) string {
		return fmt.Sprintf("tls sni=www.example.com alpn=[h2 http/1.1] segments=%d via=%s", segments, via)
	}
	tlsFlow := func(before int) string {
		return fmt.Sprintf("flow name=www.example.com by sni sent=%d-%d received=", before+len(hello), len(hello))
	}
	text := func(s string) []byte { return []byte(s) }
	get := text("GET /a HTTP/1.1\r\nHost: Web.Example.com\r\nUser-Agent: Dalvik/2.1.0\r\n\r\n")
	for _, c := range []struct {
		name   string
		talk   *talk
		events []string
		flow   string // beginning of the last report
	}{
		{"hello in one segment", tcpTalk("203.0.113.5:443").up(hello), []string{tlsEvent(1, "")}, tlsFlow(0)},
		{"hello in two segments", tcpTalk("203.0.113.5:443").up(hello[:half], hello[half:]), []string{tlsEvent(2, "")}, tlsFlow(0)},
		{"hello in two segments, reordered", tcpTalk("203.0.113.5:443").reordered(hello[:half], hello[half:]), []string{tlsEvent(2, "")}, tlsFlow(0)},
		{"hello on an odd port", tcpTalk("203.0.113.5:8123").up(hello), []string{tlsEvent(1, "")}, tlsFlow(0)},
		{
			"STARTTLS", tcpTalk("203.0.113.5:587").down(text("220 mx ESMTP\r\n")).up(text("EHLO phone\r\n")).down(text("250-mx\r\n250 STARTTLS\r\n")).
				up(text("STARTTLS\r\n")).down(text("220 go ahead\r\n")).up(hello),
			[]string{tlsEvent(3, "starttls-smtp")}, tlsFlow(22),
		},
		{
			"TLS through CONNECT", tcpTalk("203.0.113.5:8080").up(text("CONNECT www.example.com:443 HTTP/1.1\r\nHost: www.example.com:443\r\nUser-Agent: Dalvik/2.1.0\r\n\r\n")).
				down(text("HTTP/1.1 200 OK\r\n\r\n")).up(hello[:half], hello[half:]),
			[]string{`http CONNECT host=www.example.com ua="Dalvik/2.1.0"`, tlsEvent(3, "connect")}, tlsFlow(93),
		},
		{
			"HTTP through CONNECT", tcpTalk("203.0.113.5:8080").up(text("CONNECT inner.example.com:80 HTTP/1.1\r\n\r\n")).down(text("HTTP/1.1 200 OK\r\n\r\n")).up(get),
			[]string{`http CONNECT host=inner.example.com ua=""`, `http GET host=web.example.com ua="Dalvik/2.1.0"`}, "flow name=inner.example.com by http sent=",
		},
		{
			"TLS through SOCKS", tcpTalk("203.0.113.5:1080").up([]byte{5, 1, 0}).down([]byte{5, 0}).
				up(append([]byte{5, 1, 0, 3, 15}, "www.example.com\x01\xbb"...)).down([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0}).up(hello),
			[]string{tlsEvent(3, "socks5")}, tlsFlow(25),
		},
		{
			"HTTP through SOCKS", tcpTalk("203.0.113.5:1080").up([]byte{5, 1, 0}).down([]byte{5, 0}).
				up(append([]byte{5, 1, 0, 3, 15}, "web.example.com\x00\x50"...)).down([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0}).up(get),
			[]string{`http GET host=web.example.com ua="Dalvik/2.1.0"`}, "flow name=web.example.com by http sent=",
		},
		{
			"requests of a kept-alive connection", tcpTalk("203.0.113.5:80").up(get).down(text("HTTP/1.1 204 No Content\r\n\r\n")).
				up(text("POST /b HTTP/1.1\r\nHost: other.example.com\r\nContent-Length: 5\r\n\r\nGET /GET /c HTTP/1.1\r\nHost: third.example.com\r\n\r\n")),
			[]string{`http GET host=web.example.com ua="Dalvik/2.1.0"`, `http POST host=other.example.com ua=""`, `http GET host=third.example.com ua=""`},
			"flow name=web.example.com by http sent=",
		},
		{"hello behind a handshake that nobody knows", tcpTalk("203.0.113.5:4000").up([]byte{0xee, 1, 2, 3, 4, 5, 6, 7}, hello), []string{tlsEvent(1, "")}, tlsFlow(8)},
		{"Mi Push", tcpTalk("203.0.113.5:5222").up(pushOpening()), []string{"push Redmi Note 9 Pro app.chat.global.xiaomi.net"}, "flow name=app.chat.global.xiaomi.net by http"},
		{
			"DNS over TCP, two messages, split", tcpTalk("203.0.113.53:53").up(framed(query(t, "a.example.com", 1))[:9], framed(query(t, "a.example.com", 1))[9:], framed(query(t, "b.example.com", 28))).
				down(slices.Concat(framed(answer(t, "a.example.com", 1, "a.example.com. 60 A 203.0.113.7")), framed(answer(t, "b.example.com", 28)))),
			[]string{
				"dns tcp a.example.com 1 response=false", "dns tcp b.example.com 28 response=false",
				"dns tcp a.example.com 1 response=true a.example.com=203.0.113.7", "dns tcp b.example.com 28 response=true",
			}, "flow name= by none sent=66-66",
		},
		{
			"names asked over HTTP", tcpTalk("203.0.113.6:80").up(text("GET /d?host=www.example.com HTTP/1.1\r\nHost: 203.0.113.6\r\n\r\n")).up(nil).
				down(text("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n"), text(`{"ips":["203.0.113.7"],"host":"www.example.com","ttl":57}`)[:50], text(`"ttl":57}`)),
			[]string{`http GET host=203.0.113.6 ua=""`}, "flow",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			events, flows := told(observe(t, WorkerConfig{}, c.talk.frames))
			check(t, "events", events, c.events)
			if len(flows) == 0 || !strings.HasPrefix(flows[0], c.flow) {
				t.Errorf("flows %q, want %q", flows, c.flow)
			}
		})
	}
}

func TestHTTPDNSAnswerIsLearnt(t *testing.T) {
	body := `{"ips":["203.0.113.7"],"host":"www.example.com","ttl":57}`
	head := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", len(body))
	k := tcpTalk("203.0.113.6:80").up([]byte("GET /100000/d?host=www.example.com HTTP/1.1\r\nHost: 203.0.113.6\r\n\r\n")).down([]byte(head), []byte(body[:20]), []byte(body[20:]))
	events, _ := told(observe(t, WorkerConfig{}, k.frames))
	check(t, "events", events, []string{
		`http GET host=203.0.113.6 ua=""`,
		"dns httpdns-alibaba www.example.com 1 response=false",
		"dns httpdns-alibaba www.example.com 1 response=true www.example.com=203.0.113.7",
	})
}

func TestNameFromCertificate(t *testing.T) {
	k := tcpTalk("203.0.113.5:443")
	for _, turn := range handshake(t, "*.example.com", "Shop.example.com") {
		if turn.up {
			k.up(turn.b)
		} else {
			for b := turn.b; len(b) > 0; b = b[min(100, len(b)):] { // in small segments
				k.down(b[:min(100, len(b))])
			}
		}
	}
	_, flows := told(observe(t, WorkerConfig{}, k.frames))
	if len(flows) != 1 || !strings.HasPrefix(flows[0], "flow name=shop.example.com by certificate") {
		t.Errorf("flows %q", flows)
	}
}

func TestHelloOfAMissedStart(t *testing.T) {
	hello := helloOfChrome(t, "www.example.com")
	for _, c := range []struct {
		name string
		talk *talk
	}{
		{"from the server's port", func() *talk { // the guess by ports is wrong
			k := newTalk("203.0.113.5:443")
			k.client, k.server = k.server, k.client
			return k.down(hello)
		}()},
		{"after the SYN", newTalk("203.0.113.5:443").up(hello[:900], hello[900:])},
	} {
		events, _ := told(observe(t, WorkerConfig{}, c.talk.frames))
		if len(events) != 1 || !strings.Contains(events[0], "sni=www.example.com") {
			t.Errorf("%s: %q", c.name, events)
		}
	}
}

// TestLaboratory2014: a handset that sends carrier, number and IMEI in clear
// when it is switched on. The made-up values appear in no observation.
func TestLaboratory2014(t *testing.T) {
	const imei, number = "863713027654326", "13800138000"
	body := "carrier=China+Mobile&number=%2B86" + number + "&imei=" + imeiOf(imei[:14]) + "&model=2013022"
	head := fmt.Sprintf("POST /pass/activate HTTP/1.1\r\nHost: api.account.xiaomi.com\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n", len(body))
	k := tcpTalk("203.0.113.8:80").up([]byte(head), []byte(body[:30]), []byte(body[30:]))
	seen := observe(t, WorkerConfig{}, k.frames)
	events, _ := told(seen)
	check(t, "events", events, []string{
		`http POST host=api.account.xiaomi.com ua=""`, "identifier carrier form carrier", "identifier msisdn form number", "identifier imei form imei",
	})
	for i := range seen {
		text := fmt.Sprintf("%+v %+v %+v", seen[i], seen[i].HTTP, seen[i].Identifier)
		for _, secret := range []string{imei[:14], number, "China Mobile"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s is in %s", secret, text)
			}
		}
		if id := seen[i].Identifier; id != nil && len(id.Hash) != 16 {
			t.Errorf("hash %q", id.Hash)
		}
	}
	inside := tcpTalk("192.168.9.9:80").up([]byte(head), []byte(body))
	if events, _ := told(observe(t, WorkerConfig{}, inside.frames)); len(events) != 1 {
		t.Errorf("to a private address: %q", events)
	}
}

// imeiOf adds the check digit (3GPP TS 23.003, annex B).
func imeiOf(fourteen string) string {
	sum := 0
	for i, c := range []byte(fourteen) {
		d := int(c - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return fourteen + string(rune('0'+(10-sum%10)%10))
}

func TestWaitsForTheAnswer(t *testing.T) {
	hello := helloOfChrome(t, "www.example.com")
	k := newTalk("203.0.113.5:443")
	k.segment(true, packet.SYN, k.cseq, nil)
	k.cseq++
	k.segment(true, packet.PSH|packet.SYN, k.cseq-1, nil)
	k.up(hello) // its ACK number says that somebody answered
	events, _ := told(observe(t, WorkerConfig{}, k.frames))
	if len(events) != 1 || strings.Contains(events[0], "unanswered") {
		t.Errorf("acknowledged: %q", events)
	}

	quics := initials(t, "quic.example.com", 2)
	u := newTalk("203.0.113.5:443").datagram(true, quics[0]).datagram(true, quics[1])
	b := newBench(t, WorkerConfig{}).play(u.frames)
	if events, _ := told(b.seen); len(events) != 0 {
		t.Errorf("told before the answer: %q", events)
	}
	events, _ = told(b.end())
	if len(events) != 1 || !strings.HasPrefix(events[0], "quic unanswered sni=quic.example.com") {
		t.Errorf("never answered: %q", events)
	}
	u = newTalk("203.0.113.5:443").datagram(true, quics[0]).datagram(true, quics[1]).datagram(false, bytes.Repeat([]byte{0xc0}, 40))
	events, _ = told(newBench(t, WorkerConfig{}).play(u.frames).seen)
	if len(events) != 1 || !strings.HasPrefix(events[0], "quic sni=quic.example.com") {
		t.Errorf("answered: %q", events)
	}
}

// TestHeadThatNeverEnds: a request head is told without its end once no more
// can come; the flow has its name in any case.
func TestHeadThatNeverEnds(t *testing.T) {
	head := []byte("GET / HTTP/1.1\r\nHost: web.example.com\r\nUser-Agent: Dalvik/2.1.0\r\nCookie: a=")
	cut := tcpTalk("203.0.113.5:80").up(head)
	events, flows := told(observe(t, WorkerConfig{}, cut.frames))
	if len(events) != 0 || len(flows) != 1 || !strings.Contains(flows[0], "name=web.example.com by http") {
		t.Errorf("the input ended: %q, %q", events, flows)
	}
	over := tcpTalk("203.0.113.5:80").up(head)
	over.segment(true, packet.ACK|packet.RST, over.cseq, nil)
	events, _ = told(observe(t, WorkerConfig{}, over.frames))
	check(t, "the connection ended", events, []string{`http GET host=web.example.com ua="Dalvik/2.1.0"`})
}

// TestRefused: a full channel costs delay, not bytes.
func TestRefused(t *testing.T) {
	b := newBench(t, WorkerConfig{})
	b.out = make(chan []observation.Observation) // nobody listens
	b.w.out = b.out
	const flows, each = 2 * batchSize, 1000
	for i := range flows {
		k := newTalk("203.0.113.5:9")
		k.client = phoneAt(uint16(20000 + i))
		k.datagram(true, make([]byte, each))
		b.w.Frames(k.frames)
	}
	b.w.Tick(1_700_000_900e9)
	if s := b.w.table.Stats(); s.Refused == 0 || s.LostBytes != 0 {
		t.Fatalf("%d refused, %d bytes lost: the test needs some refused and none lost", s.Refused, s.LostBytes)
	}
	b.out = make(chan []observation.Observation, 64)
	b.w.out = b.out
	b.w.Tick(1_700_001_900e9)
	var sent uint64
	for _, o := range b.end() {
		sent += o.Flow.Sent
	}
	if sent != flows*each {
		t.Errorf("%d bytes told, want %d", sent, flows*each)
	}
}
