package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"picket/configs"
	"picket/geo"
	"picket/sensor/handset"
	"picket/sensor/wire"
)

// importedData is the directory of the imported data in use below state,
// empty when nothing was imported.
func importedData(state string) string {
	if state == "" {
		return ""
	}
	dir := filepath.Join(state, "data", dataCurrent)
	if st, err := os.Stat(dir); err != nil || !st.IsDir() {
		return ""
	}
	return dir
}

// dataPart is one part of the imported data in dir, or the embedded one.
func dataPart(dir, part string) fs.FS {
	if imports(dir, part) {
		return os.DirFS(filepath.Join(dir, part))
	}
	return configs.Sub(part)
}

// imports reports whether the imported data in dir have a part.
func imports(dir, part string) bool {
	if dir == "" {
		return false
	}
	st, err := os.Stat(filepath.Join(dir, part))
	return err == nil && st.IsDir()
}

// importedDatabases are the files in the geo part of dir.
func importedDatabases(dir string) (base string, databases []string) {
	if dir == "" {
		return "", nil
	}
	files, _ := filepath.Glob(filepath.Join(dir, "geo", "*")) // the pattern is well-formed
	for _, f := range files {
		if geo.IsBase(f) {
			base = f
		} else {
			databases = append(databases, f)
		}
	}
	return base, databases
}

// dataRules reads operators and owners, each imported or embedded, and the
// embedded groups with the imported ones laid over: a policy may name either.
// All of them embedded are read from their compiled form.
func dataRules(dir string) (geo.Rules, geo.Groups, error) {
	parts := []string{"operators", "owners", "groups"}
	if !slices.ContainsFunc(parts, func(part string) bool { return imports(dir, part) }) {
		return geo.ReadRules(configs.FS(), parts...)
	}
	var rules geo.Rules
	_, groups, err := geo.ReadRules(configs.Sub("groups"), ".")
	if err != nil {
		return rules, nil, err
	}
	for _, part := range parts {
		r, g, err := geo.ReadRules(dataPart(dir, part), ".")
		if err != nil {
			return rules, groups, fmt.Errorf("%s: %w", part, err)
		}
		rules = rules.Join(r)
		for name, members := range g {
			groups[name] = members
		}
	}
	return rules, groups, nil
}

// geoConfig is what jurisdictions rest on: the configuration, then the data
// imported into dir, then what is embedded. c may be nil.
func geoConfig(c *configs.Config, dir string) (geo.Config, error) {
	rules, groups, err := dataRules(dir)
	if err != nil {
		return geo.Config{}, err
	}
	base, databases := importedDatabases(dir)
	out := geo.Config{Rules: rules, Groups: groups, Base: base, Databases: databases}
	if c == nil {
		return out, nil
	}
	for name, members := range c.Countries {
		groups[name] = members
	}
	out.Overrides, out.NAT64 = c.Geo.Overrides, c.NAT64Prefixes()
	out.Databases = append(slices.Clone(c.Geo.Databases), databases...)
	if c.Geo.Base != "" {
		out.Base = c.Geo.Base
	}
	return out, nil
}

// openData opens every part of dir, embedded ones for those that it lacks.
func openData(dir string) (*geo.Geo, geo.Groups, error) {
	c, err := geoConfig(nil, dir)
	if err != nil {
		return nil, nil, err
	}
	set, err := handset.Load(dataPart(dir, "signatures"))
	if err != nil {
		return nil, nil, fmt.Errorf("signatures: %w", err)
	}
	if _, err := wire.LoadHiders(dataPart(dir, "hidden")); err != nil {
		return nil, nil, fmt.Errorf("hidden: %w", err)
	}
	c.Owners, c.Verify = owners(set), true
	g, err := geo.New(c)
	return g, c.Groups, err
}
