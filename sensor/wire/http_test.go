package wire

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"
)

const phoneRequest = "GET /generate_204?x=1&y=2 HTTP/1.1\r\nHost: Connect.ROM.miui.com:80\r\n" +
	"user-agent:  Dalvik/2.1.0 (Linux; U; Android 11; M2007J20CG) \r\nContent-Length: 0\r\nReferer: http://a/\r\n\r\n"

func TestHTTPRequest(t *testing.T) {
	var h HTTP
	n, s := h.Parse([]byte(phoneRequest + "next"))
	if n != len(phoneRequest) || s != Whole {
		t.Fatalf("%d, %v", n, s)
	}
	if string(h.Method) != "GET" || string(h.Path) != "/generate_204" || string(h.Query) != "x=1&y=2" || string(h.Host) != "connect.rom.miui.com" ||
		h.Port != 80 || string(h.UserAgent) != "Dalvik/2.1.0 (Linux; U; Android 11; M2007J20CG)" || h.Length != 0 || !h.Referer || h.Proxy || h.Partial {
		t.Errorf("%+v", h)
	}
}

func TestHTTPForms(t *testing.T) {
	for _, c := range []struct {
		head, host, path, ua string
		proxy                bool
	}{
		{"CONNECT mtalk.google.com:5228 HTTP/1.1\r\nHost: x\r\n\r\n", "mtalk.google.com", "", "", true},
		{"GET http://User@A.example:8080/p?q HTTP/1.0\r\nHost: b.example\r\n\r\n", "a.example", "/p", "", true},
		{"OPTIONS * HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n", "2001:db8::1", "*", "", false},
		{"\r\nGET / HTTP/1.1\nhost:a.example.\n\n", "a.example", "/", "", false},
		{"GET /a b c HTTP/1.1\r\nHost: a.example\r\n\r\n", "a.example", "/a b c", "", false},
		{"GET / HTTP/1.1\r\nUser-Agent: one\r\n two\r\n\tthree\r\nHost: a.example\r\nUser-Agent: again\r\n\r\n", "a.example", "/", "one two three", false},
		{"X-ODD_METHOD / HTTP/1.1\r\nHost: a.example\r\nno colon\r\n: empty\r\n\r\n", "a.example", "/", "", false},
	} {
		var h HTTP
		n, s := h.Parse([]byte(c.head))
		if s != Whole || n != len(c.head) || string(h.Host) != c.host || string(h.Path) != c.path || string(h.UserAgent) != c.ua || h.Proxy != c.proxy {
			t.Errorf("%q: %d %v host %q path %q user agent %q proxy %v", c.head, n, s, h.Host, h.Path, h.UserAgent, h.Proxy)
		}
	}
}

func TestHTTPOther(t *testing.T) {
	for _, text := range []string{"\x16\x03\x01", "SSH-2.0-x", "get / HTTP/1.1\r\n", "EHLO a.example\r\n", "OPTIONS rtsp://a RTSP/1.0\r\n",
		"INVITE sip:a@b SIP/2.0\r\n", "G\x00", "GET \r\n", "NICK someone\r\n", "HTTP/2.0 200\r\n", "PRI * HTTP/2.0\r\n", "\x00\x00", "A B C"} {
		var h HTTP
		if _, s := h.Parse([]byte(text)); s != Other && text != "A B C" {
			t.Errorf("%q: %v, want Other", text, s)
		}
	}
}

func TestHTTPPrefixes(t *testing.T) {
	var h HTTP
	for n := range len(phoneRequest) {
		got, s := h.Parse([]byte(phoneRequest[:n]))
		if got != 0 || s != More {
			t.Errorf("first %d bytes: %d, %v; want More", n, got, s)
		}
		s = h.PartialHead([]byte(phoneRequest[:n]))
		line := strings.Index(phoneRequest, "\n") + 1
		if want := n >= line; (s == Whole) != want || want && !h.Partial {
			t.Errorf("first %d bytes as a cut head: %v", n, s)
		}
		if end := strings.Index(phoneRequest, "\r\nContent-L") + 2; n >= end && len(h.UserAgent) == 0 || n < end && len(h.UserAgent) > 0 {
			t.Errorf("first %d bytes: user agent %q", n, h.UserAgent)
		}
	}
}

func TestHTTPTooLong(t *testing.T) {
	var h HTTP
	head := []byte("GET / HTTP/1.1\r\nUser-Agent: x\r\nCookie: " + strings.Repeat("a", httpMaxHead))
	if n, s := h.Parse(head); n != 0 || s != Bad || string(h.UserAgent) != "x" || !h.Partial {
		t.Errorf("%d %v %+v", n, s, h)
	}
	if _, s := h.Parse([]byte("GET /" + strings.Repeat("a", httpMaxLine))); s != Other {
		t.Errorf("an endless request line: %v", s)
	}
}

// TestHTTPKeptAlive walks a connection with bodies of both kinds, cut into
// pieces of every size.
func TestHTTPKeptAlive(t *testing.T) {
	stream := "POST /1 HTTP/1.1\r\nHost: a.example\r\nContent-Length: 11\r\n\r\nhello world" +
		"POST /2 HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n5;ext=1\r\nabcde\r\n1A\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nTrailer: x\r\n\r\n" +
		"GET /3 HTTP/1.1\r\nHost: a.example\r\n\r\nGET /4 HTTP/1.1\r\nHost: a.example\r\n\r\n"
	for size := 1; size < len(stream); size++ {
		var paths []string
		var h HTTP
		var body HTTPBody
		inBody := false
		var held []byte
		for at := 0; at < len(stream); at += size {
			held = append(held, stream[at:min(at+size, len(stream))]...)
			for len(held) > 0 {
				if inBody {
					n, done, ok := body.Skip(held)
					if !ok {
						t.Fatalf("pieces of %d: lost", size)
					}
					held, inBody = held[n:], !done
					if !done {
						break
					}
					continue
				}
				n, s := h.Parse(held)
				if s != Whole {
					break
				}
				paths = append(paths, string(h.Path))
				held, body, inBody = held[n:], NewHTTPBody(&h), true
			}
		}
		if got := strings.Join(paths, " "); got != "/1 /2 /3 /4" {
			t.Errorf("pieces of %d: %s", size, got)
		}
	}
}

func TestHTTPBody(t *testing.T) {
	var h HTTP
	h.Parse([]byte("POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\n"))
	b := NewHTTPBody(&h)
	if b.Left() != 100 || !b.Lost(60) || b.Left() != 40 || b.Lost(41) {
		t.Errorf("lost bytes: %+v", b)
	}
	h.Parse([]byte("HTTP/1.1 200 OK\r\n\r\n"))
	if b := NewHTTPBody(&h); !b.Unbounded() {
		t.Error("an answer without length is not until the end")
	}
	h.Parse([]byte("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"))
	if b := NewHTTPBody(&h); b.Left() != 0 {
		t.Error("304 has a body")
	}
	h.Parse([]byte("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"))
	b = NewHTTPBody(&h)
	if _, _, ok := b.Skip([]byte("zz\r\n")); ok {
		t.Error("a chunk size zz is taken")
	}
}

func TestNextRequest(t *testing.T) {
	text := []byte("rest of a body\r\nGET lost\r\nPOST /x HTTP/1.1\r\nHost: a\r\n\r\n")
	if at := NextRequest(text); at != bytes.Index(text, []byte("POST")) {
		t.Errorf("at %d", at)
	}
	if at := NextRequest([]byte("nothing\nof the kind\n")); at != -1 {
		t.Errorf("at %d, want -1", at)
	}
}

func TestSSDP(t *testing.T) {
	for _, c := range []struct{ text, ua, server, st, nt string }{
		{"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nST: ssdp:all\r\nUSER-AGENT: MIUI/12 UPnP/1.0\r\n\r\n", "MIUI/12 UPnP/1.0", "", "ssdp:all", ""},
		{"NOTIFY * HTTP/1.1\r\nNT: upnp:rootdevice\r\nSERVER: Linux/3.4 UPnP/1.0 MiTV\r\n\r\n", "", "Linux/3.4 UPnP/1.0 MiTV", "", "upnp:rootdevice"},
		{"HTTP/1.1 200 OK\r\nST: urn:x\r\nSERVER: s\r\n", "", "s", "urn:x", ""}, // without its end
	} {
		var h HTTP
		if err := h.ParseSSDP([]byte(c.text)); err != nil || string(h.UserAgent) != c.ua || string(h.Server) != c.server || string(h.ST) != c.st || string(h.NT) != c.nt {
			t.Errorf("%q: %v %q %q %q %q", c.text, err, h.UserAgent, h.Server, h.ST, h.NT)
		}
	}
	var h HTTP
	if err := h.ParseSSDP([]byte("GET / HTTP/1.1\r\n\r\n")); err != ErrOther {
		t.Errorf("GET: %v", err)
	}
	if err := h.ParseSSDP([]byte("NOTIFY * HT")); err != ErrTruncated {
		t.Errorf("cut: %v", err)
	}
}

func TestHTTPAllocatesNothing(t *testing.T) {
	var h HTTP
	b := []byte(phoneRequest)
	folded := []byte("GET / HTTP/1.1\r\nUser-Agent: one\r\n two\r\n\r\n")
	if n := testing.AllocsPerRun(100, func() { h.Parse(b); h.Parse(folded) }); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func FuzzHTTP(f *testing.F) {
	f.Add([]byte(phoneRequest))
	f.Add([]byte("POST /2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\nabcde\r\n0\r\n\r\n"))
	f.Add([]byte("GET / HTTP/1.1\r\nUser-Agent: one\r\n two\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var h HTTP
		h.PartialHead(b)
		h.ParseSSDP(b)
		if at := NextRequest(b); at >= len(b) {
			t.Error("the next request is behind the end")
		}
		n, s := h.Parse(b)
		if n > len(b) || (n > 0) != (s == Whole) {
			t.Fatalf("%d of %d, %v", n, len(b), s)
		}
		if s != Whole {
			return
		}
		body := NewHTTPBody(&h)
		if n, _, _ := body.Skip(b[n:]); n > len(b) {
			t.Error("the body is longer than the input")
		}
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b)))
		if err == nil && len(r.Header["User-Agent"]) == 1 && !bytes.Contains(b, []byte("\n ")) && !bytes.Contains(b, []byte("\n\t")) &&
			r.UserAgent() != string(h.UserAgent) && !h.Response && !bytes.Contains(b[:n], []byte("\r\r")) {
			t.Errorf("user agent %q, want %q", h.UserAgent, r.UserAgent())
		}
	})
}

func BenchmarkHTTPRequest(b *testing.B) {
	head := []byte(phoneRequest)
	var h HTTP
	b.ReportAllocs()
	for b.Loop() {
		h.Parse(head)
	}
}
