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
		Maker      text        `yaml:"maker" json:"maker,omitzero"`
		Title      string      `yaml:"title" json:"title,omitzero"`
		Kind       text        `yaml:"kind" json:"kind,omitzero"` // maker (default), group, platform
		Company    string      `yaml:"company" json:"company,omitzero"`
		Home       text        `yaml:"home" json:"home,omitzero"`     // ISO 3166-1
		System     text        `yaml:"system" json:"system,omitzero"` // platform its handsets run
		Group      text        `yaml:"group" json:"group,omitzero"`   // group it belongs to
		Before     text        `yaml:"before" json:"before,omitzero"` // maker whose software it ran before a split
		Owns       []ownsEntry `yaml:"owns" json:"owns,omitzero"`
		Signatures []sigEntry  `yaml:"signatures" json:"signatures,omitzero"`
	}

	// ownsEntry lists domains of the company: evidence of the web plane.
	ownsEntry struct {
		Domains []text `yaml:"domains" json:"domains,omitzero"`
		Company string `yaml:"company" json:"company,omitzero"` // when it is not the file's
		Home    text   `yaml:"home" json:"home,omitzero"`
		Source  text   `yaml:"source" json:"source,omitzero"`
	}

	// sigEntry is one signature. Exactly one of the pattern keys is set.
	sigEntry struct {
		ID    text `yaml:"id" json:"id,omitzero"`
		Maker text `yaml:"maker" json:"maker,omitzero"` // overlays only

		Names       []text `yaml:"names" json:"names,omitzero"`               // host, *.suffix, or glob*.suffix
		Hostname    []text `yaml:"hostname" json:"hostname,omitzero"`         // RE2, DHCP option 12
		VendorClass []text `yaml:"vendor_class" json:"vendor_class,omitzero"` // RE2, DHCP option 60
		ParamList   []text `yaml:"param_list" json:"param_list,omitzero"`     // exact, DHCP option 55
		UserAgent   []text `yaml:"user_agent" json:"user_agent,omitzero"`     // RE2
		Model       []text `yaml:"model" json:"model,omitzero"`               // RE2 from the start of a model string
		MDNS        []text `yaml:"mdns" json:"mdns,omitzero"`                 // RE2
		SSDP        []text `yaml:"ssdp" json:"ssdp,omitzero"`                 // RE2
		JA4         []text `yaml:"ja4" json:"ja4,omitzero"`                   // exact

		Plane    text   `yaml:"plane" json:"plane,omitzero"` // os app web; names only
		Strength text   `yaml:"strength" json:"strength,omitzero"`
		Form     text   `yaml:"form" json:"form,omitzero"`
		Service  string `yaml:"service" json:"service,omitzero"` // names of one service are one item
		Each     bool   `yaml:"each" json:"each,omitzero"`       // every sub-name is a service of its own
		Probe    bool   `yaml:"probe" json:"probe,omitzero"`     // a connectivity check: forgotten within days
		Is       string `yaml:"is" json:"is,omitzero"`           // what model it is, when the pattern says so
		Verified text   `yaml:"verified" json:"verified,omitzero"`
		Source   text   `yaml:"source" json:"source,omitzero"`
		Says     string `yaml:"says" json:"says,omitzero"` // in words: what the device did
		Example  []text `yaml:"example" json:"example,omitzero"`
		Not      []text `yaml:"not" json:"not,omitzero"` // counter-examples

		Reason  string `yaml:"reason" json:"reason,omitzero"`   // overlays only
		Expires text   `yaml:"expires" json:"expires,omitzero"` // overlays only, YYYY-MM-DD
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
