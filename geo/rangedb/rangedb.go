// Package rangedb is a file of address ranges that is searched where it
// lies: country, registration and network of IPv4 and IPv6 addresses. Nothing
// is unpacked at the start, so it costs neither CPU nor heap until asked, and
// of an embedded or mapped file only the pages that are searched are resident.
//
// The file: the magic, the length of a JSON header (uint32) and that header
// (Info), then the sections it lists, in their order, without gaps. A section
// of ranges is a table of blocks (see table.go); a section of names is an
// array of uint32 ends followed by the bytes (see names.go). Integers are
// little-endian. The last four bytes are the CRC-32C of all before.
package rangedb

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"net/netip"
	"time"
)

// Magic begins every file; its last byte is the version of the format.
const Magic = "PICKETG\x01"

// maxHeader bounds the JSON header; ours is about 1 KiB.
const maxHeader = 64 << 10

var (
	// ErrFormat reports bytes that are no such file, or of another version.
	ErrFormat = errors.New("not a picket geo database")
	// ErrTruncated reports a file that ends before its sections do.
	ErrTruncated = errors.New("database is truncated")
	// ErrCorrupt reports a checksum or a structure that does not hold.
	ErrCorrupt = errors.New("database is corrupt")
)

// Origin is a data set the file was made from.
type Origin struct {
	Name        string    `json:"name"`    // as evidence names it: "dbip-country-lite"
	Package     string    `json:"package"` // where it came from, with its version
	Built       time.Time `json:"built"`
	License     string    `json:"license"`
	Attribution string    `json:"attribution"`
	Gives       string    `json:"gives"` // country, asn, registration
}

// Info is the header.
type Info struct {
	Origins  []Origin  `json:"origins"`
	Sections []section `json:"sections"`
}

type section struct {
	Name    string `json:"name"`
	Bytes   int    `json:"bytes"`
	Entries int    `json:"entries"`
}

// DB is an open file. It is immutable and safe for concurrent use; it refers
// to the bytes it was opened on.
type DB struct {
	Info
	country, registration, network [2]table // by family: 4, 6
	side                           sideTable
	codes                          []byte // two letters each
	asns                           []byte // uint32 each
	names                          nameTable
}

// Open checks the structure of b and returns a DB over it. The checksum is
// not read (that would touch every page): Verify does.
func Open(b []byte) (*DB, error) {
	if len(b) < len(Magic)+8 {
		if len(b) == 0 {
			return nil, fmt.Errorf("file is empty: %w", ErrTruncated)
		}
		return nil, ErrFormat
	}
	if string(b[:len(Magic)]) != Magic {
		return nil, ErrFormat
	}
	n := int(binary.LittleEndian.Uint32(b[len(Magic):]))
	rest := b[len(Magic)+4:]
	if n > maxHeader {
		return nil, ErrCorrupt
	}
	if n > len(rest) {
		return nil, ErrTruncated
	}
	d := &DB{}
	if err := json.Unmarshal(rest[:n], &d.Info); err != nil {
		return nil, fmt.Errorf("header: %w", ErrCorrupt)
	}
	return d, d.cut(rest[n:])
}

// cut gives every section its bytes; what is left must be the checksum.
func (d *DB) cut(b []byte) error {
	for _, s := range d.Sections {
		if s.Bytes < 0 || s.Entries < 0 || s.Entries > s.Bytes { // an entry is a byte at least
			return ErrCorrupt
		}
		if s.Bytes > len(b) {
			return ErrTruncated
		}
		if err := d.take(s, b[:s.Bytes:s.Bytes]); err != nil {
			return fmt.Errorf("section %q: %w", s.Name, err)
		}
		b = b[s.Bytes:]
	}
	switch {
	case len(b) < 4:
		return ErrTruncated
	case len(b) > 4:
		return ErrCorrupt
	}
	return nil
}

func (d *DB) take(s section, b []byte) (err error) {
	switch s.Name {
	case "country4":
		d.country[0], err = openTable(b, s.Entries)
	case "country6":
		d.country[1], err = openTable(b, s.Entries)
	case "registration4":
		d.registration[0], err = openTable(b, s.Entries)
	case "registration6":
		d.registration[1], err = openTable(b, s.Entries)
	case "network4":
		d.network[0], err = openTable(b, s.Entries)
	case "network6":
		d.network[1], err = openTable(b, s.Entries)
	case "side6":
		d.side, err = openSide(b, s.Entries)
	case "codes":
		d.codes = b
	case "asns":
		d.asns = b
	case "names":
		d.names, err = openNames(b, s.Entries)
	}
	return err // a section of a later version is passed over
}

// Verify reads the whole file b and compares its checksum.
func Verify(b []byte) error {
	if len(b) < 4 {
		return ErrTruncated
	}
	body := b[:len(b)-4]
	if crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)) != binary.LittleEndian.Uint32(b[len(b)-4:]) {
		return fmt.Errorf("checksum: %w", ErrCorrupt)
	}
	return nil
}

// Record is what the file says of an address; what it does not know is empty.
type Record struct {
	Country      string // ISO 3166-1, or a code of the source such as "EU"
	Registration string // of the registry entry
	ASN          uint32 // 0: not announced, or not known
	Name         string // of the network
}

// Lookup finds all that is known of a, in about half a microsecond and
// without allocating. An IPv4 address mapped into IPv6 is looked up as IPv4.
func (d *DB) Lookup(a netip.Addr) (r Record) {
	r.Country, r.Registration = d.Country(a), d.Registration(a)
	r.ASN, r.Name = d.Network(a)
	return r
}

// Country is the country of a: ISO 3166-1, or a code of the source such as
// "EU"; empty when it is not known.
func (d *DB) Country(a netip.Addr) string { return d.code(d.find(&d.country, kindCountry, a)) }

// Registration is the country of the registry entry of a.
func (d *DB) Registration(a netip.Addr) string {
	return d.code(d.find(&d.registration, kindRegistration, a))
}

// Network is the network that announces a, 0 when none is known.
func (d *DB) Network(a netip.Addr) (asn uint32, name string) {
	return d.asn(d.find(&d.network, kindNetwork, a))
}

// find searches the table of a's family; the ranges that do not end on a /64
// have the last word.
func (d *DB) find(t *[2]table, kind byte, a netip.Addr) uint32 {
	a = a.Unmap()
	switch {
	case a.Is4():
		b := a.As4()
		return t[0].find(uint64(binary.BigEndian.Uint32(b[:])))
	case a.Is6():
		b := a.As16()
		if v, ok := d.side.find(kind, b); ok {
			return v
		}
		return t[1].find(binary.BigEndian.Uint64(b[:8]))
	}
	return 0
}

// code is the v-th country, from 1; 0 is none.
func (d *DB) code(v uint32) string {
	i := int(v) * 2
	if v == 0 || i > len(d.codes) {
		return ""
	}
	return view(d.codes[i-2 : i])
}

// asn is the v-th network, from 1; 0 is none.
func (d *DB) asn(v uint32) (uint32, string) {
	i := int(v) * 4
	if v == 0 || i > len(d.asns) {
		return 0, ""
	}
	return binary.LittleEndian.Uint32(d.asns[i-4:]), d.names.at(int(v) - 1)
}
