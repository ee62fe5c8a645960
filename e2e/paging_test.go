package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"picket/lab"
)

// page is one alert as a receiver got it.
type page struct {
	Receiver    string
	At          time.Time
	Status      string
	Labels      map[string]string
	Annotations map[string]string
	StartsAt    time.Time
	EndsAt      time.Time
	Fingerprint string
}

func (p page) String() string {
	return fmt.Sprintf("%s: %s %s %s %s", p.Receiver, p.Status, p.Labels["alertname"], p.Labels["policy"], p.Labels["device"])
}

// desk is Alertmanager with the shipped configuration, and the webhook that
// records what it is told.
type desk struct {
	*process
	campus *campus

	mu    sync.Mutex
	posts int // messages to the officer
	pages []page
	seen  map[string]bool // receiver, fingerprint, status, start: Alertmanager repeats a group whole
}

// managerURL is where Alertmanager listens, hookAddr where its shipped
// configuration sends.
const (
	managerURL = "http://127.0.0.1:9093"
	hookAddr   = "127.0.0.1:9999"
)

// openDesk starts the webhook and Alertmanager. interval is group_interval:
// how long a group that has been told waits for the next.
func (c *campus) openDesk(interval string) *desk {
	c.t.Helper()
	need(c.t, "prometheus-alertmanager")
	d := &desk{campus: c, seen: map[string]bool{}}
	l, err := c.gw.Listen("tcp4", hookAddr)
	ok(c.t, err)
	hook := &http.Server{Handler: http.HandlerFunc(d.receive)}
	go func() { _ = hook.Serve(l) }()
	c.t.Cleanup(func() { hook.Close() })
	conf, err := os.ReadFile("../configs/alertmanager/alertmanager.yml")
	ok(c.t, err)
	before, rest, _ := strings.Cut(string(conf), "    email_configs:")
	_, after, _ := strings.Cut(rest, "\n  - name: ") // the next receiver
	text := before + "    webhook_configs: [{url: 'http://" + hookAddr + "/review', send_resolved: true}]\n  - name: " + after
	text = strings.NewReplacer("group_wait: 10s", "group_wait: 100ms", "group_interval: 5m", "group_interval: "+interval, "group_interval: 30m", "group_interval: "+interval).Replace(text)
	c.write("alertmanager.yml", "%s", text)
	tmpl, err := os.ReadFile("../configs/alertmanager/picket.tmpl")
	ok(c.t, err)
	c.write("picket.tmpl", "%s", tmpl)
	d.open()
	return d
}

// open starts Alertmanager, again after a stop.
func (d *desk) open() {
	d.campus.t.Helper()
	args := []string{"--config.file=" + filepath.Join(d.campus.dir, "alertmanager.yml"), "--storage.path=" + filepath.Join(d.campus.dir, "am"),
		"--web.listen-address=127.0.0.1:9093", "--cluster.listen-address="}
	if pages := os.Getenv("PICKET_ALERTMANAGER_UI"); pages != "" { // Debian's package comes without
		args = append(args, "--web.ui-path="+pages)
	}
	d.process = d.campus.start(d.campus.gw, "prometheus-alertmanager", args...)
	until(d.campus.t, "Alertmanager", func() bool { return d.campus.get(managerURL+"/-/ready") != "" })
}

// receive records what a receiver is told, each thing once.
func (d *desk) receive(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	b, _ := io.ReadAll(r.Body)
	_, _ = io.WriteString(w, "ok")
	var body struct{ Alerts []page }
	if r.URL.Path == "/dead-man" || r.URL.Path == "/outside" || r.URL.Path == "/canary" || json.Unmarshal(b, &body) != nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.URL.Path == "/officer" {
		d.posts++
	}
	for _, p := range body.Alerts {
		p.Receiver, p.At = strings.TrimPrefix(r.URL.Path, "/"), now
		key := p.Receiver + p.Fingerprint + p.Status + p.StartsAt.String()
		if !d.seen[key] {
			d.seen[key] = true
			d.pages = append(d.pages, p)
		}
	}
}

// got lists the pages about violations so far, to any receiver.
func (d *desk) got() []page {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []page
	for _, p := range d.pages {
		if p.Labels["device"] != "" {
			out = append(out, p)
		}
	}
	return out
}

// messages is how often the officer was disturbed so far, whatever about.
func (d *desk) messages() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.posts
}

// heard reports whether anybody was told of an alert.
func (d *desk) heard(alert, status string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.ContainsFunc(d.pages, func(p page) bool { return p.Labels["alertname"] == alert && p.Status == status })
}

// wait waits for a page and returns it.
func (d *desk) wait(what string, is func(page) bool) page {
	d.campus.t.Helper()
	var found page
	until(d.campus.t, what, func() bool {
		for _, p := range d.got() {
			if is(p) {
				found = p
				return true
			}
		}
		return false
	})
	return found
}

// settle sends an alert of ours through Alertmanager and waits for it: what
// was there before it has been told by then.
func (d *desk) settle() {
	t := d.campus.t
	t.Helper()
	name := "Probe" + strconv.FormatInt(time.Now().UnixNano(), 36)
	body := fmt.Sprintf(`[{"labels":{"alertname":%q,"severity":"page"}}]`, name)
	until(t, "Alertmanager that takes an alert", func() bool {
		resp, err := d.campus.http().Post(managerURL+"/api/v2/alerts", "application/json", strings.NewReader(body))
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	until(t, "probe alert", func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		for _, p := range d.pages {
			if p.Labels["alertname"] == name {
				return true
			}
		}
		return false
	})
}

// exactly asserts what was told about violations, all in all, and how often.
func (d *desk) exactly(want ...string) {
	d.campus.t.Helper()
	var got []string
	for _, p := range d.got() {
		got = append(got, p.Receiver+" "+p.Status+" "+p.Labels["alertname"]+" "+p.Labels["device"])
	}
	slices.Sort(got)
	slices.Sort(want)
	if g, w := strings.Join(got, "\n\t"), strings.Join(want, "\n\t"); g != w {
		d.campus.t.Errorf("told\n\t%s\nwant\n\t%s", g, w)
	}
}

// prometheus is Prometheus with the shipped configuration and rules.
type prometheus struct {
	*process
	campus *campus
	args   []string // beside those that say where things are
}

const prometheusURL = "http://127.0.0.1:9090"

// scrape starts Prometheus with the shipped rules, every second instead of
// every fifteen.
func (c *campus) scrape() *prometheus {
	c.t.Helper()
	p := c.scrapeBy(func(rules string) string { return rules })
	p.answers(`up{job="picket"} == 1`)
	return p
}

// scrapeBy starts Prometheus with the shipped rules as change makes them.
func (c *campus) scrapeBy(change func(rules string) string, args ...string) *prometheus {
	c.t.Helper()
	need(c.t, "prometheus")
	for name, change := range map[string]func(string) string{"prometheus.yml": strings.Clone, "rules.yml": change} {
		b, err := os.ReadFile("../configs/prometheus/" + name)
		ok(c.t, err)
		c.write(name, "%s", strings.NewReplacer("_interval: 15s", "_interval: 1s", "keep_firing_for: 5m", "keep_firing_for: 5s").Replace(change(string(b))))
	}
	p := &prometheus{campus: c, args: args}
	p.open()
	return p
}

func (p *prometheus) open() {
	p.campus.t.Helper()
	p.process = p.campus.start(p.campus.gw, "prometheus", append([]string{"--config.file=" + filepath.Join(p.campus.dir, "prometheus.yml"),
		"--storage.tsdb.path=" + filepath.Join(p.campus.dir, "tsdb"), "--web.listen-address=127.0.0.1:9090"}, p.args...)...)
	until(p.campus.t, "Prometheus", func() bool { return p.campus.get(prometheusURL+"/-/ready") != "" })
}

func (p *prometheus) restart() {
	p.campus.t.Helper()
	p.stop(syscall.SIGTERM)
	p.open()
	p.answers(`up{job="picket"} == 1`)
}

// series returns how many series an expression has now.
func (p *prometheus) series(expr string) (int, error) {
	return lab.Series(p.campus.http(), prometheusURL, expr)
}

// answers waits until an expression has a value.
func (p *prometheus) answers(expr string) {
	p.campus.t.Helper()
	until(p.campus.t, expr, func() bool { n, _ := p.series(expr); return n > 0 })
}

// turn waits until Prometheus has scraped and judged everything again, twice.
func (p *prometheus) turn() {
	p.campus.t.Helper()
	from := time.Now().Unix() + 2
	p.answers(fmt.Sprintf(`timestamp(ALERTS{alertname="PicketWatchdog"}) >= %d and on () timestamp(up{job="picket"}) >= %d`, from, from))
}
