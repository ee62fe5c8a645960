package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"picket/evidence"
)

// picket runs a command and returns its status and what it printed.
func evidenceRun(t *testing.T, args ...string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	status := run(&app{ctx: context.Background(), stdin: strings.NewReader(""), stdout: &out, stderr: &out}, args)
	return status, out.String()
}

// keptStory is a state directory with one episode of one device.
func keptStory(t *testing.T) string {
	t.Helper()
	dir, at := t.TempDir(), time.Now().UTC().Add(-time.Hour)
	s, err := evidence.Open(evidence.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	s.SaveDevice(evidence.Device{ID: "d-00000000aaaa", Concern: evidence.Prohibited, Policies: []string{"p"}, Maker: "xiaomi", Class: "handset", Confidence: "certain",
		MACs: []string{"02:00:5e:00:53:01"}, Addrs: []string{"10.0.0.9"}, First: at, Last: at})
	s.AddVerdict(evidence.Verdict{At: at, Device: "d-00000000aaaa", Maker: "xiaomi", Confidence: "certain", Why: "evidence"})
	_ = s.SaveEpisode(evidence.Episode{ID: "e-0000000000000001", Device: "d-00000000aaaa", Policy: "p", Maker: "xiaomi", Sentence: "A xiaomi handset sent 4 KiB to CN.",
		Opened: at, First: at, Last: at, Announced: true, Reasons: []string{"vendor class"}})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestEvidenceCommands(t *testing.T) {
	dir := keptStory(t)
	kase, copied, again := filepath.Join(t.TempDir(), "case.json"), filepath.Join(t.TempDir(), "copy.db"), t.TempDir()
	for _, c := range []struct {
		status int
		want   string
		args   []string
	}{
		{0, "2 entries (0 tombstones) vouch for 1 rows; 1 open", []string{"verify"}},
		{2, "anchor \"7\"", []string{"verify", "--anchor", "7"}},
		{1, "it was truncated", []string{"verify", "--anchor", "9:" + strings.Repeat("00", 32)}},
		{0, "A xiaomi handset sent 4 KiB", []string{"show", "--mac", "02-00-5E-00-53-01"}},
		{0, "d-00000000aaaa", []string{"show", "--addr", "10.0.0.9"}},
		{0, "Nothing is kept on it", []string{"show", "--mac", "02:00:5e:00:53:99"}},
		{0, "removes all of this", []string{"show", "e-0000000000000001"}},
		{1, "no episode or device", []string{"show", "d-nobody"}},
		{2, "give a device", []string{"show"}},
		{2, "--mac", []string{"show", "--mac", "nonsense"}},
		{0, "", []string{"export", "e-0000000000000001", "-o", kase, "--by", "auditor"}},
		{0, `"scrubbed": true`, []string{"export", "e-0000000000000001", "--scrubbed"}},
		{1, "no episode", []string{"export", "e-none"}},
		{2, "is past", []string{"rule", "d-00000000aaaa", "--verdict", "wrong", "--by", "me", "--reason", "saw it", "--until", "2001-01-01"}},
		{0, "ruled wrong by me", []string{"rule", "d-00000000aaaa", "--verdict", "wrong", "--by", "me", "--reason", "saw it"}},
		{0, "closed", []string{"show", "d-00000000aaaa"}},
		{0, "site.key", []string{"backup", copied}},
		{1, "exists", []string{"backup", copied}},
		{2, "is no device", []string{"forget", "e-0000000000000001"}},
		{0, "Forgotten", []string{"forget", "d-00000000aaaa"}},
		{1, "no episode or device", []string{"forget", "d-00000000aaaa"}},
		{0, "tombstones) vouch for 0 rows", []string{"verify"}},
		{1, "exists", []string{"restore", copied}},
	} {
		status, out := evidenceRun(t, append(append([]string{"evidence"}, c.args...), "--state", dir)...)
		if status != c.status || !strings.Contains(out, c.want) {
			t.Errorf("%v: status %d, want %d with %q; printed:\n%s", c.args, status, c.status, c.want, out)
		}
	}
	if status, out := evidenceRun(t, "evidence", "restore", copied, "--state", again); status != 0 || !strings.Contains(out, "all of them verify") {
		t.Errorf("restore: %d %s", status, out)
	}
	if info, err := os.Stat(kase); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("case: %v %v", info, err)
	}
}
