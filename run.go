package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"picket/alerts"
	"picket/configs"
	"picket/evidence"
	"picket/geo"
	"picket/sensor"
	"picket/sensor/capture"
)

type runCmd struct {
	policyFlags
	Interfaces  []string `short:"i" name:"interface" placeholder:"IFACE" help:"Interface to listen on; repeatable or a comma list."`
	Filter      string   `placeholder:"EXPR" help:"pcap-filter(7) expression; replaces capture.filter."`
	Listen      []string `name:"web.listen-address" placeholder:"ADDR" help:"Where to serve metrics and pages; replaces web.listen_addresses."`
	WebConfig   string   `name:"web.config.file" placeholder:"FILE" help:"TLS and authentication of the endpoint."`
	ExternalURL string   `name:"web.external-url" placeholder:"URL" help:"Under which people reach this sensor."`
	State       string   `name:"state" placeholder:"DIR" env:"STATE_DIRECTORY" default:"/var/lib/picket" help:"Where the site key and what must outlive a restart are kept (${default})."`
}

// Run watches live until it is told to stop.
func (r *runCmd) Run(a *app) error {
	crashBySignal()
	s, err := r.prepare(a)
	if err != nil {
		return err
	}
	defer s.close()
	return s.run(a.ctx)
}

// crashBySignal lets a crash end the process by SIGABRT. Go's own status
// would be 2, which here means a mistake in the configuration, and which the
// unit does not restart: neither after a panic nor after the watchdog.
func crashBySignal() { debug.SetTraceback("crash") }

// configuration is the file with the flags laid over it.
func (r *runCmd) configuration() (*configs.Config, error) {
	if r.Config == "" && len(r.Prohibit) == 0 && len(r.Interfaces) == 0 {
		r.Config = defaultConfig()
	}
	c, err := r.load()
	if err != nil {
		return nil, err
	}
	if len(r.Interfaces) > 0 {
		c.Interfaces = r.Interfaces
	}
	if len(c.Interfaces) == 0 {
		return nil, usageError{errors.New("no interface: give -i IFACE, or interfaces: in the configuration file")}
	}
	if r.Filter != "" {
		c.Capture.Filter = r.Filter
	}
	if len(r.Listen) > 0 {
		c.Web.Listen = r.Listen
	}
	c.Web.ConfigFile = or(r.WebConfig, c.Web.ConfigFile)
	c.Web.ExternalURL = or(r.ExternalURL, c.Web.ExternalURL)
	c.Capture.HomeNetworks = c.Home()
	if err := capture.CheckFilter(c.Capture.Filter); err != nil {
		return nil, usageError{fmt.Errorf("filter: %w", err)}
	}
	return c, nil
}

// station is a running sensor.
type station struct {
	app      *app
	cmd      *runCmd
	cfg      *configs.Config                // as it was started
	latest   atomic.Pointer[configs.Config] // as it was loaded last
	log      *slog.Logger
	level    slog.LevelVar // of log
	j        atomic.Pointer[judgement]
	places   *geo.Geo // the one that j has; reloads change what is in it
	judge    *alerts.Judge
	store    *evidence.Store
	keeper   *keeper
	metrics  *alerts.Metrics
	notifier *alerts.Notifier
	a        *assembly
	live     []*capture.Live
	endpoint *endpoint
	fleet    *member // nil: a sensor alone
	canary   *canaryMetrics
	events   *eventLog // nil: events go to the store alone
	registry *prometheus.Registry
	strays   sensor.Strays
	lapses   lapses
	advised  string
	toldAt   time.Time // when the service manager last got a status
	lost     uint64    // frames dropped, as the store was told
	up       atomic.Bool
	since    time.Time // set before up

	reloading sync.Mutex
}

// prepare opens everything, so that what is wrong is told before anything
// runs.
func (r *runCmd) prepare(a *app) (*station, error) {
	c, err := r.configuration()
	if err != nil {
		return nil, err
	}
	if err := shed(c); err != nil {
		return nil, err
	}
	s, err := r.station(a, c)
	if err != nil {
		return nil, err
	}
	sources, err := s.open()
	if err != nil {
		s.close()
		return nil, err
	}
	if err := s.wire(sources); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// station compiles what verdicts rest on; nothing is open yet.
func (r *runCmd) station(a *app, c *configs.Config) (*station, error) {
	s := &station{app: a, cmd: r, cfg: c, lapses: lapses{}}
	s.latest.Store(c)
	s.level.Set(levelOf(c))
	s.log = loggerAt(a, c, &s.level)
	j, err := compileWith(c, importedData(r.State), s.log)
	if err != nil {
		return nil, err
	}
	j.warn(s.log)
	s.j.Store(j)
	s.places = j.geo
	return s, nil
}

// open opens every interface.
func (s *station) open() ([]sensor.Source, error) {
	var sources []sensor.Source
	for i, name := range s.cfg.Interfaces {
		live, err := capture.Open(s.cfg.Capture, name, uint16(i), s.cfg.Limits.Workers)
		if err != nil {
			return nil, err
		}
		for _, l := range live {
			s.live = append(s.live, l)
			sources = append(sources, l)
		}
	}
	return sources, nil
}

// bases returns the realm of each source's interface.
func (s *station) bases() []uint16 {
	var out []uint16
	for _, l := range s.live {
		out = append(out, s.a.realms.Interface(l.Interface()))
	}
	return out
}

// run works until ctx is done or an interface is lost for good.
func (s *station) run(ctx context.Context) error {
	err := s.work(ctx, s.started)
	s.up.Store(false)
	s.notify(daemon.SdNotifyStopping)
	s.farewell()
	return err
}

// work runs everything together; started is told when pages are served.
func (s *station) work(ctx context.Context, started func([]net.Addr)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer cancel() // without frames there is nothing left to serve
		return s.a.pipeline.Run(ctx)
	})
	g.Go(func() error { return s.endpoint.serve(ctx, s.cfg.Web, s.log, started) })
	g.Go(func() error { return s.notifier.Run(ctx) })
	g.Go(func() error { return s.fleet.run(ctx) })
	g.Go(func() error { return s.store.Run(ctx) })
	g.Go(func() error { return s.places.Run(ctx, s.databases) })
	g.Go(func() error { return watchImports(ctx, s.cmd.State, s.imported, s.log) })
	g.Go(func() error { return s.signals(ctx) })
	g.Go(func() error { return s.watchdog(ctx) })
	g.Go(func() error { return s.canaries(ctx) })
	g.Go(func() error { return s.events.run(ctx) })
	return g.Wait()
}

func (s *station) started(addrs []net.Addr) {
	confine(confinementOf(s.cfg, s.cmd.State, s.live[0].Driver() == capture.DriverLibpcap), s.log)
	s.capturing(time.Now())
	s.log.Info("capturing", "interfaces", s.cfg.Interfaces, "driver", string(s.live[0].Driver()), "serving", urls(addrs, s.cfg.Web.ConfigFile != ""))
	s.ready()
}

// signals reloads on SIGHUP.
func (s *station) signals(ctx context.Context) error {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hup:
			_ = s.reload() // logged and shown as a metric
		}
	}
}

// externalURL is where people reach this sensor, nil when nobody said.
func externalURL(c *configs.Config) *url.URL {
	if c.Web.ExternalURL == "" {
		return nil
	}
	u, err := url.Parse(c.Web.ExternalURL)
	if err != nil {
		return nil // checked when it was loaded; a flag may still be wrong
	}
	return u
}

// ruled takes over what a person decided.
func (s *station) ruled(r evidence.Ruling) {
	if s.keeper != nil {
		s.keeper.rule(r)
	}
}

// framesLost counts the first packets that were not held: on the way to the
// keeper, and in its memory.
func (s *station) framesLost() (onTheWay, memory uint64) {
	if s.a == nil || s.keeper.frames == nil {
		return 0, 0
	}
	for _, w := range s.a.pipeline.Workers {
		onTheWay += w.Stats().KeepsakesDropped
	}
	return onTheWay, s.keeper.frames.evicted.Load()
}

// saved lets the keeper know of an episode that was saved.
func (s *station) saved(e *evidence.Episode) {
	if s.keeper != nil {
		s.keeper.saved(e)
	}
}

// crowd counts everybody by maker, class and confidence.
func (s *station) crowd() []alerts.DeviceCount { return deviceCounts(s.a) }

func policyNames(rules []*alerts.Rule) []string {
	var out []string
	for _, r := range rules {
		out = append(out, r.Policy.Name)
	}
	return out
}
