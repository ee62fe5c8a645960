package main

import (
	"testing"
	"time"

	"picket/sensor/device"
)

// TestSilentDevicesAreForgotten: one that no policy concerns goes after a
// while of silence, one that is concerned stays.
func TestSilentDevicesAreForgotten(t *testing.T) {
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	k := &keeper{kept: map[device.ID]*keptDevice{
		"d-silent": {heard: at.Add(-time.Hour)}, "d-talking": {heard: at}, "d-concern": {heard: at.Add(-time.Hour), concern: "policy"},
	}}
	k.forgetIdle(at)
	if len(k.kept) != 2 || k.kept["d-silent"] != nil {
		t.Errorf("kept %v", k.kept)
	}
}
