package main

import (
	"reflect"
	"strings"
)

const description = "Passive sensor: which handsets are on the network, and under whose law their data goes."

// cli lists the commands, one file each.
type cli struct {
	Run        runCmd        `cmd:"" help:"Watch live, serve metrics and the evidence page."`
	Read       readCmd       `cmd:"" help:"The same over captures, time taken from packets."`
	Check      checkCmd      `cmd:"" help:"Check configuration, signatures, policies and databases; start nothing."`
	Demo       demoCmd       `cmd:"" help:"The embedded capture, page and metrics, in one command."`
	Policy     policyCmd     `cmd:"" help:"Test policies before they page anybody."`
	Version    versionCmd    `cmd:"" help:"Print version, commit and the hashes of the embedded data."`
	Lookup     lookupCmd     `cmd:"" help:"Say under whose law an address or a name is."`
	Classify   classifyCmd   `cmd:"" help:"Judge evidence that somebody else collected."`
	Explain    explainCmd    `cmd:"" help:"Say what speaks for and against a verdict, and what would change it."`
	Coverage   coverageCmd   `cmd:"" help:"Count what the signatures know of each maker."`
	Enrol      enrolCmd      `cmd:"" help:"Record a session of a phone that you own, with what it is."`
	Accuracy   accuracyCmd   `cmd:"" help:"How well picket does on the phones that were enrolled."`
	Geo        geoCmd        `cmd:"" help:"Look after the databases of countries and networks."`
	Data       dataCmd       `cmd:"" help:"Data for sensors without internet, in signed bundles."`
	Report     reportCmd     `cmd:"" help:"Where each maker's devices sent their data, and what changed."`
	Evidence   evidenceCmd   `cmd:"" help:"Verify, show, export, decide, forget, back up what is kept."`
	Fleet      fleetCmd      `cmd:"" help:"Several sensors as one."`
	Survey     surveyCmd     `cmd:"" help:"Install day: is this span any good, and what to configure."`
	Selftest   selftestCmd   `cmd:"" help:"A crafted capture through the running build: every detection must fire."`
	Runbook    runbookCmd    `cmd:"" help:"Print what to do about an alert."`
	Man        manCmd        `cmd:"" hidden:"" help:"Print the manual page."`
	Completion completionCmd `cmd:"" hidden:"" help:"Print shell completions."`
}

// commands is the grammar that args need: the one command that they begin
// with, and all where they do not. Preparing all takes 2 ms of every start.
func commands(args []string) any {
	if len(args) > 0 {
		all := reflect.TypeFor[cli]()
		for i := range all.NumField() {
			if f := all.Field(i); strings.ToLower(f.Name) == args[0] {
				return reflect.New(reflect.StructOf([]reflect.StructField{f})).Interface()
			}
		}
	}
	return new(cli)
}
