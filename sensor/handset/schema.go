package handset

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"picket/spellcheck"
)

// The files of a signature set as YAML spells them. Every key is listed
// here and nowhere else: decoding is strict.
type (
	// makerFile is one file of configs/signatures: a maker, a group of
	// makers that share software, or a platform that names no maker.
	makerFile struct {
		Maker      text        `yaml:"maker"`
		Title      string      `yaml:"title"`
		Kind       text        `yaml:"kind"` // maker (default), group, platform
		Company    string      `yaml:"company"`
		Home       text        `yaml:"home"`   // ISO 3166-1
		System     text        `yaml:"system"` // platform its handsets run
		Group      text        `yaml:"group"`  // group it belongs to
		Before     text        `yaml:"before"` // maker whose software it ran before a split
		Owns       []ownsEntry `yaml:"owns"`
		Signatures []sigEntry  `yaml:"signatures"`
	}

	// ownsEntry lists domains of the company: evidence of the web plane.
	ownsEntry struct {
		Domains []text `yaml:"domains"`
		Company string `yaml:"company"` // when it is not the file's
		Home    text   `yaml:"home"`
		Source  text   `yaml:"source"`
	}

	// sigEntry is one signature. Exactly one of the pattern keys is set.
	sigEntry struct {
		ID    text `yaml:"id"`
		Maker text `yaml:"maker"` // overlays only

		Names       []text `yaml:"names"`        // host, *.suffix, or glob*.suffix
		Hostname    []text `yaml:"hostname"`     // RE2, DHCP option 12
		VendorClass []text `yaml:"vendor_class"` // RE2, DHCP option 60
		ParamList   []text `yaml:"param_list"`   // exact, DHCP option 55
		UserAgent   []text `yaml:"user_agent"`   // RE2
		Model       []text `yaml:"model"`        // RE2 from the start of a model string
		MDNS        []text `yaml:"mdns"`         // RE2
		SSDP        []text `yaml:"ssdp"`         // RE2
		JA4         []text `yaml:"ja4"`          // exact

		Plane    text   `yaml:"plane"` // os app web; names only
		Strength text   `yaml:"strength"`
		Form     text   `yaml:"form"`
		Service  string `yaml:"service"` // names of one service are one item
		Each     bool   `yaml:"each"`    // every sub-name is a service of its own
		Probe    bool   `yaml:"probe"`   // a connectivity check: forgotten within days
		Is       string `yaml:"is"`      // what model it is, when the pattern says so
		Verified text   `yaml:"verified"`
		Source   text   `yaml:"source"`
		Says     string `yaml:"says"` // in words: what the device did
		Example  []text `yaml:"example"`
		Not      []text `yaml:"not"` // counter-examples

		Reason  string `yaml:"reason"`  // overlays only
		Expires text   `yaml:"expires"` // overlays only, YYYY-MM-DD
	}

	// overlayFile is one file of signatures.d.
	overlayFile struct {
		Change []change   `yaml:"change"`
		Add    []sigEntry `yaml:"add"`
	}

	// change weakens or disables an entry by id.
	change struct {
		ID       text   `yaml:"id"`
		Disable  bool   `yaml:"disable"`
		Strength text   `yaml:"strength"`
		Reason   string `yaml:"reason"`
		Expires  text   `yaml:"expires"`
	}
)

// text is a string that remembers its line, for errors that say where.
type text struct {
	s    string
	line int
}

// UnmarshalYAML takes any scalar as it is written: NO stays a country.
func (t *text) UnmarshalYAML(n ast.Node) error {
	tok := n.GetToken()
	t.line = tok.Position.Line
	switch v := n.(type) {
	case *ast.StringNode:
		t.s = v.Value
	case *ast.LiteralNode:
		t.s = strings.TrimSpace(v.Value.Value)
	case *ast.NullNode:
	case ast.ScalarNode:
		t.s = tok.Value
	default:
		return &yaml.TypeError{DstType: reflect.TypeFor[string](), SrcType: reflect.TypeOf(n), Token: tok}
	}
	return nil
}

// decodeStrict reads YAML into v; a mistake is reported as file:line: key:
// what was expected.
func decodeStrict(file string, b []byte, v any) (err error) {
	defer func() { // the YAML library has panicked on damaged files before
		if r := recover(); r != nil {
			err = fmt.Errorf("%s: not YAML: %v", file, r)
		}
	}()
	err = yaml.UnmarshalWithOptions(b, v, yaml.Strict())
	if err == nil {
		return nil
	}
	var ye yaml.Error
	if !errors.As(err, &ye) || ye.GetToken() == nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	tok := ye.GetToken()
	line := tok.Position.Line
	var unknown *yaml.UnknownFieldError
	if errors.As(err, &unknown) {
		return fmt.Errorf("%s:%d: %s: unknown key%s", file, line, tok.Value, nearest(tok.Value, keysOf(reflect.TypeOf(v), nil)))
	}
	return fmt.Errorf("%s:%d: %s: %s", file, line, tok.Value, firstLine(ye.GetMessage()))
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// keysOf collects the YAML keys of a type and of the types inside it.
func keysOf(t reflect.Type, keys []string) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[text]() {
		return keys
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if k := f.Tag.Get("yaml"); k != "" {
			keys = keysOf(f.Type, append(keys, k))
		}
	}
	return keys
}

// nearest ends a message about a word that is not known with the one that may
// have been meant.
func nearest(got string, known []string) string {
	if n := spellcheck.Nearest(got, known); n != "" {
		return "; nearest is " + n
	}
	return ""
}
