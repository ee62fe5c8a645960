package prometheus_test

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"picket/alerts"
)

type ruleFile struct {
	Groups []struct {
		Name  string
		Rules []struct {
			Alert       string
			Expr        string
			For         string
			KeepFiring  string `yaml:"keep_firing_for"`
			Labels      map[string]string
			Annotations map[string]string
		}
	}
}

func load(t *testing.T) ruleFile {
	t.Helper()
	b, err := os.ReadFile("rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	var f ruleFile
	if err := yaml.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

var metric = regexp.MustCompile(`\bpicket_[a-z_]+\b`)

func TestEveryRuleIsWhole(t *testing.T) {
	names := map[string]bool{ // of package main
		"picket_data_build_timestamp_seconds": true, "picket_evidence_degraded": true, "picket_evidence_dropped_rows_total": true,
		"picket_canary_last_success_timestamp_seconds": true, "picket_canary_start_timestamp_seconds": true, "picket_canary_interval_seconds": true,
	}
	for _, d := range alerts.Defs() {
		names[d.Name] = true
	}
	seen := map[string]bool{}
	for _, g := range load(t).Groups {
		for _, r := range g.Rules {
			if !strings.HasPrefix(r.Alert, "Picket") || seen[r.Alert] {
				t.Errorf("%s: the name is not Picket... or repeats", r.Alert)
			}
			seen[r.Alert] = true
			if !slices.Contains([]string{"page", "ticket", "none"}, r.Labels["severity"]) {
				t.Errorf("%s: severity %q", r.Alert, r.Labels["severity"])
			}
			for _, a := range []string{"summary", "description", "runbook_url"} {
				if r.Annotations[a] == "" {
					t.Errorf("%s: no %s", r.Alert, a)
				}
			}
			link := `{{ with query "picket_web_info" }}{{ first . | label "url" }}/runbooks/` + r.Alert + `{{ else }}picket runbook ` + r.Alert + `{{ end }}`
			if _, err := os.Stat("../../docs/runbooks/" + r.Alert + ".md"); err != nil || r.Annotations["runbook_url"] != link {
				t.Errorf("%s: runbook %s: %v", r.Alert, r.Annotations["runbook_url"], err)
			}
			for _, m := range metric.FindAllString(r.Expr, -1) {
				if !names[m] {
					t.Errorf("%s: nobody exports %s", r.Alert, m)
				}
			}
			if strings.Contains(r.Expr, "increase(picket_episodes_total") {
				t.Errorf("%s: alerts on the increase of a counter that is born above zero", r.Alert)
			}
		}
	}
}

func TestPromtool(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("no promtool: apt install prometheus")
	}
	for _, args := range [][]string{{"check", "rules", "rules.yml"}, {"test", "rules", "rules_test.yml"}, {"check", "config", "--syntax-only", "prometheus.yml"}} {
		if out, err := exec.Command(promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
