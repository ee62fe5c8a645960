package web

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Vendored is a file of somebody else's that is served as it was published.
type Vendored struct {
	Path    string // below static
	Package string // package URL
	License string // SPDX
	SHA256  string
}

// vendored by vendor.sh.
var vendored = [...]Vendored{
	{"uplot/uPlot.iife.min.js", "pkg:npm/uplot@1.6.32", "MIT", "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f"},
	{"uplot/uPlot.min.css", "pkg:npm/uplot@1.6.32", "MIT", "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04"},
}

// VendoredFiles lists what is embedded of others with its bytes. One that is
// not as it was published is an error.
func VendoredFiles() (map[Vendored][]byte, error) {
	out := map[Vendored][]byte{}
	for _, v := range vendored {
		b, err := files.ReadFile("static/" + v.Path)
		if err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
		if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != v.SHA256 {
			return nil, fmt.Errorf("web: static/%s is not as %s has it", v.Path, v.Package)
		}
		out[v] = b
	}
	return out, nil
}
