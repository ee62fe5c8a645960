package main

import (
	"log/slog"

	"picket/configs"
	"picket/geo"
)

// geoFlags are the flags of every command that judges servers without the
// whole configuration.
type geoFlags struct {
	Config    string   `short:"c" placeholder:"FILE" help:"Configuration: its geo and country_groups keys."`
	Databases []string `name:"geo" placeholder:"FILE" help:"Databases beside the embedded one: MaxMind, DB-IP, IPinfo or ip-location-db mmdb, ranges that a cloud publishes, geofeeds. The first says the location."`
	Base      string   `name:"geo-base" placeholder:"FILE" help:"Range file instead of the embedded database."`
}

// open opens the databases and the curated rules.
func (f *geoFlags) open() (*geo.Geo, geo.Groups, error) {
	c, err := f.config()
	if err != nil {
		return nil, nil, err
	}
	g, err := geo.New(c)
	if err != nil {
		return nil, nil, usageError{err}
	}
	return g, c.Groups, nil
}

// config is what the flags and the configuration say of geography.
func (f *geoFlags) config() (geo.Config, error) {
	rules, groups, err := geo.ReadRules(configs.FS(), "operators", "owners", "groups")
	if err != nil {
		return geo.Config{}, err
	}
	out := geo.Config{Rules: rules, Groups: groups, Databases: f.Databases, Base: f.Base, Logger: slog.New(slog.DiscardHandler)}
	if f.Config == "" {
		return out, nil
	}
	c, err := configs.Load(f.Config)
	if err != nil {
		return out, usageError{err}
	}
	for name, members := range c.Countries {
		groups[name] = members
	}
	out.Overrides, out.NAT64 = c.Geo.Overrides, c.NAT64Prefixes()
	out.Databases = append(out.Databases, c.Geo.Databases...)
	if out.Base == "" {
		out.Base = c.Geo.Base
	}
	return out, nil
}
