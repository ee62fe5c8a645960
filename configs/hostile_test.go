package configs

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// FuzzParse: no file makes the loader panic, and every mistake says where.
func FuzzParse(f *testing.F) {
	f.Add(Default())
	f.Add([]byte("interfaces: [eth1]\npolicies:\n  - name: p\n    devices: {makers: [xiaomi]}\n    restricted: {countries: [CN]}\n"))
	f.Add([]byte("a: &a [x]\nb: [*a, *a]\n"))
	f.Add([]byte("interfaces: [eth1]\n---\n"))
	f.Add([]byte("interfaces: [eth1]\n---\ninterfaces: [eth2]\n"))
	f.Add([]byte("events: {to: [journal, 'syslog:udp://[::1]:514']}\ncanary: {every: 5m}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := Parse("picket.yml", b); err != nil && !strings.HasPrefix(err.Error(), "picket.yml") {
			t.Errorf("no place in %q", err)
		}
	})
}

// A line that ends a document, as other tools write, ends it; another document
// is a mistake.
func TestOneDocument(t *testing.T) {
	const one = "---\ninterfaces: [eth1]\n"
	for _, text := range []string{one, one + "---\n", one + "...\n", one + "--- # nothing\n"} {
		if c, err := Parse("picket.yml", []byte(text)); err != nil || len(c.Interfaces) != 1 {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := Parse("picket.yml", []byte(one+"---\nlimits: {}\n")); err == nil || err.Error() != "picket.yml:4: a second YAML document; want one" {
		t.Errorf("two documents: %v", err)
	}
}

// TestAliasesDoNotMultiply: a few hundred bytes of aliases of aliases, which
// would be 10^9 texts, neither take memory nor time.
func TestAliasesDoNotMultiply(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for _, n := range "12345678" {
		before := string(n - 1)
		b.WriteString("a" + string(n) + ": &a" + string(n) + " [" + strings.Repeat("*a"+before+", ", 9) + "*a" + before + "]\n")
	}
	b.WriteString("interfaces: *a8\n")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := Parse("picket.yml", b.Bytes()); err == nil {
		t.Error("it was taken")
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20 {
		t.Errorf("%d MiB for %d bytes", grown>>20, b.Len())
	}
}

// TestEndlessFiles: a configuration that never ends, or leads to itself.
func TestEndlessFiles(t *testing.T) {
	loop := filepath.Join(t.TempDir(), "picket.yml")
	if err := os.Symlink(loop, loop); err != nil {
		t.Skip(err)
	}
	for _, path := range []string{"/dev/zero", loop, t.TempDir()} {
		if _, err := Load(path); err == nil {
			t.Errorf("%s was taken", path)
		}
	}
}
