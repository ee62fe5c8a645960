package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"picket/alerts"
	"picket/configs"
	"picket/evidence"
	"picket/sensor"
	"picket/sensor/packets"
)

// keepDemo plays the embedded capture through a keeper into dir.
func keepDemo(t *testing.T, dir string, change ...func(*configs.Config)) {
	t.Helper()
	c := configs.Defaults()
	for _, f := range change {
		f(c)
	}
	p, err := alerts.Quick([]string{"xiaomi"}, []string{"CN"})
	if err != nil {
		t.Fatal(err)
	}
	c.Policies = []alerts.Policy{p}
	log := slog.New(slog.DiscardHandler)
	j, err := compile(c, log)
	if err != nil {
		t.Fatal(err)
	}
	store, err := evidence.Open(evidence.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	var k *keeper
	kept := keptEpisodes{alerts.Kept{Store: store}, func(e *evidence.Episode) { k.saved(e) }}
	judge, err := alerts.NewJudge(alerts.JudgeConfig{Rules: j.rules, Geo: j.geo, Store: kept})
	if err != nil {
		t.Fatal(err)
	}
	k, err = newKeeper(judge, store, j.geo, log)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	k.judgedBy(j, now)
	source, err := demoSource(now)
	if err != nil {
		t.Fatal(err)
	}
	a, err := assemble(context.Background(), c, j, k, []sensor.Source{source}, false, dir, log)
	if err != nil {
		t.Fatal(err)
	}
	k.export = a.table.Export
	if err := k.holdFrames(a); err != nil {
		t.Fatal(err)
	}
	if err := a.pipeline.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	judge.Flush()
	k.records()
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestWhatIsNotKept replays phones that a policy concerns and phones that
// none does, in either mode of keeping packets, and looks through everything
// that was written and exported.
func TestWhatIsNotKept(t *testing.T) {
	for _, mode := range []packets.Mode{packets.Handshakes, packets.Payload} {
		t.Run(mode.String(), func(t *testing.T) {
			dir := t.TempDir()
			keepDemo(t, dir, func(c *configs.Config) { c.Evidence.Packets, c.Evidence.Payload = mode, 4096 })
			exportAll(t, dir)
			kept := strings.ToLower(everythingIn(t, dir))
			for _, s := range []string{"xiaomi", "10.20.0.11", "data.mistat.xiaomi.com", "host: api.account.xiaomi.com"} {
				if !strings.Contains(kept, s) {
					t.Errorf("%q is not kept: the test looks at the wrong thing", s)
				}
			}
			if at := owner.FindStringIndex(kept); at != nil {
				t.Errorf("the owner of a phone is kept: %q", kept[max(0, at[0]-120):min(len(kept), at[0]+60)])
			}
			for what, s := range map[string]string{
				"host name of an iPhone": "johns-iphone", "its address": "10.20.0.13", "a name it asked for": "neverssl",
				"its address on the wire": "\x0a\x14\x00\x0d", "its own maker's name": "gsp-ssl.ls.apple.com", "a name that restricts nothing": "connectivitycheck.gstatic.com",
				"the same on the wire": "\x11connectivitycheck", "an IMEI sent in clear": "864628020123454", "a number sent in clear": "2025550143", "a carrier": "example mobile",
			} {
				if strings.Contains(kept, s) {
					i := strings.Index(kept, s)
					t.Errorf("%s is kept: %q", what, kept[max(0, i-120):min(len(kept), i+60)])
				}
			}
		})
	}
}

// owner is a word: four letters alone are in any hundred kilobytes of base64.
var owner = regexp.MustCompile(`\bjohn(s|\b)`)

// exportAll writes every case in every form beside the store.
func exportAll(t *testing.T, dir string) {
	t.Helper()
	for _, scrub := range []bool{false, true} {
		for id, c := range casesOf(t, dir, scrub) {
			for _, write := range []func(io.Writer, *evidence.Case) error{writeCaseJSON, writeCaseLine} {
				var b bytes.Buffer
				if err := write(&b, &c); err != nil {
					t.Fatal(err)
				}
				b.Write(c.Packets) // as they are, beside their base64
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%t-%d", id, scrub, b.Len())), b.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func everythingIn(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all.Write(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

func TestKeeperKeeps(t *testing.T) {
	dir := t.TempDir()
	keepDemo(t, dir)
	s, err := evidence.Open(evidence.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	page, err := s.Devices(evidence.DeviceQuery{})
	if err != nil || page.Total == 0 {
		t.Fatalf("%d devices, %v", page.Total, err)
	}
	for _, d := range page.Devices {
		if d.Maker != "xiaomi" || d.Concern == evidence.NoConcern {
			t.Errorf("kept without a concern: %+v", d)
		}
	}
	p, ok, err := s.Span()
	if !ok || err != nil {
		t.Fatal("the ledger is empty", err)
	}
	cells, err := s.Residency(evidence.ResidencyQuery{Period: p, Basis: "location", Maker: "xiaomi"})
	if err != nil || len(cells) < 2 {
		t.Errorf("residency of xiaomi: %+v %v, want CN and another", cells, err)
	}
	if r, err := s.Verify(); err != nil || len(r.Faults) > 0 || r.Entries == 0 {
		t.Errorf("chain: %+v %v", r, err)
	}
	n := 0
	_ = s.Records(func(evidence.Record) error { n++; return nil })
	if n == 0 {
		t.Error("no record for the sensor's next start")
	}
}

// TestNewPolicyForgetsOthers: what another policy concerned is not kept once
// no policy does.
func TestNewPolicyForgetsOthers(t *testing.T) {
	dir := t.TempDir()
	keepDemo(t, dir)
	s, err := evidence.Open(evidence.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c := configs.Defaults()
	for _, maker := range []string{"xiaomi", "vivo"} {
		p, err := alerts.Quick([]string{maker}, []string{"CN"})
		if err != nil {
			t.Fatal(err)
		}
		c.Policies = []alerts.Policy{p}
		j, err := compile(c, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		k, err := newKeeper(&lastView{}, s, j.geo, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		k.judgedBy(j, time.Now())
		if err := s.Flush(); err != nil {
			t.Fatal(err)
		}
		page, err := s.Devices(evidence.DeviceQuery{})
		if err != nil || (page.Total > 0) != (maker == "xiaomi") {
			t.Errorf("%s prohibited: %d devices of xiaomi are kept (%v)", maker, page.Total, err)
		}
		n := 0
		_ = s.Records(func(evidence.Record) error { n++; return nil })
		if maker == "vivo" && n > 0 {
			t.Errorf("%d records are left", n)
		}
	}
}
