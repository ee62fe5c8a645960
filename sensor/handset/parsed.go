package handset

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"picket/compact"
)

// parsedName is the file beside the YAML files that holds what they say:
// reading the YAML is most of the time that picket takes to start.
const parsedName = "compiled.bin"

// parsed is what the YAML files of a signature set say. Compiled it counts
// only while Hash is that of the files, so that a changed file is never
// passed over.
type parsed struct {
	Hash   string
	Rules  Rules
	Makers []parsedFile

	checked bool // it was compiled: its making checked the expressions
}

type parsedFile struct {
	File string
	Says makerFile
}

// readParsed returns what was compiled of files of this hash, nil when there
// is nothing.
func readParsed(fsys fs.FS, hash string) *parsed {
	b, err := fs.ReadFile(fsys, parsedName)
	if err != nil {
		return nil
	}
	var p parsed
	if compact.Unmarshal(b, &p) != nil || p.Hash != hash {
		return nil
	}
	p.checked = true
	return &p
}

// Parse reads the YAML files in the top directory of fsys and gives the
// content of compiled.bin for them.
func Parse(fsys fs.FS) ([]byte, error) {
	h := sha256.New()
	fmt.Fprintf(h, "engine %d\n", engine)
	files, err := readAll(fsys, h)
	if err != nil {
		return nil, err
	}
	p, err := parse(files)
	if err != nil {
		return nil, err
	}
	if err := newSet().compile(p, files); err != nil {
		return nil, err
	}
	p.Hash = hex.EncodeToString(h.Sum(nil))
	return compact.Marshal(*p)
}

// parse reads the rules and the makers.
func parse(files []file) (*parsed, error) {
	var p parsed
	ruled := false
	for _, f := range files {
		switch f.name {
		case ouiName:
		case rulesName:
			if err := decodeStrict(f.name, f.data, &p.Rules); err != nil {
				return nil, err
			}
			ruled = true
		default:
			m := parsedFile{File: f.name}
			if err := decodeStrict(f.name, f.data, &m.Says); err != nil {
				return nil, err
			}
			p.Makers = append(p.Makers, m)
		}
	}
	if !ruled {
		return nil, fmt.Errorf("signatures: no %s", rulesName)
	}
	return &p, nil
}

// MarshalText writes the line in front of the text: 12:connect.rom.miui.com.
func (t text) MarshalText() ([]byte, error) {
	return []byte(strconv.Itoa(t.line) + ":" + t.s), nil
}

// UnmarshalString reads that.
func (t *text) UnmarshalString(b string) error {
	line, s, ok := strings.Cut(b, ":")
	n, err := strconv.Atoi(line)
	if !ok || err != nil {
		return fmt.Errorf("want a line and a text, not %q", b)
	}
	t.s, t.line = s, n
	return nil
}
