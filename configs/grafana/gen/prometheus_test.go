package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"picket/alerts"
	"picket/geo"
	"picket/lab"
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
	target := httptest.NewServer(exporter(t))
	defer target.Close()
	api := lab.Prometheus(t, map[string]string{"prometheus.yml": "global: {scrape_interval: 1s}\n" +
		"scrape_configs: [{job_name: picket, static_configs: [{targets: ['" + strings.TrimPrefix(target.URL, "http://") + "']}]}]\n"})
	series := func(expr string) (int, error) { return lab.Series(http.DefaultClient, api, expr) }
	lab.Until(t, "five scrapes", func() bool { n, err := series(`count_over_time(picket_flows[1m]) >= 5`); return err == nil && n > 0 })
	fill := strings.NewReplacer("$__rate_interval", "30s", "$__range", "1m", "$sensor", ".*", "$maker", ".*", "$policy", ".*")
	for _, b := range dashboards() {
		for _, p := range b.panels {
			for _, q := range p.queries {
				if n, err := series(fill.Replace(q.expr)); err != nil || n == 0 {
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
	v := device.View{ID: device.ID(id), Verdict: &handset.Verdict{Maker: maker, Class: "handset", Handset: "yes", Confidence: handset.Certain}}.With(device.Details{First: at, Last: at})
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
