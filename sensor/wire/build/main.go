// Command build writes configs/hidden/compiled.txt: what the YAML files beside
// it say, in a form that is fast to read.
//
//	go run ./sensor/wire/build -o configs/hidden
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"picket/sensor/wire"
)

func main() {
	dir := flag.String("o", "configs/hidden", "directory of the lists")
	flag.Parse()
	if err := build(*dir); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

func build(dir string) error {
	b, err := wire.CompileHidden(os.DirFS(dir))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "compiled.txt"), b, 0o644)
}
