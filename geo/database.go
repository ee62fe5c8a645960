package geo

import (
	"bytes"
	_ "embed" // the default database
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"picket/geo/rangedb"
)

//go:embed data/picket-geo.bin
var embedded []byte

// database is one open source of claims.
type database struct {
	name   string // as evidence names it
	path   string // empty: embedded
	kind   string // of the file: "mmdb GeoLite2-City", "picket-geo", "AWS ranges", "geofeed"
	built  time.Time
	gives  string // country, registration, asn, relay, region
	caveat string // "IPv4 only", "12 ranges of unknown regions"
	reader reader
}

// reader adds what it knows of a to c, in the name of source.
type reader interface {
	lookup(a netip.Addr, source int, c *claims)
}

func (d *database) source() Source { return Source{d.name, d.built} }

// DatabaseInfo is what is loaded, for `picket geo status` and the metrics.
type DatabaseInfo struct {
	Name        string    `json:"name"`
	Path        string    `json:"path,omitempty"`
	Kind        string    `json:"kind"`
	Built       time.Time `json:"built"`
	Gives       string    `json:"gives"`
	Caveat      string    `json:"caveat,omitempty"`
	License     string    `json:"license,omitempty"`
	Attribution string    `json:"attribution,omitempty"`
	Package     string    `json:"package,omitempty"`
}

// Databases lists what is loaded, most trusted first.
func (g *Geo) Databases() []DatabaseInfo {
	out := []DatabaseInfo{}
	for _, d := range g.snap.Load().databases {
		i := DatabaseInfo{Name: d.name, Path: d.path, Kind: d.kind, Built: d.built, Gives: d.gives, Caveat: d.caveat}
		if o, ok := d.reader.(*part); ok {
			i.License, i.Attribution, i.Package = o.origin.License, o.origin.Attribution, o.origin.Package
		}
		out = append(out, i)
	}
	return out
}

// openBase opens the file at path, or the embedded database.
func openBase(path string) ([]database, error) {
	b := embedded
	if path != "" {
		var err error
		if b, err = readFile(path); err != nil {
			return nil, err
		}
		if err := rangedb.Verify(b); err != nil && bytes.HasPrefix(b, []byte(rangedb.Magic)) {
			return nil, fmt.Errorf("geo: %s: %w", path, err)
		}
	}
	db, err := rangedb.Open(b)
	if err != nil {
		return nil, fmt.Errorf("geo: %s: %w", where(path), err)
	}
	return split(db, path), nil
}

func where(path string) string {
	if path == "" {
		return "embedded database"
	}
	return path
}

// split shows a range file as the data sets it was made from, each with its
// own name and date.
func split(db *rangedb.DB, path string) []database {
	var out []database
	for _, o := range db.Origins {
		out = append(out, database{name: o.Name, path: path, kind: "picket-geo", built: o.Built, gives: o.Gives, reader: &part{db, o}})
	}
	return out
}

// part is one data set of a range file.
type part struct {
	db     *rangedb.DB
	origin rangedb.Origin
}

func (p *part) lookup(a netip.Addr, source int, c *claims) {
	switch p.origin.Gives {
	case "country":
		c.place(knownCountry(p.db.Country(a)), source)
	case "registration":
		c.register(knownCountry(p.db.Registration(a)), source)
	case "asn":
		if c.asn == 0 {
			asn, name := p.db.Network(a)
			c.operate(asn, name, source)
		}
	}
}

// open opens an operator's file, whichever of the formats it is in.
func open(path string, verify bool, x *ruleIndex) ([]database, error) {
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("geo: %s: no such file", path)
	case err != nil:
		return nil, fmt.Errorf("geo: %w", err)
	case st.IsDir():
		return nil, fmt.Errorf("geo: %s: is a directory, want a database file", path)
	case st.Size() == 0:
		return nil, fmt.Errorf("geo: %s: file is empty", path)
	}
	if filepath.Ext(path) == ".mmdb" {
		return openMMDB(path, verify)
	}
	head := make([]byte, 64)
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("geo: %w", err)
	}
	defer f.Close()
	n, _ := f.Read(head)
	switch head = bytes.TrimLeft(head[:n], "\ufeff \t\r\n"); {
	case bytes.HasPrefix(head, []byte(rangedb.Magic[:7])):
		return openBase(path)
	case bytes.HasPrefix(head, []byte("{")):
		return openPublished(path, x)
	case bytes.IndexByte(head, 0) >= 0:
		return openMMDB(path, verify)
	}
	return openGeofeed(path)
}

// maxFile bounds a file of ranges; Azure's is 4 MiB, the largest geofeeds 20.
const maxFile = 256 << 20

func readFile(path string) ([]byte, error) {
	st, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("geo: %s: no such file", path)
	}
	if err != nil {
		return nil, fmt.Errorf("geo: %w", err)
	}
	if st.Size() > maxFile {
		return nil, fmt.Errorf("geo: %s: %d bytes, more than %d", path, st.Size(), maxFile)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("geo: %w", err)
	}
	return b, nil
}

// IsBase reports whether the file at path is a range file, which stands in
// for the embedded database.
func IsBase(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, len(rangedb.Magic)-1)
	n, _ := f.Read(head)
	return string(head[:n]) == rangedb.Magic[:len(rangedb.Magic)-1]
}
