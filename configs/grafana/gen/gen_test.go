package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"picket/alerts"
)

func TestCommittedFilesAreTheGeneratedOnes(t *testing.T) {
	files, err := Files()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(name)))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s differs: go run ./configs/grafana/gen (%v)", name, err)
		}
	}
	committed, _ := filepath.Glob("../dashboards/*.json")
	if len(committed) != 4 {
		t.Errorf("%d dashboards, want 4: %q", len(committed), committed)
	}
}

var metric = regexp.MustCompile(`\bpicket_[a-z_]+\b`)

func TestDashboardsAreSound(t *testing.T) {
	names := map[string]bool{"picket_alert_latency_seconds_bucket": true}
	used := map[string]bool{}
	for _, d := range alerts.Defs() {
		names[d.Name] = true
	}
	uids := map[string]bool{}
	for _, b := range dashboards() {
		text, err := json.Marshal(b.lay())
		if err != nil {
			t.Fatal(err)
		}
		if uids[b.uid] {
			t.Errorf("uid %s repeats", b.uid)
		}
		uids[b.uid] = true
		var d struct {
			SchemaVersion int
			Panels        []struct {
				ID         int
				Title      string
				Datasource struct{ UID string }
				GridPos    struct{ X, Y, W, H int }
				Targets    []struct{ Expr, RefID string }
			}
		}
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatal(err)
		}
		if d.SchemaVersion > 38 {
			t.Errorf("%s: schema version %d", b.uid, d.SchemaVersion)
		}
		ids := map[int]bool{}
		for _, p := range d.Panels {
			if ids[p.ID] || p.ID == 0 {
				t.Errorf("%s: panel id %d of %q repeats", b.uid, p.ID, p.Title)
			}
			ids[p.ID] = true
			if p.Datasource.UID != "${datasource}" || p.GridPos.X+p.GridPos.W > 24 || len(p.Targets) == 0 {
				t.Errorf("%s: panel %q: %+v", b.uid, p.Title, p)
			}
			for _, q := range p.Targets {
				for _, n := range metric.FindAllString(q.Expr, -1) {
					used[n] = true
					if !names[n] {
						t.Errorf("%s: panel %q: nobody exports %s", b.uid, p.Title, n)
					}
				}
				if strings.Count(q.Expr, "(") != strings.Count(q.Expr, ")") || !strings.Contains(q.Expr, `instance=~"$sensor"`) {
					t.Errorf("%s: panel %q: %s", b.uid, p.Title, q.Expr)
				}
			}
		}
		if strings.Contains(string(text), "https://") {
			t.Errorf("%s refers to something outside", b.uid)
		}
	}
	for n := range names {
		if !used[n] && n != "picket_alert_latency_seconds" && n != "picket_episode_pushed" {
			t.Errorf("no panel shows %s", n)
		}
	}
}
