package rangedb

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math/bits"
	"net/netip"
	"slices"
)

// Range is one row of a source: first and last address, both included.
type Range struct {
	First, Last netip.Addr
	Value       string // country code; for networks the number in decimal
}

// Builder gathers the rows and writes the file. The output depends on what
// was added and on nothing else. It is not safe for concurrent use.
type Builder struct {
	Origins []Origin
	Names   map[uint32]string // of networks

	country, registration []Range
	network               []networkRange
}

type networkRange struct {
	first, last netip.Addr
	asn         uint32
}

// AddCountry takes a row of the country source.
func (w *Builder) AddCountry(r Range) { w.country = append(w.country, r) }

// AddRegistration takes a row of the registry source.
func (w *Builder) AddRegistration(r Range) { w.registration = append(w.registration, r) }

// AddNetwork takes a row of the network source.
func (w *Builder) AddNetwork(first, last netip.Addr, asn uint32) {
	w.network = append(w.network, networkRange{first, last, asn})
}

// Bytes is the whole file. Rows may come in any order; of one source's rows
// that overlap by their ends the later wins, one inside another is an error.
func (w *Builder) Bytes() ([]byte, error) {
	codes := number(w.country, w.registration)
	asns := w.numberNetworks()
	f := file{}
	var side []sideRange
	for _, s := range []struct {
		name string
		kind byte
		rows []span
	}{
		{"country", kindCountry, spans(w.country, codes)},
		{"registration", kindRegistration, spans(w.registration, codes)},
		{"network", kindNetwork, w.networkSpans(asns)},
	} {
		v4, v6, long, err := split(s.rows, s.kind)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		f.add(s.name+"4", encodeTable(v4), len(v4))
		f.add(s.name+"6", encodeTable(v6), len(v6))
		side = append(side, long...)
	}
	f.add("side6", encodeSide(side), len(side))
	f.add("codes", encodeCodes(codes), len(codes))
	f.add("asns", encodeASNs(asns), len(asns))
	f.add("names", w.encodeNames(asns), len(asns))
	return f.bytes(w.Origins)
}

type file struct {
	sections []section
	body     []byte
}

func (f *file) add(name string, b []byte, entries int) {
	f.sections = append(f.sections, section{name, len(b), entries})
	f.body = append(f.body, b...)
}

func (f *file) bytes(origins []Origin) ([]byte, error) {
	head, err := json.Marshal(Info{origins, f.sections})
	if err != nil {
		return nil, err
	}
	out := []byte(Magic)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(head)))
	out = append(append(out, head...), f.body...)
	return binary.LittleEndian.AppendUint32(out, crc32.Checksum(out, crc32.MakeTable(crc32.Castagnoli))), nil
}

// span is a row with its value as a number.
type span struct {
	first, last netip.Addr
	value       uint32
}

// entry is a start in a table; the range reaches to the next.
type entry struct {
	start uint64
	value uint32
}

type sideRange struct {
	kind        byte
	first, last [16]byte
	value       uint32
}

// number counts the codes and gives the commonest the smallest numbers.
func number(lists ...[]Range) []string {
	count := map[string]int{}
	for _, l := range lists {
		for _, r := range l {
			count[r.Value]++
		}
	}
	return ranked(count)
}

func (w *Builder) numberNetworks() []uint32 {
	count := map[uint32]int{}
	for _, r := range w.network {
		count[r.asn]++
	}
	return ranked(count)
}

func ranked[K cmp.Ordered](count map[K]int) []K {
	var keys []K
	for k := range count {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b K) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b))
	})
	return keys
}

func spans(rows []Range, codes []string) []span {
	number := map[string]uint32{}
	for i, c := range codes {
		number[c] = uint32(i + 1)
	}
	out := make([]span, len(rows))
	for i, r := range rows {
		out[i] = span{r.First, r.Last, number[r.Value]}
	}
	return out
}

func (w *Builder) networkSpans(asns []uint32) []span {
	number := map[uint32]uint32{}
	for i, a := range asns {
		number[a] = uint32(i + 1)
	}
	out := make([]span, len(w.network))
	for i, r := range w.network {
		out[i] = span{r.first, r.last, number[r.asn]}
	}
	return out
}

// split sorts rows into the tables of both families and the side table.
func split(rows []span, kind byte) (v4, v6 []entry, long []sideRange, err error) {
	if err := order(rows); err != nil {
		return nil, nil, nil, err
	}
	for _, r := range rows {
		if r.first.Is4() {
			a, b := r.first.As4(), r.last.As4()
			v4 = extend(v4, uint64(binary.BigEndian.Uint32(a[:])), uint64(binary.BigEndian.Uint32(b[:])), r.value, 1<<32-1)
			continue
		}
		a, b := r.first.As16(), r.last.As16()
		if binary.BigEndian.Uint64(a[8:]) != 0 || binary.BigEndian.Uint64(b[8:]) != 1<<64-1 {
			long = append(long, sideRange{kind, a, b, r.value})
			continue
		}
		v6 = extend(v6, binary.BigEndian.Uint64(a[:8]), binary.BigEndian.Uint64(b[:8]), r.value, 1<<64-1)
	}
	return v4, v6, long, nil
}

// order sorts rows. Of two that overlap by their ends the later start is the
// more specific and has the last word; one inside another is an error.
func order(rows []span) error {
	slices.SortFunc(rows, func(a, b span) int { return a.first.Compare(b.first) })
	for i := range rows {
		r := &rows[i]
		if r.last.Less(r.first) || r.first.Is4() != r.last.Is4() {
			return fmt.Errorf("range %s-%s is upside down", r.first, r.last)
		}
		if i+1 == len(rows) || r.first.Is4() != rows[i+1].first.Is4() || r.last.Less(rows[i+1].first) {
			continue
		}
		next := rows[i+1]
		if next.first == r.first || next.last.Less(r.last) {
			return fmt.Errorf("range %s-%s lies inside another", next.first, next.last)
		}
		r.last = next.first.Prev()
	}
	return nil
}

// extend adds first-last to t and opens a gap after it; neighbours of one
// value become one range. Gaps that the next row closes are taken back.
func extend(t []entry, first, last uint64, value uint32, most uint64) []entry {
	if n := len(t); n > 0 && t[n-1].start == first { // the gap is empty
		t = t[:n-1]
	}
	if n := len(t); n == 0 || t[n-1].value != value {
		t = append(t, entry{first, value})
	}
	if last < most {
		t = append(t, entry{last + 1, 0})
	}
	return t
}

func encodeTable(t []entry) []byte {
	var index, blocks []byte
	for part := range slices.Chunk(t, perBlock) {
		index = binary.LittleEndian.AppendUint64(index, part[0].start)
		index = binary.LittleEndian.AppendUint32(index, uint32(len(blocks)))
		var all uint64 // bits set in any distance
		for i := 1; i < len(part); i++ {
			all |= part[i].start - part[i-1].start
		}
		shift := byte(bits.TrailingZeros64(all)) & 63
		blocks = append(blocks, shift)
		blocks = binary.AppendUvarint(blocks, uint64(part[0].value))
		for i := 1; i < len(part); i++ {
			blocks = binary.AppendUvarint(blocks, (part[i].start-part[i-1].start)>>shift)
			blocks = binary.AppendUvarint(blocks, uint64(part[i].value))
		}
	}
	return append(index, blocks...)
}

func encodeSide(side []sideRange) []byte {
	slices.SortFunc(side, func(a, b sideRange) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), bytes.Compare(a.first[:], b.first[:]))
	})
	var out []byte
	for _, s := range side {
		out = append(out, s.kind)
		out = append(append(out, s.first[:]...), s.last[:]...)
		out = binary.LittleEndian.AppendUint32(out, s.value)
	}
	return out
}

func encodeCodes(codes []string) []byte {
	var out []byte
	for _, c := range codes {
		out = append(out, c[0], c[1])
	}
	return out
}

func encodeASNs(asns []uint32) []byte {
	var out []byte
	for _, a := range asns {
		out = binary.LittleEndian.AppendUint32(out, a)
	}
	return out
}

func (w *Builder) encodeNames(asns []uint32) []byte {
	var ends, text []byte
	for _, a := range asns {
		text = append(text, w.Names[a]...)
		ends = binary.LittleEndian.AppendUint32(ends, uint32(len(text)))
	}
	return append(ends, text...)
}
