package sensor

import (
	"context"
	"sync/atomic"
	"time"

	"picket/sensor/device"
	"picket/sensor/flow"
	"picket/sensor/observation"
)

// countEvery is how often, in packet time, Stats is made anew.
const countEvery = 10 * time.Second

// Identify asks who each observation was about and tells a Sink what the
// device did. One goroutine owns it; Stats and Rejudge alone may be called by
// others.
type Identify struct {
	table   *device.Table
	sink    Sink
	now     time.Time // latest packet time
	ticked  time.Time
	counted time.Time
	stats   atomic.Pointer[device.Stats]
	rejudge atomic.Bool
	hints   func(device.Hint)
	ahead   func([]*device.View)
	prompt  *flow.Prompt
}

// NewIdentify returns an Identify over table that reports to sink. It starts
// nothing.
func NewIdentify(table *device.Table, sink Sink) *Identify {
	i := &Identify{table: table, sink: sink}
	i.stats.Store(&device.Stats{})
	return i
}

// OnHint has f called with what turns out about where the tap stands. Set it
// before Run.
func (i *Identify) OnHint(f func(device.Hint)) { i.hints = f }

// Rejudge has every verdict made anew: the signatures changed.
func (i *Identify) Rejudge() { i.rejudge.Store(true) }

// Run observes what comes in until the channel is closed or ctx is done, and
// flushes. It returns nil when the channel was closed.
func (i *Identify) Run(ctx context.Context, in <-chan []observation.Observation) error {
	for {
		select {
		case <-ctx.Done():
			i.Flush()
			return ctx.Err()
		case batch, ok := <-in:
			if !ok {
				i.Flush()
				return nil
			}
			for n := range batch {
				i.Observe(&batch[n])
			}
		}
	}
}

// Stats is the latest count, at most some seconds of packet time old.
func (i *Identify) Stats() device.Stats { return *i.stats.Load() }

// Observe takes the next observation. Workers may be a little apart in packet
// time; the clock is that of the latest.
func (i *Identify) Observe(o *observation.Observation) {
	if o.Kind != observation.Binding {
		i.clock(o.At)
	}
	d := i.table.Observe(o)
	i.drain()
	if d != nil && i.prompt != nil && d.Watched() {
		i.hasten(o)
	}
	switch o.Kind {
	case observation.FlowReport:
		if d != nil {
			i.transfer(d, o)
		}
	case observation.DNS:
		if d != nil && o.ClientHome {
			i.question(d, o)
		}
	case observation.Identifier:
		if d != nil && o.ClientHome && public(o.Server.Addr()) {
			i.identifier(d, o)
		}
	}
}

// Ahead brings near what is known of those whom the next observations are
// about; it changes nothing.
func (i *Identify) Ahead(next []observation.Observation) {
	if found := i.table.Ahead(next); i.ahead != nil {
		i.ahead(found)
	}
}

// OnAhead has f called with the devices that the sink will soon be told of,
// so that it can do likewise; f must not keep the slice. Set it before Run.
func (i *Identify) OnAhead(f func([]*device.View)) { i.ahead = f }

// Tick lets time pass where nothing is seen: a live sensor calls it about once
// a second, from the goroutine that calls Observe.
func (i *Identify) Tick(now time.Time) { i.clock(now) }

// clock ticks once for every second of packet time that something was seen in.
func (i *Identify) clock(at time.Time) {
	if !at.After(i.now) {
		return
	}
	i.now = at
	if at.Sub(i.ticked) < time.Second {
		return
	}
	i.ticked = at
	if i.rejudge.Swap(false) {
		i.table.Rejudge()
	}
	i.table.Tick(at)
	i.drain()
	i.sink.Tick(at)
	if at.Sub(i.counted) >= countEvery {
		i.count()
	}
}

func (i *Identify) count() {
	i.counted = i.now
	s := i.table.Stats()
	i.stats.Store(&s)
	for _, h := range i.table.Hints() {
		if i.hints != nil {
			i.hints(h)
		}
	}
}

// Hasten puts the addresses of watched devices (device.Config) into p, so
// that workers report what they do as it happens. Set it before Run.
func (i *Identify) Hasten(p *flow.Prompt) { i.prompt = p }

func (i *Identify) hasten(o *observation.Observation) {
	if o.ClientHome {
		i.prompt.Add(o.Client.Addr())
	} else {
		i.prompt.Add(o.Server.Addr())
	}
}

// drain tells the sink what changed.
func (i *Identify) drain() {
	for _, c := range i.table.Changes() {
		if i.prompt != nil && c.Device != nil && c.Device.Watched {
			for _, a := range c.Device.Addrs() {
				i.prompt.Add(a)
			}
		}
		i.sink.Verdict(VerdictChange{At: c.At, Device: c.Device, Before: c.Before, Gone: c.Gone, Into: c.Into, Why: c.Why})
	}
}

// Flush brings every verdict up to date and counts: the end of input.
func (i *Identify) Flush() {
	i.table.Flush()
	i.drain()
	if !i.now.IsZero() {
		i.sink.Tick(i.now)
	}
	i.count()
}

// Devices calls yield for every device, in the order in which they were first
// seen, until it returns false.
func (i *Identify) Devices(yield func(*device.View) bool) {
	i.table.Views(yield)
	i.drain()
}

// view returns the device with its verdict up to date; what changed of it is
// told first.
func (i *Identify) view(d *device.Device) *device.View {
	v := i.table.View(d)
	i.drain()
	return v
}
