package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// FuzzClassify: no evidence that somebody else collected makes picket panic,
// and what is judged is judged in one line of JSON.
func FuzzClassify(f *testing.F) {
	f.Add([]byte(aRedmi))
	f.Add([]byte(`{"id":7,"evidence":[{"t":-1e308,"family":"dhcp","field":"param_list","value":"1,3,6,"}]}`))
	f.Add([]byte("{}\n\n[]\nnull"))
	f.Fuzz(func(t *testing.T, b []byte) {
		status, out, _ := classified(string(b), "classify", "--json")
		if status != exitDone && status != exitFailed {
			t.Errorf("status %d", status)
		}
		for line := range strings.Lines(out) {
			if !json.Valid([]byte(line)) {
				t.Errorf("%q", line)
			}
		}
	})
}

// TestCompressedBomb: a capture of 200 kB that unpacks to 200 MiB is read as
// it unpacks: it takes time, and no memory.
func TestCompressedBomb(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	header := binary.LittleEndian.AppendUint32(nil, 0xa1b2c3d4)
	header = append(header, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0)
	_, _ = z.Write(header)
	record := append(make([]byte, 8), 0xf0, 0xff, 0, 0, 0xf0, 0xff, 0, 0) // 65,520 bytes of zeros
	zeros := make([]byte, 0xfff0)
	for range 200 << 20 / len(zeros) {
		_, _ = z.Write(record)
		_, _ = z.Write(zeros)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "bomb.pcap.gz")
	if err := os.WriteFile(path, packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	status, out, errs := classified("", "read", "--json", "--show", "stats", path)
	runtime.ReadMemStats(&after)
	if status != exitDone || !strings.Contains(out, `"frames":3200`) {
		t.Errorf("status %d: %s %s", status, out, errs)
	}
	if grown := after.HeapSys - min(before.HeapSys, after.HeapSys); grown > 128<<20 {
		t.Errorf("%d MiB for %d kB", grown>>20, packed.Len()/1000)
	}
}

// TestCatastrophicPatterns: an expression that takes exponential time in
// other engines takes linear time in this one, and one that would take much
// memory is refused with its place.
func TestCatastrophicPatterns(t *testing.T) {
	overlay := func(pattern string) string {
		dir := t.TempDir()
		text := fmt.Sprintf("add:\n  - id: site.host\n    maker: xiaomi\n    hostname: ['%s']\n    strength: likely\n    verified: device\n    source: a test\n    says: calls itself as a test does\n    reason: a test\n", pattern)
		if err := os.WriteFile(filepath.Join(dir, "site.yml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	long := `{"id":"a","evidence":[{"t":0,"family":"dhcp","field":"hostname","value":"` + strings.Repeat("a", 60_000) + `!"}]}`
	for _, pattern := range []string{`^(a+)+$`, `^(a|aa)+$`, `^(.*a){20}$`, `(a*)*b`} {
		if status, out, errs := classified(long, "classify", "--json", "--signatures", overlay(pattern)); status != exitDone || out == "" {
			t.Errorf("%s: status %d: %s", pattern, status, errs)
		}
	}
	for _, pattern := range []string{`(x{1000}){1000}`, `((((a{100}){100}){100}){100})`, `(?=a)b`, `(a)\1`} {
		status, _, errs := classified(aRedmi, "classify", "--json", "--signatures", overlay(pattern))
		if status != exitUsage || !strings.Contains(errs, "site.yml") {
			t.Errorf("%s: status %d: %s", pattern, status, errs)
		}
	}
}
