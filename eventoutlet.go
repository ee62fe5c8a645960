package main

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"picket/configs"
)

const (
	// maxWaitingEvents bounds the lines that wait for one outlet.
	maxWaitingEvents = 8192
	// outletTimeout bounds one attempt to connect or to write.
	outletTimeout = 5 * time.Second
	// outletFarewell is how long an outlet may go on writing when the sensor ends.
	outletFarewell = 2 * time.Second
)

// entry is one line to tell.
type entry struct {
	at   time.Time
	kind string
	body []byte
}

// writer is a place that takes lines.
type writer interface {
	write(entry) error
	close()
}

// outlet is a writer with the queue before it. Lines that find the queue full
// are lost and counted.
type outlet struct {
	to      string
	writer  writer
	log     *slog.Logger
	queue   chan entry
	written atomic.Uint64
	lost    atomic.Uint64
	failing atomic.Bool
}

func newOutlet(to configs.EventSink, log *slog.Logger) (*outlet, error) {
	o := &outlet{to: to.String(), log: log, queue: make(chan entry, maxWaitingEvents)}
	switch to.Kind {
	case "file":
		f, err := openEventFile(to.Address)
		if err != nil {
			return nil, err
		}
		o.writer = f
	case "journal":
		o.writer = &toSyslog{network: "unixgram", address: journalSocket, journal: true}
	default:
		o.writer = &toSyslog{network: to.Network, address: to.Address}
	}
	return o, nil
}

// offer never waits.
func (o *outlet) offer(e entry) {
	select {
	case o.queue <- e:
	default:
		o.lost.Add(1)
	}
}

// run writes what is offered. What fails is tried again until it goes, ever
// more seldom; meanwhile the queue fills.
func (o *outlet) run(ctx context.Context) error {
	defer o.writer.close()
	for {
		select {
		case <-ctx.Done():
			o.farewell()
			return nil
		case e := <-o.queue:
			o.insist(ctx, e)
		}
	}
}

func (o *outlet) insist(ctx context.Context, e entry) {
	for pause := time.Second; ; pause = min(2*pause, time.Minute) {
		err := o.writer.write(e)
		if err == nil {
			if o.failing.Swap(false) {
				o.log.Info("events are told again", "to", o.to)
			}
			o.written.Add(1)
			return
		}
		if !o.failing.Swap(true) { // once, however often it fails
			o.log.Warn("events cannot be told and wait", "to", o.to, "err", err)
		}
		select {
		case <-ctx.Done():
			o.lost.Add(1)
			return
		case <-time.After(pause):
		}
	}
}

// farewell writes what waits, each once, for a short time.
func (o *outlet) farewell() {
	for end := time.Now().Add(outletFarewell); time.Now().Before(end); {
		select {
		case e := <-o.queue:
			if o.writer.write(e) != nil {
				o.lost.Add(1 + uint64(len(o.queue)))
				return
			}
			o.written.Add(1)
		default:
			return
		}
	}
	o.lost.Add(uint64(len(o.queue)))
}

// eventMetrics counts what was told.
type eventMetrics struct {
	outlets                        []*outlet
	written, lost, waiting, failed *prometheus.Desc
}

func newEventMetrics(outlets []*outlet) *eventMetrics {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("picket_events_"+name, help, []string{"to"}, nil)
	}
	return &eventMetrics{
		outlets: outlets, written: desc("written_total", "Lines written for log stores."), lost: desc("dropped_total", "Lines lost because too many waited."),
		waiting: desc("waiting", "Lines that wait to be written."), failed: desc("failing", "1 while lines cannot be written."),
	}
}

// Describe implements prometheus.Collector.
func (m *eventMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.written, m.lost, m.waiting, m.failed} {
		ch <- d
	}
}

// Collect implements prometheus.Collector. Outlets are named by kind: an
// address is no label.
func (m *eventMetrics) Collect(ch chan<- prometheus.Metric) {
	for i, o := range m.outlets {
		failing := 0.0
		if o.failing.Load() {
			failing = 1
		}
		to := outletName(i, o.to)
		ch <- prometheus.MustNewConstMetric(m.written, prometheus.CounterValue, float64(o.written.Load()), to)
		ch <- prometheus.MustNewConstMetric(m.lost, prometheus.CounterValue, float64(o.lost.Load()), to)
		ch <- prometheus.MustNewConstMetric(m.waiting, prometheus.GaugeValue, float64(len(o.queue)), to)
		ch <- prometheus.MustNewConstMetric(m.failed, prometheus.GaugeValue, failing, to)
	}
}
