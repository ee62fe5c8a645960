package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// call runs picket with args as the shell would, and returns what it printed
// and its exit status.
func call(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, err bytes.Buffer
	status = run(&app{ctx: context.Background(), stdin: strings.NewReader(""), stdout: &out, stderr: &err}, args)
	return out.String(), err.String(), status
}

// TestBadInput gives picket everything that users get wrong: each is one
// clear line on stderr, and a status that says whose mistake it was.
func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	policy := func(name, line string) string {
		return file(name, "policies:\n  - name: p\n    devices: {makers: [xiaomi]}\n    restricted: {countries: [CN]}\n"+line)
	}
	overlay := func(name, text string) string {
		file(name+".d/site.yml", text)
		return file(name+".yml", "signatures: {directory: "+filepath.Join(dir, name+".d")+"}\n")
	}
	whole := "testdata/demo.pcap"
	cut := file("cut.pcap", string(demoCapture[:3000]))
	for _, c := range []struct {
		name   string
		args   []string
		status int
		want   string
	}{
		{"unknown interface", []string{"run", "-i", "nosuch0", "--state", dir}, 1, `no interface "nosuch0"; there are `},
		{"no interface", []string{"run", "--prohibit", "xiaomi", "--restrict", "CN", "--state", dir}, 2, "no interface: give -i IFACE"},
		{"bad filter", []string{"check", "-c", file("filter.yml", "capture: {filter: 'tcp prot 443'}\n")}, 2, "filter.yml:1: capture.filter: "},
		{"truncated capture", []string{"read", cut}, 1, "cut.pcap: truncated after 8 frames, 2890 bytes in"},
		{"no capture", []string{"read", file("text.pcap", "Dear Sir\n")}, 1, "text.pcap: not a pcap or pcapng file"},
		{"empty capture", []string{"read", file("empty.pcap", "")}, 1, "empty.pcap: not a pcap or pcapng file"},
		{"missing capture", []string{"read", filepath.Join(dir, "none.pcap")}, 1, "none.pcap: no such file"},
		{"unknown key", []string{"check", "-c", file("key.yml", "interfaces: [lo]\npolicys: []\n")}, 2, `key.yml:2: policys: unknown key, did you mean "policies"?`},
		{"unknown key inside", []string{"check", "-c", policy("inside.yml", "    treshold: {sent: 1KiB}\n")}, 2, `inside.yml:5: treshold: unknown key, did you mean "threshold"?`},
		{"not YAML", []string{"check", "-c", file("syntax.yml", "interfaces: [lo\n")}, 2, "syntax.yml:1: "},
		{"wrong type", []string{"check", "-c", file("type.yml", "limits: {flows: many}\n")}, 2, "type.yml:1: flows: many where "},
		{"no configuration", []string{"check", "-c", filepath.Join(dir, "none.yml")}, 2, "none.yml: no such file"},
		{"impossible country", []string{"check", "-c", file("cc.yml", "policies:\n  - name: p\n    devices: {makers: [xiaomi]}\n    restricted: {countries: [XX]}\n")}, 2, `cc.yml:4: countries: country "XX" is not a code of ISO 3166-1`},
		{"impossible country flag", []string{"read", "--prohibit", "xiaomi", "--restrict", "XX", whole}, 2, `--restrict: country "XX"`},
		{"unknown maker flag", []string{"read", "--prohibit", "xiaomy", "--restrict", "CN", whole}, 2, `--prohibit: no signature knows the maker "xiaomy", did you mean "xiaomi"?`},
		{"half a policy", []string{"read", "--prohibit", "xiaomi", whole}, 2, "--prohibit and --restrict need each other"},
		{"bad home", []string{"read", "--home", "10.0.0.0/99", whole}, 2, `--home: network "10.0.0.0/99"`},
		{"missing mmdb", []string{"check", "-c", file("nommdb.yml", "geo: {databases: ["+dir+"/none.mmdb]}\n")}, 2, "none.mmdb: no such file"},
		{"corrupt mmdb", []string{"check", "-c", file("badmmdb.yml", "geo: {databases: ["+file("bad.mmdb", "not a database")+"]}\n")}, 2, "bad.mmdb: not a MaxMind database"},
		{"bad regular expression", []string{"check", "-c", overlay("expression", "add:\n  - id: site.host\n    maker: xiaomi\n    hostname: ['(unclosed']\n    strength: weak\n    verified: inferred\n    source: site\n    says: x\n    reason: x\n")}, 2, "site.yml:4: hostname: bad regular expression"},
		{"missing signatures", []string{"check", "-c", file("nosig.yml", "signatures: {directory: "+dir+"/nosig}\n")}, 2, "nosig: no such file"},
		{"bad severity", []string{"check", "-c", policy("sev.yml", "    severity: loud\n")}, 2, `sev.yml:5: severity "loud" is not known`},
		{"bad threshold", []string{"check", "-c", policy("size.yml", "    threshold: {sent: lots}\n")}, 2, "size.yml:5: "},
		{"two of a name", []string{"check", "-c", policy("twice.yml", "  - name: p\n    devices: {makers: [honor]}\n    restricted: {countries: [CN]}\n")}, 2, `twice.yml:5: policies[1].name: two policies are called "p"`},
		{"unknown group", []string{"check", "-c", file("group.yml", "policies:\n  - name: p\n    devices: {groups: [bkk]}\n    restricted: {countries: [CN]}\n")}, 2, "group.yml:3: "},
		{"unknown command", []string{"frob"}, 2, "unexpected argument frob"},
		{"unknown flag", []string{"run", "--frob"}, 2, "unknown flag --frob"},
		{"no file", []string{"read"}, 2, `expected "<file> ..."`},
		{"nothing to show", []string{"read", "--show", "nonsense", whole}, 2, "--show must be one of"},
		{"nothing to look up", []string{"lookup"}, 2, "want addresses or names"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, stderr, status := call(t, c.args...)
			if status != c.status || !strings.Contains(stderr, c.want) {
				t.Errorf("status %d, %q; want %d and %q", status, stderr, c.status, c.want)
			}
			if strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "picket: ") {
				t.Errorf("want one line, got %q", stderr)
			}
		})
	}
}

// TestTruncatedCaptureIsReadAsFarAsItGoes: what stands before the damage is
// judged and printed.
func TestTruncatedCaptureIsReadAsFarAsItGoes(t *testing.T) {
	cut := filepath.Join(t.TempDir(), "cut.pcap")
	if err := os.WriteFile(cut, demoCapture[:len(demoCapture)-7], 0o600); err != nil {
		t.Fatal(err)
	}
	whole, _, _ := call(t, "read", "--json", "--show", "devices", "testdata/demo.pcap")
	got, stderr, status := call(t, "read", "--json", "--show", "devices", cut)
	if status != 1 || !strings.Contains(stderr, "cut.pcap: truncated after ") {
		t.Errorf("status %d, %q", status, stderr)
	}
	if strings.Count(got, "\n") != strings.Count(whole, "\n") || got == "" {
		t.Errorf("%d devices of the damaged file, %d of the whole", strings.Count(got, "\n"), strings.Count(whole, "\n"))
	}
}

// TestHelpIsNoError: asking for help ends with 0 and says it on stdout.
func TestHelpIsNoError(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"run", "--help"}, {"read", "--help"}} {
		stdout, stderr, status := call(t, args...)
		if status != 0 || stderr != "" || !strings.Contains(stdout, "Usage: picket") {
			t.Errorf("%v: status %d, stdout %q, stderr %q", args, status, stdout, stderr)
		}
	}
}

// TestCommandAlone: a command says the same, help and complaints, whether it
// is parsed among all the others or alone.
func TestCommandAlone(t *testing.T) {
	model, err := kong.New(&cli{}, kong.Name("picket"))
	if err != nil {
		t.Fatal(err)
	}
	say := func(grammar any, args []string) (said string) {
		var out bytes.Buffer
		p, err := newParser(&app{stdout: &out, stderr: &out}, grammar)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if r := recover(); r != nil { // help was shown
				said = out.String()
			}
		}()
		k, err := p.Parse(args)
		if err != nil {
			return err.Error()
		}
		return k.Command()
	}
	leaves := model.Model.Leaves(false)
	if len(leaves) < 30 {
		t.Fatalf("%d commands", len(leaves))
	}
	for _, n := range leaves {
		path := strings.Fields(n.FullPath())[1:]
		if _, all := commands(path).(*cli); all {
			t.Errorf("%v is not parsed alone", path)
		}
		for _, more := range [][]string{{"--help"}, {}, {"--frob"}, {"x"}, {"x", "y", "z"}, {"--json"}, {"--state"}, {"--state", "x", "x"}} {
			for cut := 1; cut <= len(path); cut++ {
				args := append(append([]string{}, path[:cut]...), more...)
				if alone, among := say(commands(args), args), say(&cli{}, args); alone != among {
					t.Errorf("%v: alone %q, among all %q", args, alone, among)
				}
			}
		}
	}
	for _, args := range [][]string{nil, {"--help"}, {"frob"}, {"Read"}, {""}} {
		if _, all := commands(args).(*cli); !all {
			t.Errorf("%q: not all commands", args)
		}
	}
}
