package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"time"

	"github.com/prometheus/common/config"
	"golang.org/x/sync/errgroup"

	"picket/alerts"
	"picket/configs"
	"picket/sensor"
	"picket/sensor/capture"
)

const (
	// canaryDevice is the device of every alert of a canary. Ids of devices
	// begin with "d-": nobody can be mistaken for it.
	canaryDevice = "canary"
	// canaryLabel marks them, so that they go to a receiver of their own.
	canaryLabel = "canary"
	// canaryPatience is how long a canary waits for an Alertmanager.
	canaryPatience = time.Minute
	// canaryStands is how long its alert stands: nobody repeats or ends it.
	canaryStands = time.Minute
)

// canary is a crafted handset that sends to a restricted place, in a sensor of
// its own beside the one that runs: the same build, signatures and databases,
// the same Alertmanagers, and nothing kept. The running sensor's store, ledger,
// chain and counts never hear of it.
type canary struct {
	app *app
	cfg *configs.Config
	j   func() *judgement // the live one
	log *slog.Logger

	patience time.Duration // 0: canaryPatience
}

// crafted is the live judgement with the policies of the crafted capture.
func (c *canary) crafted(cfg *configs.Config) (*judgement, error) {
	j := *c.j()
	j.rules, j.geo = nil, j.geo.Beside()
	for _, p := range cfg.Policies {
		r, err := alerts.Compile(p, j.known)
		if err != nil {
			return nil, err
		}
		j.rules = append(j.rules, r)
	}
	return &j, nil
}

// detect sends the crafted capture of the selftest through the build.
func (c *canary) detect() (*selftest, error) {
	cfg, err := crafted(c.cfg)
	if err != nil {
		return nil, err
	}
	j, err := c.crafted(cfg)
	if err != nil {
		return nil, err
	}
	return selftestOf(newSession(c.app, cfg, j))
}

// alert lets the crafted handset send to a restricted place, and returns how
// long it took from its frames to the acceptance by an Alertmanager.
func (c *canary) alert(ctx context.Context) (time.Duration, error) {
	cfg, err := crafted(c.cfg)
	if err != nil {
		return 0, err
	}
	p, err := alerts.Quick([]string{"xiaomi"}, []string{"CN"})
	if err != nil {
		return 0, err
	}
	p.Name = canaryDevice
	cfg.Policies = []alerts.Policy{p}
	cfg.Limits = configs.Limits{Flows: 1000, Devices: 1000, Names: 1000, StreamBytes: 1 << 20, Series: cfg.Limits.Series, Workers: 1}
	j, err := c.crafted(cfg)
	if err != nil {
		return 0, err
	}
	accepted := make(chan time.Time, 1)
	notifier, err := c.notifier(accepted)
	if err != nil {
		return 0, err
	}
	judge, err := alerts.NewJudge(alerts.JudgeConfig{Rules: j.rules, Geo: j.geo, Store: alerts.NewMemory(), Announce: branded{notifier}, Now: time.Now()})
	if err != nil {
		return 0, err
	}
	perch := &perch{lent: make(chan time.Time, 1)}
	a, err := assemble(ctx, cfg, j, judge, []sensor.Source{perch}, true, "", c.log)
	if err != nil {
		return 0, err
	}
	a.pipeline.Now, a.pipeline.Tick = time.Now, a.identify.Tick
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(c.patience, canaryPatience))
	defer cancel()
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.pipeline.Run(gctx) })
	g.Go(func() error { return notifier.Run(gctx) })
	took, err := wait(gctx, perch.lent, accepted)
	cancel()
	return took, errors.Join(err, g.Wait())
}

var errCanaryUntold = errors.New("no Alertmanager accepted the canary's alert in time")

// wait returns the time between the two.
func wait(ctx context.Context, lent, accepted <-chan time.Time) (time.Duration, error) {
	select {
	case at := <-accepted:
		return at.Sub(<-lent), nil
	case <-ctx.Done():
		return 0, errCanaryUntold
	}
}

// notifier is one of the canary's own, to the configured Alertmanagers.
func (c *canary) notifier(accepted chan<- time.Time) (*alerts.Notifier, error) {
	am := c.cfg.Alertmanager
	am.Labels = maps.Clone(am.Labels)
	if am.Labels == nil {
		am.Labels = map[string]string{}
	}
	am.Labels[canaryLabel] = "true"
	h := am.HTTP
	h.EnableHTTP2 = true
	client, err := config.NewClientFromConfig(h, "canary")
	if err != nil {
		return nil, fmt.Errorf("alertmanager: %w", err)
	}
	return alerts.NewNotifier(alerts.NotifierConfig{Alertmanager: am, Logger: c.log, Transport: &acceptances{client.Transport, accepted}, Stands: canaryStands})
}

// acceptances tells when a request was first answered well.
type acceptances struct {
	http.RoundTripper
	accepted chan<- time.Time
}

// RoundTrip implements http.RoundTripper.
func (w *acceptances) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := w.RoundTripper.RoundTrip(r)
	if err == nil && resp.StatusCode/100 == 2 {
		select {
		case w.accepted <- time.Now():
		default: // the first one counts
		}
	}
	return resp, err
}

// branded makes every episode the canary's.
type branded struct{ next alerts.Announcer }

// Announce implements alerts.Announcer.
func (b branded) Announce(n alerts.Notice) {
	e := &n.Episode
	e.ID, e.Device, e.AlertDevice, e.Place = canaryDevice, canaryDevice, "", "inside the sensor"
	e.Sentence = "A canary: a crafted handset inside the sensor, and no device of anybody's. The way from frame to alert works."
	b.next.Announce(n)
}

// perch lends the crafted handset's frames once, as if they came now, and then
// is a quiet span.
type perch struct {
	lent  chan time.Time // when the frames were lent
	sung  bool
	still *time.Ticker
}

// Next implements sensor.Source.
func (p *perch) Next(batch []capture.Frame) (int, error) {
	if p.sung {
		<-p.still.C
		return 0, nil
	}
	p.sung, p.still = true, time.NewTicker(20*time.Millisecond)
	now := time.Now()
	s := &script{at: now.Add(-time.Second).UnixNano()}
	d := deviceNumber(31)
	s.certain(d)
	s.dial(d, 43000, serverInCN, true).say(make([]byte, 2048))
	if len(s.frames) > len(batch) {
		return 0, io.ErrShortBuffer
	}
	p.lent <- now
	return copy(batch, s.frames), nil
}
