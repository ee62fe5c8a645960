package main

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"picket/alerts"
	"picket/evidence"
	"picket/fleet"
	"picket/sensor"
	"picket/sensor/device"
	"picket/sensor/handset"
	"picket/sensor/observation"
)

// member is what makes a sensor part of a fleet. A nil one is a sensor alone:
// all methods do nothing then.
type member struct {
	node     *fleet.Node
	flows    alerts.FlowOf
	desk     *fleet.Desk
	identity *fleet.Identity
	sums     *fleet.Sums
	rules    func() []*alerts.Rule
	seen     map[device.ID]seenView
	events   atomic.Uint64
	store    *evidence.Store
	ledger   toldLedger
}

// seenView is what was found of a view, so that it is not asked for every
// transfer.
type seenView struct {
	view    *device.View
	rule    *alerts.Rule // the first of those asked: a reload makes others
	concern bool
}

// join opens this sensor's part in the fleet; nil when it has none.
func join(c fleet.Config, state string, rules func() []*alerts.Rule, health func() fleet.Health, log *slog.Logger) (*member, error) {
	if !c.Enabled() {
		return nil, nil
	}
	key, err := siteKey(state)
	if err != nil {
		return nil, err
	}
	node, err := fleet.NewNode(fleet.NodeConfig{Config: c, Dir: state, Key: key, Log: log, Health: health})
	if err != nil {
		return nil, err
	}
	return &member{node: node, flows: fleet.FlowOf(key), rules: rules, seen: map[device.ID]seenView{}}, nil
}

// announcer is who the judge tells: the desk, or next itself.
func (m *member) announcer(next alerts.Announcer, store fleet.Store, log *slog.Logger) alerts.Announcer {
	if m == nil {
		return next
	}
	m.desk = fleet.NewDesk(m.node, next, log)
	m.desk.Keep(store)
	return eventTap{m.desk, m}
}

// flowOf tells conversations apart for the fleet; nil without one.
func (m *member) flowOf() alerts.FlowOf {
	if m == nil {
		return nil
	}
	return m.flows
}

// name is that of this sensor in the fleet; empty without one.
func (m *member) name() string {
	if m == nil {
		return ""
	}
	return m.node.Name()
}

// sum has the thresholds of judge hold for what the fleet sees together.
func (m *member) sum(judge *alerts.Judge, log *slog.Logger) (err error) {
	if m == nil {
		return nil
	}
	m.sums, err = fleet.NewSums(m.node, judge, log)
	return err
}

// sink is who the sensor tells: next, the fleet looking on.
func (m *member) sink(next sensor.Sink) sensor.Sink {
	if m == nil {
		return next
	}
	return &fleetSink{next, m}
}

// share has identity shared between the table of a and the fleet.
func (m *member) share(a *assembly, store *evidence.Store, log *slog.Logger) {
	if m == nil {
		return
	}
	m.store = store
	m.node.OnForget = func(id string, _ time.Time) error { return m.forget(store, id) }
	m.identity = fleet.NewIdentity(m.node, a.table, m.concerned, log)
	m.node.OnMessage = func(msg *fleet.Message) {
		switch msg.Kind {
		case fleet.KindDevice:
			m.identity.Receive(msg)
		case fleet.KindEpisode:
			m.desk.Receive(msg)
		case fleet.KindPartial:
			m.sums.Receive(msg)
		}
	}
	before := a.pipeline.Observe
	a.pipeline.Observe = func(o *observation.Observation) {
		before(o)
		m.identity.Poke(time.Now())
	}
}

// concerned reports whether a device may be told of to other sensors: some
// evidence speaks for a maker that a policy names. It is less than what is
// kept here asks for, since what is weak at two sensors may be proof together.
func (m *member) concerned(v *device.View, at time.Time) bool {
	rules := m.rules()
	if len(rules) == 0 {
		return false
	}
	if s, ok := m.seen[v.ID]; ok && s.view == v && s.rule == rules[0] {
		return s.concern
	}
	likely := *v
	if likely.Verdict.Confidence == handset.Weak {
		verdict := *v.Verdict
		verdict.Confidence, likely.Verdict = handset.Likely, &verdict
	}
	concern, _ := alerts.Concern(rules, &likely, at)
	if len(m.seen) >= maxKept {
		clear(m.seen)
	}
	m.seen[v.ID] = seenView{v, rules[0], concern != evidence.NoConcern}
	return concern != evidence.NoConcern
}

// tick is called about once a second by the goroutine that owns the table.
func (m *member) tick(now time.Time) {
	if m == nil {
		return
	}
	m.identity.Tick(now)
	m.tellLedger(now)
}

// run works until ctx is done.
func (m *member) run(ctx context.Context) error {
	if m == nil {
		return nil
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return m.node.Run(ctx) })
	g.Go(func() error { return m.desk.Run(ctx) })
	g.Go(func() error { return m.sums.Run(ctx) })
	return g.Wait()
}

// close commits what was said and leaves.
func (m *member) close(log *slog.Logger) {
	if m == nil {
		return
	}
	if err := m.node.Close(); err != nil {
		log.Error("fleet: the last of what was to be said may not be kept", "err", err)
	}
}

// fleetSink hands on what the sensor learnt, and notes of whom.
type fleetSink struct {
	sensor.Sink
	m *member
}

// Transfer implements sensor.Sink.
func (s *fleetSink) Transfer(t sensor.Transfer) {
	s.Sink.Transfer(t)
	s.m.identity.Note(t.Device, t.Last, false)
}

// Verdict implements sensor.Sink.
func (s *fleetSink) Verdict(c sensor.VerdictChange) {
	s.Sink.Verdict(c)
	if c.Gone || c.Device == nil {
		return
	}
	s.m.identity.Note(c.Device, c.At, true)
	if concern, _ := alerts.Concern(s.m.rules(), c.Device, c.At); concern != evidence.NoConcern {
		s.m.event("device", string(c.Device.ID), string(c.Device.ID), newDeviceLine(c.Device))
	}
}

// fleetHealth is what a running sensor says of itself.
func (s *station) fleetHealth() fleet.Health {
	h := fleet.Health{Interfaces: s.cfg.Interfaces, Policies: map[string]string{}, Databases: map[string]string{}}
	if info, ok := debug.ReadBuildInfo(); ok {
		h.Version = info.Main.Version
	}
	j := s.j.Load()
	h.Signatures = j.set.Hash()
	for _, r := range j.rules {
		h.Policies[r.Policy.Name] = r.Hash
	}
	for _, d := range j.geo.Databases() {
		h.Databases[d.Name] = d.Built.UTC().Format(time.DateOnly)
	}
	for _, l := range s.live {
		st := l.Stats()
		h.Frames += st.Frames
		h.Dropped += st.DroppedKernel + st.DroppedInterface
	}
	st := s.a.identify.Stats()
	h.Devices, h.NoDevice, h.Learning = st.Devices, st.NoDeviceRatio(), st.LearningRatio()
	h.Open = len(s.judge.Open())
	return h
}

// fleetView is how the fleet is doing, for the page; its Mode is off for a
// sensor alone.
func (s *station) fleetView() fleet.View {
	if s.fleet == nil {
		return fleet.View{Mode: fleet.Off, Sensors: []fleet.Sensor{}, Differences: []string{}}
	}
	return s.fleet.node.View()
}

// policies is what the sensor judges by now.
func (s *station) policies() []*alerts.Rule { return s.j.Load().rules }
