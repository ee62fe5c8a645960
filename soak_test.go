package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"picket/sensor"
)

// soakConfig has tables so small that a third of the day fills them: what
// grows after that grows for ever.
const soakConfig = `
interfaces: [span0]
web: {listen_addresses: ["127.0.0.1:0"]}
alertmanager: {urls: ["%s"]}
limits: {flows: 8192, devices: 1000, names: 4096, stream_bytes: 8MiB}
log: {level: error}
policies:
  - name: soak
    severity: page
    devices: {makers: [xiaomi], class: [handset], confidence: certain}
    restricted: {countries: [CN], basis: [location, operator, owner]}
    threshold: {sent: 1KiB, within: 10m}
    quiet: 30m
`

// TestSoak lets a whole sensor (store, notifier, pages, reloads; everything
// but the packet socket) see a day of campus traffic in PICKET_SOAK, a
// duration, at PICKET_SOAK_RATE frames a second, and samples what it holds.
// In its last third it may hold no more than in its middle third.
//
//	make soak                        # 30 minutes, without and with the race detector
//
// With PICKET_SOAK_OUT=docs/soak/plain it writes the plot and the table there.
func TestSoak(t *testing.T) {
	lasts, err := time.ParseDuration(or(os.Getenv("PICKET_SOAK"), "20s"))
	if err != nil {
		t.Fatal(err)
	}
	rate, err := strconv.Atoi(or(os.Getenv("PICKET_SOAK_RATE"), "4000"))
	if err != nil {
		t.Fatal(err)
	}
	if testing.Short() {
		t.Skip("takes its time")
	}
	told := &acceptor{}
	server := httptest.NewServer(told)
	defer server.Close()
	source := newSoakSource(lasts, rate)
	defer source.Close()
	s := soakStation(t, fmt.Sprintf(soakConfig, server.URL), source)
	s.a.pipeline.Now = source.now
	s.a.pipeline.Tick = func(time.Time) { s.tick(source.now()) }

	samples := soaked(t, s, lasts)
	for _, r := range judgeSoak(lasts, samples) {
		t.Log(r.line())
		if r.grown() {
			t.Errorf("%s grew: %s", r.what, r.line())
		}
	}
	episodes := len(s.judge.Open())
	closed, err := s.store.Episodes(time.Time{})
	if err != nil {
		t.Error(err)
	}
	var frames, lost uint64
	for _, w := range s.a.pipeline.Workers {
		frames += w.Stats().Frames
		lost += w.Stats().ObservationsDropped
	}
	if told.alerts.Load() == 0 || lost == 0 && len(closed) < source.offenders*9/10 {
		t.Errorf("%d posts of alerts, %d episodes of %d", told.alerts.Load(), len(closed), source.offenders)
	}
	summary := fmt.Sprintf("%d frames, %d visitors, %d episodes (%d open at the end), %d posts to Alertmanager, %d observations dropped",
		frames, source.visitors, len(closed), episodes, told.alerts.Load(), lost)
	t.Log(summary)
	if out := os.Getenv("PICKET_SOAK_OUT"); out != "" {
		writeSoak(t, out, lasts, summary, samples)
	}
	s.close()
}

// acceptor is an Alertmanager that accepts everything.
type acceptor struct{ alerts atomic.Int64 }

// ServeHTTP implements http.Handler.
func (a *acceptor) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	a.alerts.Add(1)
}

// soakStation is picket run with source in the place of its interfaces.
func soakStation(t *testing.T, config string, source sensor.Source) *station {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "picket.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := &runCmd{policyFlags: policyFlags{Config: file}, State: filepath.Join(dir, "state")}
	a := &app{ctx: t.Context(), stdin: strings.NewReader(""), stdout: io.Discard, stderr: t.Output()}
	c, err := cmd.configuration()
	if err != nil {
		t.Fatal(err)
	}
	s, err := cmd.station(a, c)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.wire([]sensor.Source{source}); err != nil {
		t.Fatal(err)
	}
	return s
}

// soaked runs s until its source ends, and samples, scrapes and reloads it
// meanwhile.
func soaked(t *testing.T, s *station, lasts time.Duration) []soakSample {
	t.Helper()
	addrs := make(chan net.Addr, 1)
	done := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 2*lasts+time.Minute)
	defer cancel()
	go func() {
		done <- s.work(ctx, func(a []net.Addr) { s.capturing(time.Now()); addrs <- a[0] })
	}()
	base := "http://" + (<-addrs).String()
	began := time.Now()
	every := time.NewTicker(max(lasts/360, 100*time.Millisecond))
	defer every.Stop()
	var samples []soakSample
	for n := 1; ; n++ {
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			return samples
		case <-every.C:
			samples = append(samples, sampleSoak(time.Since(began)))
			fetch(t, base+[]string{"/metrics", "/", "/-/ready"}[n%3])
			if n%18 == 0 {
				if err := s.reload(); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

// fetch reads a page; at the end it may be gone.
func fetch(t *testing.T, url string) {
	r, err := http.Get(url)
	if err != nil {
		t.Log(err)
		return
	}
	defer r.Body.Close()
	_, _ = io.Copy(io.Discard, r.Body)
	if r.StatusCode != http.StatusOK {
		t.Errorf("%s: status %d", url, r.StatusCode)
	}
}
