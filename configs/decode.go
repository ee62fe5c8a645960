package configs

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"picket/spellcheck"
)

// Error is a mistake in a configuration file: one line that says where and
// what was expected.
type Error struct {
	File string
	Line int    // from 1; 0 when it concerns the whole file
	Key  string // the key as written, empty when unknown
	Err  error
}

// Error returns "file:line: key: what was expected".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	if e.Key != "" {
		fmt.Fprintf(&b, ": %s", e.Key)
	}
	fmt.Fprintf(&b, ": %v", e.Err)
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// decode reads the YAML in data strictly into v, which holds the defaults.
// A mistake is an *Error with its place.
func decode(file string, data []byte, v any) error {
	parsed, err := parser.ParseBytes(data, 0)
	if err != nil {
		return place(file, err)
	}
	documents := slices.DeleteFunc(parsed.Docs, func(d *ast.DocumentNode) bool { return d.Body == nil })
	if len(documents) == 0 {
		return nil // an empty file is the defaults
	}
	if len(documents) > 1 {
		return &Error{File: file, Line: documents[1].Body.GetToken().Position.Line, Err: errors.New("a second YAML document; want one")}
	}
	body := documents[0].Body
	err = yaml.NodeToValue(body, v, yaml.Strict())
	if err == nil {
		return nil
	}
	return explain(file, body, v, err)
}

// explain finds where in the file err came from.
func explain(file string, body ast.Node, v any, err error) error {
	var unknown *yaml.UnknownFieldError
	if errors.As(err, &unknown) {
		key := unknown.Token.Value
		what := "unknown key"
		if near := spellcheck.Nearest(key, keysOf(reflect.TypeOf(v), map[reflect.Type]bool{})); near != "" {
			what += fmt.Sprintf(", did you mean %q?", near)
		}
		return &Error{File: file, Line: unknown.Token.Position.Line, Key: key, Err: errors.New(what)}
	}
	if hasToken(err) {
		return place(file, err)
	}
	// A type that checks itself returned the error, without its place: find it.
	if key, tok, cause := locate(body, reflect.TypeOf(v).Elem(), ""); cause != nil {
		return &Error{File: file, Line: tok.Position.Line, Key: key, Err: cause}
	}
	return &Error{File: file, Err: err}
}

// place turns an error of the YAML library into an *Error.
func place(file string, err error) error {
	e := &Error{File: file, Err: err}
	var y yaml.Error
	if errors.As(err, &y) {
		if tok := y.GetToken(); tok != nil {
			e.Line = tok.Position.Line
		}
		msg := y.GetMessage()
		var typed *yaml.TypeError
		if errors.As(err, &typed) && typed.Token != nil {
			e.Key = keyBefore(typed.Token)
			msg = fmt.Sprintf("%s where %s is expected", strings.TrimSpace(typed.Token.Value), kindName(typed.DstType))
		}
		e.Err = errors.New(msg)
	}
	return e
}

func hasToken(err error) bool {
	var y yaml.Error
	return errors.As(err, &y) && y.GetToken() != nil
}

// keyBefore returns the mapping key that tok is the value of, when it stands
// on the same line.
func keyBefore(tok *token.Token) string {
	for t := tok.Prev; t != nil && t.Position.Line == tok.Position.Line; t = t.Prev {
		if t.Type == token.MappingValueType && t.Prev != nil {
			return t.Prev.Value
		}
	}
	return ""
}

func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Slice:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "a mapping"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Int32:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	}
	return "text"
}

// locate walks node beside the Go type it decodes into and returns the
// innermost value that its own type refuses.
func locate(node ast.Node, t reflect.Type, key string) (string, *token.Token, error) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	itself := checksItself(t)
	if n, ok := node.(*ast.MappingNode); ok && itself && t.Kind() == reflect.Struct { // what is inside first: it names the line
		for _, v := range n.Values {
			if k, tok, err := locateValue(v, t); err != nil {
				return k, tok, err
			}
		}
	}
	if !itself {
		switch n := node.(type) {
		case *ast.MappingNode:
			for _, v := range n.Values {
				if k, tok, err := locateValue(v, t); err != nil {
					return k, tok, err
				}
			}
			return "", nil, nil
		case *ast.MappingValueNode:
			return locateValue(n, t)
		case *ast.SequenceNode:
			if t.Kind() != reflect.Slice {
				return "", nil, nil
			}
			for _, v := range n.Values {
				if k, tok, err := locate(v, t.Elem(), key); err != nil {
					return k, tok, err
				}
			}
			return "", nil, nil
		}
	}
	if err := yaml.NodeToValue(node, reflect.New(t).Interface(), yaml.Strict()); err != nil {
		return key, firstToken(node), err
	}
	return "", nil, nil
}

func locateValue(n *ast.MappingValueNode, t reflect.Type) (string, *token.Token, error) {
	key := n.Key.GetToken().Value
	switch t.Kind() {
	case reflect.Map:
		return locate(n.Value, t.Elem(), key)
	case reflect.Struct:
		if f, ok := fieldOf(t, key); ok {
			return locate(n.Value, f, key)
		}
	}
	return "", nil, nil
}

// firstToken is where a node begins: a mapping's own token is its colon.
func firstToken(node ast.Node) *token.Token {
	switch n := node.(type) {
	case *ast.MappingNode:
		if len(n.Values) > 0 {
			return n.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		return n.Key.GetToken()
	}
	return node.GetToken()
}

var (
	bytesUnmarshaler     = reflect.TypeFor[yaml.BytesUnmarshaler]()
	interfaceUnmarshaler = reflect.TypeFor[yaml.InterfaceUnmarshaler]()
	nodeUnmarshaler      = reflect.TypeFor[yaml.NodeUnmarshaler]()
	textUnmarshaler      = reflect.TypeFor[interface{ UnmarshalText([]byte) error }]()
)

func checksItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(bytesUnmarshaler) || p.Implements(interfaceUnmarshaler) || p.Implements(nodeUnmarshaler) || p.Implements(textUnmarshaler)
}

// fieldOf returns the type of the field that key names in the struct t.
func fieldOf(t reflect.Type, key string) (reflect.Type, bool) {
	for f := range fields(t) {
		if f.name == key {
			return f.typ, true
		}
	}
	return nil, false
}
