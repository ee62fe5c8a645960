package geo

import (
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
)

// FuzzRules: whatever a file of operators, owners or groups holds, reading it
// ends with rules that can be indexed or with an error that names the file.
func FuzzRules(f *testing.F) {
	files, err := filepath.Glob("../configs/*/*.yml")
	if err != nil || len(files) < 5 {
		f.Fatalf("%d seeds: %v", len(files), err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b[:min(len(b), 600)])
	}
	f.Add([]byte("operators: [{asn: 1, name: x, home: CN}]\nsites: [{prefix: 10.0.0.0/8, type: anycast}]\n"))
	f.Add([]byte("names: [{operator: a, home: US, suffixes: [.]}]\nowners: [{name: b, home: XX, domains: ['']}]\n"))
	f.Add([]byte("regions: {a: {CN: [x]}}\ngroups: {g: [CN, cn, '']}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		rules, groups, err := ReadRules(fstest.MapFS{"operators/x.yml": {Data: b}}, "operators")
		if err != nil {
			return
		}
		x, err := indexRules(&Config{Rules: rules, Groups: groups})
		if err != nil {
			return
		}
		for _, o := range rules.Owners {
			x.named("www." + o.Domain)
		}
		for _, n := range rules.Names {
			x.named("eu-west-1." + n.Suffix)
		}
	})
}
