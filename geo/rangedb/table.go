package rangedb

import (
	"encoding/binary"
	"sort"
)

// perBlock is how many ranges a block holds: more saves index bytes, fewer
// saves decoding. 32 costs 12 bytes / 32 of index and about 60 ns to walk.
const perBlock = 32

// indexEntry is the first start (8 bytes) and the offset of the block (4).
const indexEntry = 12

// table holds sorted starts; a range reaches to the next start, and the
// value 0 marks a gap. Of every block the index holds the first start whole;
// the block itself is a byte of shift, the first value, then for every other
// range the distance from the start before it, shifted right, and the value,
// as varints.
type table struct {
	index, blocks []byte
	entries       int
}

func openTable(b []byte, entries int) (table, error) {
	n := (entries + perBlock - 1) / perBlock
	if entries > len(b) || n*indexEntry > len(b) {
		return table{}, ErrTruncated
	}
	t := table{b[:n*indexEntry], b[n*indexEntry:], entries}
	for i := range n {
		if t.offset(i) > len(t.blocks) || i > 0 && t.start(i) <= t.start(i-1) {
			return table{}, ErrCorrupt
		}
		if i == 64 { // the rest is covered by the checksum; touch few pages here
			break
		}
	}
	return t, nil
}

func (t *table) start(i int) uint64 { return binary.LittleEndian.Uint64(t.index[i*indexEntry:]) }

func (t *table) offset(i int) int {
	return int(binary.LittleEndian.Uint32(t.index[i*indexEntry+8:]))
}

// find returns the value of the range that holds key. A damaged block gives
// 0: it is never read beyond its end.
func (t *table) find(key uint64) uint32 {
	lo, hi := 0, len(t.index)/indexEntry
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if t.start(mid) <= key {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == 0 {
		return 0
	}
	return t.walk(lo-1, key)
}

// walk decodes block i up to key. Nearly all numbers are one byte.
func (t *table) walk(i int, key uint64) uint32 {
	off := t.offset(i)
	if off >= len(t.blocks) {
		return 0
	}
	b, at := t.blocks[off:], t.start(i)
	shift := b[0] & 63
	value, n := varint(b, 1)
	left := min(perBlock, t.entries-i*perBlock) - 1
	for ; left > 0; left-- {
		var d, v uint64
		if n+1 < len(b) && b[n]|b[n+1] < 0x80 {
			d, v, n = uint64(b[n]), uint64(b[n+1]), n+2
		} else {
			d, n = varint(b, n)
			v, n = varint(b, n)
		}
		at += d << shift
		if at > key {
			break
		}
		value = v
	}
	return uint32(value)
}

// varint reads the unsigned LEB128 at n and returns where it ends; at the
// end of b it gives 0.
func varint(b []byte, n int) (v uint64, end int) {
	for shift := 0; n < len(b) && shift < 64; shift += 7 {
		c := b[n]
		n++
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			break
		}
	}
	return v, n
}

// The kinds of value in a side table.
const (
	kindCountry = iota
	kindRegistration
	kindNetwork
)

// sideEntry is a kind, first and last address, and a value.
const sideEntry = 1 + 16 + 16 + 4

// sideTable holds IPv6 ranges that begin or end inside a /64; they are few.
type sideTable struct{ b []byte }

func openSide(b []byte, entries int) (sideTable, error) {
	if len(b) != entries*sideEntry {
		return sideTable{}, ErrCorrupt
	}
	return sideTable{b}, nil
}

// find searches the ranges of one kind, which are sorted and do not overlap.
func (t sideTable) find(kind byte, a [16]byte) (uint32, bool) {
	if len(t.b) == 0 {
		return 0, false
	}
	after := sort.Search(len(t.b)/sideEntry, func(i int) bool {
		e := t.b[i*sideEntry:]
		return e[0] > kind || e[0] == kind && string(e[1:17]) > string(a[:])
	})
	if after == 0 {
		return 0, false
	}
	e := t.b[(after-1)*sideEntry:]
	if e[0] != kind || string(e[17:33]) < string(a[:]) {
		return 0, false
	}
	return binary.LittleEndian.Uint32(e[33:]), true
}
