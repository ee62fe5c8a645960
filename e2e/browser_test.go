package e2e

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBrowserFollowsPage: a phone sends to CN, an officer is paged, opens the
// link of the notification with a real browser, sees why, downloads the
// packets, which picket reads again, and silences the alert.
func TestBrowserFollowsPage(t *testing.T) {
	if os.Getenv("PICKET_BROWSER") == "" {
		t.Skip("needs node, npm and Chromium: set PICKET_BROWSER=1")
	}
	c := newCampus(t)
	desk := c.openDesk("1s")
	c.listen("-c", c.write("picket.yml", "%s", pushing+"web: {external_url: 'http://127.0.0.1:9710'}\n"), "--prohibit", "xiaomi", "--restrict", "CN")
	phone := c.redmi()
	phone.upload("data.mistat.xiaomi.com", 30_000)
	got := desk.wait("page", func(p page) bool { return p.Status == "firing" })
	link := got.Annotations["evidence"]
	if !strings.HasPrefix(link, "http://127.0.0.1:9710/device/d-") {
		t.Fatalf("the notification leads to %q", link)
	}
	run, err := filepath.Abs("browser/run")
	ok(t, err)
	out := c.dir
	if dir := os.Getenv("PICKET_BROWSER_OUT"); dir != "" { // to look at pictures and packets
		out = dir
	}
	cmd := c.gw.Command(context.Background(), run, "case.mjs", link, out)
	cmd.Stderr = os.Stderr
	answer, err := cmd.Output()
	if cmd.ProcessState.ExitCode() == 77 {
		t.Skipf("%s", answer)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	var found struct {
		Sentence, Silence, File string
		Rows                    int
	}
	ok(t, json.Unmarshal(answer, &found))
	if !strings.Contains(found.Sentence, "Xiaomi handset") || !strings.Contains(found.Sentence, "to China by location") {
		t.Errorf("the episode says %q", found.Sentence)
	}
	events := c.output(c.gw, binary(t), "read", "--json", "--show", "events", filepath.Join(out, "packets.pcapng"))
	if !strings.Contains(events, `"sni":"data.mistat.xiaomi.com"`) {
		t.Errorf("%s does not show what the phone did:\n%s", found.File, events)
	}
	if strings.Contains(events, phone.mac) {
		t.Errorf("%s tells the hardware address", found.File)
	}
	c.silences(found.Silence, got)
}

// silences asserts that the matchers of a link to Alertmanager are those of
// one alert alone.
func (c *campus) silences(link string, p page) {
	c.t.Helper()
	at, query, _ := strings.Cut(link, "?")
	v, err := url.ParseQuery(query)
	ok(c.t, err)
	if at != managerURL+"/#/silences/new" || v.Get("filter") == "" {
		c.t.Fatalf("silence: %q", link)
	}
	filter := url.Values{}
	for m := range strings.SplitSeq(strings.Trim(v.Get("filter"), "{}"), ",") {
		filter.Add("filter", m)
	}
	var alerts []struct{ Fingerprint string }
	ok(c.t, json.Unmarshal([]byte(c.get(managerURL+"/api/v2/alerts?"+filter.Encode())), &alerts))
	if len(alerts) != 1 || alerts[0].Fingerprint != p.Fingerprint {
		c.t.Errorf("%s silences %v, want %s alone", link, alerts, p.Fingerprint)
	}
}
