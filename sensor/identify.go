package sensor

import (
	"context"
	"sync/atomic"
	"time"

	"picket/sensor/device"
	"picket/sensor/observation"
)

// Identify asks who each observation was about and tells a Sink what the
// device did. One goroutine owns it; Stats alone may be called by others.
type Identify struct {
	table *device.Table
	sink  Sink
	now   time.Time
	stats atomic.Pointer[device.Stats]
}

// NewIdentify returns an Identify over table that reports to sink. It starts
// nothing.
func NewIdentify(table *device.Table, sink Sink) *Identify {
	i := &Identify{table: table, sink: sink}
	i.stats.Store(&device.Stats{})
	return i
}

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

// Observe takes the next observation. Order is packet-time order, roughly.
func (i *Identify) Observe(o *observation.Observation) {}

// Flush brings every verdict up to date: the end of input.
func (i *Identify) Flush() {}

// Devices calls yield for every device, oldest first, until it returns false.
func (i *Identify) Devices(yield func(*device.View) bool) { i.table.Views(yield) }
