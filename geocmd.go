package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
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
	g, err := c.Geo.open(false)
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
