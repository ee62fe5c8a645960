package sensor

import (
	"sync/atomic"

	"picket/sensor/observation"
)

// Visible counts bytes by how their destination was named. One goroutine
// adds, any may read.
type Visible struct {
	bytes  [len(visibilities)]atomic.Uint64
	oneWay atomic.Uint64
}

var visibilities = [...]observation.Visibility{
	observation.BySNI, observation.ByQUIC, observation.ByDNS, observation.ByHTTP, observation.ByCertificate,
	observation.Unnamed, observation.HiddenECH, observation.HiddenDoH, observation.HiddenTunnel,
	observation.Truncated, observation.MissedStart, observation.OneWay,
}

// visibilityCode is the place of v in visibilities, plus one.
func visibilityCode(v observation.Visibility) uint8 {
	for i := range visibilities {
		if visibilities[i] == v {
			return uint8(i + 1)
		}
	}
	return 0
}

// Add counts the bytes of a transfer, both directions.
func (v *Visible) Add(t *Transfer) {
	if t.OneWay {
		v.oneWay.Add(t.Sent + t.Received)
	}
	for i, name := range visibilities {
		if name == t.Visibility {
			v.bytes[i].Add(t.Sent + t.Received)
			return
		}
	}
}

// OneWay returns the bytes of conversations of which one direction was seen,
// named or not.
func (v *Visible) OneWay() uint64 { return v.oneWay.Load() }

// Bytes returns the counts, every visibility present.
func (v *Visible) Bytes() map[string]uint64 {
	out := make(map[string]uint64, len(visibilities))
	for i, name := range visibilities {
		out[string(name)] = v.bytes[i].Load()
	}
	return out
}
