package main

import (
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
