package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/gopacket/pcapgo"
)

// TestEveryExpressionReturnsData replays the demonstration's traffic onto the
// span of a real sensor that a real Prometheus scrapes, and then asks every
// expression of every panel and every rule for data, panel by panel.
func TestEveryExpressionReturnsData(t *testing.T) {
	t.Parallel()
	c := newCampus(t)
	desk := c.openDesk("1s")
	c.listen("-c", c.write("picket.yml", "%s", pushing+"web: {external_url: 'http://127.0.0.1:9710'}\ncanary: {every: 1h}\n"+presenceAndHiding), "--prohibit", "xiaomi", "--restrict", "CN")
	prom := c.scrape()
	c.replay("../testdata/demo.pcap")
	phone := c.redmi()
	hidden := phone.secure(servers["www.sina.com.cn"], "") // a name that nobody asks for or shows
	hidden.send(200_000)
	hidden.close()
	desk.wait("page", func(p page) bool { return p.Status == "firing" })
	prom.answers(`count_over_time(picket_flows[1m]) >= 3`)
	c.replay("../testdata/demo.pcap") // a second time: rates need a rise that Prometheus sees
	for _, must := range []string{`picket_devices{maker="xiaomi"}`, `picket_alert_latency_seconds_count > 0`, `rate(picket_capture_frames_total[1m]) > 0`,
		`picket_episode_condition{condition="seen"}`, `picket_episode_condition{condition="hidden"}`} {
		prom.answers(must)
	}
	prom.turn()
	for _, q := range append(panels(t), rules(t)...) {
		if strings.Contains(q.expr, "picket_data_build_timestamp_seconds") {
			continue // a sensor has it once a bundle was imported: see TestImportedDataAreUsed
		}
		n, err := prom.series(q.expr)
		if err != nil || n == 0 {
			t.Errorf("%s: %d series (%v): %s", q.where, n, err, q.expr)
			continue
		}
		t.Logf("%3d series  %s", n, q.where)
	}
}

// presenceAndHiding has episodes of the conditions that no byte to CN makes.
const presenceAndHiding = `
policies:
  - name: presence
    devices: {makers: [xiaomi]}
    restricted: {countries: [KP]}
    severities: {seen: observe}
    except: {devices: [{value: d-0123456789ab, until: 2099-12-31, comment: lab phone}]}
  - name: hiding
    devices: {makers: [xiaomi]}
    restricted: {countries: [KP]}
    hidden: {share: 0.1, sent: 10KiB}
`

// query is one expression and where it stands.
type query struct{ where, expr string }

// panels reads the expressions of the committed dashboards, the variables
// filled in as a fresh Grafana would.
func panels(t *testing.T) (out []query) {
	t.Helper()
	files, err := filepath.Glob("../configs/grafana/dashboards/*.json")
	ok(t, err)
	fill := strings.NewReplacer("$__rate_interval", "1m", "$__range", "1m", "$__interval", "15s", "$sensor", ".*", "$maker", ".*", "$policy", ".*")
	for _, f := range files {
		b, err := os.ReadFile(f)
		ok(t, err)
		var d struct {
			Title  string
			Panels []struct {
				Title   string
				Targets []struct{ Expr string }
			}
		}
		ok(t, json.Unmarshal(b, &d))
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				out = append(out, query{d.Title + ": " + p.Title, fill.Replace(q.Expr)})
			}
		}
	}
	if len(out) == 0 {
		t.Error("no panels")
	}
	return out
}

// comparison is the end of an alert's expression that says when it fires.
var comparison = regexp.MustCompile(`\s*(?:==|>|<)\s*[0-9.* ]+$`)

// healthy are rules that must have no data while all is well, other than by
// a comparison at their end; their metrics must be there all the same.
var healthy = map[string]string{
	"PicketSensorAbsent":    `up{job="picket"}`,
	"PicketStoreFailing":    `picket_evidence_degraded`,
	"PicketNotifierFailing": `rate(picket_notifications_total{outcome=~"failed|refused"}[5m]) and on (instance, job, site) picket_notifications_pending`,
	"PicketCanaryFailing":   `picket_canary_last_success_timestamp_seconds or picket_canary_start_timestamp_seconds and picket_canary_interval_seconds`,
	"PicketViolation":       `max by (policy, device, site) (picket_episode_open{severity="page"}) and on (policy, device) picket_episode_pushed`,
	"PicketReview":          `picket_episode_open{severity=~".+"} and on (policy, device) picket_episode_pushed`,
}

// rules reads the alerts' expressions, without the comparisons.
func rules(t *testing.T) (out []query) {
	t.Helper()
	b, err := os.ReadFile("../configs/prometheus/rules.yml")
	ok(t, err)
	var f struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	ok(t, yaml.Unmarshal(b, &f))
	for _, g := range f.Groups {
		for _, r := range g.Rules {
			expr := comparison.ReplaceAllString(strings.TrimSpace(r.Expr), "")
			if e := healthy[r.Alert]; e != "" {
				expr = e
			}
			out = append(out, query{"rule " + r.Alert, expr})
		}
	}
	if len(out) == 0 {
		t.Error("no rules")
	}
	return out
}

// replay puts the frames of a capture onto the span, one after the other.
func (c *campus) replay(file string) {
	c.t.Helper()
	b, err := os.ReadFile(file)
	ok(c.t, err)
	r, err := pcapgo.NewReader(bytes.NewReader(b))
	ok(c.t, err)
	var frames [][]byte
	for {
		frame, _, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) {
			break
		}
		ok(c.t, err)
		frames = append(frames, frame)
	}
	c.inject(frames, time.Millisecond)
}
