package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"picket/geo"
)

type geoDiffCmd struct {
	Old      string   `arg:"" help:"Database in use; 'embedded' for the one compiled in."`
	New      string   `arg:"" help:"Database that may take its place."`
	Servers  string   `placeholder:"FILE" help:"Servers to compare: ADDR, or ADDR and NAME, a line (- for stdin). Without it and --state: a sample of all addresses."`
	State    string   `placeholder:"DIR" help:"Compare the servers of the evidence store there, and say which open episodes would flip."`
	Config   string   `short:"c" placeholder:"FILE" help:"Configuration with the overrides, and with the policies of the open episodes."`
	Restrict []string `placeholder:"CN,RU" help:"Say also which servers would begin or cease to meet these countries."`
	JSON     bool     `name:"json" help:"JSON lines."`
}

// diffLine is one server whose answers change.
type diffLine struct {
	Server string      `json:"server"`
	Name   string      `json:"name,omitempty"`
	Old    string      `json:"old"` // location and confidence
	New    string      `json:"new"`
	Before []geo.Basis `json:"hits_before"`
	After  []geo.Basis `json:"hits_after"`
	Flips  bool        `json:"flips"` // meets the restriction with one and not with the other
}

// Run judges every server with the one and with the other.
func (c *geoDiffCmd) Run(a *app) error {
	if c.Servers != "" && c.State != "" {
		return usageError{errors.New("geo diff: --servers or --state, not both")}
	}
	rules := geoFlags{Config: c.Config, State: c.State}
	before, err := rules.alone(c.Old)
	if err != nil {
		return err
	}
	after, err := rules.alone(c.New)
	if err != nil {
		return err
	}
	set, err := geo.ParseCountrySet(c.Restrict, before.groups)
	if err != nil {
		return usageError{fmt.Errorf("--restrict: %w", err)}
	}
	var servers []geo.Query
	var open []openEpisode
	if c.State != "" {
		servers, open, err = storedServers(c.State)
	} else {
		servers, err = readServers(a.stdin, c.Servers)
	}
	if err != nil {
		return err
	}
	if err := c.servers(a, servers, before, after, set); err != nil {
		return err
	}
	if c.State == "" {
		return nil
	}
	return c.episodes(a, open, before, after, set)
}

func (c *geoDiffCmd) servers(a *app, servers []geo.Query, before, after *atlas, set geo.CountrySet) error {
	changed, flips := 0, 0
	for _, q := range servers {
		d := compare(q, before, after, set)
		if d == nil {
			continue
		}
		changed++
		if d.Flips {
			flips++
		}
		if err := d.print(a, c.JSON); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(a.stderr, "%d of %d servers change, %d of them begin or cease to meet the restriction\n", changed, len(servers), flips)
	return err
}

func (d *diffLine) print(a *app, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(a.stdout).Encode(d)
	}
	flip := ""
	if d.Flips {
		flip = fmt.Sprintf("  FLIPS: %s -> %s", joinHits(d.Before), joinHits(d.After))
	}
	_, err := fmt.Fprintf(a.stdout, "%s %s  %s -> %s%s\n", d.Server, d.Name, d.Old, d.New, flip)
	return err
}

// alone opens one database with the rules and overrides of f; an mmdb beside
// the embedded one, a range file instead of it. Owners are those of
// signatures too: what flips is to be what the sensor would see.
func (f *geoFlags) alone(path string) (*atlas, error) {
	c, dir, err := f.config()
	if err != nil {
		return nil, err
	}
	gc, err := geoConfig(c, dir)
	if err != nil {
		return nil, usageError{err}
	}
	gc.Databases, gc.Base = nil, ""
	switch {
	case path == "embedded":
	case geo.IsBase(path):
		gc.Base = path
	default:
		gc.Databases = []string{path}
	}
	out := &atlas{groups: gc.Groups}
	if out.set, err = signaturesFrom(c, dir); err != nil {
		return nil, usageError{err}
	}
	gc.Owners = owners(out.set)
	if out.Geo, err = geo.New(gc); err != nil {
		return nil, usageError{err}
	}
	return out, nil
}

// placer says under whose law a server is.
type placer interface {
	Judge(geo.Query) geo.Jurisdiction
}

// compare is nil when both say the same of q.
func compare(q geo.Query, before, after placer, set geo.CountrySet) *diffLine {
	o, n := before.Judge(q), after.Judge(q)
	d := diffLine{
		Server: serverWord(q.Addr), Name: q.Name,
		Old: placeOf(o), New: placeOf(n), Before: geo.Hits(o, set, nil), After: geo.Hits(n, set, nil),
	}
	d.Flips = !slices.Equal(d.Before, d.After)
	if d.Old == d.New && !d.Flips && o.Operator.Home == n.Operator.Home && o.Owner.Home == n.Owner.Home {
		return nil
	}
	return &d
}

func serverWord(a netip.Addr) string {
	if !a.IsValid() {
		return "-"
	}
	return a.String()
}

func placeOf(j geo.Jurisdiction) string {
	return fmt.Sprintf("%s (%s), operator %s", orUnknown(j.Location), j.LocationConfidence, orUnknown(j.Operator.Home))
}
