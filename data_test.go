package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// bundleSite is a directory with keys and a bundle that places 77.88.55.0/24.
func bundleSite(t *testing.T) (dir, bundle string) {
	t.Helper()
	dir = t.TempDir()
	write := func(name, content string) {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("in/geo/feed.csv", "77.88.55.0/24,DE,,,\n")
	write("in/groups/ours.yml", "groups:\n  ours: [RU, NO]\n")
	write("in/notes.txt", "not part of a bundle")
	bundle = filepath.Join(dir, "b.picket")
	for _, args := range [][]string{
		{"data", "keygen", "-o", filepath.Join(dir, "key")},
		{"data", "keygen", "-o", filepath.Join(dir, "other")},
		{"data", "pack", filepath.Join(dir, "in"), "--key", filepath.Join(dir, "key"), "-o", bundle},
	} {
		if status, _, errs := geoRun(t, "", args...); status != exitDone {
			t.Fatalf("%v: %s", args, errs)
		}
	}
	return dir, bundle
}

func TestDataImport(t *testing.T) {
	dir, bundle := bundleSite(t)
	state, pub := filepath.Join(dir, "state"), filepath.Join(dir, "key.pub")
	status, out, errs := geoRun(t, "77.88.55.88\n", "data", "import", bundle, "--key", pub, "--state", state, "--servers", "-", "--restrict", "ours")
	if status != exitDone || !strings.Contains(out, "RU (medium), operator RU -> DE (high)") || !strings.Contains(out, "1 of 1 servers change, 1 of them") {
		t.Fatalf("status %d: %s%s", status, out, errs)
	}
	current := importedData(state)
	if got, err := os.ReadFile(filepath.Join(current, "geo", "feed.csv")); err != nil || len(got) == 0 {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(filepath.Join(current, "notes.txt")); err == nil {
		t.Error("a file that is no part was packed")
	}
	if _, out, _ := geoRun(t, "", "data", "status", "--state", state); !strings.Contains(out, "geo         imported") || !strings.Contains(out, "signatures  embedded") {
		t.Errorf("%s", out)
	}
	if status, _, errs := geoRun(t, "", "data", "rollback", "--state", state); status != exitFailed || !strings.Contains(errs, "no import before") {
		t.Errorf("rollback of the first: %s", errs)
	}
	for range 3 {
		if status, _, errs := geoRun(t, "", "data", "import", bundle, "--key", pub, "--state", state); status != exitDone {
			t.Fatal(errs)
		}
	}
	if all, _ := filepath.Glob(filepath.Join(state, "data", "generation-*")); len(all) != 2 {
		t.Errorf("%d generations are kept, want 2", len(all))
	}
	if status, _, errs := geoRun(t, "", "data", "rollback", "--state", state); status != exitDone {
		t.Error(errs)
	}
}

func TestDataImportRefuses(t *testing.T) {
	dir, bundle := bundleSite(t)
	state := filepath.Join(dir, "state")
	good, err := os.ReadFile(bundle)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Clone(good)
	changed[len(changed)-9] ^= 1
	for name, b := range map[string][]byte{"changed": changed, "short": good[:len(good)-1], "head": good[:20], "empty": nil, "text": []byte("hello\nworld\n")} {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if status, _, errs := geoRun(t, "", "data", "import", p, "--key", filepath.Join(dir, "key.pub"), "--state", state); status != exitFailed {
			t.Errorf("%s: status %d, %s", name, status, errs)
		}
	}
	if status, _, errs := geoRun(t, "", "data", "import", bundle, "--key", filepath.Join(dir, "other.pub"), "--state", state); status != exitFailed || !strings.Contains(errs, "signature does not fit") {
		t.Errorf("another key: status %d, %s", status, errs)
	}
	if err := os.WriteFile(filepath.Join(dir, "in/groups/ours.yml"), []byte("groups:\n  ours: [RU, XX]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(dir, "bad.picket")
	if status, _, errs := geoRun(t, "", "data", "pack", filepath.Join(dir, "in"), "--key", filepath.Join(dir, "key"), "-o", bad); status != exitDone {
		t.Fatal(errs)
	}
	if status, _, errs := geoRun(t, "", "data", "import", bad, "--key", filepath.Join(dir, "key.pub"), "--state", state); status != exitFailed || !strings.Contains(errs, "nothing was changed") {
		t.Errorf("bad groups: status %d, %s", status, errs)
	}
	if importedData(state) != "" {
		t.Error("something was put in place")
	}
	if left, _ := filepath.Glob(filepath.Join(state, "data", "*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestBundleKeepsToItsDirectory(t *testing.T) {
	for _, name := range []string{"../x", "/etc/x", "geo/../../x", "geo", "notes.txt", "geo/a/../b", "secrets/x"} {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		w := tar.NewWriter(z)
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		w.Close()
		z.Close()
		if _, err := unpackBundle(&b, t.TempDir()); err == nil {
			t.Errorf("%s was unpacked", name)
		}
	}
	link := &tar.Header{Name: "geo/x", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}
	if allowedInBundle(link) {
		t.Error("a link was let in")
	}
}

// FuzzBundle opens what only looks like a bundle: an error or files below the
// directory, nothing else.
func FuzzBundle(f *testing.F) {
	public, private, err := ed25519.GenerateKey(bytes.NewReader(make([]byte, 64)))
	if err != nil {
		f.Fatal(err)
	}
	in := f.TempDir()
	if err := os.MkdirAll(filepath.Join(in, "geo"), 0o755); err != nil {
		f.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(in, "geo", "feed.csv"), []byte("77.88.55.0/24,DE,,,\n"), 0o600); err != nil {
		f.Fatal(err)
	}
	var good bytes.Buffer
	if err := packBundle(&good, in, private, bundleInfo{}); err != nil {
		f.Fatal(err)
	}
	f.Add(good.Bytes())
	f.Add([]byte(bundleMagic + "\n\n"))
	f.Add([]byte{})
	out := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		if err := openBundle(r, public); err == nil && !bytes.Equal(b, good.Bytes()) {
			t.Fatal("the signature fits something else")
		}
		at := bytes.IndexByte(b, '\n') + 1
		at += bytes.IndexByte(b[at:], '\n') + 1
		dir := filepath.Join(out, "x")
		_, _ = unpackBundle(bytes.NewReader(b[at:]), dir)
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if left, err := os.ReadDir(out); err != nil || len(left) > 0 {
			t.Fatalf("left outside: %v %v", left, err)
		}
	})
}
