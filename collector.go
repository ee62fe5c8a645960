package main

import (
	"os"
	"runtime"
	"runtime/debug"
)

// startPercent has the first garbage collection wait for a heap of 32 MiB
// (the runtime's 4 MiB times this): what is read at the start stays, and
// a site of some hundred devices needs no more in all.
const startPercent = 800

// collectLate puts the first garbage collection off; after it the collector
// works as it is told to, or by default.
func collectLate() {
	if os.Getenv("GOGC") != "" {
		return // somebody knows better
	}
	usual := debug.SetGCPercent(startPercent)
	first := new([64]byte)
	runtime.AddCleanup(first, func(percent int) { debug.SetGCPercent(percent) }, usual)
}
