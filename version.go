package main

import (
	"fmt"
	"runtime/debug"

	"picket/geo"
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
	set, err := loadSignatures(nil)
	if err != nil {
		return err
	}
	embedded, err := geo.New(geo.Config{})
	if err != nil {
		return err
	}
	entries, _ := set.Size()
	fmt.Fprintf(a.stdout, "signatures %s, %d entries\n", set.Hash(), entries)
	for _, d := range embedded.Databases() {
		fmt.Fprintf(a.stdout, "database %s, built %s\n", d.Name, d.Built.UTC().Format("2006-01-02"))
	}
	_, err = fmt.Fprintln(a.stdout, "IP Geolocation by DB-IP (https://db-ip.com); other attributions: NOTICE")
	return err
}
