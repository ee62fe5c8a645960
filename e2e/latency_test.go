package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// TestLatency measures from the first byte to the webhook by both ways, one
// device after the other. PICKET_EPISODES says over how many; the intervals
// are Prometheus' 1 s and Alertmanager's group_interval of 100 ms.
func TestLatency(t *testing.T) {
	for _, way := range []struct {
		name string
		push bool
		most time.Duration
	}{{"rules", false, 10 * time.Second}, {"push", true, time.Second}} {
		t.Run(way.name, func(t *testing.T) {
			c := newCampus(t)
			desk := c.openDesk("100ms")
			c.listen("-c", c.config(way.push, oneByteToCN))
			if !way.push {
				c.scrape()
			}
			phone := c.plug("phone", "5a:11:22:33:00:00")
			var all []time.Duration
			devices := map[string]bool{}
			for i := range episodes(t) {
				phone.become(fmt.Sprintf("5a:11:22:33:%02x:%02x", (i+1)>>8, (i+1)&0xff), fmt.Sprintf("10.20.%d.%d", 1+i/200, 1+i%200))
				phone.behave()
				u := phone.connect("data.mistat.xiaomi.com")
				u.send(2000)
				p := desk.wait("page", func(p page) bool { return p.Status == "firing" && !devices[p.Labels["device"]] })
				devices[p.Labels["device"]] = true
				all = append(all, p.At.Sub(u.begun))
				u.close()
			}
			slices.Sort(all)
			t.Logf("%s: %d episodes, first byte to webhook: p50 %s, p99 %s, most %s; picket to Alertmanager's acceptance: %s",
				way.name, len(all), percentile(all, 50), percentile(all, 99), all[len(all)-1].Round(time.Millisecond), c.accepted())
			if p50 := percentile(all, 50); p50 > way.most {
				t.Errorf("half of the pages take more than %s", way.most)
			}
			if got := len(desk.got()); got != len(all) {
				t.Errorf("%d notifications of %d episodes", got, len(all))
			}
		})
	}
}

const oneByteToCN = `
  - name: xiaomi-to-cn
    severity: page
    devices: {makers: [xiaomi], confidence: certain}
    restricted: {countries: [CN], basis: [location]}
    threshold: {sent: 1B, within: 10m}
    quiet: 2h
`

func percentile(sorted []time.Duration, p int) time.Duration {
	return sorted[(len(sorted)*p+99)/100-1].Round(time.Millisecond)
}

// accepted is the mean of picket's own measure, for comparison.
func (c *campus) accepted() string {
	m := c.families()["picket_alert_latency_seconds"].GetMetric()
	if len(m) == 0 || m[0].GetHistogram().GetSampleCount() == 0 {
		return "not pushed"
	}
	h := m[0].GetHistogram()
	return fmt.Sprintf("mean %.0f ms of %d", 1000*h.GetSampleSum()/float64(h.GetSampleCount()), h.GetSampleCount())
}
