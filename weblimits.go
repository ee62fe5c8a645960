package main

import (
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"
)

// Bounds of what one client, and all of them together, may have of the
// endpoint at once.
const (
	maxPerClient = 32              // connections of one address that is not this machine
	maxRequests  = 64              // answered at once, probes and metrics apart
	maxQueued    = 2 * time.Second // how long a request beyond them waits
)

// fairListener bounds the connections of each remote address, so that one
// client cannot hold them all. This machine's own are not bounded: a proxy
// in front brings everybody's.
type fairListener struct {
	net.Listener
	most int

	mu   sync.Mutex
	held map[netip.Addr]int
}

func newFairListener(l net.Listener, most int) *fairListener {
	return &fairListener{Listener: l, most: most, held: map[netip.Addr]int{}}
}

// Accept implements net.Listener. A connection too many is closed unanswered.
func (l *fairListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		addr, ok := remoteOf(c)
		if !ok || addr.IsLoopback() {
			return c, nil
		}
		if l.take(addr) {
			return &fairConn{Conn: c, release: sync.OnceFunc(func() { l.release(addr) })}, nil
		}
		c.Close()
	}
}

func remoteOf(c net.Conn) (netip.Addr, bool) {
	tcp, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}, false
	}
	addr, ok := netip.AddrFromSlice(tcp.IP)
	addr = addr.Unmap()
	if addr.Is6() { // a host has a whole /64 to come from
		if p, err := addr.Prefix(64); err == nil && !addr.IsLoopback() {
			addr = p.Addr()
		}
	}
	return addr, ok
}

func (l *fairListener) take(addr netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[addr] >= l.most {
		return false
	}
	l.held[addr]++ // bounded: by the listener behind, that limits all connections
	return true
}

func (l *fairListener) release(addr netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[addr]--; l.held[addr] <= 0 {
		delete(l.held, addr)
	}
}

type fairConn struct {
	net.Conn
	release func()
}

// Close implements net.Conn.
func (c *fairConn) Close() error {
	c.release()
	return c.Conn.Close()
}

// limited answers so many requests at once; others wait for a moment, then
// are told to come again. Over HTTP/2 one connection brings many. What watches
// the sensor is answered however busy it is: promhttp has a limit of its own.
func limited(next http.Handler, most int, wait time.Duration) http.Handler {
	slots := make(chan struct{}, most)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/metrics", "/-/healthy", "/-/ready":
			next.ServeHTTP(w, r)
			return
		}
		patience := time.NewTimer(wait)
		defer patience.Stop()
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
			next.ServeHTTP(w, r)
		case <-patience.C:
			w.Header().Set("Retry-After", "5")
			http.Error(w, "too many requests at once", http.StatusServiceUnavailable)
		case <-r.Context().Done():
		}
	})
}

// hostGuard refuses requests that come to this machine's loopback under a
// name that is not this machine's: a page of another site that had its name
// resolve to 127.0.0.1 would otherwise read everything (DNS rebinding). The
// names of external are this machine's too.
func hostGuard(next http.Handler, named func(host string) bool) http.Handler {
	own := map[string]bool{"localhost": true}
	if name, err := os.Hostname(); err == nil {
		own[strings.ToLower(name)] = true
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		if host := hostOf(r.Host); onLoopback(local) && !own[host] && !named(host) && !strings.HasSuffix(host, ".localhost") && net.ParseIP(host) == nil && host != "" {
			http.Error(w, "this sensor does not know itself by this name: use its address, or set web.external_url", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostOf is the host of a Host header, lower case, without port and brackets.
func hostOf(header string) string {
	host, _, err := net.SplitHostPort(header)
	if err != nil {
		host = header
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

func onLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// bodiless refuses requests with a body: nothing here takes one. It ends the
// connection, so that what one parser calls the body and another the next
// request (RFC 9112, section 11.2) is neither.
func bodiless(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 || len(r.TransferEncoding) > 0 {
			w.Header().Set("Connection", "close")
			http.Error(w, "no request here has a body", http.StatusRequestEntityTooLarge)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// sober sets what keeps browsers from making more of an answer than it is.
// Pages set a policy of their own.
func sober(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}
