package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"picket/alerts"
	"picket/configs"
	"picket/evidence"
	"picket/sensor"
)

// ledgerEvery is how often the ledger's sums of the day are told.
const ledgerEvery = time.Hour

// eventLog tells events as JSON lines to files, the journal and syslogs. A nil
// one tells nobody: all methods do nothing then. Telling never waits.
type eventLog struct {
	outlets  []*outlet
	rules    func() []*alerts.Rule
	log      *slog.Logger
	ledgerAt time.Time
}

// newEventLog opens what can be opened; a syslog that is not there is tried
// again later, a file that cannot be written is a mistake.
func newEventLog(c configs.Events, rules func() []*alerts.Rule, reg prometheus.Registerer, log *slog.Logger) (*eventLog, error) {
	if len(c.To) == 0 {
		return nil, nil
	}
	e := &eventLog{rules: rules, log: log}
	for _, to := range c.To {
		o, err := newOutlet(to, log)
		if err != nil {
			return nil, err
		}
		e.outlets = append(e.outlets, o)
	}
	reg.MustRegister(newEventMetrics(e.outlets))
	return e, nil
}

// eventHead is what every line begins with.
type eventHead struct {
	At     string `json:"at"`
	Change string `json:"change,omitempty"` // open, closed; why a device is told of
}

// tell gives a line to every outlet.
func (e *eventLog) tell(kind string, line any) {
	if e == nil {
		return
	}
	body, err := json.Marshal(line)
	if err != nil {
		e.log.Error("event not told", "kind", kind, "err", err) // texts and numbers: cannot happen
		return
	}
	for _, o := range e.outlets {
		o.offer(entry{time.Now(), kind, body})
	}
}

// episode tells of an episode that was saved: opened, grown or closed.
func (e *eventLog) episode(of *evidence.Episode) {
	change := "open"
	if !of.Closed.IsZero() {
		change = "closed"
	}
	e.tell("episode", struct {
		eventHead
		episodeLine
		Closed string `json:"closed,omitempty"`
		Reason string `json:"close_reason,omitempty"`
	}{eventHead{timestamp(time.Now()), change}, newEpisodeLine(of), closedAt(of.Closed), of.CloseReason})
}

func closedAt(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return timestamp(t)
}

// sink tells of devices that a policy concerns, whenever a verdict changes.
func (e *eventLog) sink(next sensor.Sink) sensor.Sink {
	if e == nil {
		return next
	}
	return &deviceEvents{next, e}
}

type deviceEvents struct {
	sensor.Sink
	e *eventLog
}

// Verdict implements sensor.Sink.
func (d *deviceEvents) Verdict(c sensor.VerdictChange) {
	d.Sink.Verdict(c)
	if c.Gone || c.Device == nil {
		return
	}
	if concern, _ := alerts.Concern(d.e.rules(), c.Device, c.At); concern != evidence.NoConcern {
		d.e.tell("device", struct {
			eventHead
			deviceLine
		}{eventHead{timestamp(c.At), c.Why}, newDeviceLine(c.Device)})
	}
}

// ledgerEvent is one sum of the day so far: the last line of a day and key is
// the day's. No device is in it.
type ledgerEvent struct {
	eventHead
	Type         string `json:"type"`
	Day          string `json:"day"`
	Maker        string `json:"maker"`
	Class        string `json:"class"`
	Owner        string `json:"owner"`
	Plane        string `json:"plane"`
	Location     string `json:"location"`
	Registration string `json:"registration"`
	OperatorHome string `json:"operator_home"`
	OwnerHome    string `json:"owner_home"`
	Operator     string `json:"operator"`
	Epoch        string `json:"epoch"`
	Sent         uint64 `json:"sent"`
	Handshake    uint64 `json:"handshake"`
	Received     uint64 `json:"received"`
	Flows        uint64 `json:"flows"`
	Devices      uint64 `json:"devices"`
}

// tick tells the ledger of the day once an hour; after midnight, UTC, also the
// whole of the day that ended.
func (e *eventLog) tick(now time.Time, store *evidence.Store) {
	if e == nil || now.Sub(e.ledgerAt) < ledgerEvery {
		return
	}
	if !e.ledgerAt.IsZero() { // not at once after the start
		e.tellLedger(store, evidence.Period{From: e.ledgerAt.UTC(), To: now.UTC()}, now)
	}
	e.ledgerAt = now
}

func (e *eventLog) tellLedger(store *evidence.Store, p evidence.Period, now time.Time) {
	err := store.Ledger(p, "", func(r evidence.LedgerRow) error {
		e.tell("ledger", newLedgerEvent(&r, now))
		return nil
	})
	if err != nil {
		e.log.Warn("ledger not told", "err", err)
	}
}

func newLedgerEvent(r *evidence.LedgerRow, now time.Time) ledgerEvent {
	return ledgerEvent{
		eventHead{At: timestamp(now)}, "ledger", time.Unix(r.Day*86400, 0).UTC().Format(time.DateOnly), r.Maker, r.Class, r.Owner, r.Plane,
		r.Location, r.Registration, r.OperatorHome, r.OwnerHome, r.Operator, r.Epoch, r.Sent, r.Handshake, r.Received, r.Flows, r.Devices,
	}
}

// run writes until ctx is done, and what waits then as far as it goes.
func (e *eventLog) run(ctx context.Context) error {
	if e == nil {
		return nil
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, o := range e.outlets {
		g.Go(func() error { return o.run(ctx) })
	}
	return g.Wait()
}
