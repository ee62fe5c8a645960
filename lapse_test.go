package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"picket/sensor/capture"
)

func TestLapsesAreTold(t *testing.T) {
	var b bytes.Buffer
	log := slog.New(slog.NewTextHandler(&b, nil))
	l := lapses{}
	for _, c := range []struct {
		stats capture.Stats
		want  string
	}{
		{capture.Stats{}, ""},
		{capture.Stats{Gaps: 1}, "interface is down"},
		{capture.Stats{Gaps: 1, Gap: time.Second}, ""},
		{capture.Stats{Gaps: 1, Gap: 1500 * time.Millisecond}, ""},
		{capture.Stats{Gaps: 1, Gap: 1500 * time.Millisecond}, "missed=1.5s"},
		{capture.Stats{Gaps: 1, Gap: 1500 * time.Millisecond}, ""},
		{capture.Stats{Gaps: 2, Gap: 1600 * time.Millisecond}, "interface is down"}, // up again within the second
		{capture.Stats{Gaps: 2, Gap: 1600 * time.Millisecond}, "missed=100ms"},
	} {
		b.Reset()
		l.see("eth1", c.stats, log)
		if got := b.String(); (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%+v: %q, want %q", c.stats, got, c.want)
		}
	}
}
