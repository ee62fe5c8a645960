package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"picket/configs"
)

// hostileEndpoint serves until the test ends and counts reloads.
func hostileEndpoint(t *testing.T) (addr string, reloads *int) {
	t.Helper()
	reloads = new(int)
	e := &endpoint{
		registry: prometheus.NewRegistry(), ready: func() bool { return true }, reload: func() error { *reloads++; return nil },
	}
	e.front.show(nil, []byte("interfaces: []\n"), "")
	ctx, cancel := context.WithCancel(context.Background())
	addrs, done := make(chan net.Addr, 1), make(chan error, 1)
	go func() {
		done <- e.serve(ctx, configs.Web{Listen: []string{"127.0.0.1:0"}}, slog.New(slog.DiscardHandler), func(a []net.Addr) { addrs <- a[0] })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return (<-addrs).String(), reloads
}

// raw sends text as it is and returns the status of the answer, 0 for none.
func raw(t *testing.T, addr, text string) int {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, text); err != nil {
		return 0 // it hung up on what is too much
	}
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0
	}
	defer r.Body.Close()
	return r.StatusCode
}

func TestHostileRequests(t *testing.T) {
	addr, reloads := hostileEndpoint(t)
	const tail = " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
	for _, c := range []struct {
		name, text string
		want       []int
	}{
		{"path out of the root", "GET /../../../../etc/passwd" + tail + "\r\n", []int{301, 307, 400, 404}},
		{"encoded path out of the root", "GET /%2e%2e/%2e%2e/etc/passwd" + tail + "\r\n", []int{301, 307, 400, 404}},
		{"backslashes", `GET /..\..\etc\passwd` + tail + "\r\n", []int{400, 404}},
		{"NUL in the path", "GET /%00/metrics" + tail + "\r\n", []int{400, 404}},
		{"double slash", "GET //metrics//../config" + tail + "\r\n", []int{301, 307, 404}},
		{"absolute form", "GET http://elsewhere/metrics" + tail + "\r\n", []int{404, 421}},
		{"unknown method", "BREW /metrics" + tail + "\r\n", []int{405}},
		{"delete", "DELETE /config" + tail + "\r\n", []int{405}},
		{"no profiles", "GET /debug/pprof/" + tail + "\r\n", []int{404}},
		{"oversized header", "GET /metrics" + tail + "X: " + strings.Repeat("x", 1<<20) + "\r\n\r\n", []int{431, 0}},
		{"many headers", "GET /metrics" + tail + strings.Repeat("X: x\r\n", 1<<17) + "\r\n", []int{431, 0}},
		{"two lengths", "POST /-/reload" + tail + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nx", []int{400}},
		{"reload by GET", "GET /-/reload" + tail + "\r\n", []int{405}},
		{"reload from another site", "POST /-/reload" + tail + "Sec-Fetch-Site: cross-site\r\nContent-Length: 0\r\n\r\n", []int{403}},
		{"reload from a sibling site", "POST /-/reload" + tail + "Sec-Fetch-Site: same-site\r\nContent-Length: 0\r\n\r\n", []int{403}},
	} {
		got, fits := raw(t, addr, c.text), false
		for _, w := range c.want {
			fits = fits || got == w
		}
		if !fits {
			t.Errorf("%s: status %d, want one of %v", c.name, got, c.want)
		}
	}
	if *reloads != 0 {
		t.Errorf("%d reloads by hostile requests", *reloads)
	}
	if got := raw(t, addr, "POST /-/reload"+tail+"Content-Length: 0\r\n\r\n"); got != 200 || *reloads != 1 {
		t.Errorf("an honest reload: status %d, %d reloads", got, *reloads)
	}
}

// TestCrossOrigin: an old browser sends no Sec-Fetch-Site but an Origin.
func TestCrossOrigin(t *testing.T) {
	for _, c := range []struct {
		header, value string
		want          bool
	}{
		{"Origin", "http://evil.example", true}, {"Origin", "null", true}, {"Origin", "http://sensor.example:9710", false},
		{"Sec-Fetch-Site", "cross-site", true}, {"Sec-Fetch-Site", "same-site", true}, {"Sec-Fetch-Site", "same-origin", false}, {"X", "y", false},
	} {
		r := httptest.NewRequest("POST", "http://sensor.example:9710/-/reload", nil)
		r.Header.Set(c.header, c.value)
		if got := crossOrigin(r); got != c.want {
			t.Errorf("%s: %s: cross-origin %t, want %t", c.header, c.value, got, c.want)
		}
	}
}

// TestSlowClients: clients that never finish their headers hold connections,
// and others are served all the same.
func TestSlowClients(t *testing.T) {
	addr, _ := hostileEndpoint(t)
	for range maxConnections / 2 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-Slow: "); err != nil {
			t.Fatal(err)
		}
	}
	if got := raw(t, addr, "GET /-/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); got != http.StatusOK {
		t.Errorf("status %d beside slow clients", got)
	}
}

// TestDrains: SIGTERM ends the context; the endpoint ends within five seconds
// though a client hangs on.
func TestDrains(t *testing.T) {
	e := &endpoint{registry: prometheus.NewRegistry(), ready: func() bool { return true }}
	ctx, cancel := context.WithCancel(context.Background())
	addrs, done := make(chan net.Addr, 1), make(chan error, 1)
	go func() {
		done <- e.serve(ctx, configs.Web{Listen: []string{"127.0.0.1:0"}}, slog.New(slog.DiscardHandler), func(a []net.Addr) { addrs <- a[0] })
	}()
	c, err := net.Dial("tcp", (<-addrs).String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET /metrics HTTP/1.1\r\n"); err != nil {
		t.Fatal(err)
	}
	cancel()
	select {
	case err := <-done:
		if err != nil && !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("the endpoint did not end within five seconds")
	}
}
