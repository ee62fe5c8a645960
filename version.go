package main

import (
	"fmt"
	"runtime/debug"

	"picket/configs"
)

// version is set by the linker where packages are built (-X main.version=);
// else the version control system's word for the commit stands.
var version string

type versionCmd struct{}

// Run prints the version of the build and of the data in it.
func (versionCmd) Run(a *app) error {
	commit := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				commit = s.Value
			}
		}
	}
	fmt.Fprintf(a.stdout, "picket %s (commit %s)\n", buildVersion(), commit)
	j, err := compile(configs.Defaults(), logger(a, configs.Defaults()))
	if err != nil {
		return err
	}
	entries, _ := j.set.Size()
	fmt.Fprintf(a.stdout, "signatures %s, %d entries\n", j.set.Hash(), entries)
	for _, d := range j.geo.Databases() {
		fmt.Fprintf(a.stdout, "database %s, built %s\n", d.Name, d.Built.UTC().Format("2006-01-02"))
	}
	_, err = fmt.Fprintln(a.stdout, "IP Geolocation by DB-IP (https://db-ip.com); other attributions: NOTICE")
	return err
}
