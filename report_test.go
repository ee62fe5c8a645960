package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"picket/evidence"
)

// movingMonth is a state directory in which a maker moves on 12 May 2026.
func movingMonth(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	s, err := evidence.Open(evidence.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for d := range 30 {
		at := time.Date(2026, 5, 1+d, 12, 0, 0, 0, time.UTC)
		parts := map[string]uint64{"CN": 900, "SG": 100}
		if d >= 11 {
			parts = map[string]uint64{"CN": 150, "SG": 600, "US": 250}
		}
		for country, n := range parts {
			s.Count(evidence.Residence{Maker: "xiaomi", Class: "handset", Plane: "os", Location: country, OwnerHome: "CN", Epoch: "e1"}, evidence.Flow{At: at, Device: 1, Sent: n << 20, Flows: 1})
		}
		s.Watch(at, evidence.Watched{Seconds: 86400, Named: 1})
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestReportCommand(t *testing.T) {
	dir, out := movingMonth(t), t.TempDir()
	made := func(name string, more ...string) string {
		t.Helper()
		path := filepath.Join(out, name)
		args := append([]string{"report", "--state", dir, "--from", "2026-05-01", "--to", "2026-05-30", "-o", path}, more...)
		status, printed := evidenceRun(t, args...)
		if status != 0 || !strings.Contains(printed, "From 12 May 2026, 75 % of the bytes of xiaomi moved from CN to SG and US by location; owner unchanged.") {
			t.Fatalf("%v: %d %s", args, status, printed)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	page := made("r.html")
	for _, want := range []string{"From 12 May 2026", "IP Geolocation by DB-IP", "identities, not people", "<svg class=\"days\"", "30 of 30 days watched"} {
		if !strings.Contains(page, want) {
			t.Errorf("page does not say %q", want)
		}
	}
	for _, bad := range []string{"<script", "src=", "@import", "url("} {
		if strings.Contains(page, bad) {
			t.Errorf("page is not self-contained: %q", bad)
		}
	}
	rows, err := csv.NewReader(strings.NewReader(made("r.csv"))).ReadAll()
	if err != nil || len(rows) != 1+11*2+19*3 || rows[len(rows)-1][0] != "2026-05-30" {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	var r evidence.Residencies
	if err := json.Unmarshal([]byte(made("r.json")), &r); err != nil || len(r.Changes) != 2 || r.Makers[0].Maker != "xiaomi" {
		t.Errorf("%+v %v", r.Changes, err)
	}
}

func TestReportMistakes(t *testing.T) {
	dir := movingMonth(t)
	for _, c := range []struct{ args, want string }{
		{"-o r.pdf", "want a name that ends in"}, {"-o r.html --from yesterday", "--from"}, {"-o r.html --to x", "--to"},
		{"-o r.html --from 2026-05-30 --to 2026-05-01", "is after"}, {"-o r.html --compare 2026-04-01", "want FROM..TO"},
		{"-o r.html --from 2026-05-01 --to 2026-05-30 --compare 2026-05-10..2026-05-20", "must end before"}, {"", "missing flags"},
	} {
		status, out := evidenceRun(t, append([]string{"report", "--state", dir}, strings.Fields(c.args)...)...)
		if status != exitUsage || !strings.Contains(out, c.want) {
			t.Errorf("%s: %d %s", c.args, status, out)
		}
	}
}
