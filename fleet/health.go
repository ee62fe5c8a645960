package fleet

import (
	"slices"
	"strings"
	"time"
)

// Health is what a sensor says of itself every few seconds.
type Health struct {
	Schema     int               `json:"schema"`
	Name       string            `json:"name"`
	Version    string            `json:"version"` // of picket
	At         time.Time         `json:"at"`      // its clock
	Started    time.Time         `json:"started"`
	Interfaces []string          `json:"interfaces"`
	Realms     []string          `json:"realms"`     // shared
	Key        string            `json:"key"`        // fingerprint of its site key
	Signatures string            `json:"signatures"` // hash
	Policies   map[string]string `json:"policies"`   // hash by name
	Databases  map[string]string `json:"databases"`  // date by name
	Frames     uint64            `json:"frames"`
	Dropped    uint64            `json:"dropped"`          // by kernel and interface
	NoDevice   float64           `json:"no_device_ratio"`  // share of bytes at addresses without a device
	Learning   float64           `json:"learning_ratio"`   // share of active devices of which too little was seen
	Devices    int               `json:"devices"`          // now
	Open       int               `json:"episodes_open"`    // its own parts
	Waiting    int               `json:"waiting"`          // not acknowledged by the cluster
	Lost       uint64            `json:"lost"`             // given up because the queue was full
	Refused    uint64            `json:"identity_refused"` // messages not believed: clock, key, realm, version
}

// Sensor is another sensor, or this one, as this one sees it.
type Sensor struct {
	Health
	Heard time.Time     `json:"heard"` // our clock
	Skew  time.Duration `json:"skew"`  // its clock less ours, the way included; nanoseconds
	Known bool          `json:"skew_known"`
	State string        `json:"state"` // up, late, lost
}

const (
	healthEvery = 2 * time.Second
	lateAfter   = 3 * healthEvery
	lostAfter   = 15 * healthEvery
	maxSensors  = 4096
	skewOf      = 15 // health messages that a clock is judged by
)

// heardOf is what is known of a sensor and its clock: of the differences of
// half a minute the one furthest ahead, since the way here only takes from them.
type heardOf struct {
	health Health
	heard  time.Time
	skews  []time.Duration
}

func (h *heardOf) take(next Health, now time.Time, live bool) {
	h.health, h.heard = next, now
	if !live {
		h.heard = next.At // from the bucket, as old as it says
		return
	}
	h.skews = append(h.skews, next.At.Sub(now))
	h.skews = h.skews[max(0, len(h.skews)-skewOf):]
}

func (h *heardOf) skew() (time.Duration, bool) {
	if len(h.skews) == 0 {
		return 0, false
	}
	return slices.Max(h.skews), true
}

func stateOf(heard, now time.Time) string {
	switch age := now.Sub(heard); {
	case age > lostAfter:
		return "lost"
	case age > lateAfter:
		return "late"
	}
	return "up"
}

// sensorOf is the view of it at a time.
func (h *heardOf) sensor(now time.Time) Sensor {
	s := Sensor{Health: h.health, Heard: h.heard, State: stateOf(h.heard, now)}
	s.Skew, s.Known = h.skew()
	return s
}

// Differences says in words where sensors judge by different policies,
// signatures or keys: that is shown, and never merged.
func Differences(all []Sensor) []string {
	out := []string{}
	say := func(what string, of func(*Sensor) string) {
		by := map[string][]string{}
		for i := range all {
			if v := of(&all[i]); v != "" {
				by[v] = append(by[v], all[i].Name)
			}
		}
		if len(by) < 2 {
			return
		}
		var parts []string
		for v, names := range by {
			slices.Sort(names)
			parts = append(parts, v+" at "+strings.Join(names, " "))
		}
		slices.Sort(parts)
		out = append(out, what+" differ: "+strings.Join(parts, "; "))
	}
	say("site keys", func(s *Sensor) string { return s.Key })
	say("signatures", func(s *Sensor) string { return s.Signatures })
	names := map[string]bool{}
	for i := range all {
		for n := range all[i].Policies {
			names[n] = true
		}
	}
	var sorted []string
	for n := range names {
		sorted = append(sorted, n)
	}
	slices.Sort(sorted)
	for _, n := range sorted {
		say("policies called "+n, func(s *Sensor) string { return or(s.Policies[n], "none") })
	}
	return out
}
