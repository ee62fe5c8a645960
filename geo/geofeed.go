package geo

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

var errNoGeofeed = errors.New("no line is a prefix and a country; want a geofeed (RFC 8805), an mmdb, a picket-geo file or a cloud's list of ranges")

// openGeofeed opens a network's own statement where its prefixes are.
func openGeofeed(path string) ([]database, error) {
	b, err := readFile(path)
	if err != nil {
		return nil, err
	}
	r, err := parseGeofeed(b)
	if err != nil {
		return nil, fmt.Errorf("geo: %s: %w", path, err)
	}
	name := filepath.Base(path)
	d := database{name: strings.TrimSuffix(name, filepath.Ext(name)), path: path, kind: "geofeed", gives: "region", reader: r}
	if st, err := os.Stat(path); err == nil {
		d.built = st.ModTime().UTC() // a geofeed carries no date
	}
	if r.broken > 0 || r.unknown > 0 {
		d.caveat = fmt.Sprintf("%d lines without a country, %d unreadable", r.unknown, r.broken)
	}
	return []database{d}, nil
}

// parseGeofeed reads RFC 8805: prefix, country, region, city, postal code in
// CSV, comments from '#'. A line that cannot be read is passed over and
// counted, as its section 2.1 asks; a prefix without country is one about
// which the network says nothing.
func parseGeofeed(b []byte) (*ranges, error) {
	r := &ranges{publisher: "geofeed"}
	for line := range bytes.Lines(bytes.TrimPrefix(b, []byte("\ufeff"))) {
		text, _, _ := strings.Cut(string(line), "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		prefix, rest, _ := strings.Cut(text, ",")
		code, _, _ := strings.Cut(rest, ",")
		c := knownCountry(strings.Trim(strings.TrimSpace(code), `"`))
		if c == "" {
			r.unknown++
			continue
		}
		if r.add(strings.Trim(prefix, `" `), publication{country: c}) != nil {
			r.broken++
		}
	}
	if r.table.Size() == 0 {
		return nil, errNoGeofeed
	}
	return r, nil
}
