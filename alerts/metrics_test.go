package alerts

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"picket/evidence"
	"picket/geo"
)

func fullSnapshot() Snapshot {
	return Snapshot{
		Interfaces:      []InterfaceStats{{Name: "eth1", Frames: 10, Bytes: 1000, Dropped: map[string]uint64{"kernel": 1, "interface": 0}}},
		Stops:           map[string]uint64{"truncated": 1},
		Flows:           3,
		FlowsEvicted:    map[string]uint64{"full": 1},
		Handshakes:      []HandshakeStats{{"tls", "read", 4}},
		VisibilityBytes: map[string]uint64{"sni": 10},
		Devices:         []DeviceCount{{"xiaomi", "handset", "certain", 2}, {"apple", "", "none", 1}},
		Databases:       map[string]time.Time{"embedded": time.Unix(1780000000, 0)}, WebURL: "https://picket.example",
	}
}

func TestMetricsAreLintedAndAllThere(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	m := NewMetrics(reg, MetricsConfig{Makers: []string{"xiaomi"}, Policies: []string{"p"}, Snapshot: fullSnapshot})
	m.Sent("xiaomi", "CN").Add(1)
	e := told("d-1")
	e.Basis = []string{"operator", "location"}
	m.opened(&e)
	m.open.set(&e, Page, nil)
	m.Pushed(e.ID, true)
	m.exempt.WithLabelValues("p").Set(1)
	problems, err := testutil.GatherAndLint(reg)
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range Defs() {
		i := slices.IndexFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == d.Name })
		if i < 0 {
			t.Errorf("%s is not exported", d.Name)
			continue
		}
		if got := strings.ToLower(families[i].GetType().String()); got != d.Type {
			t.Errorf("%s is a %s, want %s", d.Name, got, d.Type)
		}
		var labels []string
		for _, l := range families[i].Metric[0].Label {
			labels = append(labels, l.GetName())
		}
		if want := slices.Sorted(slices.Values(d.Labels)); !slices.Equal(labels, want) {
			t.Errorf("%s has labels %q, want %q", d.Name, labels, want)
		}
	}
}

func TestSeriesBudgetHolds(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	var makers []string
	for i := range 40 {
		makers = append(makers, fmt.Sprintf("maker-%d", i))
	}
	var snap Snapshot
	for i := range 5000 {
		snap.Devices = append(snap.Devices, DeviceCount{makers[i%40], fmt.Sprint("class", i%9), fmt.Sprint("c", i/40), 1})
	}
	m := NewMetrics(reg, MetricsConfig{Makers: makers, Policies: []string{"p"}, Snapshot: func() Snapshot { return snap }})
	var places []geo.Country
	for a := 'A'; a <= 'Z' && len(places) < 250; a++ {
		for b := 'A'; b <= 'Z' && len(places) < 250; b++ {
			places = append(places, geo.Country(string([]rune{a, b})))
		}
	}
	for i := range 100_000 {
		e := told(fmt.Sprintf("d-%d", i))
		e.Countries = []string{string(places[i%250])}
		e.Maker = makers[i%40]
		m.opened(&e)
		m.open.set(&e, Page, nil)
		m.Sent(makers[i%40], places[i%250]).Add(100)
		m.Sent(fmt.Sprint("unheard-of-", i), places[i%250]).Add(100)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	total, sent := 0, 0.0
	for _, f := range families {
		for _, metric := range f.Metric {
			total++
			if h := metric.GetHistogram(); h != nil {
				total += len(h.Bucket) + 2
			}
			if f.GetName() == "picket_sent_bytes_total" {
				sent += metric.GetCounter().GetValue()
			}
		}
	}
	if total > DefaultSeries {
		t.Errorf("%d series, budget %d", total, DefaultSeries)
	}
	if sent != 2*100*100_000 {
		t.Errorf("%v bytes in all series, want every byte", sent)
	}
	if testutil.ToFloat64(m.overflow) == 0 {
		t.Error("the overflow is not counted")
	}
}

func TestOverflowingEpisodesStillFire(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	m := NewMetrics(reg, MetricsConfig{Series: maxSnapshot + 100 + 2*seriesPerEpisode})
	for i := range 5 {
		e := told(fmt.Sprintf("d-%d", i))
		m.open.set(&e, Page, nil)
	}
	want := `
# HELP picket_episode_open 1 while an episode is open. One that continues within 24 hours of its end has severity observe.
# TYPE picket_episode_open gauge
picket_episode_open{device="d-0",policy="p",severity="page"} 1
picket_episode_open{device="d-1",policy="p",severity="page"} 1
picket_episode_open{device="other",policy="p",severity="page"} 1
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "picket_episode_open"); err != nil {
		t.Error(err)
	}
	m.open.remove("e-d-0")
	e := evidence.Episode{ID: "e-d-2", Policy: "p", Device: "d-2"}
	m.open.set(&e, Page, nil)
	if n := testutil.CollectAndCount(m.open, "picket_episode_open"); n != 3 {
		t.Errorf("%d series after one has ended and another was updated, want 3", n)
	}
}

// TestExemptionsShowTheirEnd: the next end of each policy, until it has passed.
func TestExemptionsShowTheirEnd(t *testing.T) {
	reg := prometheus.NewRegistry()
	p := xiaomiToCN()
	p.Except.Devices = []Exemption{{Value: "d-0123456789ab", Until: Date(start.Add(time.Hour))}, {Value: "d-0123456789ac", Until: Date(start.Add(2 * time.Hour))}, {Value: "d-0123456789ad"}}
	w := newWorld(t, worldConfig{policies: []Policy{p}, metrics: NewMetrics(reg, MetricsConfig{}), now: start})
	for _, c := range []struct {
		at   time.Duration
		want string
	}{{0, fmt.Sprint(float64(start.Add(time.Hour).Unix()))}, {90 * time.Minute, fmt.Sprint(float64(start.Add(2 * time.Hour).Unix()))}, {3 * time.Hour, ""}} {
		w.judge.Tick(start.Add(c.at))
		got := ""
		families, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			if f.GetName() == "picket_exemption_end_timestamp_seconds" {
				got = fmt.Sprint(f.Metric[0].GetGauge().GetValue())
			}
		}
		if got != c.want {
			t.Errorf("after %s: %q, want %q", c.at, got, c.want)
		}
	}
}
