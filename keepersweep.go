package main

import (
	"time"

	"picket/evidence"
)

const (
	// idleEvery is how often a keeper looks for devices that are silent.
	idleEvery = 10 * time.Minute
	// maxIdle is how long it remembers one that no policy concerns. The sensor
	// says that a device is gone only while it still has a view of it.
	maxIdle = 30 * time.Minute
)

// forgetIdle lets go of silent devices that no policy concerns: a campus of
// randomised hardware addresses has new ones all day.
func (k *keeper) forgetIdle(now time.Time) {
	if now.Sub(k.idleAt) < idleEvery {
		return
	}
	k.idleAt = now
	k.mu.Lock()
	defer k.mu.Unlock()
	for id, d := range k.kept {
		if d.concern == evidence.NoConcern && now.Sub(d.heard) > maxIdle {
			delete(k.kept, id)
		}
	}
}
