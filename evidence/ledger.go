package evidence

import (
	"math"
	"time"
)

// Residence is where bytes of a kind of device went on one day: what the
// ledger counts by. Values come from closed lists (makers, classes, owners,
// countries, operators of databases); no name, address or device is in it.
type Residence struct {
	Day          int64 // days since 1970-01-01 UTC
	Maker        string
	Class        string
	Owner        string // company, empty when no signature or owner list knows the name
	Plane        string // os, app, web
	Location     string // countries, ISO 3166-1 alpha-2
	Registration string
	OperatorHome string
	OwnerHome    string
	Operator     string
	Epoch        string // hash of the signatures and databases that judged
}

// Others stands for owners and operators beyond the bound of a day.
const Others = "(other)"

func (r Residence) folded() Residence {
	r.Owner, r.Operator = Others, Others
	return r
}

// maxWord bounds one value of a Residence, in bytes.
const maxWord = 80

func (r *Residence) trim() {
	for _, p := range []*string{&r.Maker, &r.Class, &r.Owner, &r.Plane, &r.Location, &r.Registration, &r.OperatorHome, &r.OwnerHome, &r.Operator, &r.Epoch} {
		if len(*p) > maxWord {
			*p = (*p)[:maxWord]
		}
	}
}

// Flow is what one report of a conversation adds to the ledger.
type Flow struct {
	At        time.Time
	Device    uint32 // keyed hash of the device: counted, never given back
	Sent      uint64 // payload bytes, handshake included
	Handshake uint64
	Received  uint64
	Flows     uint64
	Low       bool // the location was known at low confidence
}

type flowSum struct {
	sent, handshake, received, flows, low uint64
	devices                               sketch
}

func (f *flowSum) add(o *flowSum) {
	f.sent, f.handshake, f.received = plus(f.sent, o.sent), plus(f.handshake, o.handshake), plus(f.received, o.received)
	f.flows, f.low = plus(f.flows, o.flows), plus(f.low, o.low)
	f.devices = f.devices.join(o.devices)
}

// plus adds without running over what SQLite's integers hold.
func plus(a, b uint64) uint64 {
	if a > math.MaxInt64 || b > math.MaxInt64-a {
		return math.MaxInt64
	}
	return a + b
}

// Count adds a flow to the ledger. The day of r is that of f.At.
func (s *Store) Count(r Residence, f Flow) {
	r.Day = dayOf(f.At)
	r.trim()
	add := flowSum{sent: f.Sent, handshake: f.Handshake, received: f.Received, flows: f.Flows, devices: sketch(nil).add(f.Device)}
	if f.Low {
		add.low = f.Sent
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting.sum(r).add(&add)
	if len(s.waiting.ledger) > s.c.Limits.Waiting {
		s.waiting.fold()
		s.stats.folded.Add(1)
	}
}

// Watched is how well a day was watched.
type Watched struct {
	Seconds uint64 // in which the sensor saw time pass
	Named   uint64 // bytes sent by flows whose destination had a name
	Unnamed uint64 // and of those without
	Lost    uint64 // frames dropped by kernel or interface
}

func (w Watched) plus(o Watched) Watched {
	return Watched{plus(w.Seconds, o.Seconds), plus(w.Named, o.Named), plus(w.Unnamed, o.Unnamed), plus(w.Lost, o.Lost)}
}

// Watch adds to what is known of the day of at.
func (s *Store) Watch(at time.Time, w Watched) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := dayOf(at)
	s.waiting.watched[d] = s.waiting.watched[d].plus(w)
}

// Crowd keeps how many devices of a maker and class were there at once, at
// most, on the day of at: all that is kept of devices no policy concerns.
func (s *Store) Crowd(at time.Time, maker, class string, devices int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := crowdKey{dayOf(at), maker, class}
	if _, there := s.waiting.crowd[k]; !there && len(s.waiting.crowd) >= s.c.Limits.Waiting {
		s.stats.dropped.Add(1)
		return
	}
	s.waiting.crowd[k] = max(s.waiting.crowd[k], devices)
}
