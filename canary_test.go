package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"
)

// postedAlert is an alert as Alertmanager is sent it.
type postedAlert struct {
	Labels, Annotations map[string]string
	StartsAt, EndsAt    time.Time
}

// inbox is an Alertmanager that remembers.
type inbox struct {
	mu   sync.Mutex
	list []postedAlert
	deny bool
}

// ServeHTTP implements http.Handler.
func (i *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var got []postedAlert
	if err := json.NewDecoder(r.Body).Decode(&got); err != nil || i.deny {
		http.Error(w, "no", http.StatusServiceUnavailable)
		return
	}
	i.mu.Lock()
	i.list = append(i.list, got...)
	i.mu.Unlock()
}

// TestCanary runs a canary beside a sensor: its alert bears the mark and the
// reserved device, and neither the sensor's store nor any of its counts moves.
func TestCanary(t *testing.T) {
	manager := &inbox{}
	server := httptest.NewServer(manager)
	defer server.Close()
	s := soakStation(t, fmt.Sprintf(soakConfig, server.URL)+"canary: {every: 1m}\n", &played{})
	defer s.close()
	if err := s.store.Flush(); err != nil {
		t.Fatal(err)
	}
	written, counts := s.store.Stats().Written, countsShown(t, s)
	c := &canary{app: s.app, cfg: s.cfg, j: s.j.Load, log: slog.New(slog.DiscardHandler)}
	s.canary.round(t.Context(), c)
	if err := s.store.Flush(); err != nil {
		t.Fatal(err)
	}
	if now := s.store.Stats().Written; now != written {
		t.Errorf("%d rows in the store, %d before the canary", now, written)
	}
	if now := countsShown(t, s); now != counts {
		t.Errorf("counts differ: %s", firstDifference(counts, now))
	}
	if n := len(s.judge.Open()); n != 0 {
		t.Errorf("%d episodes of the running sensor", n)
	}
	shown := shownOf(t, s.registry, "picket_canary_")
	for _, want := range []string{`picket_canary_runs_total{outcome="passed"} 1`, `picket_canary_detections{result="missing"} 0`, "picket_canary_alert_seconds_count 1"} {
		if !strings.Contains(shown, want) {
			t.Errorf("no %s in\n%s", want, shown)
		}
	}
	if len(manager.list) == 0 {
		t.Fatal("no alert")
	}
	for _, a := range manager.list {
		if a.Labels["canary"] != "true" || a.Labels["device"] != canaryDevice || a.Labels["policy"] != "canary" || !strings.Contains(a.Annotations["description"], "canary") {
			t.Errorf("labels %v, annotations %v", a.Labels, a.Annotations)
		}
		if stands := a.EndsAt.Sub(a.StartsAt); stands > 2*canaryStands {
			t.Errorf("stands for %s", stands)
		}
	}
}

// TestCanaryMetrics: a rule can tell from them that no canary passed for three
// rounds, from the first scrape on.
func TestCanaryMetrics(t *testing.T) {
	reg := prometheus.NewRegistry()
	newCanaryMetrics(reg, 5*time.Minute, time.Unix(1_780_000_000, 0))
	if problems, err := testutil.GatherAndLint(reg); err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
	shown := shownOf(t, reg, "picket_canary_")
	for _, want := range []string{"picket_canary_interval_seconds 300", "picket_canary_start_timestamp_seconds 1.78e+09", "picket_canary_last_success_timestamp_seconds 0"} {
		if !strings.Contains(shown, want) {
			t.Errorf("no %s in\n%s", want, shown)
		}
	}
}

// TestCanaryUntold: a canary that nobody hears has failed.
func TestCanaryUntold(t *testing.T) {
	server := httptest.NewServer(&inbox{deny: true})
	defer server.Close()
	s := soakStation(t, fmt.Sprintf(soakConfig, server.URL)+"canary: {every: 1m}\n", &played{})
	defer s.close()
	c := &canary{app: s.app, cfg: s.cfg, j: s.j.Load, log: slog.New(slog.DiscardHandler), patience: 2 * time.Second}
	s.canary.round(t.Context(), c)
	if shown := shownOf(t, s.registry, "picket_canary_"); !strings.Contains(shown, `picket_canary_runs_total{outcome="failed"} 1`) || !strings.Contains(shown, "picket_canary_last_success_timestamp_seconds 0") {
		t.Error(shown)
	}
}

func TestSelftestCanary(t *testing.T) {
	manager := &inbox{}
	server := httptest.NewServer(manager)
	defer server.Close()
	path := filepath.Join(t.TempDir(), "picket.yml")
	if err := os.WriteFile(path, []byte("alertmanager: {urls: ['"+server.URL+"']}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	status, out, errs := classified("", "selftest", "--canary", "-c", path)
	if status != exitDone || !strings.Contains(out, "alert accepted after ") {
		t.Errorf("status %d: %s\n%s", status, out, errs)
	}
	t.Log(out)
	if status, _, errs := classified("", "selftest", "--canary"); status != exitUsage {
		t.Errorf("without an Alertmanager: status %d: %s", status, errs)
	}
}

// TestCanaryRoute: the shipped Alertmanager sends canaries to their own
// receiver, whatever else their labels say.
func TestCanaryRoute(t *testing.T) {
	amtool, err := exec.LookPath("amtool")
	if err != nil {
		t.Skip("no amtool: apt install prometheus-alertmanager")
	}
	out, err := exec.Command(amtool, "config", "routes", "test", "--config.file=configs/alertmanager/alertmanager.yml",
		"alertname=PicketEpisode", "policy=canary", "device=canary", "canary=true").Output()
	if got := strings.TrimSpace(string(out)); err != nil || got != "canary" {
		t.Errorf("goes to %q: %v", got, err)
	}
}

// countsShown is every metric of picket's own but the canary's.
func countsShown(t *testing.T, s *station) string {
	var b strings.Builder
	for line := range strings.Lines(shownOf(t, s.registry, "picket_")) {
		if !strings.Contains(line, "picket_canary_") && !strings.HasPrefix(line, "picket_evidence_bytes") {
			b.WriteString(line)
		}
	}
	return b.String()
}

func shownOf(t *testing.T, reg *prometheus.Registry, prefix string) string {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), prefix) {
			if _, err := expfmt.MetricFamilyToText(&b, f); err != nil {
				t.Fatal(err)
			}
		}
	}
	return b.String()
}

func firstDifference(a, b string) string {
	old := map[string]bool{}
	for line := range strings.Lines(a) {
		old[line] = true
	}
	for line := range strings.Lines(b) {
		if !old[line] {
			return line
		}
	}
	return "something is gone"
}
