package sensor

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"picket/sensor/observation"
)

// http2Side writes frames as one end does.
type http2Side struct {
	t     testing.TB
	b     bytes.Buffer
	block bytes.Buffer
	enc   *hpack.Encoder
	f     *http2.Framer
}

func newHTTP2Side(t testing.TB) *http2Side {
	s := &http2Side{t: t}
	s.enc, s.f = hpack.NewEncoder(&s.block), http2.NewFramer(&s.b, nil)
	return s
}

func (s *http2Side) head(stream uint32, end bool, fields ...string) *http2Side {
	s.block.Reset()
	for i := 0; i < len(fields); i += 2 {
		_ = s.enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}) // a buffer does not fail
	}
	if err := s.f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: s.block.Bytes(), EndHeaders: true, EndStream: end}); err != nil {
		s.t.Fatal(err)
	}
	return s
}

func (s *http2Side) data(stream uint32, b []byte) *http2Side {
	if err := s.f.WriteData(stream, true, b); err != nil {
		s.t.Fatal(err)
	}
	return s
}

// take returns what was written since the last call.
func (s *http2Side) take() []byte {
	b := bytes.Clone(s.b.Bytes())
	s.b.Reset()
	return b
}

func TestHTTP2InClear(t *testing.T) {
	const message = "application/dns-message"
	client, server := newHTTP2Side(t), newHTTP2Side(t)
	first := append([]byte(http2.ClientPreface), client.head(1, false, ":method", "POST", ":authority", "doh.example", ":path", "/dns-query", "user-agent", "MIUI/1", "content-type", message).take()...)
	body := client.data(1, query(t, "www.example.com", 1)).take()
	second := client.head(3, true, ":method", "GET", ":authority", "web.example", ":path", "/?imei="+imeiOf("35419002389644"), "user-agent", "MIUI/1").take()
	reply := server.head(1, false, ":status", "200", "content-type", message).data(1, answer(t, "www.example.com", 1, "www.example.com. 60 A 203.0.113.7")).take()
	want := []string{
		`http POST host=doh.example ua="MIUI/1"`, "dns https www.example.com 1 response=false",
		"dns https www.example.com 1 response=true www.example.com=203.0.113.7",
		`http GET host=web.example ua="MIUI/1"`, "identifier imei url imei",
	}
	prior := tcpTalk("203.0.113.6:80").up(first[:30], first[30:], body).down(reply[:20], reply[20:]).up(second)
	events, flows := told(observe(t, WorkerConfig{}, prior.frames))
	check(t, "prior knowledge", events, want)
	if len(flows) != 1 || !strings.Contains(flows[0], "name=doh.example by http") {
		t.Errorf("flows %q", flows)
	}
	upgrade := "GET / HTTP/1.1\r\nHost: old.example\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"
	h2c := tcpTalk("203.0.113.6:80").up([]byte(upgrade)).down([]byte("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")).
		up(first, body).down(reply).up(second)
	events, _ = told(observe(t, WorkerConfig{}, h2c.frames))
	check(t, "h2c", events, append([]string{`http GET host=old.example ua=""`}, want...))
}

func TestHTTP2IsBounded(t *testing.T) {
	b := newBench(t, WorkerConfig{})
	first := append([]byte(http2.ClientPreface), newHTTP2Side(t).head(1, true, ":method", "GET", ":authority", "a.example").take()...)
	for i := range maxHTTP2 + 10 {
		k := newTalk("203.0.113.6:80")
		k.client = phoneAt(uint16(10000 + i))
		b.play(k.up(first).frames)
	}
	if b.w.http2s != maxHTTP2 || b.w.stats.ConversationsFull != 10 {
		t.Errorf("%d connections, %d refused", b.w.http2s, b.w.stats.ConversationsFull)
	}
	if b.end(); b.w.http2s != 0 {
		t.Errorf("%d left at the end", b.w.http2s)
	}
}

// TestAnnouncedECH: a hello whose outer name and config_id an HTTPS record
// announced hides another name; one with the name alone does not.
func TestAnnouncedECH(t *testing.T) {
	hello := helloOfChrome(t, "cover.example") // with a GREASE extension
	at := bytes.Index(hello, []byte{0xfe, 0x0d})
	if at < 0 {
		t.Fatal("no ECH extension")
	}
	id := hello[at+4+5] // type, length; outer, KDF, AEAD
	for _, c := range []struct {
		announced byte
		ech       bool
	}{{id, true}, {id + 1, false}} {
		contents := append([]byte{c.announced, 0, 0x20, 0, 32}, make([]byte, 32)...)
		contents = append(contents, 0, 4, 0, 1, 0, 1, 0, 13)
		contents = append(append(contents, "Cover.example"...), 0, 0)
		config := append([]byte{0xfe, 0x0d, 0, byte(len(contents))}, contents...)
		list := append([]byte{0, byte(len(config))}, config...)
		record := answer(t, "www.example.com", 65, fmt.Sprintf(`www.example.com. 60 TYPE65 \# %d 000100%04x%04x%s`, 7+len(list), 5, len(list), hex.EncodeToString(list)))
		frames := newTalk("203.0.113.53:53").datagram(true, query(t, "www.example.com", 65)).datagram(false, record).frames
		frames = append(frames, tcpTalk("203.0.113.5:443").up(hello).frames...)
		real, hidden := false, false
		for _, o := range observe(t, WorkerConfig{}, frames) {
			real = real || o.Kind == observation.TLS && o.Hello.ECH == "real"
			hidden = hidden || o.Kind == observation.FlowReport && o.Flow.Visibility == observation.HiddenECH && o.Flow.Name == ""
		}
		if real != c.ech || hidden != c.ech {
			t.Errorf("config %d announced, %d used: real %v, hidden %v", c.announced, id, real, hidden)
		}
	}
	var a announced
	for i := range maxAnnounced + 5 {
		a.add(fmt.Sprint("name", i), 1)
	}
	if len(a.m) > maxAnnounced {
		t.Errorf("%d announced names kept", len(a.m))
	}
}
