// Sbom prints a bill of materials of a Go binary: CycloneDX 1.5, drawn from
// what the linker recorded in it and from the files of others that are found
// in it, so that it names what is inside and nothing else. The same binary
// gives the same bytes.
package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"picket/web"
)

type bom struct {
	Format      string      `json:"bomFormat"`
	SpecVersion string      `json:"specVersion"`
	Version     int         `json:"version"`
	Metadata    metadata    `json:"metadata"`
	Components  []component `json:"components"`
}

type metadata struct {
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	PURL       string     `json:"purl,omitempty"`
	Licenses   []license  `json:"licenses,omitempty"`
	Hashes     []hash     `json:"hashes,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type license struct {
	License struct {
		ID string `json:"id"`
	} `json:"license"`
}

type hash struct {
	Alg     string `json:"alg"`
	Content string `json:"content"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: sbom BINARY VERSION")
		os.Exit(2)
	}
	if err := write(os.Stdout, os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func write(w io.Writer, path, version string) error {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return err
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(b)
	main := component{Type: "application", Name: info.Path, Version: version, Hashes: []hash{{"SHA-256", hex.EncodeToString(sum[:])}}}
	for _, s := range info.Settings {
		switch s.Key {
		case "CGO_ENABLED", "GOARCH", "GOOS", "vcs.revision":
			main.Properties = append(main.Properties, property{"go:" + s.Key, s.Value})
		}
	}
	out := bom{Format: "CycloneDX", SpecVersion: "1.5", Version: 1, Metadata: metadata{main}}
	out.Components = append(out.Components, component{Type: "library", Name: "std", Version: info.GoVersion, PURL: "pkg:golang/std@" + info.GoVersion[2:]})
	for _, m := range info.Deps {
		out.Components = append(out.Components, module(m))
	}
	files, err := embedded(b)
	if err != nil {
		return err
	}
	out.Components = append(out.Components, files...)
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(out)
}

// module describes a dependency; one that is replaced is what replaces it.
func module(m *debug.Module) component {
	if m.Replace != nil {
		m = m.Replace
	}
	c := component{Type: "library", Name: m.Path, Version: m.Version, PURL: "pkg:golang/" + m.Path + "@" + m.Version}
	if m.Sum != "" {
		c.Properties = []property{{"go:sum", m.Sum}}
	}
	return c
}

// embedded describes the packages of which the binary carries files.
func embedded(binary []byte) ([]component, error) {
	files, err := web.VendoredFiles()
	if err != nil {
		return nil, err
	}
	var out []component
	for _, v := range slices.SortedFunc(maps.Keys(files), func(a, b web.Vendored) int { return strings.Compare(a.Path, b.Path) }) {
		if !bytes.Contains(binary, files[v]) {
			continue
		}
		i := slices.IndexFunc(out, func(c component) bool { return c.PURL == v.Package })
		if i < 0 {
			name, version, _ := strings.Cut(v.Package[strings.LastIndex(v.Package, "/")+1:], "@")
			c := component{Type: "library", Name: name, Version: version, PURL: v.Package, Licenses: make([]license, 1)}
			c.Licenses[0].License.ID = v.License
			i, out = len(out), append(out, c)
		}
		out[i].Properties = append(out[i].Properties, property{"file:" + v.Path, "sha256:" + v.SHA256})
	}
	return out, nil
}
