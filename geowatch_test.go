package main

import (
	"bytes"
	"context"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"picket/geo"
	"picket/sensor/observation"
)

// nat64Answer is an answer for ipv4only.arpa with an address in prefix.
func nat64Answer(server string, home bool, addr string) *observation.Observation {
	return &observation.Observation{
		Kind: observation.DNS, Client: netip.MustParseAddrPort("[fd00::2]:40000"), ClientHome: true,
		Server: netip.MustParseAddrPort(server), ServerHome: home,
		DNS: &observation.DNSMessage{Transport: "udp", Response: true, QName: "ipv4only.arpa", QType: 28,
			Answers: []observation.Answer{{Name: "ipv4only.arpa", Type: 28, Addr: netip.MustParseAddr(addr)}}},
	}
}

func TestNAT64IsLearntFromOwnResolversOnly(t *testing.T) {
	c, err := geoConfig(nil, "")
	if err != nil {
		t.Fatal(err)
	}
	g, err := geo.New(c)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	told := 0
	learn := learnNAT64(g, func() { told++ }, slog.New(slog.NewTextHandler(&log, nil)))
	moscow := geo.Query{Addr: netip.MustParseAddr("fd64:1:2:3:4:5:4d58:3758")} // 77.88.55.88

	learn(nat64Answer("[2001:4860:4860::64]:53", false, "fd64:1:2:3:4:5:c000:aa"))
	other := nat64Answer("[fd00::1]:53", true, "fd64:1:2:3:4:5:c000:aa")
	other.DNS.QName = "ipv4only.arpa.example.org"
	learn(other)
	if j := g.Judge(moscow); told != 0 || j.Location != "" {
		t.Errorf("believed somebody else: %d, %s", told, j.Location)
	}
	learn(nat64Answer("[fd00::1]:53", true, "fd64:1:2:3:4:5:c000:aa"))
	learn(nat64Answer("[fd00::1]:53", true, "fd64:1:2:3:4:5:c000:ab"))
	if j := g.Judge(moscow); told != 1 || j.Location != "RU" {
		t.Errorf("told %d times, %s", told, j.Location)
	}
	if !strings.Contains(log.String(), "fd64:1:2:3:4:5::/96") {
		t.Errorf("log: %s", log.String())
	}
	learn(nat64Answer("[fd00::1]:53", true, "2400:3200:c000:aa::")) // Alibaba's own network
	if s := g.Stats(); told != 1 || s.NAT64Refused != 1 {
		t.Errorf("a cloud's prefix: told %d times, %d refused", told, s.NAT64Refused)
	}
}

func TestGeoMetrics(t *testing.T) {
	dir, bundle := bundleSite(t)
	state := filepath.Join(dir, "state")
	g, err := geo.New(geo.Config{})
	if err != nil {
		t.Fatal(err)
	}
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(newGeoMetrics(g, state))
	if n, err := testutil.GatherAndCount(r, "picket_data_build_timestamp_seconds"); err != nil || n != 0 {
		t.Errorf("%d parts imported, %v", n, err)
	}
	if status, _, errs := geoRun(t, "", "data", "import", bundle, "--key", filepath.Join(dir, "key.pub"), "--state", state); status != exitDone {
		t.Fatal(errs)
	}
	if n, err := testutil.GatherAndCount(r, "picket_data_build_timestamp_seconds"); err != nil || n != 2 {
		t.Errorf("%d parts imported, %v", n, err)
	}
	if problems, err := testutil.GatherAndLint(r); err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
}

// TestImportIsNoticed lets a running watcher see an import.
func TestImportIsNoticed(t *testing.T) {
	dir, bundle := bundleSite(t)
	state := filepath.Join(dir, "state")
	if err := os.MkdirAll(filepath.Join(state, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	noticed, done := make(chan struct{}, 8), make(chan error, 1)
	go func() {
		done <- watchImports(ctx, state, func() { noticed <- struct{}{} }, slog.New(slog.DiscardHandler))
	}()
	deadline := time.Now().Add(time.Minute)
	for seen := false; !seen; { // the watch may begin after the first import
		if status, _, errs := geoRun(t, "77.88.55.88\n", "data", "import", bundle, "--key", filepath.Join(dir, "key.pub"), "--state", state, "--servers", "-"); status != exitDone {
			t.Fatal(errs)
		}
		select {
		case <-noticed:
			seen = true
		case err := <-done:
			t.Fatal(err)
		case <-time.After(4 * settled):
		}
		if time.Now().After(deadline) {
			t.Fatal("the import was not noticed")
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
