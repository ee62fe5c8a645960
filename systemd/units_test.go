// Package systemd holds the units and the packaging; there is no code but
// the tests of both.
package systemd

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// analyzer returns the path of systemd-analyze, or skips the test.
func analyzer(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is missing: apt-get install systemd")
	}
	return path
}

// staged copies a unit to a directory of its own with edits: pairs of old and
// new text. What is only there once the package is installed is left out.
func staged(t *testing.T, unit string, edits ...string) string {
	t.Helper()
	b, err := os.ReadFile(unit)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("/usr/bin/picket", "/bin/true", "man:picket(1)", "").Replace(string(b))
	for _, drop := range edits {
		text = regexp.MustCompile("(?m)^"+drop+".*\n").ReplaceAllString(text, "")
	}
	path := filepath.Join(t.TempDir(), unit)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestUnitsVerify(t *testing.T) {
	tool := analyzer(t)
	for _, unit := range []string{"picket.service", "picket@.service", "picket.socket", "picket-geo-update.service", "picket-geo-update.timer"} {
		t.Run(unit, func(t *testing.T) {
			path := staged(t, unit)
			for _, beside := range []string{"picket.service", "picket-geo-update.service"} { // a socket and a timer need their service
				if beside != unit {
					b, err := os.ReadFile(staged(t, beside))
					if err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(filepath.Join(filepath.Dir(path), beside), b, 0o644); err != nil {
						t.Fatal(err)
					}
				}
			}
			out, err := exec.Command(tool, "verify", path).CombinedOutput()
			if err != nil || len(strings.TrimSpace(string(out))) > 0 {
				t.Errorf("systemd-analyze verify: %v\n%s", err, out)
			}
		})
	}
}

// TestExposure holds the units to the exposure that the documents promise.
func TestExposure(t *testing.T) {
	tool := analyzer(t)
	for _, c := range []struct {
		unit string
		drop []string
		most float64
	}{
		{"picket.service", nil, 1.5},
		{"picket@.service", nil, 1.5},
		{"picket.service", []string{"IPAddress(Deny|Allow)="}, 1.6},
		{"picket-geo-update.service", nil, 1.2},
	} {
		out, err := exec.Command(tool, "security", "--offline=true", staged(t, c.unit, c.drop...)).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", c.unit, err, out)
		}
		found := regexp.MustCompile(`exposure level for [^:]*: ([0-9.]+)`).FindSubmatch(out)
		if found == nil {
			t.Fatalf("%s: no exposure level in\n%s", c.unit, out)
		}
		got, err := strconv.ParseFloat(string(found[1]), 64)
		if err != nil || got > c.most {
			t.Errorf("%s without %v: exposure %v (%v), want at most %v", c.unit, c.drop, got, err, c.most)
		}
	}
}

// TestInstanceMatches: the unit for one instance an interface differs from
// the plain one only where it must.
func TestInstanceMatches(t *testing.T) {
	plain, err := os.ReadFile("picket.service")
	if err != nil {
		t.Fatal(err)
	}
	instance, err := os.ReadFile("picket@.service")
	if err != nil {
		t.Fatal(err)
	}
	differ := regexp.MustCompile(`^(#|$|Description|After|Environment|ExecStart|StateDirectory=|LogsDirectory=|RuntimeDirectory=|SyslogIdentifier|LogExtraFields)`)
	lines := func(b []byte) (out []string) {
		for l := range strings.Lines(string(b)) {
			if l = strings.TrimSpace(l); !differ.MatchString(l) {
				out = append(out, l)
			}
		}
		return out
	}
	if a, b := strings.Join(lines(plain), "\n"), strings.Join(lines(instance), "\n"); a != b {
		t.Errorf("picket.service and picket@.service have drifted apart:\n%s\n---\n%s", a, b)
	}
}
