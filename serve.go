package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/net/netutil"

	"picket/configs"
)

// Bounds of the endpoint: it answers a few scrapers and people.
const (
	headerTimeout  = 10 * time.Second
	requestTimeout = 30 * time.Second
	idleTimeout    = 2 * time.Minute
	maxHeader      = 16 << 10
	maxConnections = 256
)

// endpoint is what the sensor serves over HTTP.
type endpoint struct {
	registry *prometheus.Registry
	ready    func() bool
	reload   func() error // nil: not offered
	pprof    bool         // profiles of the process are served too
	front    front
}

// front is what a reload may change of what is served.
type front struct {
	pages  atomic.Pointer[http.Handler] // nil: none
	config atomic.Pointer[[]byte]       // as loaded, secrets apart
	host   atomic.Pointer[string]       // of web.external_url: a name under which it may be asked
}

func (f *front) show(pages http.Handler, config []byte, external string) {
	host := ""
	if u, err := url.Parse(external); err == nil {
		host = strings.ToLower(u.Hostname())
	}
	f.config.Store(&config)
	f.host.Store(&host)
	if pages != nil {
		f.pages.Store(&pages)
	}
}

// named reports whether host is the name that people were told.
func (f *front) named(host string) bool {
	h := f.host.Load()
	return h != nil && *h != "" && *h == host
}

// handler routes requests. Everything is read only but the reload.
func (e *endpoint) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(e.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 8, Timeout: requestTimeout}))
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "picket is healthy.") })
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) {
		if !e.ready() {
			http.Error(w, "picket is not capturing.", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "picket is capturing.")
	})
	mux.HandleFunc("GET /config", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/yaml; charset=utf-8")
		if c := e.front.config.Load(); c != nil {
			_, _ = w.Write(*c)
		}
	})
	mux.Handle("GET /runbooks/", runbookPages())
	if e.reload != nil {
		mux.HandleFunc("POST /-/reload", func(w http.ResponseWriter, r *http.Request) {
			if crossOrigin(r) {
				http.Error(w, "cross-site request refused", http.StatusForbidden)
				return
			}
			if err := e.reload(); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			fmt.Fprintln(w, "reloaded")
		})
	}
	if e.pprof {
		profiles(mux)
	}
	if e.front.pages.Load() != nil {
		mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) { (*e.front.pages.Load()).ServeHTTP(w, r) })
	}
	return sober(bodiless(hostGuard(limited(mux, maxRequests, maxQueued), e.front.named)))
}

// profiles serves the runtime's profiles to whoever may read the endpoint.
func profiles(mux *http.ServeMux) {
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
}

// serve listens at the configured addresses until ctx is done. started is
// called with the addresses once connections are accepted.
func (e *endpoint) serve(ctx context.Context, c configs.Web, log *slog.Logger, started func([]net.Addr)) error {
	if err := web.Validate(c.ConfigFile); err != nil {
		return usageError{fmt.Errorf("web.config_file: %w", err)}
	}
	listeners, err := listen(c.Listen)
	if err != nil {
		return err
	}
	var addrs []net.Addr
	for i, l := range listeners {
		addrs = append(addrs, l.Addr())
		listeners[i] = bounded(l)
	}
	server := e.server(log)
	stop := context.AfterFunc(ctx, func() {
		quit, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_ = server.Shutdown(quit) // what does not end in time is cut off below
		_ = server.Close()
	})
	defer stop()
	if started != nil {
		started(addrs)
	}
	err = web.ServeMultiple(listeners, server, &web.FlagConfig{WebConfigFile: &c.ConfigFile, WebListenAddresses: &c.Listen}, log)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// server has the bounds of every connection.
func (e *endpoint) server(log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: e.handler(), ReadHeaderTimeout: headerTimeout, ReadTimeout: requestTimeout,
		WriteTimeout: 2 * requestTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// bounded limits the connections of a listener: all, and those of one client.
func bounded(l net.Listener) net.Listener {
	return newFairListener(netutil.LimitListener(l, maxConnections), maxPerClient)
}

// urls is where people find the listeners.
func urls(addrs []net.Addr, secure bool) string {
	scheme := "http"
	if secure {
		scheme = "https"
	}
	var out []string
	for _, a := range addrs {
		out = append(out, fmt.Sprintf("%s://%s", scheme, a))
	}
	return strings.Join(out, " ")
}
