package e2e

import (
	"strconv"
	"strings"
	"testing"

	"picket/alerts"
)

// pushing is a configuration that tells Alertmanager itself.
const pushing = `
interfaces: [span1]
alertmanager:
  urls: ["http://127.0.0.1:9093"]
  alert_labels: {site: campus}
`

// TestPage is the whole line: a phone sends to CN over TLS, and an officer
// is paged, once; by the rules of Prometheus alone, and by picket's own push
// beside them. A permitted phone that does the same pages nobody.
func TestPage(t *testing.T) {
	for _, way := range []struct{ name, alert, config string }{
		{"rules", "PicketViolation", ""},
		{"push", alerts.PageAlert, pushing},
	} {
		t.Run(way.name, func(t *testing.T) {
			c := newCampus(t)
			desk := c.openDesk("1s")
			args := []string{"--prohibit", "xiaomi", "--restrict", "CN"}
			if way.config != "" {
				args = append(args, "-c", c.write("picket.yml", "%s", way.config))
			}
			sensor := c.listen(args...)
			prom := c.scrape()

			permitted := c.pixel()
			c.reaches(1, "picket_devices", "maker=google", "class=handset", "confidence=certain")
			sent := permitted.upload("www.sina.com.cn", 50_000)
			c.reaches(float64(sent), "picket_sent_bytes_total", "maker=google", "country=CN")
			prom.turn()
			desk.settle()
			desk.exactly()

			prohibited := c.redmi()
			up := prohibited.upload("data.mistat.xiaomi.com", 30_000)
			got := desk.wait("page", func(p page) bool { return p.Status == "firing" })
			c.reaches(float64(up), "picket_episode_sent_bytes", "policy=xiaomi-to-cn")
			prom.turn()
			desk.settle()
			desk.exactly("officer firing " + way.alert + " " + got.Labels["device"])
			says(t, got, way.name == "push")
			if n := c.sum("picket_episode_sent_bytes"); n != float64(up) {
				t.Errorf("picket counted %v bytes, the phone's socket %d", n, up)
			}
			if strings.Contains(sensor.log.String(), "data.mistat") || strings.Contains(sensor.log.String(), prohibited.ip) {
				t.Errorf("the log tells names or addresses:\n%s", sensor.log)
			}
		})
	}
}

// says asserts that a page names what an officer acts on.
func says(t *testing.T, p page, pushed bool) {
	t.Helper()
	text := p.Labels["policy"] + " " + p.Labels["device"] + " " + p.Labels["site"]
	for _, a := range p.Annotations {
		text += "\n" + a
	}
	want := []string{"xiaomi-to-cn", "d-", "campus", "certain", "CN", "B", "location", "picket explain d-"}
	if pushed {
		want = append(want, "Xiaomi handset", "data.mistat.xiaomi.com", "120.92.96.155", "Kingsoft", "its model is one of Xiaomi", "asks the updater of Xiaomi's system")
		if n, err := strconv.Atoi(p.Annotations["sent_bytes"]); err != nil || n == 0 {
			t.Errorf("bytes %q", p.Annotations["sent_bytes"])
		}
	} else {
		want = append(want, "xiaomi (certain) sent to CN", "certain by dhcp,", "so far")
	}
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("the page does not say %q:\n%s", w, text)
		}
	}
}
