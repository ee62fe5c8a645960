package main

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"picket/configs"
	"picket/evidence"
	"picket/geo"
)

// TestImportedDataAreUsed takes a bundle that moves the demo's phones' servers
// through import, use, and rollback.
func TestImportedDataAreUsed(t *testing.T) {
	dir, bundle := bundleSite(t)
	state, pub := filepath.Join(dir, "state"), filepath.Join(dir, "key.pub")
	q := "77.88.55.88"
	place := func() string {
		t.Helper()
		status, out, errs := geoRun(t, "", "lookup", q, "--json", "--state", state, "--restrict", "eu")
		if status != exitDone {
			t.Fatal(errs)
		}
		var l struct{ Location string }
		if err := json.Unmarshal([]byte(out), &l); err != nil {
			t.Fatal(err)
		}
		return l.Location
	}
	judged := func() geo.Country { // as run, read and check do
		t.Helper()
		c := configs.Defaults()
		j, err := compileWith(c, importedData(state), logger(&app{stderr: os.Stderr}, c))
		if err != nil {
			t.Fatal(err)
		}
		return j.geo.Judge(geo.Query{Addr: netip.MustParseAddr(q)}).Location
	}
	want := func(when, country string) {
		t.Helper()
		if got := place(); got != country {
			t.Errorf("%s: lookup says %s, want %s", when, got, country)
		}
		if got := judged(); string(got) != country {
			t.Errorf("%s: the pipeline says %s, want %s", when, got, country)
		}
	}
	want("before", "RU")
	run := func(args ...string) {
		t.Helper()
		if status, _, errs := geoRun(t, "", append(args, "--state", state)...); status != exitDone {
			t.Fatal(errs)
		}
	}
	run("data", "import", bundle, "--key", pub)
	want("imported", "DE")
	if err := os.WriteFile(filepath.Join(dir, "in/geo/feed.csv"), []byte("77.88.55.0/24,SE,,,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	second := filepath.Join(dir, "second.picket")
	if status, _, errs := geoRun(t, "", "data", "pack", filepath.Join(dir, "in"), "--key", filepath.Join(dir, "key"), "-o", second); status != exitDone {
		t.Fatal(errs)
	}
	run("data", "import", second, "--key", pub)
	want("imported again", "SE")
	run("data", "rollback")
	want("rolled back", "DE")
	run("data", "rollback")
	want("rolled forward", "SE")

	conf := filepath.Join(dir, "picket.yml") // a group that only the bundle has
	if err := os.WriteFile(conf, []byte("policies:\n  - name: p\n    devices: {makers: [xiaomi]}\n    restricted: {countries: [ours]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, errs := geoRun(t, "", "check", "-c", conf, "--state", state); status != exitDone {
		t.Errorf("check with the imported group: %s", errs)
	}
	if status, _, _ := geoRun(t, "", "check", "-c", conf, "--state", dir); status != exitUsage {
		t.Error("the group is known without the bundle")
	}
	if status, _, errs := geoRun(t, "", "read", "-c", conf, "--state", state, "testdata/demo.pcap"); status != exitDone {
		t.Errorf("read with the imported group: %s", errs)
	}
}

// TestGeoDiffOfTheStore asks which open episodes another database would flip.
func TestGeoDiffOfTheStore(t *testing.T) {
	state := t.TempDir()
	store, err := evidence.Open(evidence.Config{Dir: state})
	if err != nil {
		t.Fatal(err)
	}
	server := evidence.Server{Addr: netip.MustParseAddrPort("77.88.55.88:443"), Name: "x.example.org", Location: "RU", Hits: []string{"location"}}
	e := evidence.Episode{ID: "e-0000000000000001", Policy: "p", Device: "d-1", Basis: []string{"location"}, Servers: []evidence.Server{server}}
	kept := evidence.Episode{ID: "e-0000000000000002", Policy: "p", Device: "d-2", Basis: []string{"operator"}, Servers: []evidence.Server{server}}
	for _, e := range []evidence.Episode{e, kept} {
		e.First, e.Last = e.First.AddDate(2025, 0, 0), e.Last.AddDate(2025, 0, 0)
		e.Opened = e.First
		if err := store.SaveEpisode(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	feed := filepath.Join(state, "feed.csv")
	if err := os.WriteFile(feed, []byte("77.88.55.0/24,DE,,,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	status, out, errs := geoRun(t, "", "geo", "diff", "embedded", feed, "--state", state, "--restrict", "RU")
	if status != exitDone || strings.Count(out, "\n") != 2 || !strings.Contains(out, "episode e-0000000000000001 (p, device d-1): servers that meet the policy 1 -> 0  FLIPS") {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
	if !strings.Contains(errs, "1 of 1 servers change") || !strings.Contains(errs, "1 of 2 open episodes flip") {
		t.Errorf("%s", errs)
	}
}

func TestLookupSignature(t *testing.T) {
	_, out, _ := geoRun(t, "", "lookup", "--json", "CONNECT.ROM.MIUI.COM.", "www.example.org")
	lines := strings.Split(out, "\n")
	var l struct {
		Signature *signatureLine
		Owner     ownerLine
	}
	if err := json.Unmarshal([]byte(lines[0]), &l); err != nil || l.Signature == nil || l.Signature.Maker != "xiaomi" || l.Signature.ID == "" || l.Signature.Plane == "" || l.Signature.Strength == "" {
		t.Errorf("%s", lines[0])
	}
	if l.Owner.Home != "CN" || l.Owner.Source != "signatures" {
		t.Errorf("owner %+v, want Xiaomi's by the signatures", l.Owner)
	}
	if strings.Contains(lines[1], "signature") {
		t.Errorf("%s", lines[1])
	}
}
