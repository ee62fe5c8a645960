package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"picket/sensor"
	"picket/sensor/device"
	"picket/sensor/observation"
)

// TestLogIsLimitedByCause: one cause cannot fill the log, another is heard
// all the same, and what was left out is counted.
func TestLogIsLimitedByCause(t *testing.T) {
	var b bytes.Buffer
	h := newLimited(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug}))
	say := func(level slog.Level, text string, at time.Duration) {
		if err := h.WithAttrs([]slog.Attr{slog.String("k", "v")}).Handle(context.Background(), slog.NewRecord(time.Unix(1e9, 0).Add(at), level, text, 0)); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 1000 {
		say(slog.LevelWarn, "loud", time.Duration(n)*time.Millisecond)
		say(slog.LevelDebug, "debug", time.Duration(n)*time.Millisecond)
	}
	say(slog.LevelWarn, "seldom", time.Second)
	say(slog.LevelWarn, "loud", 2*time.Minute)
	text := b.String()
	if n := strings.Count(text, "msg=loud"); n != logBurst+1 {
		t.Errorf("%d lines of one cause, want %d", n, logBurst+1)
	}
	if strings.Count(text, "msg=seldom") != 1 || strings.Count(text, "msg=debug") != 1000 || !strings.Contains(text, fmt.Sprintf("left_out=%d", 1000-logBurst)) {
		t.Errorf("%.500s", text)
	}
	for n := range 10 * maxCauses {
		say(slog.LevelWarn, fmt.Sprint("cause ", n), time.Hour)
	}
	if n := len(h.(*limitedLog).causes.all); n > maxCauses {
		t.Errorf("%d causes are told apart", n)
	}
}

// lockedBuffer is a buffer that several goroutines write to.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// TestLogNamesNobody runs a whole sensor over the demonstration, floods of
// strangers and a failing reload, with the log at its default level: not one
// address, hardware address, host name or name that a device asked for is in
// it; the one that breaks the policy is there by its id.
func TestLogNamesNobody(t *testing.T) {
	server := httptest.NewServer(&inbox{deny: true})
	defer server.Close()
	now := time.Now()
	demo, err := demoSource(now)
	if err != nil {
		t.Fatal(err)
	}
	w := &script{at: now.UnixNano()}
	w.protocols()
	w.bands()
	w.conditions()
	w.layers()
	dir := t.TempDir()
	file := filepath.Join(dir, "picket.yml")
	config := strings.Replace(fmt.Sprintf(soakConfig, server.URL), "log: {level: error}", "log: {level: info}", 1)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	log := &lockedBuffer{}
	cmd := &runCmd{policyFlags: policyFlags{Config: file}, State: filepath.Join(dir, "state")}
	c, err := cmd.configuration()
	if err != nil {
		t.Fatal(err)
	}
	s, err := cmd.station(&app{ctx: t.Context(), stdin: strings.NewReader(""), stderr: log}, c)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.wire([]sensor.Source{&inTurn{[]sensor.Source{demo, &played{w.frames}}}}); err != nil {
		t.Fatal(err)
	}
	s.a.pipeline.Now, s.a.pipeline.Tick = nil, nil
	names := map[string]bool{}
	s.a.tap(func(o *observation.Observation) { namesIn(o, names) })
	if err := s.work(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	s.a.identify.Devices(func(v *device.View) bool {
		for _, text := range append(macTexts(v), addrTexts(v)...) {
			names[text] = true
		}
		return true
	})
	if err := os.WriteFile(file, []byte("polices: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s.reload() == nil {
		t.Error("a bad configuration was taken")
	}
	s.close()
	text := log.b.String()
	if len(names) < 100 || !strings.Contains(text, "episode opened") || !strings.Contains(text, "reload failed") {
		t.Fatalf("%d names, log:\n%s", len(names), text)
	}
	for name := range names {
		if len(name) > 3 && strings.Contains(strings.ToLower(text), strings.ToLower(name)) {
			t.Errorf("%q is in the log", name)
		}
	}
}

// namesIn adds everything in o that tells of somebody.
func namesIn(o *observation.Observation, names map[string]bool) {
	for _, a := range []string{o.Client.Addr().String(), macText(o.MAC), o.Flow.Name} {
		names[a] = true
	}
	switch {
	case o.DNS != nil:
		names[o.DNS.QName] = true
	case o.Hello != nil:
		names[o.Hello.SNI] = true
	case o.DHCP != nil:
		names[o.DHCP.Hostname] = true
	case o.HTTP != nil:
		names[o.HTTP.Host], names[o.HTTP.UserAgent] = true, true
	}
}
