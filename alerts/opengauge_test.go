package alerts

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// TestAnEpisodeOnItsWayCountsAsPushed: whenever a scrape falls, the rules see
// an episode that we tell as told, unless nobody took it in time.
func TestAnEpisodeOnItsWayCountsAsPushed(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	m := NewMetrics(reg, MetricsConfig{Makers: []string{"xiaomi"}, Policies: []string{"p"}})
	e := told("d-1")
	pushed := func(want int) {
		t.Helper()
		n, err := testutil.GatherAndCount(reg, "picket_episode_pushed")
		if err != nil || n != want {
			t.Errorf("%d series, want %d (%v)", n, want, err)
		}
	}
	m.Pushing(e.ID, time.Now().Add(time.Hour)) // the notifier hears of it before it is shown
	pushed(0)
	m.open.set(&e, Page, nil)
	pushed(1)
	m.Pushing(e.ID, time.Now().Add(-time.Second)) // nobody took it
	pushed(0)
	m.Pushed(e.ID, true)
	pushed(1)
	m.Pushing(e.ID, time.Now().Add(-time.Second)) // raised: another alert, which nobody took
	pushed(0)
	m.open.remove(e.ID)
	if len(m.open.announce) != 0 {
		t.Errorf("%d announced episodes are kept", len(m.open.announce))
	}
	for i := range 2 * maxAnnounced {
		m.Pushing(string(rune(i)), time.Now())
	}
	if len(m.open.announce) > maxAnnounced {
		t.Errorf("%d announced episodes, at most %d", len(m.open.announce), maxAnnounced)
	}
}
