package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// canaryMetrics is what a running sensor says of its canary.
type canaryMetrics struct {
	runs      *prometheus.CounterVec
	fired     *prometheus.GaugeVec
	latency   prometheus.Histogram
	succeeded prometheus.Gauge
	began     prometheus.Gauge
	interval  prometheus.Gauge
}

// newCanaryMetrics begins at start; every is the time from one canary to the
// next.
func newCanaryMetrics(reg prometheus.Registerer, every time.Duration, start time.Time) *canaryMetrics {
	m := &canaryMetrics{
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "picket_canary_runs_total", Help: "Selftests of the running sensor, by outcome.",
		}, []string{"outcome"}),
		fired: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "picket_canary_detections", Help: "Detections of the latest selftest that fired, and that did not.",
		}, []string{"result"}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "picket_canary_alert_seconds", Help: "From the frames of a canary to the acceptance of its alert by an Alertmanager.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2, 3, 4, 5, 7.5, 10, 30, 60},
		}),
		succeeded: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "picket_canary_last_success_timestamp_seconds", Help: "When everything last fired and an Alertmanager, if one is configured, accepted the alert.",
		}),
		began: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "picket_canary_start_timestamp_seconds", Help: "When the sensor began to run canaries: nothing can have succeeded before.",
		}),
		interval: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "picket_canary_interval_seconds", Help: "Time from one canary to the next, as configured.",
		}),
	}
	m.began.Set(float64(start.UnixMilli()) / 1000)
	m.interval.Set(every.Seconds())
	for _, outcome := range []string{"passed", "failed"} {
		m.runs.WithLabelValues(outcome)
	}
	reg.MustRegister(m.runs, m.fired, m.latency, m.succeeded, m.began, m.interval)
	return m
}

// canaries repeats the selftest in the running sensor.
func (s *station) canaries(ctx context.Context) error {
	every := time.Duration(s.cfg.Canary.Every)
	if every == 0 {
		return nil
	}
	c := &canary{app: s.app, cfg: s.cfg, j: s.j.Load, log: s.log}
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			s.canary.round(ctx, c)
		}
	}
}

// round runs one canary and counts what came of it.
func (m *canaryMetrics) round(ctx context.Context, c *canary) {
	t, err := c.detect()
	if err == nil {
		m.fired.WithLabelValues("fired").Set(float64(len(t.fired)))
		m.fired.WithLabelValues("missing").Set(float64(len(t.missing)))
		for _, what := range t.missing {
			c.log.Error("canary: a detection did not fire", "what", what)
		}
	}
	if err == nil && len(c.cfg.Alertmanager.URLs) > 0 {
		var took time.Duration
		if took, err = c.alert(ctx); err == nil {
			m.latency.Observe(took.Seconds())
		}
	}
	switch {
	case ctx.Err() != nil: // the sensor stops
	case err != nil:
		c.log.Error("canary failed", "err", err)
		m.runs.WithLabelValues("failed").Inc()
	case len(t.missing) > 0:
		m.runs.WithLabelValues("failed").Inc()
	default:
		m.runs.WithLabelValues("passed").Inc()
		m.succeeded.SetToCurrentTime()
	}
}
