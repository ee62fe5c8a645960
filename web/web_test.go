package web

import (
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"picket/evidence"
)

// pagesShown lists an address of every page, with something it must say.
var pagesShown = map[string]string{
	"/":                                        "3 open episodes",
	"/?wall":                                   `data-refresh="60"`,
	"/episodes":                                "closed 26 hours ago: quiet",
	"/episode/e-0000000000000001":              "Silence it in Alertmanager",
	"/episode/e-0000000000000003":              "Ruled <b>confirmed</b> by J. Officer",
	"/devices":                                 "1 to 50 of 60 devices",
	"/devices?maker=vivo&sort=first":           "1 to 20 of 20 devices",
	"/devices?q=5a:11:22:00:00:03":             "1 to 1 of 1 device<",
	"/devices?offset=50":                       "51 to 60 of 60 devices",
	"/device/" + deviceID(0):                   "connect.rom.miui.com",
	"/residency":                               "1 day is grey",
	"/residency?basis=owner":                   "home of the name",
	"/residency?maker=xiaomi":                  "Singapore",
	"/residency?from=2025-06-01":               "Bytes sent each week",
	"/residency?from=2020-01-01&to=2020-01-02": "nothing of these days",
	"/episodes?state=closed":                   "1 to 1 of 1 episode<",
	"/episodes?severity=page":                  "1 to 2 of 2 episodes",
	"/episodes?offset=3":                       "4 to 4 of 4 episodes",
	"/review":                                  "1 to 12 of 12 devices",
	"/fleet":                                   "works alone",
	"/health":                                  "not watched: nothing can be said of this day",
}

func get(h http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func TestPages(t *testing.T) {
	h := site(t, 60)
	for path, want := range pagesShown {
		w := get(h, path)
		body := w.Body.String()
		if w.Code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d, want one that says %q", path, w.Code, want)
		}
		if !strings.Contains(body, "https://db-ip.com") || !strings.Contains(body, "IP Geolocation by DB-IP") {
			t.Errorf("%s: nobody is credited", path)
		}
	}
}

// TestNothingInlineNothingOutside: the policy would stop it; it must not be
// there to be stopped.
func TestNothingInlineNothingOutside(t *testing.T) {
	h := site(t, 60)
	bad := regexp.MustCompile(`(?i)<script(?:>|[^>]*>[^<])|<style| style=| on[a-z]+=|(?:src|href)="(?:https?:)?//`)
	links := regexp.MustCompile(`href="(https?://[^"]*)"`)
	for path := range pagesShown {
		w := get(h, path)
		body := w.Body.String()
		for _, l := range links.FindAllStringSubmatch(body, -1) { // that a person follows
			if l[1] != "https://db-ip.com" && !strings.HasPrefix(l[1], "http://alertmanager.example:9093/am/#/silences/new") {
				t.Errorf("%s leads to %s", path, l[1])
			}
		}
		if m := bad.FindString(links.ReplaceAllString(body, "")); m != "" {
			t.Errorf("%s has %q", path, m)
		}
		if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", path, csp)
		}
	}
}

// TestLinksLead: every link within the pages leads somewhere.
func TestLinksLead(t *testing.T) {
	h := site(t, 60)
	links := regexp.MustCompile(`(?:href|src)="([^"#:]*)"`)
	for path := range pagesShown {
		base := httptest.NewRequest(http.MethodGet, path, nil).URL
		for _, l := range links.FindAllStringSubmatch(get(h, path).Body.String(), -1) {
			to, err := base.Parse(strings.ReplaceAll(l[1], "&amp;", "&"))
			if err != nil || to.Path == "/metrics" { // the sensor's own
				continue
			}
			if code := get(h, to.RequestURI()).Code; code != http.StatusOK {
				t.Errorf("%s leads to %s: %d", path, to, code)
			}
		}
	}
}

func TestMistakes(t *testing.T) {
	h := site(t, 6)
	for path, want := range map[string]int{
		"/nothing": 404, "/episode/e-no": 404, "/episodes?state=x": 400, "/episodes?severity=x": 400, "/review?offset=x": 400, "/devices?order=secret.up": 400, "/device/d-no": 404, "/devices?sort=secret": 400, "/devices?offset=-1": 400, "/devices?limit=x": 400,
		"/residency?basis=moon": 400, "/residency?from=yesterday": 400, "/residency?from=2026-05-31&to=2026-05-01": 400, "/residency?from=1900-01-01": 400,
		"/api/v1/episodes/e-no": 404, "/api/v1/devices/d-no": 404, "/api/v1/devices?concern=x": 400, "/api/v1/episodes?state=x": 400, "/episodes?days=0": 400,
	} {
		if w := get(h, path); w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/devices", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d, want 405: pages only read", w.Code)
	}
}

// TestHostileText: what a device says of itself is text, whatever is in it.
func TestHostileText(t *testing.T) {
	h := site(t, 6)
	body := get(h, `/devices?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E`).Body.String()
	if strings.Contains(body, "<script>alert") {
		t.Error("markup went through")
	}
}

// TestServe keeps the pages up with made-up data, to be looked at:
// PICKET_WEB_LOOK=127.0.0.1:9799 go test -run TestServe ./web.
func TestServe(t *testing.T) {
	addr := os.Getenv("PICKET_WEB_LOOK")
	if addr == "" {
		t.Skip("set PICKET_WEB_LOOK to an address to look at the pages")
	}
	t.Error(http.ListenAndServe(addr, busySite(t, 640)))
}

// TestHeadline: a country stands beside the bases that lead there, and beside
// no others.
func TestHeadline(t *testing.T) {
	p := &pages{countries: countries{"CN": {"China", "Asia"}, "SG": {"Singapore", "Asia"}}}
	e := evidence.Episode{Maker: "xiaomi", Class: "handset", Condition: evidence.Sent, Sent: 4 << 20, Countries: []string{"CN", "SG"}, Basis: []string{"location", "owner"},
		Servers: []evidence.Server{{Location: "SG", OwnerHome: "CN", Hits: []string{"location", "owner"}}, {Location: "US", OwnerHome: "CN", Hits: []string{"owner"}}}}
	for _, c := range []struct {
		change func(*evidence.Episode)
		want   string
	}{
		{func(*evidence.Episode) {}, "Xiaomi handset sent 4 MiB to China by owner; and to Singapore by location"},
		{func(e *evidence.Episode) { e.Servers = nil }, "Xiaomi handset sent 4 MiB to China and Singapore by location and owner"},
		{func(e *evidence.Episode) { e.Countries, e.Model = e.Countries[:1], "Redmi" }, "Xiaomi handset Redmi sent 4 MiB to China by owner"},
		{func(e *evidence.Episode) { e.Condition = evidence.Tried; e.Countries = e.Countries[:1] }, "Xiaomi handset tried to reach China by owner"},
		{func(e *evidence.Episode) { e.Condition, e.Maker, e.Class = evidence.Seen, "", "" }, "Unknown device is present"},
		{func(e *evidence.Episode) { e.Condition, e.Hidden = evidence.Hidden, 1<<20 }, "Xiaomi handset hid 1 MiB"},
		{func(e *evidence.Episode) {
			e.Condition, e.Identifiers, e.Countries = evidence.Identifier, []string{"imei"}, e.Countries[:1]
		}, "Xiaomi handset sent imei in clear to China by owner"},
	} {
		x := e
		c.change(&x)
		if got := p.headline(x); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
