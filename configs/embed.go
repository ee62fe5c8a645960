// Package configs loads picket.yml and holds the data that is compiled in:
// signatures, operators, owners, groups of countries, lists of resolvers and
// relays, and the rules and dashboards beside them.
package configs

import (
	"embed"
	"io/fs"
)

//go:embed picket.yml signatures operators owners groups hidden
var files embed.FS

// FS is the embedded data, laid out as this directory.
func FS() fs.FS { return files }

// Sub returns one directory of the embedded data.
func Sub(dir string) fs.FS {
	sub, err := fs.Sub(files, dir)
	if err != nil {
		panic(err) // the name is not a valid path: a mistake in the program
	}
	return sub
}

// Default returns the shipped configuration file.
func Default() []byte {
	data, err := files.ReadFile("picket.yml")
	if err != nil {
		panic(err) // it is embedded above
	}
	return data
}
