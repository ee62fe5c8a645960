package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"picket/alerts"
	"picket/evidence"
	"picket/sensor"
	"picket/sensor/device"
	"picket/sensor/observation"
)

// wire joins sources, judge, metrics and endpoint: each step needs those
// before it.
func (s *station) wire(sources []sensor.Source) error {
	s.registry = prometheus.NewRegistry()
	s.measure()
	if err := s.remember(); err != nil {
		return err
	}
	store := keptEpisodes{alerts.Kept{Store: s.store}, func(e *evidence.Episode) {
		s.saved(e)
		s.events.episode(e)
	}}
	if err := s.reach(store); err != nil {
		return err
	}
	if err := s.decide(store); err != nil {
		return err
	}
	if err := s.observe(sources); err != nil {
		return err
	}
	return s.serve()
}

// measure makes what is counted from the first frame on.
func (s *station) measure() {
	j := s.j.Load()
	s.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	s.registry.MustRegister(newGeoMetrics(s.places, s.cmd.State))
	s.metrics = alerts.NewMetrics(s.registry, alerts.MetricsConfig{
		Series: s.cfg.Limits.Series, Makers: j.set.Makers(), Policies: policyNames(j.rules), Snapshot: s.snapshot,
	})
	if every := time.Duration(s.cfg.Canary.Every); every > 0 {
		s.canary = newCanaryMetrics(s.registry, every, time.Now())
	}
}

// remember opens the store of evidence and the log of events.
func (s *station) remember() (err error) {
	kept := storeConfig(s.cfg, s.cmd.State)
	kept.Logger, kept.OnRuling = s.log, s.ruled
	if s.store, err = evidence.Open(kept); err != nil {
		return err
	}
	s.registry.MustRegister(newStoreMetrics(s.store, s.framesLost))
	if s.events, err = newEventLog(s.cfg.Events, s.policies, s.registry, s.log); err != nil {
		return usageError{err}
	}
	return nil
}

// reach makes the ways to people and to the other sensors.
func (s *station) reach(store keptEpisodes) (err error) {
	links := alerts.Links{External: externalURL(s.cfg)}
	s.notifier, err = alerts.NewNotifier(alerts.NotifierConfig{
		Alertmanager: s.cfg.Alertmanager, Links: links, Outbox: store, Metrics: s.metrics, Logger: s.log,
	})
	if err != nil {
		return usageError{err}
	}
	if s.fleet, err = join(s.cfg.Fleet, s.cmd.State, s.policies, s.fleetHealth, s.log); err != nil {
		return usageError{err}
	}
	if s.fleet != nil {
		s.registry.MustRegister(s.fleet.node.Metrics())
	}
	return nil
}

// decide makes judge and keeper.
func (s *station) decide(store keptEpisodes) (err error) {
	j := s.j.Load()
	s.judge, err = alerts.NewJudge(alerts.JudgeConfig{
		Rules: j.rules, Geo: s.places, Store: store, Announce: s.fleet.announcer(s.notifier, s.store, s.log), Metrics: s.metrics, Logger: s.log, Now: time.Now(),
		FlowOf: s.fleet.flowOf(), Sensor: s.fleet.name(),
		Limits: alerts.Limits{Devices: s.cfg.Limits.Devices},
	})
	if err != nil {
		return err
	}
	if err := s.fleet.sum(s.judge, s.log); err != nil {
		return err
	}
	if s.keeper, err = newKeeper(s.judge, s.store, s.places, s.log); err != nil {
		return err
	}
	s.keeper.judgedBy(j, time.Now())
	return nil
}

// observe makes the way of a frame from a source to the keeper.
func (s *station) observe(sources []sensor.Source) (err error) {
	if s.a, err = assemble(s.app.ctx, s.cfg, s.j.Load(), s.events.sink(s.fleet.sink(s.keeper)), sources, true, s.cmd.State, s.log); err != nil {
		return err
	}
	s.keeper.export = s.a.table.Export
	s.keeper.crowd = s.crowd
	if err := s.keeper.holdFrames(s.a); err != nil {
		return err
	}
	if err := s.keeper.restore(s.a.table.Import); err != nil {
		return err
	}
	s.a.pipeline.Now = time.Now
	s.a.pipeline.Tick = s.tick
	s.a.pipeline.Base = s.bases()
	learn := learnNAT64(s.places, s.judge.Replaced, s.log)
	s.a.tap(func(o *observation.Observation) {
		s.strays.See(o)
		learn(o)
	})
	s.fleet.share(s.a, s.store, s.log)
	s.a.identify.OnAhead(s.judge.Ahead)
	s.a.identify.OnHint(func(h device.Hint) { s.log.Warn(h.Text, "hint", h.Kind, "realm", h.Realm) })
	return nil
}

// serve makes the pages and the endpoint.
func (s *station) serve() error {
	pages, err := s.pages(s.cfg)
	if err != nil {
		return err
	}
	s.endpoint = &endpoint{registry: s.registry, ready: s.up.Load, pprof: s.cfg.Web.Pprof}
	s.endpoint.front.show(pages, s.cfg.Redacted(), s.cfg.Web.ExternalURL)
	if s.cfg.Web.Reload {
		s.endpoint.reload = s.reload
	}
	s.metrics.Reloaded(true, time.Now())
	return nil
}
