package configs

import (
	"iter"
	"reflect"
	"strings"
)

type field struct {
	name string
	typ  reflect.Type
}

// fields yields the YAML keys of struct t, inlined structs included.
func fields(t reflect.Type) iter.Seq[field] {
	return func(yield func(field) bool) {
		for i := range t.NumField() {
			f := t.Field(i)
			name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			if name == "-" || !f.IsExported() {
				continue
			}
			if strings.Contains(options, "inline") && f.Type.Kind() != reflect.Struct {
				continue // any key goes there
			}
			if strings.Contains(options, "inline") {
				for g := range fields(f.Type) {
					if !yield(g) {
						return
					}
				}
				continue
			}
			if name == "" {
				name = strings.ToLower(f.Name)
			}
			if !yield(field{name, f.Type}) {
				return
			}
		}
	}
}

// keysOf returns every key that can stand anywhere below t.
func keysOf(t reflect.Type, seen map[reflect.Type]bool) []string {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Array:
		return keysOf(t.Elem(), seen)
	case reflect.Struct:
		if seen[t] {
			return nil
		}
		seen[t] = true
		var keys []string
		for f := range fields(t) {
			keys = append(append(keys, f.name), keysOf(f.typ, seen)...)
		}
		return keys
	}
	return nil
}
