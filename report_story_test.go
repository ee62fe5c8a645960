package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"picket/evidence"
)

// movedOn is the day of the month on which the maker of the story moves.
const movedOn = 12

// capturesOf writes a capture for each day from..to of May 2026: what the
// demonstration shows, each day at noon. From the day of the move on, what
// went to its maker's servers in CN goes to clouds in SG and US.
func capturesOf(t *testing.T, from, to int, move bool) []string {
	t.Helper()
	demo := filepath.Join(t.TempDir(), "demo.pcap")
	if err := os.WriteFile(demo, demoCapture, 0o600); err != nil {
		t.Fatal(err)
	}
	frames := readFrames(t, demo)
	var out []string
	for d := from; d <= to; d++ {
		b := binary.LittleEndian.AppendUint32(nil, 0xa1b23c4d) // nanoseconds
		b = append(b, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0)
		noon := time.Date(2026, 5, d, 12, 0, 0, 0, time.UTC).UnixNano()
		for _, f := range frames {
			data := f.Data
			if move && d >= movedOn {
				data = bytes.ReplaceAll(data, []byte{120, 92, 96}, []byte{52, 76, 31})
				data = bytes.ReplaceAll(data, []byte{120, 92, 65}, []byte{54, 160, 10})
			}
			at := noon + f.At - frames[0].At
			for _, v := range []int64{at / 1e9, at % 1e9, int64(len(data)), int64(f.Wire)} {
				b = binary.LittleEndian.AppendUint32(b, uint32(v))
			}
			b = append(b, data...)
		}
		name := filepath.Join(t.TempDir(), fmt.Sprintf("may-%02d.pcap", d))
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		out = append(out, name)
	}
	return out
}

// story reads captures into a state directory.
func story(t *testing.T, state, config string, files []string) {
	t.Helper()
	args := []string{"read", "--state", state, "--prohibit", "xiaomi", "--restrict", "CN"}
	if config != "" {
		args = append(args, "-c", config)
	}
	if status, printed := evidenceRun(t, append(args, files...)...); status != 0 {
		t.Fatalf("%d %s", status, printed)
	}
}

func reportOf(t *testing.T, state string, more ...string) evidence.Residencies {
	t.Helper()
	out := filepath.Join(t.TempDir(), "r.json")
	args := append([]string{"report", "--state", state, "--from", "2026-05-01", "--to", "2026-05-31", "--maker", "xiaomi", "-o", out}, more...)
	if status, printed := evidenceRun(t, args...); status != 0 {
		t.Fatalf("%d %s", status, printed)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var r evidence.Residencies
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestMigrationStory reads a month of captures in which a maker moves: the
// report finds the day and says what did not change.
func TestMigrationStory(t *testing.T) {
	state := t.TempDir()
	story(t, state, "", capturesOf(t, 1, 31, true))
	r := reportOf(t, state)
	if len(r.Changes) == 0 {
		t.Fatalf("no change was found: %+v", r.Makers)
	}
	c := r.Changes[0]
	if c.Day.Day() != movedOn || !c.Attributable || strings.Join(c.From, " ") != "CN" || !strings.Contains(strings.Join(c.To, " "), "SG") || !strings.Contains(c.Sentence, "owner unchanged") {
		t.Errorf("%s (%+v)", c.Sentence, c)
	}
	if strings.Contains(c.Sentence, "operator unchanged") {
		t.Errorf("the operator did change: %s", c.Sentence)
	}
	t.Log(c.Sentence)
	r = reportOf(t, state, "--from", "2026-05-12", "--compare", "2026-05-01..2026-05-11")
	if v := r.Makers[0].Compared; v == nil || !strings.Contains(v.Verdict, "moved from CN to") || !strings.Contains(v.Verdict, "owner unchanged") {
		t.Errorf("compared: %+v", v)
	}
}

// TestOnlyGeographyChanged: the same captures all month, and from the day on
// what says where addresses are is another. That is no move.
func TestOnlyGeographyChanged(t *testing.T) {
	state := t.TempDir()
	config := filepath.Join(t.TempDir(), "picket.yml")
	if err := os.WriteFile(config, []byte("geo:\n  overrides:\n    - {prefix: 120.92.0.0/16, location: SG, source: somebody}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	story(t, state, "", capturesOf(t, 1, movedOn-1, false))
	story(t, state, config, capturesOf(t, movedOn, 31, false))
	r := reportOf(t, state)
	if len(r.Changes) == 0 {
		t.Fatal("the step is not shown at all")
	}
	for _, c := range r.Changes {
		if c.Attributable || !strings.Contains(c.Why, "other databases") {
			t.Errorf("called a move: %s", c.Sentence)
		}
	}
}
