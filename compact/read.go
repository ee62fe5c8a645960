package compact

import (
	"encoding"
	"math"
	"reflect"
)

// stringUnmarshaler reads itself from a string that it may keep a part of.
type stringUnmarshaler interface{ UnmarshalString(string) error }

// reader takes values off a text.
type reader struct {
	s   string
	bad bool
}

func (r *reader) fail() {
	r.bad, r.s = true, ""
}

func (r *reader) uvarint() (n uint64) {
	for i := 0; i < len(r.s) && i < 10; i++ {
		c := r.s[i]
		n |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			r.s = r.s[i+1:]
			return n
		}
	}
	r.fail()
	return 0
}

// count is a number of things of at least one byte each: it promises no
// more than there can be.
func (r *reader) count() int {
	n := r.uvarint()
	if n > uint64(len(r.s)) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) text() string {
	n := r.count()
	s := r.s[:n]
	r.s = r.s[n:]
	return s
}

func (r *reader) value(v reflect.Value) {
	if k := v.Kind(); k == reflect.Struct || v.NumMethod() > 0 { // few types have methods
		switch u := v.Addr().Interface().(type) {
		case stringUnmarshaler:
			if u.UnmarshalString(r.text()) != nil {
				r.fail()
			}
			return
		case encoding.TextUnmarshaler:
			if u.UnmarshalText([]byte(r.text())) != nil {
				r.fail()
			}
			return
		}
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(r.text())
	case reflect.Bool:
		v.SetBool(r.uvarint() == 1)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n := r.uvarint()
		v.SetInt(int64(n>>1) ^ -int64(n&1))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(r.uvarint())
	case reflect.Float64:
		r.float(v)
	case reflect.Slice:
		r.slice(v)
	case reflect.Map:
		r.mapped(v)
	case reflect.Struct:
		r.fields(v)
	default:
		r.fail()
	}
}

func (r *reader) float(v reflect.Value) {
	if len(r.s) < 8 {
		r.fail()
		return
	}
	var bits uint64
	for i := range 8 {
		bits |= uint64(r.s[i]) << (8 * i)
	}
	r.s = r.s[8:]
	v.SetFloat(math.Float64frombits(bits))
}

func (r *reader) slice(v reflect.Value) {
	n := r.count()
	if n == 0 {
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), n, n))
	for i := 0; i < n && !r.bad; i++ {
		r.value(v.Index(i))
	}
}

func (r *reader) mapped(v reflect.Value) {
	n := r.count()
	if v.Type().Key().Kind() != reflect.String {
		r.fail()
		return
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), n))
	for i := 0; i < n && !r.bad; i++ {
		key := reflect.New(v.Type().Key()).Elem()
		key.SetString(r.text())
		to := reflect.New(v.Type().Elem()).Elem()
		r.value(to)
		v.SetMapIndex(key, to)
	}
}

func (r *reader) fields(v reflect.Value) {
	set := r.uvarint()
	if v.NumField() < maxFields && set>>v.NumField() != 0 {
		r.fail()
		return
	}
	for i := 0; set != 0 && !r.bad; i, set = i+1, set>>1 {
		if set&1 == 0 {
			continue
		}
		f := v.Field(i)
		if !f.CanSet() {
			r.fail()
			return
		}
		r.value(f)
	}
}
