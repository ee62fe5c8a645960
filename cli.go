package main

const description = "Passive sensor: which handsets are on the network, and under whose law their data goes."

// cli lists the commands, one file each.
type cli struct {
	Version versionCmd `cmd:"" help:"Print version, commit and the hashes of the embedded data."`
}
