package geo

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// file is what any YAML file of configs/operators, configs/owners and
// configs/groups may hold.
type file struct {
	Operators []OperatorRule       `yaml:"operators"`
	Sites     []SiteRule           `yaml:"sites"`
	Names     []NameRule           `yaml:"names"`
	Regions   map[string]regions   `yaml:"regions"`
	Owners    []ownerEntry         `yaml:"owners"`
	Groups    map[string][]Country `yaml:"groups"`
}

// regions is country -> labels.
type regions map[Country][]string

// ownerEntry is one company with all its domains.
type ownerEntry struct {
	Name    string   `yaml:"name"`
	Home    Country  `yaml:"home"`
	Domains []string `yaml:"domains"`
	Source  string   `yaml:"source"`
	Date    string   `yaml:"date"`
}

// ReadRules reads every .yml file in dirs of fsys, in the order of their
// names. It is strict: an unknown key or country is an error with file, line
// and column.
func ReadRules(fsys fs.FS, dirs ...string) (Rules, Groups, error) {
	var r Rules
	g := Groups{}
	for _, dir := range dirs {
		names, err := fs.Glob(fsys, path.Join(dir, "*.yml"))
		if err != nil {
			return r, g, fmt.Errorf("geo: %w", err)
		}
		slices.Sort(names)
		for _, name := range names {
			b, err := fs.ReadFile(fsys, name)
			if err != nil {
				return r, g, fmt.Errorf("geo: %w", err)
			}
			if err := r.read(b, g); err != nil {
				return r, g, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return r, g, nil
}

func (r *Rules) read(b []byte, g Groups) error {
	var f file
	if err := yaml.UnmarshalWithOptions(b, &f, yaml.Strict()); err != nil {
		return errors.New(firstLine(yaml.FormatError(err, false, false)))
	}
	r.Operators = append(r.Operators, f.Operators...)
	r.Sites = append(r.Sites, f.Sites...)
	r.Names = append(r.Names, f.Names...)
	for _, o := range f.Owners {
		for _, d := range o.Domains {
			r.Owners = append(r.Owners, OwnerRule{Domain: d, Name: o.Name, Home: o.Home, Source: o.Source, Date: o.Date})
		}
	}
	for cloud, byCountry := range f.Regions {
		for c, labels := range byCountry {
			for _, l := range labels {
				r.Regions = append(r.Regions, RegionRule{cloud, l, c})
			}
		}
	}
	for name, members := range f.Groups {
		if _, twice := g[name]; twice {
			return fmt.Errorf("group %q stands there twice", name)
		}
		g[strings.ToLower(name)] = members
	}
	return nil
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}
