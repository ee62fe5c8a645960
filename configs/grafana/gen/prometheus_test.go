package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"picket/alerts"
	"picket/geo"
	"picket/sensor"
	"picket/sensor/device"
	"picket/sensor/handset"
	"picket/sensor/observation"
)

// TestEveryPanelReturnsData runs every expression of every dashboard against
// a real Prometheus that has scraped the real exporter, fed by a judge.
func TestEveryPanelReturnsData(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Prometheus: not in short mode")
	}
	bin, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("no prometheus: apt install prometheus")
	}
	target := httptest.NewServer(exporter(t))
	defer target.Close()
	api := startPrometheus(t, bin, strings.TrimPrefix(target.URL, "http://"))
	waitFor(t, api, `count_over_time(picket_flows[1m]) >= 5`)
	fill := strings.NewReplacer("$__rate_interval", "30s", "$__range", "1m", "$sensor", ".*", "$maker", ".*", "$policy", ".*")
	for _, b := range dashboards() {
		for _, p := range b.panels {
			for _, q := range p.queries {
				if n, err := series(api, fill.Replace(q.expr)); err != nil || n == 0 {
					t.Errorf("%s, %s: %d series, %v: %s", b.title, p.title, n, err, q.expr)
				}
			}
		}
	}
}

// exporter serves the metrics of a judge that sees two devices, growing at
// every scrape.
func exporter(t *testing.T) http.Handler {
	t.Helper()
	var scrapes atomic.Uint64
	reg := prometheus.NewRegistry()
	metrics := alerts.NewMetrics(reg, alerts.MetricsConfig{
		Makers: []string{"xiaomi", "apple"}, Policies: []string{"xiaomi-to-cn"}, Snapshot: func() alerts.Snapshot { return snapshot(scrapes.Load()) },
	})
	p, err := alerts.Quick([]string{"xiaomi"}, []string{"CN"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := alerts.Compile(p, alerts.Known{})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	judge, err := alerts.NewJudge(alerts.JudgeConfig{Rules: []*alerts.Rule{r}, Geo: china{}, Store: alerts.NewMemory(), Metrics: metrics, Now: start})
	if err != nil {
		t.Fatal(err)
	}
	metrics.Reloaded(true, start)
	handler := promhttp.HandlerFor(reg, promhttp.HandlerOpts{})
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		n := scrapes.Add(1)
		for i, maker := range []string{"xiaomi", "apple"} {
			judge.Transfer(transfer(fmt.Sprintf("d-%012d", i), maker, start.Add(time.Duration(n)*time.Second)))
		}
		if n == 3 { // later than the first scrape: a rise that can be seen
			judge.Transfer(transfer("d-000000000009", "xiaomi", start.Add(3*time.Second)))
			metrics.Latency(200 * time.Millisecond)
		}
		judge.Tick(start.Add(time.Duration(n) * time.Second))
		handler.ServeHTTP(w, req)
	})
}

type china struct{}

func (china) Judge(q geo.Query) geo.Jurisdiction {
	return geo.Jurisdiction{Addr: q.Addr, Location: "CN", LocationConfidence: geo.High, Operator: geo.Party{Name: "Example", Home: "CN"}}
}

func transfer(id, maker string, at time.Time) sensor.Transfer {
	v := &device.View{ID: device.ID(id), First: at, Last: at, Verdict: handset.Verdict{Maker: maker, Class: "handset", Handset: "yes", Confidence: handset.Certain}}
	return sensor.Transfer{
		Device: v, Client: netip.MustParseAddrPort("10.0.0.5:40000"), Server: netip.MustParseAddrPort("203.0.113.7:443"), Proto: 6, Name: "api.example.com",
		Visibility: observation.Unnamed, Sent: 3000, Handshake: 500, Packets: 4, First: at, Last: at,
	}
}

func snapshot(n uint64) alerts.Snapshot {
	return alerts.Snapshot{
		Interfaces:  []alerts.InterfaceStats{{Name: "eth1", Frames: 100 * n, Bytes: 1e5 * n, Dropped: map[string]uint64{"kernel": n, "interface": 0}}},
		MissedBytes: n, DuplicateFrames: n, Stops: map[string]uint64{"truncated": n}, Flows: 7, FlowsEvicted: map[string]uint64{"full": n},
		Handshakes: []alerts.HandshakeStats{{Protocol: "tls", Outcome: "read", N: n}}, VisibilityBytes: map[string]uint64{"sni": 100 * n, "none": n},
		Devices:   []alerts.DeviceCount{{Maker: "xiaomi", Class: "handset", Confidence: "certain", N: 2}, {Class: "unknown", Confidence: "none", N: 3}},
		Databases: map[string]time.Time{"embedded": time.Unix(1780000000, 0)}, OneWayBytes: n, WebURL: "https://picket.example",
	}
}

func startPrometheus(t *testing.T, bin, target string) string {
	t.Helper()
	dir := t.TempDir()
	conf := "global: {scrape_interval: 1s}\nscrape_configs: [{job_name: picket, static_configs: [{targets: ['" + target + "']}]}]\n"
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	cmd := exec.Command(bin, "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	return "http://" + address
}

// series returns how many series an expression has now.
func series(api, expr string) (int, error) {
	resp, err := http.Get(api + "/api/v1/query?query=" + url.QueryEscape(expr))
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var answer struct {
		Status, Error string
		Data          struct{ Result []json.RawMessage }
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return 0, err
	}
	if answer.Status != "success" {
		return 0, fmt.Errorf("%s", answer.Error)
	}
	return len(answer.Data.Result), nil
}

func waitFor(t *testing.T, api, expr string) {
	t.Helper()
	deadline, tick := time.After(60*time.Second), time.NewTicker(200*time.Millisecond)
	defer tick.Stop()
	for {
		if n, err := series(api, expr); err == nil && n > 0 {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("Prometheus never answers %s", expr)
		case <-tick.C:
		}
	}
}
