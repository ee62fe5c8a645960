package main

import (
	"log/slog"

	"picket/configs"
	"picket/geo"
	"picket/sensor/handset"
)

// geoFlags are the flags of every command that judges servers without the
// whole configuration.
type geoFlags struct {
	Config    string   `short:"c" placeholder:"FILE" help:"Configuration: its geo, signatures and country_groups keys."`
	State     string   `placeholder:"DIR" help:"State directory whose imported data are used."`
	Databases []string `name:"geo" placeholder:"FILE" help:"Databases beside the embedded one: MaxMind, DB-IP, IPinfo or ip-location-db mmdb, ranges that a cloud publishes, geofeeds. The first says the location."`
	Base      string   `name:"geo-base" placeholder:"FILE" help:"Range file instead of the embedded database."`
}

// atlas is what lookup, geo and data judge by.
type atlas struct {
	*geo.Geo
	groups geo.Groups
	set    *handset.Set // nil: nobody asked for names
}

// open opens the databases and the curated rules; the signatures only when
// names are to be judged: compiling them takes longer than all the rest.
func (f *geoFlags) open(names bool) (*atlas, error) {
	c, dir, err := f.config()
	if err != nil {
		return nil, err
	}
	out := &atlas{}
	gc, err := geoConfig(c, dir)
	if err != nil {
		return nil, usageError{err}
	}
	if names {
		if out.set, err = signaturesFrom(c, dir); err != nil {
			return nil, usageError{err}
		}
		gc.Owners = owners(out.set)
	}
	gc.Logger = slog.New(slog.DiscardHandler)
	if out.Geo, err = geo.New(gc); err != nil {
		return nil, usageError{err}
	}
	out.groups = gc.Groups
	return out, nil
}

// config is the configuration with the flags laid over it, and where the
// imported data are.
func (f *geoFlags) config() (*configs.Config, string, error) {
	c := &configs.Config{}
	if f.Config != "" {
		var err error
		if c, err = configs.Load(f.Config); err != nil {
			return nil, "", usageError{err}
		}
	}
	c.Geo.Databases = append(append([]string{}, f.Databases...), c.Geo.Databases...)
	c.Geo.Base = or(f.Base, c.Geo.Base)
	if f.State == "" {
		return c, "", nil
	}
	return c, importedData(f.State), nil
}
