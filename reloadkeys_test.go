package main

import (
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"picket/configs"
	"picket/sensor"
)

// TestReloadTakesEffect adds an Alertmanager, a name, a retention and a level
// while an episode stands of which nobody was told.
func TestReloadTakesEffect(t *testing.T) {
	manager := &inbox{}
	server := httptest.NewServer(manager)
	defer server.Close()
	silent := strings.Replace(soakConfig, `alertmanager: {urls: ["%s"]}`, "", 1)
	source := &paced{Source: &inTurn{[]sensor.Source{halfOfEpisode(0), halfOfEpisode(1), residents(t, 4000)}}, perSecond: 8000, end: func() {}}
	s := soakStation(t, silent, source)
	s.a.pipeline.Now, s.a.pipeline.Tick = nil, nil
	once := false
	source.at = func(int) {
		if open := s.judge.Open(); once || len(open) == 0 || !open[0].Firing {
			return
		}
		once = true
		for _, broken := range []string{
			"alertmanager: {urls: [\"ftp://x\"]}\n", "alertmanager: {urls: [\"http://x\"], http_config: {basic_auth: {username: u, password_file: /nowhere/secret}}}\n",
		} {
			writeConfig(t, s, silent+broken)
			if err := s.reload(); err == nil {
				t.Errorf("taken: %s", broken)
			}
		}
		if got := s.latest.Load(); len(got.Alertmanager.URLs) != 0 {
			t.Errorf("a failed reload left %v", got.Alertmanager.URLs)
		}
		text := fmt.Sprintf(strings.Replace(soakConfig, `urls: ["%s"]`, `urls: ["%s"], alert_labels: {site: north}`, 1), server.URL)
		text = strings.NewReplacer("level: error", "level: warn", `addresses: ["127.0.0.1:0"]`, `addresses: ["127.0.0.1:0"], external_url: "https://picket.example/"`, "flows: 8192", "flows: 9000").Replace(text)
		writeConfig(t, s, text+"evidence: {retention: {devices: 7d}}\n")
		if err := s.reload(); err != nil {
			t.Error(err)
		}
		for deadline := time.Now().Add(20 * time.Second); manager.count() == 0 && time.Now().Before(deadline); {
			time.Sleep(10 * time.Millisecond)
		}
	}
	if err := s.work(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if manager.count() == 0 {
		t.Fatal("the episode that stands was not told")
	}
	a := manager.list[0]
	if a.Labels["site"] != "north" || !strings.HasPrefix(a.Annotations["evidence"], "https://picket.example/device/") {
		t.Errorf("told with labels %v, evidence %q", a.Labels, a.Annotations["evidence"])
	}
	if got := s.store.Retention().Devices; got != 7*24*time.Hour {
		t.Errorf("devices are kept %s", got)
	}
	if !s.log.Enabled(t.Context(), slog.LevelWarn) {
		t.Error("the level of the log stayed")
	}
	if got := s.snapshot().WebURL; got != "https://picket.example" {
		t.Errorf("metrics lead to %q", got)
	}
	w := httptest.NewRecorder()
	s.endpoint.handler().ServeHTTP(w, httptest.NewRequest("GET", "/config", nil))
	if !strings.Contains(w.Body.String(), "site: north") {
		t.Errorf("shown as configured:\n%s", w.Body)
	}
	if keys := needsRestart(s.cfg, s.latest.Load()); !slices.Equal(keys, []string{"limits"}) {
		t.Errorf("%q wait for a restart, want limits alone", keys)
	}
}

func writeConfig(t *testing.T, s *station, text string) {
	t.Helper()
	if err := os.WriteFile(s.cmd.Config, []byte(text), 0o600); err != nil {
		t.Error(err)
	}
}

// Every section of the configuration either takes effect at a reload or is
// said to wait for a restart.
func TestNothingIsForgottenByAReload(t *testing.T) {
	taken := []string{"Policies", "Groups", "Countries", "Signatures", "Geo", "Alertmanager"}
	partly := []string{"Web", "Evidence", "Log", "Events"} // by TestReloadTakesEffect
	waits := map[string]string{
		"Interfaces": "interfaces", "Capture": "capture", "HomeNetworks": "home_networks", "NeverWatch": "never_watch", "Realms": "realms",
		"Leases": "leases", "Fleet": "fleet", "Canary": "canary", "Limits": "limits",
	}
	keys := map[string]bool{}
	for _, f := range fixed(configs.Defaults()) {
		keys[f.key] = true
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[configs.Config]()) {
		name := field.Name
		switch {
		case !field.IsExported():
		case slices.Contains(taken, name), slices.Contains(partly, name), keys[waits[name]]:
		default:
			t.Errorf("%s: a reload neither takes it nor names it", name)
		}
	}
}
