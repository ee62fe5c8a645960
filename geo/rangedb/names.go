package rangedb

import (
	"encoding/binary"
	"unsafe"
)

// nameTable holds strings by number: ends, then the bytes.
type nameTable struct {
	ends, text []byte
}

func openNames(b []byte, entries int) (nameTable, error) {
	if entries*4 > len(b) {
		return nameTable{}, ErrTruncated
	}
	return nameTable{b[:entries*4], b[entries*4:]}, nil
}

// at is the i-th string, empty beyond the end or where the table is damaged.
func (t nameTable) at(i int) string {
	if i < 0 || (i+1)*4 > len(t.ends) {
		return ""
	}
	from, to := 0, int(binary.LittleEndian.Uint32(t.ends[i*4:]))
	if i > 0 {
		from = int(binary.LittleEndian.Uint32(t.ends[i*4-4:]))
	}
	if from > to || to > len(t.text) {
		return ""
	}
	return view(t.text[from:to])
}

// view is b as a string without a copy: the file is never written.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
