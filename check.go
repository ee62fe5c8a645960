package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"picket/configs"
	"picket/sensor"
	"picket/sensor/capture"
)

type checkCmd struct {
	policyFlags
	State   string `placeholder:"DIR" env:"STATE_DIRECTORY" default:"/var/lib/picket" help:"Where a running sensor notes which networks look like home (${default})."`
	Default bool   `help:"Print the default configuration and end."`
}

// Run checks everything that `picket run` would need, and starts nothing.
func (k *checkCmd) Run(a *app) error {
	if k.Default {
		_, err := a.stdout.Write(configs.Default())
		return err
	}
	if k.Config == "" && len(k.Prohibit) == 0 {
		k.Config = defaultConfig()
	}
	c, err := k.load()
	if err != nil {
		return err
	}
	j, err := compileWith(c, importedData(k.State), logger(a, c))
	if err != nil {
		return err
	}
	if err := capture.CheckFilter(c.Capture.Filter); err != nil {
		return usageError{c.At("$.capture.filter", err)}
	}
	if _, err := operatorMap(c); err != nil {
		return err
	}
	k.report(a, c, j)
	return nil
}

// defaultConfig is where the package puts the file, if it is there.
func defaultConfig() string {
	const path = "/etc/picket/picket.yml"
	if _, err := os.Stat(path); err == nil {
		return path
	}
	return ""
}

func (k *checkCmd) report(a *app, c *configs.Config, j *judgement) {
	w := a.stdout
	fmt.Fprintf(w, "configuration: %s: good\n", or(c.File(), "(none: defaults)"))
	entries, overlaid := j.set.Size()
	fmt.Fprintf(w, "signatures: %d entries, %d of the site's own, hash %s\n", entries, overlaid, j.set.Hash())
	for _, d := range j.geo.Databases() {
		fmt.Fprintf(w, "database: %s, built %s\n", d.Name, d.Built.UTC().Format("2006-01-02"))
	}
	fmt.Fprintf(w, "home networks:")
	for _, p := range c.HomeNetworks {
		fmt.Fprintf(w, " %s", p)
	}
	fmt.Fprintln(w)
	if seen, err := os.ReadFile(adviceFile(k.State)); err == nil {
		fmt.Fprintf(w, "  the sensor noted: %s", seen)
	}
	if len(c.Alertmanager.URLs) > 0 && c.Web.ExternalURL == "" {
		fmt.Fprintln(w, "warning: web.external_url is not set: pages name a command to run instead of a link to the evidence")
	}
	if len(j.rules) == 0 {
		fmt.Fprintln(w, "policies: none: nothing is prohibited")
	}
	realms := append(slices.Collect(maps.Keys(c.Realms)), sensor.DefaultRealm)
	for _, r := range j.rules {
		fmt.Fprintf(w, "policy %s\n", r.Sentence())
		for _, warning := range append(r.Warnings(j.set.Makers(), time.Now()), r.Unseen(c.Home(), realms)...) {
			fmt.Fprintf(w, "  warning: %s\n", warning)
		}
	}
}
