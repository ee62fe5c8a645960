package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// geoRun runs one command as a user does.
func geoRun(t *testing.T, stdin string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(&app{ctx: t.Context(), stdin: strings.NewReader(stdin), stdout: &out, stderr: &errs}, args)
	return status, out.String(), errs.String()
}

func TestLookupContract(t *testing.T) {
	status, out, _ := geoRun(t, "", "lookup", "--json", "--restrict", "CN,RU", "77.88.55.88/api.io.mi.com", "10.0.0.1", "update.miui.com")
	if status != exitDone {
		t.Fatalf("status %d", status)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	for i, line := range lines {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"query", "addr", "location", "location_confidence", "registration", "operator", "owner", "anycast", "agree", "sources", "hits"} {
			if v, ok := m[key]; !ok || v == nil {
				t.Errorf("line %d: %q is missing or null", i, key)
			}
		}
	}
	if !strings.Contains(lines[0], `"location":"RU"`) || !strings.Contains(lines[0], `"hits":["location","operator","owner"]`) {
		t.Errorf("%s", lines[0])
	}
	if !strings.Contains(lines[1], `"location":"unknown","location_confidence":"none"`) || !strings.Contains(lines[1], `"sources":[],"hits":[]`) {
		t.Errorf("%s", lines[1])
	}
	if !strings.Contains(lines[2], `"hits":["owner"]`) || !strings.Contains(lines[2], `"signature":{"id":"xiaomi.updater","maker":"xiaomi","plane":"os","strength":"exclusive"}`) {
		t.Errorf("%s", lines[2])
	}
}

func TestLookupFacts(t *testing.T) {
	in := `{"id":"a","name":"www.mi.com","asn":37963,"registry_country":"SG","geo_country":"SG","unknown_key":1}

{"id":"b","input":{"name":"x.example.org","asn":null,"geo_country":null,"anycast":null}}
`
	status, out, errs := geoRun(t, in, "lookup", "--facts", "-", "--restrict", "CN")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if status != exitDone || len(lines) != 2 {
		t.Fatalf("status %d: %s%s", status, out, errs)
	}
	if !strings.HasPrefix(lines[0], `{"id":"a",`) || !strings.Contains(lines[0], `"hits":["location-suspected","operator","owner"]`) {
		t.Errorf("%s", lines[0])
	}
	if !strings.Contains(lines[1], `"operator":{"asn":0,"name":"","home":"unknown"}`) || !strings.Contains(lines[1], `"hits":[]`) {
		t.Errorf("%s", lines[1])
	}
	status, out, errs = geoRun(t, "{\n{\"id\":\"c\"}\n", "lookup", "--facts", "-")
	if status != exitFailed || !strings.Contains(errs, "-:1:") || !strings.Contains(out, `"id":"c"`) {
		t.Errorf("a bad line: status %d, %q, %q", status, out, errs)
	}
}

// TestCloudsOwnNothing: what a customer rents is not the cloud's, in the
// signature files neither.
func TestCloudsOwnNothing(t *testing.T) {
	names := []string{"x.amazonaws.com", "x.cloudfront.net", "x.azureedge.net", "x.myhuaweicloud.com", "b.oss-cn-hangzhou.aliyuncs.com", "x.run.app"}
	_, out, _ := geoRun(t, "", append([]string{"lookup", "--json"}, names...)...)
	if n := strings.Count(out, `"owner":{"name":"","home":"unknown"}`); n != len(names) {
		t.Errorf("%d of %d own nothing:\n%s", n, len(names), out)
	}
}

func TestLookupMistakes(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"lookup"}, "want addresses or names"},
		{[]string{"lookup", "a b"}, "neither an address nor a name"},
		{[]string{"lookup", "8.8.8.8", "--restrict", "cn"}, "write CN in capitals"},
		{[]string{"lookup", "8.8.8.8", "--restrict", "five-eye"}, `"five-eyes"`},
		{[]string{"lookup", "8.8.8.8", "--geo", "/does/not/exist.mmdb"}, "no such file"},
		{[]string{"geo", "update", "-o", "x.mmdb"}, "no URL"},
		{[]string{"geo", "update", "-o", "x.mmdb", "--url", "http://example.org/x"}, "want https"},
	} {
		status, _, errs := geoRun(t, "", c.args...)
		if status != exitUsage || !strings.Contains(errs, c.want) {
			t.Errorf("%v: status %d, %q, want %q", c.args, status, errs, c.want)
		}
	}
}

func TestLookupInWords(t *testing.T) {
	_, out, _ := geoRun(t, "", "lookup", "64:ff9b::4d58:3758", "update.miui.com", "--restrict", "RU")
	for _, want := range []string{"77.88.55.88 inside 64:ff9b::4d58:3758", "RU (medium: database)", "Yandex (AS13238, by asn)", "a name is not resolved", "CN, Xiaomi", "xiaomi, os plane, exclusive (xiaomi.updater)", "hits          location, operator", "dbip-country-lite of 20"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
}

func TestGeoStatusAndDiff(t *testing.T) {
	if status, out, _ := geoRun(t, "", "geo", "status"); status != exitDone || !strings.Contains(out, "IP Geolocation by DB-IP, https://db-ip.com") {
		t.Errorf("status %d: %s", status, out)
	}
	feed := filepath.Join(t.TempDir(), "feed.csv")
	if err := os.WriteFile(feed, []byte("77.88.55.0/24,DE,,,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	status, out, errs := geoRun(t, "77.88.55.88 mail.yandex.ru\n8.8.8.8\n", "geo", "diff", "embedded", feed, "--servers", "-", "--restrict", "RU")
	if status != exitDone || strings.Count(out, "\n") != 1 || !strings.Contains(out, "RU (medium), operator RU -> DE (high), operator RU  FLIPS: location, operator, owner -> operator, owner") {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
}

func TestGeoUpdate(t *testing.T) {
	dir := t.TempDir()
	to := filepath.Join(dir, "feed.csv")
	good := []byte("77.88.55.0/24,DE,,,\n")
	files := map[string][]byte{"/feed.csv": good, "/bad.csv": []byte("nonsense\n"), "/wrong.csv": good, "/wrong.csv.sha256": []byte(strings.Repeat("0", 64))}
	for _, name := range []string{"/feed.csv", "/bad.csv"} {
		sum := sha256.Sum256(files[name])
		files[name+".sha256"] = []byte(hex.EncodeToString(sum[:]) + "  x\n")
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Write(b)
	}))
	defer server.Close()
	if status, _, errs := geoRun(t, "", "geo", "update", "--url", server.URL+"/feed.csv", "-o", to); status != exitDone {
		t.Fatalf("status %d: %s", status, errs)
	}
	for name, want := range map[string]string{"/bad.csv": "old database stays", "/wrong.csv": "checksum", "/none.csv": "404"} {
		if status, _, errs := geoRun(t, "", "geo", "update", "--url", server.URL+name, "-o", to); status != exitFailed || !strings.Contains(errs, want) {
			t.Errorf("%s: status %d, %s", name, status, errs)
		}
	}
	if got, _ := os.ReadFile(to); !bytes.Equal(got, good) {
		t.Errorf("the database is now %q", got)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".picket-geo-*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestJurisdictionTable runs the commands of the table in the documents: it
// must say what this build says.
func TestJurisdictionTable(t *testing.T) {
	doc, err := os.ReadFile("docs/jurisdiction.md")
	if err != nil {
		t.Skip("outside the source tree:", err)
	}
	rows := regexp.MustCompile("(?m)^\\| `picket (lookup [^`]*)` \\| (.*) \\|$").FindAllSubmatch(doc, -1)
	if len(rows) != 30 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, r := range rows {
		status, out, errs := geoRun(t, "", append(strings.Fields(string(r[1])), "--json")...)
		var l lookupLine
		if err := json.Unmarshal([]byte(out), &l); status != exitDone || err != nil {
			t.Fatalf("%s: %v, %s", r[1], err, errs)
		}
		operator := "unknown"
		if l.Operator.Name != "" {
			operator = fmt.Sprintf("%s, %s (by %s) AS%d", l.Operator.Home, l.Operator.Name, l.Operator.Source, l.Operator.ASN)
		}
		owner := "unknown"
		if l.Owner.Name != "" {
			owner = fmt.Sprintf("%s, %s (by %s)", l.Owner.Home, l.Owner.Name, l.Owner.Source)
		}
		got := fmt.Sprintf("%s (%s: %s) | %s | %s | %s", l.Location, l.LocationConfidence, l.LocationFrom, l.Registration, operator, owner)
		if got != string(r[2]) {
			t.Errorf("%s\n  document: %s\n  now:      %s", r[1], r[2], got)
		}
	}
}
