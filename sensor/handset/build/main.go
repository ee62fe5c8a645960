// Command build writes configs/signatures/compiled.bin: what the YAML files
// beside it say, in a form that is fast to read.
//
//	go run ./sensor/handset/build -o configs/signatures
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"picket/sensor/handset"
)

func main() {
	dir := flag.String("o", "configs/signatures", "directory of the signatures")
	flag.Parse()
	if err := build(*dir); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

func build(dir string) error {
	b, err := handset.Parse(os.DirFS(dir))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "compiled.bin"), b, 0o644)
}
