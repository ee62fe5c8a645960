package handset

import (
	"bytes"
	options "flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

var update = options.Bool("update", false, "write the golden files anew")

// TestVerdictsGolden keeps what is said of every case in one table, so that
// the diff of a change to signatures or engine shows whom it touches:
//
//	go test -run TestVerdictsGolden ./sensor/handset -update
func TestVerdictsGolden(t *testing.T) {
	const golden = "testdata/verdicts.golden"
	s := shipped(t)
	files, err := filepath.Glob("testdata/*.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, file := range files {
		for _, c := range readCases(t, file) {
			v := c.verdict(s)
			fmt.Fprintf(&out, "%-12s %-18s %-8s %-8s %-9s %.3f\n", c.ID, or(v.Maker, "-"), v.Confidence, v.Handset, v.Class, v.Posterior)
		}
	}
	if *update {
		if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	got, old := bytes.Split(out.Bytes(), []byte("\n")), bytes.Split(want, []byte("\n"))
	for i := range max(len(got), len(old)) {
		a, b := lineOf(got, i), lineOf(old, i)
		if a != b {
			t.Errorf("line %d\n now %s\n was %s", i+1, a, b)
		}
	}
}

func lineOf(lines [][]byte, i int) string {
	if i < len(lines) {
		return string(lines[i])
	}
	return "(none)"
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
