package alertmanager_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"picket/alerts"
	"picket/evidence"
	"picket/lab"
)

// hook is one notification as a receiver got it.
type hook struct {
	path string
	body string
}

// manager is a real Alertmanager with the shipped configuration, its
// receivers pointed at a recorder.
type manager struct {
	url   string
	hooks chan hook
}

func startManager(t *testing.T) manager {
	t.Helper()
	m := manager{hooks: make(chan hook, 100)}
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if r.URL.Path != "/dead-man" {
			m.hooks <- hook{r.URL.Path, string(b)}
		}
		_, _ = io.WriteString(w, "ok")
	}))
	t.Cleanup(receiver.Close)
	conf, err := os.ReadFile("alertmanager.yml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("http://127.0.0.1:9999", receiver.URL, "group_wait: 10s", "group_wait: 100ms", "group_interval: 5m", "group_interval: 1s").Replace(string(conf))
	tmpl, err := os.ReadFile("picket.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	m.url = lab.Alertmanager(t, map[string]string{"alertmanager.yml": text, "picket.tmpl": string(tmpl)})
	return m
}

// until returns the notifications up to the first that meets a condition.
func (m manager) until(t *testing.T, what string, meets func(hook) bool) []hook {
	t.Helper()
	var got []hook
	deadline := time.After(30 * time.Second)
	for {
		select {
		case h := <-m.hooks:
			if got = append(got, h); meets(h) {
				return got
			}
		case <-deadline:
			t.Fatalf("no %s among %d notifications: %+v", what, len(got), got)
		}
	}
}

func (m manager) post(t *testing.T, labels map[string]string) {
	t.Helper()
	body, _ := json.Marshal([]map[string]any{{"labels": labels, "annotations": map[string]string{"summary": "of a rule"}}})
	resp, err := http.Post(m.url+"/api/v2/alerts", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Fatal(resp.Status)
	}
}

func (m manager) notifier(t *testing.T) *alerts.Notifier {
	t.Helper()
	n, err := alerts.NewNotifier(alerts.NotifierConfig{
		Alertmanager: alerts.AlertmanagerConfig{URLs: []string{m.url}, Labels: map[string]string{"site": "campus"}}, Hold: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return n
}

func episode() evidence.Episode {
	now := time.Now()
	e := evidence.Episode{
		ID: "e-0123456789abcdef", Policy: "xiaomi-to-cn", Severity: "page", AlertedAs: "page", Condition: evidence.Sent,
		Device: "d-0123456789ab", Place: "access point ap-7", Maker: "xiaomi", Class: "handset", Confidence: "certain",
		Countries: []string{"CN"}, Basis: []string{"location", "operator"}, Sent: 4096, Handshake: 1024,
		First: now, Last: now, Opened: now, Firing: true, Announced: true, Names: []string{"api.example.com"}, Reasons: []string{"DHCP names the maker"},
	}
	e.Sentence = alerts.Sentence(e)
	return e
}

func TestOnePageByTwoWays(t *testing.T) {
	m := startManager(t)
	n, e := m.notifier(t), episode()
	n.Announce(alerts.Notice{Kind: alerts.Opened, Episode: e, Since: e.First})
	got := m.until(t, "text to the outside", func(h hook) bool { return h.path == "/outside" })
	if len(got) == 1 { // either receiver may be the faster one
		got = append(got, m.until(t, "page", func(h hook) bool { return h.path == "/officer" })...)
	}
	for _, h := range got {
		switch h.path {
		case "/officer":
			for _, want := range []string{`"alertname":"PicketEpisode"`, `"site":"campus"`, "d-0123456789ab", "xiaomi", "certain", "4 KiB", "DHCP names the maker", "picket explain d-0123456789ab"} {
				if !strings.Contains(h.body, want) {
					t.Errorf("the page lacks %q: %s", want, h.body)
				}
			}
		case "/outside":
			checkMinimal(t, h.body)
		}
	}
	// A scrape later the rule finds the same episode; a storm tells us that
	// Alertmanager has been through it.
	m.post(t, map[string]string{"alertname": "PicketViolation", "policy": e.Policy, "device": e.Device, "severity": "page", "site": "campus"})
	m.post(t, map[string]string{"alertname": "PicketReview", "policy": "another", "device": e.Device, "severity": "ticket", "site": "campus"})
	m.post(t, map[string]string{"alertname": "PicketStoreFailing", "severity": "page", "instance": "s1"})
	for _, h := range m.until(t, "alert about the store", func(h hook) bool { return strings.Contains(h.body, "PicketStoreFailing") }) {
		if strings.Contains(h.body, "PicketViolation") || strings.Contains(h.body, "PicketReview") {
			t.Errorf("told twice: %s %s", h.path, h.body)
		}
	}
	e.Closed, e.CloseReason = time.Now(), "quiet"
	n.Announce(alerts.Notice{Kind: alerts.Resolved, Episode: e})
	m.until(t, "resolve", func(h hook) bool {
		return h.path == "/officer" && strings.Contains(h.body, `"status":"resolved"`) && strings.Contains(h.body, "PicketEpisode")
	})
}

// checkMinimal asserts that the text for receivers outside the site says
// policy, severity, place, id and link, and nothing of what was done.
func checkMinimal(t *testing.T, body string) {
	t.Helper()
	var message struct {
		Attachments []struct{ Title, Text string }
	}
	if err := json.Unmarshal([]byte(body), &message); err != nil || len(message.Attachments) != 1 {
		t.Fatalf("%v: %s", err, body)
	}
	got := message.Attachments[0].Text
	want := "xiaomi-to-cn · page · d-0123456789ab · access point ap-7\npicket explain d-0123456789ab"
	if strings.TrimSpace(got) != want {
		t.Errorf("text %q, want %q", got, want)
	}
	if strings.Contains(body, "api.example.com") || strings.Contains(body, "DHCP") {
		t.Errorf("the outside is told too much: %s", body)
	}
}

func TestFullTemplate(t *testing.T) {
	amtool, err := exec.LookPath("amtool")
	if err != nil {
		t.Skip("no amtool: apt install prometheus-alertmanager")
	}
	e := episode()
	data := map[string]any{
		"Receiver": "review", "Status": "firing", "GroupLabels": map[string]string{}, "CommonLabels": map[string]string{}, "CommonAnnotations": map[string]string{},
		"Alerts": []map[string]any{{
			"Status": "firing", "Labels": map[string]string{"alertname": alerts.PageAlert, "policy": e.Policy, "device": e.Device},
			"Annotations": map[string]string{
				"summary": alerts.Summary(e), "description": e.Sentence, "maker": "xiaomi", "device": e.Device, "class": "handset", "confidence": "certain",
				"severity": "page", "place": e.Place, "country": "CN", "basis": "location operator", "bytes": "4 KiB", "sent_bytes": "4096",
				"names": "api.example.com", "reasons": "DHCP names the maker", "evidence": "https://picket.example/device/d-0123456789ab",
			},
		}},
	}
	file := filepath.Join(t.TempDir(), "data.json")
	b, _ := json.Marshal(data)
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(amtool, "template", "render", "--template.glob=picket.tmpl", "--template.data="+file, `--template.text={{ template "picket.full" . }}`).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	first, _, _ := strings.Cut(string(out), "\n")
	if len(first) > 110 || !strings.HasPrefix(first, "Xiaomi handset sent 4 KiB to CN (certain) · d-0123456789ab") {
		t.Errorf("a lock screen shows %q", first)
	}
	for _, want := range []string{"Country     CN by location operator", "Because     DHCP names the maker", "Evidence    https://picket.example/device/d-0123456789ab"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
}

func TestConfigurationIsGood(t *testing.T) {
	amtool, err := exec.LookPath("amtool")
	if err != nil {
		t.Skip("no amtool: apt install prometheus-alertmanager")
	}
	if out, err := exec.Command(amtool, "check-config", "alertmanager.yml").CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	routes := map[string]string{
		"alertname=PicketEpisode policy=p device=d": "officer,outside", "alertname=PicketViolation severity=page": "officer,outside",
		"alertname=PicketEpisodeReview policy=p": "review", "alertname=PicketReview severity=ticket": "review",
		"alertname=PicketWatchdog severity=none": "dead-man", "alertname=PicketSensorDown severity=page": "officer", "alertname=PicketReloadFailed severity=ticket": "review",
	}
	for labels, want := range routes {
		args := append([]string{"config", "routes", "test", "--config.file=alertmanager.yml"}, strings.Fields(labels)...)
		out, err := exec.Command(amtool, args...).Output()
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			t.Errorf("%s goes to %q, want %q (%v)", labels, got, want, err)
		}
	}
}
