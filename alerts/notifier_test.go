package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"picket/evidence"
)

// fakeManagers plays Alertmanagers: it notes when an alert begins to fire and
// when it ends, by host, and answers as told.
type fakeManagers struct {
	mu     sync.Mutex
	status map[string]int // by host; 0 means 200
	down   map[string]bool
	firing map[string]bool // host and labels
	lines  []string
	posts  int
	last   []postable
}

func (f *fakeManagers) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.posts++
	host := r.URL.Host
	if f.down[host] {
		return nil, fmt.Errorf("connection refused")
	}
	answer := &http.Response{StatusCode: or(f.status[host], 200), Status: "status", Body: io.NopCloser(strings.NewReader("no")), Header: http.Header{}}
	if answer.StatusCode != 200 {
		return answer, nil
	}
	var batch []postable
	if err := json.NewDecoder(r.Body).Decode(&batch); err != nil {
		return nil, err
	}
	f.last = batch
	for _, a := range batch {
		key := host + " " + a.Labels["alertname"] + " " + a.Labels["device"]
		fires := a.EndsAt.After(time.Now())
		if fires != f.firing[key] {
			f.lines = append(f.lines, fmt.Sprintf("%s %v", key, fires))
			f.firing[key] = fires
		}
	}
	return answer, nil
}

func newFake() *fakeManagers {
	return &fakeManagers{status: map[string]int{}, down: map[string]bool{}, firing: map[string]bool{}}
}

func (f *fakeManagers) set(host string, down bool) {
	f.mu.Lock()
	f.down[host] = down
	f.mu.Unlock()
}

func (f *fakeManagers) posted() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.posts
}

// newest is the first alert of the last post.
func (f *fakeManagers) newest() postable {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last[0]
}

func (f *fakeManagers) seen() (lines []string, storm bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.lines), f.firing["a PicketStorm "]
}

func (f *fakeManagers) want(t *testing.T, lines ...string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	got := slices.Clone(f.lines)
	slices.Sort(got)
	slices.Sort(lines)
	if !slices.Equal(got, lines) {
		t.Errorf("Alertmanagers saw:\n%swant:\n%s", indent(got), indent(lines))
	}
}

type running struct {
	*Notifier
	stop func()
}

func (r running) held() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.alerts)
}

func startNotifier(t *testing.T, f *fakeManagers, c NotifierConfig, hosts ...string) running {
	t.Helper()
	for _, h := range hosts {
		c.Alertmanager.URLs = append(c.Alertmanager.URLs, "http://"+h)
	}
	c.Transport = f
	n, err := NewNotifier(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- n.Run(ctx) }()
	return running{n, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}}
}

func told(device string) evidence.Episode {
	now := time.Now()
	return evidence.Episode{
		ID: "e-" + device, Policy: "p", Device: device, Severity: "page", AlertedAs: "page", Firing: true, Announced: true,
		Opened: now, First: now, Last: now, Maker: "xiaomi", Class: "handset", Confidence: "certain", Countries: []string{"CN"}, Sent: 2000,
		Condition: evidence.Sent, Place: "access point ap-7", Sentence: "It did.",
	}
}

func ended(e evidence.Episode) evidence.Episode {
	e.Closed, e.CloseReason, e.Firing = time.Now(), "quiet", false
	return e
}

func TestEveryAlertmanagerIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		n := startNotifier(t, f, NotifierConfig{Alertmanager: AlertmanagerConfig{Labels: map[string]string{"site": "north"}}}, "a", "b")
		e := told("d-1")
		n.Announce(Notice{Opened, e, e.First})
		time.Sleep(10 * time.Minute)
		f.want(t, "a PicketEpisode d-1 true", "b PicketEpisode d-1 true")
		if n := f.posted(); n < 20 || n > 24 {
			t.Errorf("%d posts in ten minutes to two Alertmanagers, want one a minute each", n)
		}
		want := map[string]string{"alertname": "PicketEpisode", "policy": "p", "device": "d-1", "site": "north"}
		if got := f.newest().Labels; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("labels %v, want %v", got, want)
		}
		n.Announce(Notice{Resolved, ended(e), time.Time{}})
		time.Sleep(20 * time.Minute)
		f.want(t, "a PicketEpisode d-1 true", "b PicketEpisode d-1 true", "a PicketEpisode d-1 false", "b PicketEpisode d-1 false")
		if p := n.Pending(); len(p) != 0 || n.held() != 0 {
			t.Errorf("%d alerts left after the end was told", n.held())
		}
		n.stop()
	})
}

// A reload that names other Alertmanagers tells them what stands, and nothing
// of what is over; what stands keeps the labels that it has.
func TestRedirect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		n := startNotifier(t, f, NotifierConfig{Outbox: &Memory{}, Alertmanager: AlertmanagerConfig{Labels: map[string]string{"site": "north"}}}, "a")
		defer n.stop()
		stands, over := told("d-1"), told("d-2")
		n.Announce(Notice{Opened, stands, stands.First})
		n.Announce(Notice{Opened, over, over.First})
		time.Sleep(time.Minute)
		n.Announce(Notice{Resolved, ended(over), time.Time{}})
		time.Sleep(time.Minute)
		seen := []string{"a PicketEpisode d-1 true", "a PicketEpisode d-2 true", "a PicketEpisode d-2 false"}
		f.want(t, seen...)

		redirect := func(wantFirst bool, labels string, hosts ...string) {
			t.Helper()
			c := AlertmanagerConfig{Labels: map[string]string{"site": labels}}
			for _, h := range hosts {
				c.URLs = append(c.URLs, "http://"+h)
			}
			first, err := n.Redirect(c, Links{})
			if err != nil || first != wantFirst {
				t.Errorf("to %q: first %v, %v", hosts, first, err)
			}
			time.Sleep(2 * time.Minute)
		}
		redirect(false, "south", "b")
		seen = append(seen, "b PicketEpisode d-1 true")
		f.want(t, seen...)
		if got := f.newest().Labels["site"]; got != "north" {
			t.Errorf("an alert that stands changed its site to %s", got)
		}
		if _, err := n.Redirect(AlertmanagerConfig{URLs: []string{"ftp://c"}}, Links{}); err == nil {
			t.Error("an address of no Alertmanager was taken")
		}
		later := told("d-3")
		n.Announce(Notice{Opened, later, later.First})
		time.Sleep(time.Minute)
		seen = append(seen, "b PicketEpisode d-3 true")
		f.want(t, seen...)

		redirect(false, "south") // to nobody
		n.Announce(Notice{Resolved, ended(later), time.Time{}})
		if n.held() != 0 {
			t.Errorf("%d alerts are held for nobody", n.held())
		}
		redirect(true, "south", "b")
		f.want(t, seen...) // what ended in between is not told; the rest is announced again by the judge
		n.Announce(Notice{Resumed, stands, time.Time{}})
		time.Sleep(time.Minute)
		if got := f.newest().Labels; got["device"] != "d-1" || got["site"] != "south" {
			t.Errorf("told of %v", got)
		}
	})
}

func TestAnHourWithoutAlertmanagerLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, box := newFake(), &Memory{}
		f.set("a", true)
		n := startNotifier(t, f, NotifierConfig{Outbox: box}, "a")
		still, over := told("d-1"), told("d-2")
		n.Announce(Notice{Opened, still, still.First})
		n.Announce(Notice{Opened, over, over.First})
		time.Sleep(30 * time.Minute)
		n.Announce(Notice{Resolved, ended(over), time.Time{}})
		time.Sleep(10 * time.Minute)
		n.stop() // and picket restarts meanwhile
		n = startNotifier(t, f, NotifierConfig{Outbox: box}, "a")
		n.Announce(Notice{Resumed, still, time.Time{}})
		time.Sleep(20 * time.Minute)
		f.want(t)
		f.set("a", false)
		time.Sleep(30 * time.Minute)
		f.want(t, "a PicketEpisode d-1 true", "a PicketEpisode d-2 true", "a PicketEpisode d-2 false")
		n.stop()
		if left, _ := box.Alerts("", 10); len(left) != 1 || left[0].Key != "PicketEpisode/p/d-1" {
			t.Errorf("outbox %+v, want d-1 alone", left)
		}
	})
}

func TestOneOfTwoAlertmanagersIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.set("b", true)
		n := startNotifier(t, f, NotifierConfig{}, "a", "b")
		e := told("d-1")
		n.Announce(Notice{Opened, e, e.First})
		time.Sleep(time.Second)
		f.want(t, "a PicketEpisode d-1 true")
		f.set("b", false)
		time.Sleep(2 * time.Minute)
		f.want(t, "a PicketEpisode d-1 true", "b PicketEpisode d-1 true")
		n.stop()
	})
}

func TestStormIsHeldAndComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, box := newFake(), &Memory{}
		n := startNotifier(t, f, NotifierConfig{Outbox: box, Burst: 10, PerSec: 1, Queue: 60}, "a")
		for i := range 100 {
			e := told(fmt.Sprintf("d-%03d", i))
			n.Announce(Notice{Opened, e, e.First})
		}
		time.Sleep(500 * time.Millisecond)
		if lines, storm := f.seen(); len(lines) != 11 || !storm {
			t.Errorf("%d alerts at once, want the burst of 10 and the storm", len(lines))
		}
		// What memory has room for is told slowly; the rest when those are over.
		time.Sleep(2 * time.Minute)
		for i := range 60 {
			n.Announce(Notice{Resolved, ended(told(fmt.Sprintf("d-%03d", i))), time.Time{}})
		}
		time.Sleep(time.Hour)
		fired := 0
		lines, storm := f.seen()
		for _, l := range lines {
			if strings.HasPrefix(l, "a PicketEpisode") && strings.HasSuffix(l, "true") {
				fired++
			}
		}
		if fired != 100 || storm {
			t.Errorf("%d of 100 told, storm %v", fired, storm)
		}
		n.stop()
	})
}

func TestLatencyIsMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewPedanticRegistry()
		m := NewMetrics(reg, MetricsConfig{})
		f := newFake()
		n := startNotifier(t, f, NotifierConfig{Metrics: m}, "a")
		e := told("d-1")
		time.Sleep(200 * time.Millisecond)
		n.Announce(Notice{Opened, e, e.First})
		time.Sleep(3 * time.Minute)
		n.stop()
		var h dto.Metric
		if err := m.latency.Write(&h); err != nil {
			t.Fatal(err)
		}
		if c, s := h.Histogram.GetSampleCount(), h.Histogram.GetSampleSum(); c != 1 || s < 0.2 || s > 0.25 {
			t.Errorf("%d observations summing to %v, want one of 0.2 s", c, s)
		}
	})
}

func TestRefusedAlertsDoNotBlockOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.status["a"] = 400
		n := startNotifier(t, f, NotifierConfig{}, "a", "b")
		e := told("d-1")
		n.Announce(Notice{Opened, e, e.First})
		n.Announce(Notice{Opened, told("d-2"), e.First})
		time.Sleep(30 * time.Second)
		f.want(t, "b PicketEpisode d-1 true", "b PicketEpisode d-2 true")
		if n := f.posted(); n > 6 {
			t.Errorf("%d posts: refused alerts are sent again and again", n)
		}
		n.stop()
	})
}

func TestLinksAndSummary(t *testing.T) {
	e := told("d-0123456789ab")
	if got := newAlert(e, time.Time{}, Links{}).Annotations["evidence"]; got != "picket explain d-0123456789ab" {
		t.Errorf("without a page: %q", got)
	}
	u, _ := url.Parse("https://picket.example/x")
	if got := newAlert(e, time.Time{}, Links{u}).Annotations["evidence"]; got != "https://picket.example/x/device/d-0123456789ab" {
		t.Errorf("with a page: %q", got)
	}
	want := "Xiaomi handset sent 2.0 KiB to CN (certain) · d-0123456789ab · access point ap-7"
	if got := Summary(e); got != want {
		t.Errorf("summary %q, want %q", got, want)
	}
	e.Place = strings.Repeat("æøå", 60)
	if got := Summary(e); len(got) > lockScreen || !strings.HasSuffix(got, "…") {
		t.Errorf("summary of %d bytes: %q", len(got), got)
	}
}
