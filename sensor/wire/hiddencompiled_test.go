package wire

import (
	"bytes"
	"maps"
	"os"
	"reflect"
	"testing"
	"testing/fstest"
)

func TestCompiledHiddenIsFresh(t *testing.T) {
	want, err := CompileHidden(os.DirFS("../../configs/hidden"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../configs/hidden/" + hiddenCompiled)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("configs/hidden/%s is stale: go run ./sensor/wire/build", hiddenCompiled)
	}
}

// The shipped lists are the same whether they are read as YAML or compiled.
func TestCompiledHiddenIsTheSame(t *testing.T) {
	dir := os.DirFS("../../configs/hidden")
	files, hash, err := readHidden(dir)
	if err != nil {
		t.Fatal(err)
	}
	plain, entries, err := parseHidden(files)
	if err != nil {
		t.Fatal(err)
	}
	fast := compiledHiders(dir, hash)
	if fast == nil {
		t.Fatal("the compiled file is not read")
	}
	if !reflect.DeepEqual(fast.names, plain.names) {
		t.Errorf("%d names, from YAML %d, or others", len(fast.names), len(plain.names))
	}
	of := func(h *Hiders) map[string]Hider {
		all := map[string]Hider{}
		for p, v := range h.addrs.All() {
			all[p.String()] = v
		}
		return all
	}
	if f, p := of(fast), of(plain); !maps.Equal(f, p) || len(p) == 0 {
		t.Errorf("%d addresses, from YAML %d, or others", len(f), len(p))
	}
	if len(entries) < 20 {
		t.Errorf("%d entries", len(entries))
	}
}

// What was compiled of other files is passed over, and so is damage: every
// proper prefix, every line left out or broken.
func TestStaleCompiledHiddenIsPassedOver(t *testing.T) {
	old := []byte("services: [{service: A, kinds: [vpn, relay], names: [a.example, .b.example], addresses: [192.0.2.1, '2001:db8::/32'], source: x}]\n")
	changed := bytes.Replace(old, []byte("a.example"), []byte("c.example"), 1)
	whole, err := CompileHidden(fstest.MapFS{"x.yml": {Data: old}})
	if err != nil {
		t.Fatal(err)
	}
	load := func(text, compiled []byte) *Hiders {
		h, err := LoadHiders(fstest.MapFS{"x.yml": {Data: text}, hiddenCompiled: {Data: compiled}})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	if h, ok := load(changed, whole).ByName("c.example"); !ok || h.Name != "A" {
		t.Error("a changed list is passed over for what was compiled of the old one")
	}
	_, hash, err := readHidden(fstest.MapFS{"x.yml": {Data: old}})
	if err != nil {
		t.Fatal(err)
	}
	read := func(b []byte) bool { return compiledHiders(fstest.MapFS{hiddenCompiled: {Data: b}}, hash) != nil }
	if !read(whole) {
		t.Fatal("the whole is not read")
	}
	for n := range whole {
		if read(whole[:n]) {
			t.Errorf("first %d of %d bytes are read", n, len(whole))
		}
	}
	for _, change := range [][2]string{{"\nsA", "\nxA"}, {"\nsA\n", "\n"}, {"\nsA", "\n"}, {"kvpn", "kno such kind"}, {"na.example", "nNo Name"}, {"a192.0.2.1", "a192.0.2"}, {"kvpn", "?vpn"}} {
		b := bytes.Replace(whole, []byte(change[0]), []byte(change[1]), 1)
		if bytes.Equal(b, whole) || read(b) {
			t.Errorf("with %q for %q it is read, or that is not in it", change[1], change[0])
		}
	}
}

func FuzzCompiledHidden(f *testing.F) {
	f.Add([]byte("sA\nkvpn\nna.example\na192.0.2.1\nend\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		compiledHiders(fstest.MapFS{hiddenCompiled: {Data: append([]byte("hx\n"), b...)}}, "x")
	})
}

// BenchmarkLoadHiders is what every start of picket pays.
func BenchmarkLoadHiders(b *testing.B) {
	dir := os.DirFS("../../configs/hidden")
	for b.Loop() {
		if _, err := LoadHiders(dir); err != nil {
			b.Fatal(err)
		}
	}
}
