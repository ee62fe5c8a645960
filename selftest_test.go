package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSelftest(t *testing.T) {
	status, out, errs := classified("", "selftest", "-v")
	if status != exitDone || strings.Contains(out, "MISSING") {
		t.Errorf("status %d: %s\n%s", status, errs, out)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if last := lines[len(lines)-1]; !strings.Contains(last, "/") {
		t.Errorf("last line %q, want N/N", last)
	}
}

// TestSelftestNotices: databases that no longer know a place are a finding,
// and so is a policy whose examples do not come out.
func TestSelftestNotices(t *testing.T) {
	for name, c := range map[string]struct{ config, missing string }{
		"geography": {"geo: {overrides: [{prefix: 114.114.0.0/16, location: NO, source: test}, {prefix: 120.0.0.0/8, location: NO, source: test}, {prefix: 123.0.0.0/8, location: NO, source: test}]}\n", "basis location"},
		"examples": {"policies: [{name: p, devices: {makers: [xiaomi]}, restricted: {countries: [CN]}, examples: [" +
			"{name: nobody, device: {maker: apple}, server: {location: CN}, want: page}]}]\n", "policy p: nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "picket.yml")
			if err := os.WriteFile(path, []byte(c.config), 0o600); err != nil {
				t.Fatal(err)
			}
			status, out, errs := classified("", "selftest", "-c", path)
			if status != exitFailed || !strings.Contains(out, c.missing) {
				t.Errorf("status %d: %s\n%s", status, out, errs)
			}
		})
	}
}
