package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// pipeListener hands out connections that seem to come from given addresses.
type pipeListener struct {
	from []string
	ends []net.Conn
}

func (l *pipeListener) Accept() (net.Conn, error) {
	if len(l.from) == 0 {
		return nil, net.ErrClosed
	}
	ours, theirs := net.Pipe()
	c := fromConn{ours, net.TCPAddrFromAddrPort(netip.MustParseAddrPort(l.from[0]))}
	l.from, l.ends = l.from[1:], append(l.ends, theirs)
	return c, nil
}
func (l *pipeListener) Close() error   { return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

type fromConn struct {
	net.Conn
	remote net.Addr
}

func (c fromConn) RemoteAddr() net.Addr { return c.remote }

// TestOneClientCannotHoldAll: beyond its part a client is hung up on, others
// and this machine are not, and what it gives back it may have again.
func TestOneClientCannotHoldAll(t *testing.T) {
	behind := &pipeListener{}
	for i := range 5 {
		behind.from = append(behind.from, fmt.Sprintf("192.0.2.9:%d", 4000+i))
	}
	for i := range 5 { // one host has a whole /64
		behind.from = append(behind.from, fmt.Sprintf("[2001:db8:1:2::%x]:4000", i))
	}
	behind.from = append(behind.from, "[::ffff:192.0.2.9]:5000", "192.0.2.10:1", "127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3", "127.0.0.1:4", "[::1]:5")
	l := newFairListener(behind, 3)
	var got []net.Conn
	for {
		c, err := l.Accept()
		if err != nil {
			break
		}
		got = append(got, c)
	}
	count := map[string]int{}
	for _, c := range got {
		addr, _ := remoteOf(c)
		count[addr.String()]++
	}
	want := map[string]int{"192.0.2.9": 3, "2001:db8:1:2::": 3, "192.0.2.10": 1, "127.0.0.1": 4, "::1": 1}
	if fmt.Sprint(count) != fmt.Sprint(want) {
		t.Errorf("let in %v, want %v", count, want)
	}
	_ = got[0].Close()
	_ = got[0].Close() // twice gives back once
	behind.from = []string{"192.0.2.9:6000", "192.0.2.9:6001"}
	again := 0
	for {
		if _, err := l.Accept(); err != nil {
			break
		}
		again++
	}
	if again != 1 {
		t.Errorf("one was given back, %d were let in", again)
	}
	for _, c := range got {
		c.Close()
	}
	if l.mu.Lock(); len(l.held) != 1 {
		t.Errorf("held %v, want what was let in last", l.held)
	}
	l.mu.Unlock()
}

// TestRequestsAtOnce: beyond the limit a request waits for its turn, then is
// told to come again; probes and metrics are answered all the same.
func TestRequestsAtOnce(t *testing.T) {
	release := make(chan struct{})
	var inside sync.WaitGroup
	inside.Add(2)
	h := limited(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			inside.Done()
			<-release
		}
	}), 2, time.Millisecond)
	ask := func(path string) int {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		return w.Code
	}
	var slow sync.WaitGroup
	for range 2 {
		slow.Go(func() { ask("/slow") })
	}
	inside.Wait()
	if got := ask("/"); got != http.StatusServiceUnavailable {
		t.Errorf("a third request: %d, want 503", got)
	}
	for _, path := range []string{"/-/healthy", "/-/ready", "/metrics"} {
		if got := ask(path); got != http.StatusOK {
			t.Errorf("%s while busy: %d", path, got)
		}
	}
	close(release)
	slow.Wait()
	if got := ask("/"); got != http.StatusOK {
		t.Errorf("afterwards: %d", got)
	}
}

// TestHostNames: on the loopback only names of this machine are answered to.
func TestHostNames(t *testing.T) {
	var f front
	f.show(nil, nil, "https://picket.example:8443/sensor")
	h := hostGuard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), f.named)
	for _, c := range []struct {
		local, host string
		want        int
	}{
		{"127.0.0.1:9710", "evil.example", 421}, {"127.0.0.1:9710", "evil.example:9710", 421}, {"127.0.0.1:9710", "localhost.evil.example", 421},
		{"[::1]:9710", "evil.example", 421}, {"127.0.0.1:9710", "127.0.0.1.nip.example:9710", 421},
		{"127.0.0.1:9710", "localhost:9710", 200}, {"127.0.0.1:9710", "LOCALHOST.", 200}, {"127.0.0.1:9710", "a.localhost", 200}, {"127.0.0.1:9710", "127.0.0.1:9710", 200},
		{"[::1]:9710", "[::1]:9710", 200}, {"127.0.0.1:9710", "picket.example", 200}, {"127.0.0.1:9710", "Picket.Example:8443", 200}, {"127.0.0.1:9710", "", 200},
		{"10.0.0.5:9710", "sensor.campus.example:9710", 200}, // whoever listens beyond the loopback has a name that we do not know
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = c.host
		r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(c.local)))))
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != c.want {
			t.Errorf("%s asked as %q: %d, want %d", c.local, c.host, w.Code, c.want)
		}
	}
}

// TestRebinding: the same by a real connection; a reload from a page whose
// name was made to resolve to the loopback is refused though its origin is
// the host that it asks.
func TestRebinding(t *testing.T) {
	addr, reloads := hostileEndpoint(t)
	for text, want := range map[string]int{
		"GET /metrics HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n":                                                                                      421,
		"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n":                                                                                             421,
		"POST /-/reload HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 0\r\nConnection: close\r\n\r\n": 421,
		"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n":                                                                                         200,
		"OPTIONS /-/reload HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\nConnection: close\r\n\r\n":              405,
		"POST /-/reload HTTP/1.1\r\nHost: localhost\r\nX-HTTP-Method-Override: GET\r\nOrigin: http://evil.example\r\nContent-Length: 0\r\nConnection: close\r\n\r\n":    403,
		"GET /-/reload?_method=POST HTTP/1.1\r\nHost: localhost\r\nX-HTTP-Method-Override: POST\r\nConnection: close\r\n\r\n":                                           405,
		"TRACE /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n":                                                                                       405,
		"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n":                                                                          421,
	} {
		if got := raw(t, addr, text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
	if *reloads != 0 {
		t.Errorf("%d reloads", *reloads)
	}
}

// TestSmuggling: what two parsers could read in two ways is refused, or read
// so that no second request comes out of the first.
func TestSmuggling(t *testing.T) {
	addr, reloads := hostileEndpoint(t)
	const inner = "POST /-/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
	const head = "GET /config HTTP/1.1\r\nHost: localhost\r\n"
	for name, text := range map[string]string{
		"both lengths":            head + "Content-Length: " + fmt.Sprint(len(inner)+5) + "\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner,
		"an unknown coding":       head + "Transfer-Encoding: xchunked\r\n\r\n" + inner,
		"a length":                head + "Content-Length: " + fmt.Sprint(len(inner)) + "\r\n\r\n" + inner,
		"chunks":                  head + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner,
		"chunked twice":           head + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" + inner,
		"a space before a colon":  head + "Content-Length : " + fmt.Sprint(len(inner)) + "\r\n\r\n" + inner,
		"two lengths":             head + "Content-Length: 0\r\nContent-Length: 5\r\n\r\n" + inner,
		"a signed length":         head + "Content-Length: +0\r\n\r\n" + inner,
		"a carriage return alone": "GET /config HTTP/1.1\rX: y\r\nHost: localhost\r\n\r\n" + inner,
		"a chunk of a lying size": head + "Transfer-Encoding: chunked\r\n\r\n-1\r\n" + inner,
		"two hosts":               head + "Host: evil.example\r\n\r\n" + inner,
		"an upgrade to HTTP/2":    head + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n",
	} {
		before := *reloads
		statuses := answers(t, addr, text)
		if name == "an upgrade to HTTP/2" {
			if len(statuses) == 0 || statuses[0] != 200 {
				t.Errorf("%s: %v, want a plain answer", name, statuses)
			}
			continue
		}
		if len(statuses) > 0 && statuses[0] == 200 {
			t.Errorf("%s: %v, want it refused", name, statuses)
		}
		if *reloads != before || len(statuses) > 1 {
			t.Errorf("%s: a second request came out of the first: %v", name, statuses)
		}
	}
}

// answers sends text and returns the status of each answer on the connection.
func answers(t *testing.T, addr, text string) (out []int) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	_, _ = io.WriteString(c, text) // it may have hung up
	_ = c.(*net.TCPConn).CloseWrite()
	for b := bufio.NewReader(c); ; {
		r, err := http.ReadResponse(b, nil)
		if err != nil {
			return out
		}
		_, _ = io.Copy(io.Discard, r.Body)
		r.Body.Close()
		out = append(out, r.StatusCode)
	}
}

// TestHugeQueries: a query as long as a header may be is answered, a longer
// one refused, and neither is said back.
func TestHugeQueries(t *testing.T) {
	addr, _ := hostileEndpoint(t)
	if got := raw(t, addr, "GET /-/ready?"+strings.Repeat("a=b&", 3000)+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); got != 200 {
		t.Errorf("12 kB of query: %d", got)
	}
	if got := raw(t, addr, "GET /-/ready?"+strings.Repeat("a=b&", 1<<18)+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); got != 431 && got != 0 {
		t.Errorf("1 MB of query: %d", got)
	}
}

// TestHeadersOfAllAnswers: whatever is answered, no browser makes a page of
// it that runs anything.
func TestHeadersOfAllAnswers(t *testing.T) {
	addr, _ := hostileEndpoint(t)
	for _, path := range []string{"/config", "/metrics", "/-/ready", "/runbooks/", "/nothing"} {
		r, err := http.Get("http://" + addr + path)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if h := r.Header; h.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'") || h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %v", path, h)
		}
	}
}

// TestProfilesWhenAskedFor: there are none otherwise (TestHostileRequests).
func TestProfilesWhenAskedFor(t *testing.T) {
	e := &endpoint{ready: func() bool { return true }, pprof: true}
	w := httptest.NewRecorder()
	if e.handler().ServeHTTP(w, httptest.NewRequest("GET", "/debug/pprof/goroutine?debug=1", nil)); w.Code != 200 || !strings.Contains(w.Body.String(), "goroutine profile") {
		t.Errorf("%d", w.Code)
	}
}

// TestSlowHeaders: who never ends a header is hung up on; here sooner than in
// headerTimeout, which the server must have.
func TestSlowHeaders(t *testing.T) {
	e := &endpoint{ready: func() bool { return true }}
	s := e.server(slog.New(slog.DiscardHandler))
	if s.ReadHeaderTimeout != headerTimeout || s.ReadTimeout != requestTimeout || s.WriteTimeout <= 0 || s.IdleTimeout <= 0 || s.MaxHeaderBytes != maxHeader {
		t.Errorf("a bound is missing: %+v", s)
	}
	s.ReadHeaderTimeout = 20 * time.Millisecond
	c := dialed(t, s)
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "); err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.ReadAll(c); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("a header that never ends holds its connection")
	}
}

// dialed serves s and connects to it.
func dialed(t *testing.T, s *http.Server) net.Conn {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(bounded(l)) }()
	t.Cleanup(func() { s.Close() })
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// TestConnectionsAtOnce: of more connections than there may be, the last wait
// for others to end.
func TestConnectionsAtOnce(t *testing.T) {
	e := &endpoint{ready: func() bool { return true }}
	s := e.server(slog.New(slog.DiscardHandler))
	var mu sync.Mutex
	open, most := 0, 0
	full := make(chan struct{}, 1)
	s.ConnState = func(_ net.Conn, state http.ConnState) {
		mu.Lock()
		defer mu.Unlock()
		switch state {
		case http.StateNew:
			open++
		case http.StateClosed:
			open--
		}
		if most = max(most, open); open == maxConnections {
			select {
			case full <- struct{}{}:
			default:
			}
		}
	}
	first := dialed(t, s)
	for range maxConnections + 20 {
		c, err := net.Dial("tcp", first.RemoteAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	<-full
	first.Close()
	<-full // one that waited came in
	mu.Lock()
	defer mu.Unlock()
	// The place of the one that ended is given away before the server is told
	// that it ended.
	if most > maxConnections+1 {
		t.Errorf("%d connections at once, want at most %d", most, maxConnections)
	}
}
