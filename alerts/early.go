package alerts

import (
	"time"

	"picket/sensor"
	"picket/sensor/device"
)

// maxEarly bounds each of the two generations of conversations without a
// name.
const maxEarly = 1 << 14

// early is what a conversation carried before it had a name. What a rule
// counted then, it has; for the others it waits: whose server it is, and which
// plane asks, is known by name alone.
type early struct {
	device                          device.ID
	sent, handshake, received, pkts uint64
	first                           time.Time
	counted                         uint64 // rules that have it: a bit each
}

// earlies holds them by flow, in two generations as places does.
type earlies struct{ young, old map[uint64]*early }

// maxEarlyRules is how many rules fit into counted; those beyond do not wait.
const maxEarlyRules = 64

// note adds a transfer without a name. It reports whether older ones had to
// be forgotten.
func (e *earlies) note(t *sensor.Transfer, counted uint64) (forgot bool) {
	if t.Sent == 0 || t.Flow == 0 {
		return false
	}
	if t.Final {
		e.forget(t.Flow)
		return false
	}
	x := e.get(t.Flow)
	if x == nil || x.device != t.Device.ID { // flow numbers of sensors that joined may meet
		x = &early{device: t.Device.ID, first: t.First}
		if len(e.young) >= maxEarly {
			forgot = len(e.old) > 0
			e.old, e.young = e.young, nil
		}
		if e.young == nil {
			e.young = map[uint64]*early{}
		}
		e.young[t.Flow] = x
	}
	x.sent, x.handshake, x.received, x.pkts = x.sent+t.Sent, x.handshake+t.Handshake, x.received+t.Received, x.pkts+t.Packets
	x.counted |= counted
	return forgot
}

func (e *earlies) get(flow uint64) *early {
	if x := e.young[flow]; x != nil {
		return x
	}
	return e.old[flow]
}

func (e *earlies) forget(flow uint64) {
	delete(e.young, flow)
	delete(e.old, flow)
}

// take returns what t's conversation carried before it had its name, once;
// nil for nothing.
func (e *earlies) take(t *sensor.Transfer) *early {
	if len(e.young)+len(e.old) == 0 {
		return nil
	}
	x := e.get(t.Flow)
	if x == nil {
		return nil
	}
	e.forget(t.Flow)
	if x.device != t.Device.ID {
		return nil
	}
	return x
}

// whole is t with what came before it, for rule i; t itself if the rule has
// counted that.
func (x *early) whole(i int, t *sensor.Transfer) *sensor.Transfer {
	if x == nil || i >= maxEarlyRules || x.counted&(1<<i) != 0 {
		return t
	}
	all := *t
	all.Sent, all.Handshake, all.Received, all.Packets = t.Sent+x.sent, t.Handshake+x.handshake, t.Received+x.received, t.Packets+x.pkts
	if x.first.Before(all.First) {
		all.First = x.first
	}
	return &all
}
