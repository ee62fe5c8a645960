package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"picket/bench/traffic"
)

// learning may turn on the order in which conversations end: how often a name
// is counted depends on what was told between.
var learning = regexp.MustCompile(`"learning":(true|false),`)

func linesOf(t *testing.T, args ...string) []string {
	t.Helper()
	var out, errs bytes.Buffer
	if status := run(&app{ctx: context.Background(), stdin: strings.NewReader(""), stdout: &out, stderr: &errs}, args); status != exitDone {
		t.Fatalf("%v: status %d, %s", args, status, errs.String())
	}
	lines := strings.Split(learning.ReplaceAllString(out.String(), ""), "\n")
	slices.Sort(lines)
	return lines
}

// Several workers find what one finds, line by line.
func TestSharedReadingIsTheSame(t *testing.T) {
	for _, c := range []traffic.Config{
		{Seed: 5, Devices: 60, Frames: 20_000},
		{Seed: 6, Devices: 900, Frames: 20_000},
		{Seed: 7, Devices: 60, Frames: 8_000, Encap: traffic.ERSPAN},
		{Seed: 8, Devices: 60, Frames: 8_000, Encap: traffic.CAPWAP},
	} {
		path := filepath.Join(t.TempDir(), "x.pcap")
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := traffic.Generate(c, file, func(*traffic.Flow) {}); err != nil {
			t.Fatal(err)
		}
		file.Close()
		args := []string{"read", "--prohibit", "xiaomi", "--restrict", "CN", "--json", "--show", "events,flows,devices,episodes"}
		want := linesOf(t, append(args, path)...)
		for _, jobs := range []string{"2", "5"} {
			got := linesOf(t, append(args, "-j", jobs, path)...)
			if len(got) != len(want) {
				t.Fatalf("%+v, %s workers: %d lines, one worker: %d", c, jobs, len(got), len(want))
			}
			for i := range got {
				if got[i] != want[i] {
					t.Fatalf("%+v, %s workers:\n%s\none worker:\n%s", c, jobs, got[i], want[i])
				}
			}
		}
	}
}

func TestJobsAreBounded(t *testing.T) {
	var out, errs bytes.Buffer
	for _, j := range []string{"0", "-3", "1000"} {
		if status := run(&app{ctx: context.Background(), stdin: strings.NewReader(""), stdout: &out, stderr: &errs}, []string{"read", "-j=" + j, "x.pcap"}); status != exitUsage {
			t.Errorf("-j %s: status %d", j, status)
		}
	}
}
