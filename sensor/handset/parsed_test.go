package handset

import (
	"bytes"
	"maps"
	"os"
	"testing"
	"testing/fstest"
)

func TestCompiledIsFresh(t *testing.T) {
	dir := os.DirFS("../../configs/signatures")
	want, err := Parse(dir)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../configs/signatures/" + parsedName)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("configs/signatures/compiled.bin is stale: go run ./sensor/handset/build")
	}
}

// The set is the same whether its files are read as YAML or compiled.
func TestCompiledIsTheSame(t *testing.T) {
	dir := smallSet()
	plain, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Parse(dir)
	if err != nil {
		t.Fatal(err)
	}
	with := maps.Clone(dir)
	with[parsedName] = &fstest.MapFile{Data: b}
	fast, err := Load(with)
	if err != nil {
		t.Fatal(err)
	}
	if fast.Hash() != plain.Hash() {
		t.Errorf("hash %s, from YAML %s", fast.Hash(), plain.Hash())
	}
	if f, p := fast.Name("update.example.com"), plain.Name("update.example.com"); f != p || f.ID != "acme.updater" {
		t.Errorf("update.example.com: %+v, from YAML %+v", f, p)
	}
	if len(fast.examples) == 0 || fast.examples[0].line != plain.examples[0].line || fast.examples[0].file != "acme.yml" {
		t.Errorf("examples %v, from YAML %v", fast.examples, plain.examples)
	}
}

// What was compiled of other files is passed over, and so is damage.
func TestStaleCompiledIsPassedOver(t *testing.T) {
	dir := smallSet()
	b, err := Parse(dir)
	if err != nil {
		t.Fatal(err)
	}
	acme := dir["acme.yml"].Data
	changed := bytes.Replace(acme, []byte("update.example.com"), []byte("newer.example.com"), 1)
	for name, old := range map[string][]byte{"stale": b, "cut": b[:len(b)/2], "empty": nil} {
		s, err := Load(fstest.MapFS{"rules.yml": dir["rules.yml"], "acme.yml": {Data: changed}, parsedName: {Data: old}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if m := s.Name("newer.example.com"); m.Maker != "acme" {
			t.Errorf("%s: newer.example.com is %q's, want acme's", name, m.Maker)
		}
	}
}

func TestEmbeddedLineNumbers(t *testing.T) {
	for _, bad := range []string{"", "x", "x:y"} {
		if new(text).UnmarshalString(bad) == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

func smallSet() fstest.MapFS {
	rules, err := os.ReadFile("../../configs/signatures/rules.yml")
	if err != nil {
		panic(err)
	}
	return fstest.MapFS{"rules.yml": {Data: rules}, "acme.yml": {Data: []byte(`maker: acme
title: Acme
signatures:
  - id: acme.updater
    names: [update.example.com]
    plane: os
    strength: exclusive
    form: phone
    verified: document
    source: its manual
    says: asks the updater of Acme
`)}}
}
