package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"picket/geo"
)

// geoCmd looks after the databases.
type geoCmd struct {
	Status geoStatusCmd `cmd:"" help:"Show which databases are loaded, what they give and how old they are."`
	Update geoUpdateCmd `cmd:"" help:"Fetch a database from the URL you configure, check it, and put it in place."`
	Diff   geoDiffCmd   `cmd:"" help:"Say which servers would change country with another database, before it is let in."`
}

type geoStatusCmd struct {
	JSON bool     `name:"json" help:"JSON lines."`
	Geo  geoFlags `embed:""`
}

// staleAfter is the age at which a database is called old: MaxMind and DB-IP
// publish monthly or more often, and 3 % of addresses move in a quarter.
const staleAfter = 90 * 24 * time.Hour

// Run prints one line a database.
func (c *geoStatusCmd) Run(a *app) error {
	g, _, err := c.Geo.open()
	if err != nil {
		return err
	}
	for _, d := range g.Databases() {
		if c.JSON {
			if err := json.NewEncoder(a.stdout).Encode(d); err != nil {
				return err
			}
			continue
		}
		where := d.Path
		if where == "" {
			where = "embedded"
		}
		age := time.Since(d.Built)
		fmt.Fprintf(a.stdout, "%s (%s, %s)\n  gives %s, built %s, %d days old", d.Name, d.Kind, where, d.Gives, d.Built.Format(time.DateOnly), int(age.Hours()/24))
		if age > staleAfter {
			fmt.Fprint(a.stdout, ": old")
		}
		fmt.Fprintln(a.stdout)
		if d.Caveat != "" {
			fmt.Fprintf(a.stdout, "  %s\n", d.Caveat)
		}
		if d.Attribution != "" {
			fmt.Fprintf(a.stdout, "  %s (%s; %s)\n", d.Attribution, d.License, d.Package)
		}
	}
	return nil
}

type geoDiffCmd struct {
	Old      string   `arg:"" help:"Database in use; 'embedded' for the one compiled in."`
	New      string   `arg:"" help:"Database that may take its place."`
	Servers  string   `placeholder:"FILE" help:"Servers to compare: ADDR, or ADDR and NAME, a line (- for stdin). Without it: a sample of all addresses."`
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
	before, groups, err := databaseAlone(c.Old)
	if err != nil {
		return err
	}
	after, _, err := databaseAlone(c.New)
	if err != nil {
		return err
	}
	set, err := geo.ParseCountrySet(c.Restrict, groups)
	if err != nil {
		return usageError{fmt.Errorf("--restrict: %w", err)}
	}
	servers, err := readServers(a.stdin, c.Servers)
	if err != nil {
		return err
	}
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
		if err := c.print(a, d); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(a.stderr, "%d of %d servers change, %d of them begin or cease to meet the restriction\n", changed, len(servers), flips)
	return err
}

func (c *geoDiffCmd) print(a *app, d *diffLine) error {
	if c.JSON {
		return json.NewEncoder(a.stdout).Encode(d)
	}
	flip := ""
	if d.Flips {
		flip = fmt.Sprintf("  FLIPS: %s -> %s", joinHits(d.Before), joinHits(d.After))
	}
	_, err := fmt.Fprintf(a.stdout, "%s %s  %s -> %s%s\n", d.Server, d.Name, d.Old, d.New, flip)
	return err
}

// databaseAlone opens one database with the curated rules; an mmdb beside
// the embedded one, a range file instead of it.
func databaseAlone(path string) (*geo.Geo, geo.Groups, error) {
	f := geoFlags{}
	switch {
	case path == "embedded":
	case geo.IsBase(path):
		f.Base = path
	default:
		f.Databases = []string{path}
	}
	return f.open()
}

// compare is nil when both say the same of q.
func compare(q geo.Query, before, after *geo.Geo, set geo.CountrySet) *diffLine {
	o, n := before.Judge(q), after.Judge(q)
	d := diffLine{
		Server: q.Addr.String(), Name: q.Name,
		Old: placeOf(o), New: placeOf(n), Before: geo.Hits(o, set, nil), After: geo.Hits(n, set, nil),
	}
	d.Flips = fmt.Sprint(d.Before) != fmt.Sprint(d.After)
	if d.Old == d.New && !d.Flips && o.Operator.Home == n.Operator.Home {
		return nil
	}
	return &d
}

func placeOf(j geo.Jurisdiction) string {
	return fmt.Sprintf("%s (%s), operator %s", orUnknown(j.Location), j.LocationConfidence, orUnknown(j.Operator.Home))
}

type geoUpdateCmd struct {
	URL    string `placeholder:"URL" help:"Where the database is (https). Default: geo.update_url of the configuration."`
	SHA256 string `name:"sha256" placeholder:"HEX" help:"Its checksum. Default: the file URL.sha256 beside it."`
	To     string `short:"o" required:"" placeholder:"FILE" help:"Database to replace, by rename; a running picket notices."`
	Config string `short:"c" placeholder:"FILE" help:"Configuration with geo.update_url."`
	Yes    bool   `help:"Replace even when servers that the old one knew lose their country."`
}

var errNoURL = errors.New("geo update: no URL: give --url, or geo.update_url in the configuration; picket asks nobody by itself")

// exists reports whether path is a file that can be asked about.
func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
