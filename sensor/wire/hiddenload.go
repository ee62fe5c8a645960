package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"path"
	"strings"

	"github.com/goccy/go-yaml"
)

// hiderFile is one file of the directory.
type hiderFile struct {
	Services []hiderEntry `yaml:"services"`
}

// hiderEntry is one service as listed. Kinds is what it offers. A name stands
// for itself; one that begins with a dot for the name after the dot and all
// below it.
type hiderEntry struct {
	Service   string   `yaml:"service"`
	Kinds     []string `yaml:"kinds"`
	Names     []string `yaml:"names"`
	Addresses []string `yaml:"addresses"` // addresses and prefixes
	Source    string   `yaml:"source"`    // where it is documented
}

// LoadHiders reads all *.yml files of dir (configs/hidden), or compiled.txt
// where that was made of the same files. It is strict: an
// unknown key, kind, a name or address that is none, a service without source
// or listed twice for one name is an error that says the file and the service.
func LoadHiders(dir fs.FS) (*Hiders, error) {
	files, hash, err := readHidden(dir)
	if err != nil {
		return nil, err
	}
	if h := compiledHiders(dir, hash); h != nil {
		return h, nil
	}
	h, _, err := parseHidden(files)
	return h, err
}

// hiddenFile is one YAML file.
type hiddenFile struct {
	name string
	text []byte
}

// readHidden reads the YAML files, with a hash of all.
func readHidden(dir fs.FS) ([]hiddenFile, string, error) {
	names, err := fs.Glob(dir, "*.yml")
	if err != nil {
		return nil, "", fmt.Errorf("hidden services: %w", err)
	}
	if len(names) == 0 {
		return nil, "", errors.New("hidden services: no *.yml file")
	}
	sum := sha256.New()
	files := make([]hiddenFile, 0, len(names))
	for _, name := range names {
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, "", fmt.Errorf("hidden services: %w", err)
		}
		fmt.Fprintf(sum, "%s %d\n", name, len(text))
		sum.Write(text)
		files = append(files, hiddenFile{path.Base(name), text})
	}
	return files, hex.EncodeToString(sum.Sum(nil)), nil
}

// parseHidden also returns the entries of all files.
func parseHidden(files []hiddenFile) (*Hiders, []hiderEntry, error) {
	h := &Hiders{names: map[string]hiderName{}}
	var all []hiderEntry
	for _, f := range files {
		var file hiderFile
		if err := yaml.UnmarshalWithOptions(f.text, &file, yaml.Strict()); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", f.name, err)
		}
		for i := range file.Services {
			e := &file.Services[i]
			err := e.check()
			if err == nil {
				err = h.add(e)
			}
			if err != nil {
				return nil, nil, fmt.Errorf("%s: service %d (%q): %w", f.name, i+1, e.Service, err)
			}
		}
		all = append(all, file.Services...)
	}
	return h, all, nil
}

func (e *hiderEntry) check() error {
	switch {
	case e.Service == "":
		return errors.New("no service name")
	case e.Source == "":
		return errors.New("no source")
	case len(e.Names)+len(e.Addresses) == 0:
		return errors.New("neither names nor addresses")
	case len(e.Kinds) == 0:
		return errors.New("no kinds")
	}
	return nil
}

func (h *Hiders) add(e *hiderEntry) error {
	hider := Hider{Name: e.Service}
	for i, k := range e.Kinds {
		kind, err := parseHiderKind(k)
		if err != nil {
			return err
		}
		if i == 0 {
			hider.Kind = kind
		}
		hider.Kinds |= 1 << kind
	}
	for _, name := range e.Names {
		if err := h.addName(name, hider); err != nil {
			return err
		}
	}
	for _, a := range e.Addresses {
		if err := h.addAddress(a, hider); err != nil {
			return err
		}
	}
	return nil
}

func parseHiderKind(s string) (HiderKind, error) {
	for k := DoT; int(k) < len(hiderKinds); k++ {
		if hiderKinds[k] == s {
			return k, nil
		}
	}
	return 0, fmt.Errorf("kind %q: want one of %s", s, strings.Join(hiderKinds[1:], ", "))
}

func (h *Hiders) addName(name string, hider Hider) error {
	plain, tree := strings.CutPrefix(name, ".")
	if plain != strings.ToLower(plain) || !isHostName([]byte(plain)) {
		return fmt.Errorf("name %q: want a host name in lower case, with a leading dot for all below it", name)
	}
	n := h.names[plain]
	if tree && n.tree || !tree && n.isExact {
		return fmt.Errorf("name %q is listed twice", name)
	}
	if tree {
		n.below, n.tree = hider, true
	} else {
		n.exact, n.isExact = hider, true
	}
	h.names[plain] = n
	return nil
}

func (h *Hiders) addAddress(s string, hider Hider) error {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		addr, err := netip.ParseAddr(s)
		if err != nil || addr.Zone() != "" {
			return fmt.Errorf("address %q: want an address or a prefix", s)
		}
		p = netip.PrefixFrom(addr, addr.BitLen())
	}
	if p != p.Masked() {
		return fmt.Errorf("prefix %q has bits after its length", s)
	}
	if _, twice := h.addrs.Get(p); twice {
		return fmt.Errorf("address %q is listed twice", s)
	}
	h.addrs.Insert(p, hider)
	return nil
}
