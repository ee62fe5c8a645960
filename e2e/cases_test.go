package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"picket/alerts"
)

// quiet compresses time: an episode ends after so long without data.
const quiet = "20s"

// config is picket.yml of the cases: servers in CN, by location alone, so
// that what identifies a phone does not count.
func (c *campus) config(push bool, policies string) string {
	urls := "[]"
	if push {
		urls = "['" + managerURL + "']"
	}
	return c.write("picket.yml", "interfaces: [%s]\nalertmanager: {urls: %s, alert_labels: {site: campus}}\npolicies:%s", span, urls, policies)
}

const oneKilobyteToCN = `
  - name: xiaomi-to-cn
    severity: page
    devices: {makers: [xiaomi], confidence: certain}
    restricted: {countries: [CN], basis: [location]}
    threshold: {sent: 1KiB, within: 10m}
    quiet: ` + quiet + "\n"

// held is the longest wait for the resolve of what ended before Alertmanager
// was told of it: that fires for two minutes first.
const held = 4 * time.Minute

// story is a campus with sensor and desk, told by one of the two ways.
type story struct {
	*campus
	desk   *desk
	sensor *picket
	prom   *prometheus // nil: by push
	alert  string
}

func newCase(t *testing.T, push bool) *story { return newCaseOf(t, push, oneKilobyteToCN) }

func newCaseOf(t *testing.T, push bool, policies string) *story {
	t.Helper()
	c := newCampus(t)
	k := &story{campus: c, desk: c.openDesk("1s"), alert: alerts.PageAlert}
	k.sensor = c.listen("-c", c.config(push, policies))
	if !push {
		k.prom, k.alert = c.scrape(), "PicketViolation"
	}
	return k
}

// bothWays runs a case by rules and by push, beside each other.
func bothWays(t *testing.T, f func(t *testing.T, k *story)) {
	for name, push := range map[string]bool{"rules": false, "push": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, newCase(t, push))
		})
	}
}

// fired waits for the page about a device, any if empty.
func (k *story) fired(device string) page {
	k.t.Helper()
	return k.desk.wait("page", func(p page) bool {
		return p.Status == "firing" && (device == "" || p.Labels["device"] == device)
	})
}

// over waits for the end, and asserts all that was told: one page and one
// resolve of the device.
func (k *story) over(device string) page {
	k.t.Helper()
	var p page
	until(k.t, "resolve", func() bool {
		i := slices.IndexFunc(k.desk.got(), func(p page) bool { return p.Status == "resolved" && p.Labels["device"] == device })
		if i >= 0 {
			p = k.desk.got()[i]
		}
		return i >= 0
	})
	k.desk.settle()
	k.desk.exactly("officer firing "+k.alert+" "+device, "officer resolved "+k.alert+" "+device)
	return p
}

// counted asserts that the sensor counts exactly n bytes of open episodes.
func (k *story) counted(n int64) {
	k.t.Helper()
	k.reaches(float64(n), "picket_episode_sent_bytes")
	if got := k.sum("picket_episode_sent_bytes"); got != float64(n) {
		k.t.Errorf("picket counted %v bytes, the phone's sockets %d", got, n)
	}
}

// totals asserts the bytes of a resolve that picket itself pushed.
func (k *story) totals(p page, n int64) {
	k.t.Helper()
	if k.prom == nil && p.Annotations["sent_bytes"] != strconv.FormatInt(n, 10) {
		k.t.Errorf("the resolve says %s bytes, the phone's sockets %d", p.Annotations["sent_bytes"], n)
	}
}

func TestAlertmanagerRestarts(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, k *story) {
		phone := k.redmi()
		sent := phone.upload("data.mistat.xiaomi.com", 20_000)
		device := k.fired("").Labels["device"]
		k.desk.stop(syscall.SIGTERM)
		k.desk.open()
		sent += phone.upload("tracking.miui.com", 10_000)
		k.counted(sent)
		k.totals(k.over(device), sent)
	})
}

func TestPrometheusRestarts(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, k *story) {
		if k.prom == nil {
			k.prom = k.scrape() // beside the push
			defer func() { k.prom = nil }()
		}
		phone := k.redmi()
		sent := phone.upload("data.mistat.xiaomi.com", 20_000)
		device := k.fired("").Labels["device"]
		k.prom.restart()
		sent += phone.upload("tracking.miui.com", 10_000)
		k.counted(sent)
		k.over(device)
	})
}

func TestPicketRestarts(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, k *story) {
		phone := k.redmi()
		sent := phone.upload("data.mistat.xiaomi.com", 20_000)
		device := k.fired("").Labels["device"]
		k.counted(sent)
		k.sensor.stop(syscall.SIGTERM)
		if databases, _ := filepath.Glob(filepath.Join(k.dir, "state", "*.db")); len(databases) == 0 {
			t.Skip("this build keeps no episodes in --state: a restart forgets them")
		}
		k.sensor.begin()
		k.reaches(1, "picket_episode_open")
		sent += phone.upload("tracking.miui.com", 10_000)
		k.counted(sent)
		k.totals(k.over(device), sent)
	})
}

// TestAlertmanagerIsDown: what began and ended meanwhile is told when it is
// back, and what lasts is told once.
func TestAlertmanagerIsDown(t *testing.T) {
	t.Parallel()
	k := newCase(t, true)
	k.desk.stop(syscall.SIGTERM)
	first := k.redmi()
	brief := first.upload("data.mistat.xiaomi.com", 20_000)
	k.counted(brief)
	until(t, "end of the first episode", func() bool { return k.sum("picket_episode_open") == 0 })
	second := k.plug("second", "5a:11:22:33:44:77")
	second.lease("POCO-X5-Pro-5G", "android-dhcp-13")
	second.behave()
	lasting := second.upload("data.mistat.xiaomi.com", 30_000)
	k.counted(lasting)
	k.reaches(1, "picket_notifications_total", "outcome=failed")
	k.desk.open()
	var want []string
	sum := map[string]bool{}
	until(t, "two pages", func() bool {
		want, sum = nil, map[string]bool{}
		for _, p := range k.desk.got() {
			want = append(want, "officer firing "+k.alert+" "+p.Labels["device"])
			sum[p.Annotations["sent_bytes"]] = true
		}
		return len(want) >= 2
	})
	if !sum[strconv.FormatInt(brief, 10)] || !sum[strconv.FormatInt(lasting, 10)] {
		t.Errorf("the pages say %v bytes, the phones' sockets %d and %d", sum, brief, lasting)
	}
	for _, w := range want {
		want = append(want, strings.Replace(w, "firing", "resolved", 1))
	}
	within(t, held, "two resolves", func() bool { return len(k.desk.got()) == 4 })
	k.desk.settle()
	k.desk.exactly(want...)
}

func TestReloadRemovesThePolicy(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, k *story) {
		phone := k.redmi()
		sent := phone.upload("data.mistat.xiaomi.com", 20_000)
		device := k.fired("").Labels["device"]
		k.counted(sent)
		k.desk.settle()
		k.config(k.prom == nil, " []\n")
		k.sensor.signal(syscall.SIGHUP)
		k.sensor.said("reloaded")
		if n := k.sum("picket_episode_open"); n != 0 {
			t.Errorf("%v episodes are open without a policy", n)
		}
		p := k.over(device)
		k.totals(p, sent)
		if k.prom == nil && !strings.Contains(p.Annotations["closed"], "policy") {
			t.Errorf("closed because %q", p.Annotations["closed"])
		}
	})
}

// TestDeviceIdentifiedLate: what a device sent before anybody knew what it
// is counts from the first byte.
func TestDeviceIdentifiedLate(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, k *story) {
		phone := k.plug("phone", "5a:11:22:33:44:01")
		phone.address("10.20.0.50")
		sent := phone.upload("data.mistat.xiaomi.com", 40_000)
		k.reaches(1, "picket_flows_evicted_total")
		if n := k.sum("picket_episode_open"); n != 0 {
			t.Errorf("%v episodes of a device that nobody knows", n)
		}
		phone.behave()
		got := k.fired("")
		k.counted(sent)
		if k.prom == nil && !strings.Contains(got.Annotations["caveats"], "before the device was identified") {
			t.Errorf("caveats %q", got.Annotations["caveats"])
		}
		k.totals(k.over(got.Labels["device"]), sent)
	})
}

// TestHeartbeats: a phone that comes back again and again after its episode
// has ended is one page and one resolve. How long heartbeats may be apart is
// shown in packet time: TestHeartbeatsPageOnceAndResolveOnce of package alerts.
func TestHeartbeats(t *testing.T) {
	t.Parallel()
	for name, push := range map[string]bool{"rules": false, "push": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newCaseOf(t, push, strings.Replace(oneKilobyteToCN, quiet, "5s", 1))
			phone := k.redmi()
			sent := phone.upload("data.mistat.xiaomi.com", 20_000)
			device := k.fired("").Labels["device"]
			for range 4 {
				until(t, "end of the episode", func() bool { return k.sum("picket_episode_open") == 0 })
				sent += phone.upload("data.mistat.xiaomi.com", 5_000)
				k.counted(sent) // it continues
			}
			if k.prom != nil {
				k.prom.turn()
			}
			k.over(device)
			if n := k.sum("picket_episodes_total"); n != 1 {
				t.Errorf("%v episodes", n)
			}
		})
	}
}

// TestLeaseMoves: the address goes to somebody else in the middle of an
// episode, and the phone comes back under another one.
func TestLeaseMoves(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, k *story) {
		phone := k.redmi()
		sent := phone.upload("data.mistat.xiaomi.com", 20_000)
		device := k.fired("").Labels["device"]
		k.counted(sent)
		old := phone.ip
		phone.release("Redmi-Note-12", "android-dhcp-13")
		other := k.plug("other", "aa:3f:66:c0:12:06")
		other.remember(old)
		other.lease("Mia-s-Pixel-8", "android-dhcp-14")
		if other.ip != old {
			t.Fatalf("the resolver gave %s, not %s", other.ip, old)
		}
		other.get("connectivitycheck.gstatic.com", "/generate_204", pixelAgent)
		other.upload("data.mistat.xiaomi.com", 7_000)
		phone.lease("Redmi-Note-12", "android-dhcp-13")
		if phone.ip == old {
			t.Fatalf("both have %s", old)
		}
		sent += phone.upload("tracking.miui.com", 10_000)
		k.counted(sent)
		k.totals(k.over(device), sent)
	})
}

// episodes is over how many episodes latencies are measured.
func episodes(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("PICKET_EPISODES"))
	if err != nil {
		return 4
	}
	return n
}
