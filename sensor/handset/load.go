package handset

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io/fs"
	"slices"
	"strings"
)

// engine counts the changes to the code that judges, so that the hash of a
// set stands for the whole of what decides.
const engine = 1

const (
	rulesName = "rules.yml"
	ouiName   = "oui.tsv"
)

func newSet() *Set {
	return &Set{byMaker: map[string]int{}, byID: map[string]int{}, byService: map[string]uint16{}, exact: map[string]uint16{}}
}

// Load compiles the signatures in the top directory of fsys: rules.yml,
// oui.tsv and one YAML file a maker. Each overlay (a site's signatures.d)
// adds, weakens or disables entries. Errors say file:line and what was
// expected.
func Load(fsys fs.FS, overlays ...fs.FS) (*Set, error) {
	s := newSet()
	h := sha256.New()
	fmt.Fprintf(h, "engine %d\n", engine)
	files, err := readAll(fsys, h)
	if err != nil {
		return nil, err
	}
	all := readParsed(fsys, hex.EncodeToString(h.Sum(nil)))
	if all == nil {
		if all, err = parse(files); err != nil {
			return nil, err
		}
	}
	if err := s.compile(all, files); err != nil {
		return nil, err
	}
	for _, o := range overlays {
		files, err := readAll(o, h)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			if err := s.overlay(f); err != nil {
				return nil, err
			}
		}
	}
	for _, x := range s.rules.SearchSuffixes {
		s.names.node(strings.ToLower(x)).strip = true
	}
	s.services = make([]string, len(s.byService)+1)
	for name, n := range s.byService {
		s.services[n] = name
	}
	s.matches = make([]Match, 0, len(s.sigs))
	for i := range s.sigs {
		s.matches = append(s.matches, s.matchOf(&s.sigs[i]))
	}
	slices.SortFunc(s.owner, func(a, b Owner) int { return strings.Compare(a.Domain, b.Domain) })
	s.hash = hex.EncodeToString(h.Sum(nil)[:8])
	s.knowNothing()
	s.said = newReasons(len(s.sigs))
	return s, nil
}

type file struct {
	name string
	data []byte
}

// maxFile bounds a signature file; the largest shipped one is the table of
// hardware prefixes, with about 60 kB.
const maxFile = 8 << 20

// readAll reads the signature files of a directory in order of their names.
func readAll(fsys fs.FS, h hash.Hash) ([]file, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("signatures: %w", err)
	}
	var files []file
	for _, e := range entries {
		n := e.Name()
		if e.IsDir() || !strings.HasSuffix(n, ".yml") && !strings.HasSuffix(n, ".yaml") && n != ouiName {
			continue
		}
		b, err := fs.ReadFile(fsys, n)
		if err != nil {
			return nil, fmt.Errorf("signatures: %w", err)
		}
		if len(b) > maxFile {
			return nil, fmt.Errorf("%s: larger than %d bytes", n, maxFile)
		}
		fmt.Fprintf(h, "%s %d\n", n, len(b))
		h.Write(b)
		files = append(files, file{n, b})
	}
	fmt.Fprintln(h, "end")
	return files, nil
}

// compile turns what the files hold into signatures. The heads of all files
// come first: an entry may name a maker of a later file.
func (s *Set) compile(p *parsed, files []file) error {
	s.rules, s.prior = p.Rules, logit(p.Rules.Prior)
	s.reserve(p)
	if err := s.rules.check(rulesName); err != nil {
		return err
	}
	for i := range p.Makers {
		if err := s.addMaker(p.Makers[i].File, &p.Makers[i].Says); err != nil {
			return err
		}
	}
	for i := range p.Makers {
		if err := s.relate(p.Makers[i].File, &p.Makers[i].Says, i); err != nil {
			return err
		}
	}
	for i := range p.Makers {
		m := &p.Makers[i]
		c := compiler{Set: s, file: m.File, maker: uint8(i), checked: p.checked}
		for j := range m.Says.Signatures {
			if err := c.entry(&m.Says.Signatures[j]); err != nil {
				return err
			}
		}
	}
	for i := range p.Makers {
		c := compiler{Set: s, file: p.Makers[i].File, maker: uint8(i), checked: p.checked}
		if err := c.owns(&p.Makers[i].Says); err != nil {
			return err
		}
	}
	for _, f := range files {
		if f.name == ouiName {
			return s.loadOUI(f)
		}
	}
	return nil
}

// reserve makes room for what p says: growing into it bit by bit costs as much
// again.
func (s *Set) reserve(p *parsed) {
	entries, examples := 0, 0
	for i := range p.Makers {
		says := &p.Makers[i].Says
		entries += len(says.Signatures) + len(says.Owns)
		for j := range says.Signatures {
			e := &says.Signatures[j]
			examples += len(e.Example) + len(e.Not) + len(e.Names) + len(e.ParamList) + len(e.JA4)
		}
	}
	const hardware = 64 // what ouiSignature adds, nearly
	s.sigs = make([]signature, 0, entries+hardware)
	s.examples = make([]example, 0, examples)
	s.byID = make(map[string]int, entries+hardware)
	s.byService = make(map[string]uint16, entries+hardware)
}

const maxMakers = 128

func (s *Set) addMaker(file string, f *makerFile) error {
	m := maker{name: f.Maker.s, title: f.Title, company: f.Company, home: f.Home.s, system: -1, group: -1, before: -1}
	if m.title == "" {
		m.title = m.name
	}
	if f.Kind.s != "" {
		k := index(kindNames[:], f.Kind.s)
		if k < 0 {
			return wrong(file, f.Kind, "kind", kindNames[:])
		}
		m.kind = makerKind(k)
	}
	switch {
	case !isID(m.name):
		return fmt.Errorf("%s:%d: maker: want a lower-case word", file, max(f.Maker.line, 1))
	case len(s.makers) == maxMakers:
		return fmt.Errorf("%s: more than %d makers", file, maxMakers)
	case m.home != "" && !isCountry(m.home):
		return fmt.Errorf("%s:%d: home: %q is no country code (ISO 3166-1)", file, f.Home.line, m.home)
	}
	if _, twice := s.byMaker[m.name]; twice {
		return fmt.Errorf("%s:%d: maker: %s has a file already", file, f.Maker.line, m.name)
	}
	s.byMaker[m.name] = len(s.makers)
	s.makers = append(s.makers, m)
	return nil
}

// relate resolves the makers that a file's head names.
func (s *Set) relate(file string, f *makerFile, i int) error {
	for _, r := range []struct {
		key string
		t   text
		to  *int16
	}{{"system", f.System, &s.makers[i].system}, {"group", f.Group, &s.makers[i].group}, {"before", f.Before, &s.makers[i].before}} {
		if r.t.s == "" {
			continue
		}
		j, ok := s.byMaker[r.t.s]
		if !ok {
			return wrong(file, r.t, r.key, s.makerNames())
		}
		*r.to = int16(j)
	}
	return nil
}

func (s *Set) makerNames() []string {
	w := make([]string, len(s.makers))
	for i := range s.makers {
		w[i] = s.makers[i].name
	}
	return w
}

func wrong(file string, t text, key string, want []string) error {
	if len(want) > 8 {
		return fmt.Errorf("%s:%d: %s: unknown %q%s", file, t.line, key, t.s, nearest(t.s, want))
	}
	return fmt.Errorf("%s:%d: %s: unknown %q; want one of %s", file, t.line, key, t.s, strings.Join(want, ", "))
}

func isCountry(s string) bool {
	return len(s) == 2 && 'A' <= s[0] && s[0] <= 'Z' && 'A' <= s[1] && s[1] <= 'Z'
}

// isID reports whether s is made of lower-case letters, digits, dots and
// hyphens.
func isID(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '-') {
			return false
		}
	}
	return true
}
