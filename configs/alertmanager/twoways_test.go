package alertmanager_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"strings"
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

// TestPrometheusAndPush drives a judge in real time and asserts exactly what
// an officer gets: by the rules alone, and by rules and push together. Time
// is compressed by configuration: quiet is three seconds.
func TestPrometheusAndPush(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Prometheus and Alertmanager: not in short mode")
	}
	for _, c := range []struct {
		name, alert string
		push        bool
	}{{"rules alone", "PicketViolation", false}, {"rules and push", alerts.PageAlert, true}} {
		t.Run(c.name, func(t *testing.T) {
			m := startManager(t)
			j := startJudge(t, m, c.push)
			const n = 3
			sentAt := map[string]time.Time{}
			for i := range n {
				id := fmt.Sprintf("d-%012d", i)
				sentAt[id] = time.Now()
				j.Transfer(handsetSends(id, sentAt[id]))
			}
			got, latest := map[string]int{}, time.Duration(0)
			resolved := 0
			m.until(t, "resolve of every device", func(h hook) bool {
				if h.path != "/officer" {
					return false
				}
				for _, a := range parse(t, h).Alerts {
					key := a.Labels["alertname"] + " " + a.Labels["device"] + " " + a.Status
					if got[key]++; got[key] > 1 { // a group is repeated whole when it grows
						continue
					}
					if a.Status == "resolved" {
						resolved++
					} else {
						latest = max(latest, time.Since(sentAt[a.Labels["device"]]))
					}
				}
				return resolved == n
			})
			m.post(t, map[string]string{"alertname": "PicketStoreFailing", "severity": "page"})
			for _, h := range m.until(t, "last alert", func(h hook) bool { return strings.Contains(h.body, "PicketStoreFailing") }) {
				if h.path == "/officer" && !strings.Contains(h.body, "PicketStoreFailing") {
					for _, a := range parse(t, h).Alerts {
						got[a.Labels["alertname"]+" "+a.Labels["device"]+" "+a.Status]++
					}
				}
			}
			var want, have []string
			for i := range n {
				id := fmt.Sprintf("d-%012d", i)
				want = append(want, c.alert+" "+id+" firing", c.alert+" "+id+" resolved")
			}
			for k := range got {
				have = append(have, k)
			}
			slices.Sort(want)
			slices.Sort(have)
			if !slices.Equal(have, want) {
				t.Errorf("the officer got\n\t%s\nwant\n\t%s", strings.Join(have, "\n\t"), strings.Join(want, "\n\t"))
			}
			t.Logf("slowest of %d pages: %s after the first byte", n, latest.Round(time.Millisecond))
		})
	}
}

type webhook struct {
	Alerts []struct {
		Status string
		Labels map[string]string
	}
}

func parse(t *testing.T, h hook) webhook {
	t.Helper()
	var w webhook
	if err := json.Unmarshal([]byte(h.body), &w); err != nil {
		t.Fatalf("%v: %s", err, h.body)
	}
	return w
}

type china struct{}

func (china) Judge(q geo.Query) geo.Jurisdiction {
	return geo.Jurisdiction{Addr: q.Addr, Location: "CN", LocationConfidence: geo.High}
}

func handsetSends(id string, at time.Time) sensor.Transfer {
	v := device.View{ID: device.ID(id), Verdict: &handset.Verdict{Maker: "xiaomi", Class: "handset", Handset: "yes", Confidence: handset.Certain}}.With(device.Details{First: at, Last: at})
	return sensor.Transfer{
		Device: v, Client: netip.MustParseAddrPort("10.0.0.5:40000"), Server: netip.MustParseAddrPort("203.0.113.7:443"), Proto: 6,
		Visibility: observation.BySNI, Name: "api.example.com", Sent: 3000, Packets: 4, First: at, Last: at,
	}
}

// startJudge starts a judge in wall time, its metrics scraped by a real
// Prometheus with the shipped rules, and its notifier if it is to push.
func startJudge(t *testing.T, m manager, push bool) *alerts.Judge {
	t.Helper()
	reg := prometheus.NewRegistry()
	metrics := alerts.NewMetrics(reg, alerts.MetricsConfig{Makers: []string{"xiaomi"}})
	p, err := alerts.Quick([]string{"xiaomi"}, []string{"CN"})
	if err != nil {
		t.Fatal(err)
	}
	p.Quiet = alerts.Duration(3 * time.Second)
	r, err := alerts.Compile(p, alerts.Known{})
	if err != nil {
		t.Fatal(err)
	}
	c := alerts.JudgeConfig{Rules: []*alerts.Rule{r}, Geo: china{}, Store: alerts.NewMemory(), Metrics: metrics, Now: time.Now()}
	if push {
		n, err := alerts.NewNotifier(alerts.NotifierConfig{
			Alertmanager: alerts.AlertmanagerConfig{URLs: []string{m.url}}, Metrics: metrics, Resend: time.Second,
		})
		if err != nil {
			t.Fatal(err)
		}
		runUntilEnd(t, n.Run)
		c.Announce = n
	}
	j, err := alerts.NewJudge(c)
	if err != nil {
		t.Fatal(err)
	}
	runUntilEnd(t, func(ctx context.Context) error {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case now := <-tick.C:
				j.Tick(now)
			}
		}
	})
	handler, scraped := promhttp.HandlerFor(reg, promhttp.HandlerOpts{}), make(chan struct{}, 1)
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r)
		select {
		case scraped <- struct{}{}:
		default:
		}
	}))
	t.Cleanup(target.Close)
	startPrometheus(t, strings.TrimPrefix(target.URL, "http://"), strings.TrimPrefix(m.url, "http://"))
	for range 3 { // Prometheus is up and scraping
		select {
		case <-scraped:
		case <-time.After(30 * time.Second):
			t.Fatal("Prometheus does not scrape")
		}
	}
	return j
}

func runUntilEnd(t *testing.T, run func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func startPrometheus(t *testing.T, target, manager string) {
	t.Helper()
	rules, err := os.ReadFile("../prometheus/rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	lab.Prometheus(t, map[string]string{
		"prometheus.yml": fmt.Sprintf(`global: {scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms}
rule_files: [rules.yml]
alerting: {alertmanagers: [{static_configs: [{targets: ['%s']}]}]}
scrape_configs: [{job_name: picket, static_configs: [{targets: ['%s']}]}]
`, manager, target),
		"rules.yml": strings.ReplaceAll(string(rules), "keep_firing_for: 5m", "keep_firing_for: 1s"),
	})
}
