package main

import (
	"fmt"
	"runtime/debug"
)

type versionCmd struct{}

// Run prints the version of the build.
func (versionCmd) Run(a *app) error {
	info, _ := debug.ReadBuildInfo()
	commit := "unknown"
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			commit = s.Value
		}
	}
	_, err := fmt.Fprintf(a.stdout, "picket %s (commit %s, %s)\n", info.Main.Version, commit, info.GoVersion)
	return err
}
