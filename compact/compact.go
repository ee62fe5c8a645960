// Package compact writes plain values as bytes that are fast to read: what
// YAML files say, compiled for the start of the program. The bytes have no
// names in them and fit one version of the type only; whoever keeps them
// beside a hash of their source reads the source when they do not fit.
package compact

import (
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"unsafe"
)

// ErrDamaged says that bytes are no value of the wanted type.
var ErrDamaged = errors.New("compact: not a value of this type")

// maxFields bounds the fields of a struct: each is a bit of one number.
const maxFields = 64

// Marshal writes v: structs of exported fields, slices, maps with string
// keys, strings, numbers, booleans, and types that read and write
// themselves as text. The same value gives the same bytes.
func Marshal(v any) ([]byte, error) { return appendValue(nil, reflect.ValueOf(v)) }

// Unmarshal reads what Marshal wrote into the value that to points to. Its
// strings are cut out of b, which must not be written to any more.
func Unmarshal(b []byte, to any) error {
	r := reader{s: unsafe.String(unsafe.SliceData(b), len(b))}
	r.value(reflect.ValueOf(to).Elem())
	if r.bad || r.s != "" {
		return ErrDamaged
	}
	return nil
}

func appendValue(b []byte, v reflect.Value) ([]byte, error) {
	if m, ok := v.Interface().(encoding.TextMarshaler); ok {
		t, err := m.MarshalText()
		return appendString(b, string(t)), err
	}
	switch v.Kind() {
	case reflect.String:
		return appendString(b, v.String()), nil
	case reflect.Bool:
		if v.Bool() {
			return append(b, 1), nil
		}
		return append(b, 0), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return binary.AppendVarint(b, v.Int()), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return binary.AppendUvarint(b, v.Uint()), nil
	case reflect.Float64:
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(v.Float())), nil
	case reflect.Slice:
		return appendSlice(b, v)
	case reflect.Map:
		return appendMap(b, v)
	case reflect.Struct:
		return appendStruct(b, v)
	}
	return nil, fmt.Errorf("compact: cannot write a %s", v.Type())
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendSlice(b []byte, v reflect.Value) (_ []byte, err error) {
	b = binary.AppendUvarint(b, uint64(v.Len()))
	for i := 0; i < v.Len() && err == nil; i++ {
		b, err = appendValue(b, v.Index(i))
	}
	return b, err
}

func appendMap(b []byte, v reflect.Value) (_ []byte, err error) {
	if v.Type().Key().Kind() != reflect.String {
		return nil, fmt.Errorf("compact: cannot write a %s", v.Type())
	}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, c reflect.Value) int {
		if a.String() < c.String() {
			return -1
		}
		return 1
	})
	b = binary.AppendUvarint(b, uint64(len(keys)))
	for i := 0; i < len(keys) && err == nil; i++ {
		b, err = appendValue(appendString(b, keys[i].String()), v.MapIndex(keys[i]))
	}
	return b, err
}

// appendStruct writes which fields are set, and those.
func appendStruct(b []byte, v reflect.Value) (_ []byte, err error) {
	if v.NumField() > maxFields {
		return nil, fmt.Errorf("compact: %s has more than %d fields", v.Type(), maxFields)
	}
	set := uint64(0)
	for i := range v.NumField() {
		if v.Type().Field(i).IsExported() && !v.Field(i).IsZero() {
			set |= 1 << i
		}
	}
	b = binary.AppendUvarint(b, set)
	for i := 0; i < v.NumField() && err == nil; i++ {
		if set&(1<<i) != 0 {
			b, err = appendValue(b, v.Field(i))
		}
	}
	return b, err
}
