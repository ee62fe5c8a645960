package fleet

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestMetrics(t *testing.T) {
	n := aloneNode(t, Config{})
	now := n.now()
	for i := range maxPeers + 3 {
		h := &heardOf{}
		h.take(Health{Name: fmt.Sprintf("peer-%d", i), At: now.Add(time.Second)}, now, true)
		n.sensors[fmt.Sprintf("peer-%d", i)] = h
	}
	n.Say(&Message{Kind: KindEpisode, Scope: "p", ID: "e-1", Body: []byte(`{}`)})
	if err := n.commit(); err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(n.Metrics())
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	series := map[string]int{}
	for _, f := range families {
		for _, m := range f.Metric {
			series[f.GetName()]++
			got[f.GetName()] += m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	for name, want := range map[string]float64{
		"picket_fleet_connected": 0, "picket_fleet_waiting_messages": 1, "picket_fleet_peers_overflow": 3, "picket_fleet_sensors": maxPeers + 3,
		"picket_fleet_clock_skew_seconds": maxPeers,
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	if series["picket_fleet_clock_skew_seconds"] != maxPeers || got["picket_fleet_spool_bytes"] == 0 {
		t.Errorf("%d series of skew, %v bytes", series["picket_fleet_clock_skew_seconds"], got["picket_fleet_spool_bytes"])
	}
}

// aloneNode is a node whose cluster is not there.
func aloneNode(t *testing.T, c Config) *Node {
	t.Helper()
	c.Mode, c.Name, c.URLs, c.Share = URL, "alone", []string{"nats://127.0.0.1:1"}, []string{"default"}
	n, err := NewNode(NodeConfig{Config: c, Dir: t.TempDir(), Key: siteKey})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}
