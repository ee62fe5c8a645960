package capture

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// In the product gopacket is imported here and nowhere else: its binding to
// libpcap, and the number type that it wants. Tests, and the programs in lab
// that make captures, may compare with it and write by it.
func TestGopacketStaysHere(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Skip("not in the source tree")
	}
	allowed := map[string]bool{"github.com/google/gopacket/pcap": true, "github.com/google/gopacket/layers": true}
	err = fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") ||
			strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "lab/") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, parser.ImportsOnly)
		if err != nil {
			return nil // the compiler will say
		}
		for _, i := range file.Imports {
			name := strings.Trim(i.Path.Value, `"`)
			if !strings.HasPrefix(name, "github.com/google/gopacket") {
				continue
			}
			if !strings.HasPrefix(path, "sensor/capture/") || !allowed[name] {
				t.Errorf("%s imports %s", path, name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
