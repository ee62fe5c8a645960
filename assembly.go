package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"picket/alerts"
	"picket/configs"
	"picket/geo"
	"picket/sensor"
	"picket/sensor/device"
	"picket/sensor/flow"
	"picket/sensor/handset"
	"picket/sensor/observation"
	"picket/sensor/packets"
	"picket/sensor/wire"
)

// judgement is what verdicts rest on: signatures, geography and policies,
// compiled. A reload makes a new one.
type judgement struct {
	set    *handset.Set
	geo    *geo.Geo
	rules  []*alerts.Rule
	hiders *wire.Hiders
	known  alerts.Known
	ground func() string // hash of what beside databases says where addresses and names belong
}

// compile makes a judgement of the configuration, or says what is wrong
// with it: every error is the user's.
func compile(c *configs.Config, log *slog.Logger) (*judgement, error) { return compileWith(c, "", log) }

// compileWith does so with the data that were imported into dir.
func compileWith(c *configs.Config, dir string, log *slog.Logger) (*judgement, error) {
	set, err := signaturesFrom(c, dir)
	if err != nil {
		return nil, usageError{err}
	}
	gc, err := geoConfig(c, dir)
	if err != nil {
		return nil, usageError{err}
	}
	gc.Owners, gc.Logger = owners(set), log
	places, err := geo.New(gc)
	if err != nil {
		return nil, usageError{err}
	}
	hiders, err := wire.LoadHiders(dataPart(dir, "hidden"))
	if err != nil {
		return nil, err
	}
	j := &judgement{set: set, geo: places, hiders: hiders, ground: sync.OnceValue(func() string { return groundOf(&gc) })}
	j.known = alerts.Known{Makers: set.Makers(), Groups: groupsOf(set, c.Groups), Countries: gc.Groups}
	for i := range c.Policies {
		r, err := alerts.Compile(c.Policies[i], j.known)
		if err != nil {
			return nil, usageError{policyError(c, i, err)}
		}
		if err := r.UnknownMaker(j.known.Makers); err != nil && !c.Wrote(i) {
			return nil, usageError{fmt.Errorf("--prohibit: %w", err)}
		}
		j.rules = append(j.rules, r)
	}
	return j, nil
}

// groundOf hashes what beside the databases says where addresses and names
// belong: overrides, owners, operators, the order of databases.
func groundOf(c *geo.Config) string {
	sum := sha256.New()
	enc := json.NewEncoder(sum)
	for _, part := range []any{c.Overrides, c.Owners, c.Rules, c.NAT64, c.Databases, c.Base} {
		if err := enc.Encode(part); err != nil {
			fmt.Fprintf(sum, "%v", part)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:6])
}

// warn logs what of the policies can never match, or soon ends.
func (j *judgement) warn(log *slog.Logger) {
	for _, r := range j.rules {
		for _, w := range r.Warnings(j.set.Makers(), time.Now()) {
			log.Warn(w)
		}
	}
}

// loadSignatures compiles the shipped signatures with the site's own laid over.
func loadSignatures(c *configs.Config) (*handset.Set, error) { return signaturesFrom(c, "") }

// signaturesFrom does so with the signatures imported into dir, if there are.
func signaturesFrom(c *configs.Config, dir string) (*handset.Set, error) {
	if c == nil || c.Signatures.Directory == "" {
		return handset.Load(dataPart(dir, "signatures"))
	}
	if _, err := os.Stat(c.Signatures.Directory); err != nil {
		return nil, fmt.Errorf("signatures.directory: %w", err)
	}
	return handset.Load(dataPart(dir, "signatures"), os.DirFS(c.Signatures.Directory))
}

// owners carries what the signatures know of names over to geography.
func owners(set *handset.Set) []geo.OwnerRule {
	var out []geo.OwnerRule
	for _, o := range set.Owners() {
		out = append(out, geo.OwnerRule{Domain: o.Domain, Name: o.Company, Home: geo.Country(o.Home), Source: o.Source, From: "signatures"})
	}
	return out
}

// groupsOf joins the groups of the signatures with those of the configuration.
func groupsOf(set *handset.Set, configured map[string][]string) map[string][]string {
	groups := set.Groups()
	for name, makers := range configured {
		groups[name] = makers
	}
	return groups
}

// assembly is everything between frames and episodes, wired but not started.
type assembly struct {
	*judgement
	cfg      *configs.Config
	realms   *sensor.Realms
	sigs     *device.Signatures
	table    *device.Table
	identify *sensor.Identify
	visible  sensor.Visible
	feed     *device.Feed // nil: no lease file and no socket is configured
	pipeline *sensor.Pipeline
	frames   *packets.Exchange // nil: none are held for evidence
	before   func()            // called before each observation
	watching atomic.Pointer[[]*alerts.Rule]
}

// assemble wires workers for the given sources to sink. live sensors never
// wait for the judge; files do.
func assemble(ctx context.Context, c *configs.Config, j *judgement, sink sensor.Sink, sources []sensor.Source, live bool, state string, log *slog.Logger) (*assembly, error) {
	realms, err := sensor.NewRealms(c.Realms)
	if err != nil {
		return nil, usageError{err}
	}
	a := &assembly{judgement: j, cfg: c, realms: realms, sigs: device.NewSignatures(j.set)}
	home := flow.NewHome(c.Home())
	key, err := siteKey(state)
	if err != nil {
		return nil, err
	}
	a.table = device.New(device.Config{
		Key: key, Judge: a.sigs, Home: inHome(c.Home()),
		MaxDevices: c.Limits.Devices, MaxNames: c.Limits.Names, Watched: a.watched,
	})
	a.watch(j.rules)
	prompt := new(flow.Prompt)
	a.identify = sensor.NewIdentify(a.table, &counting{sink, &a.visible})
	a.pipeline = &sensor.Pipeline{Sources: sources, Share: sharing(c, len(sources), live), Flush: a.identify.Flush}
	a.identify.Hasten(prompt)
	a.before, a.pipeline.Ahead = func() {}, a.identify.Ahead
	a.tap(func(*observation.Observation) {})
	room := 16 // batches
	if live {
		room = 64 // some 16,000 observations: what a reload or the collector holds up for a moment is not lost
	}
	out, spare := a.pipeline.Queue(room)
	if feed := leaseFeed(c.Leases); feed != nil && live {
		feed.Out, feed.Now, feed.Log = out, time.Now, log
		a.feed = feed
		a.pipeline.Feeds = append(a.pipeline.Feeds, feed.Run)
	}
	workers := len(sources) * a.pipeline.Share
	a.frames = exchangeFor(c.Evidence, state, workers)
	for i := range workers {
		wc := sensor.WorkerConfig{
			Number: i, Home: home, Realms: realms, Hiders: j.hiders, Wait: !live, NoJA3: live, HashKey: key, Keep: a.frames,
			Flow: flow.Config{MaxFlows: c.Limits.Flows / workers, StreamBytes: int(c.Limits.StreamBytes) / workers, Prompt: prompt},
		}
		if len(c.NeverWatch) > 0 {
			wc.Never = flow.NewHome(c.Never())
		}
		a.pipeline.Workers = append(a.pipeline.Workers, sensor.NewWorker(ctx, wc, out, spare))
	}
	return a, nil
}

// watch has the flows of devices that rules prohibit reported as they go on.
func (a *assembly) watch(rules []*alerts.Rule) { a.watching.Store(&rules) }

func (a *assembly) watched(v *device.View) bool {
	if v.Verdict.Confidence == handset.None {
		return false
	}
	for _, r := range *a.watching.Load() {
		if standing, _ := r.Standing(v, v.Last()); standing == alerts.Prohibited {
			return true
		}
	}
	return false
}

// sharing is how many workers share the frames of one source: those that the
// configuration asks for, unless each has a ring of its own.
func sharing(c *configs.Config, sources int, live bool) int {
	if live && sources > len(c.Interfaces) {
		return 1
	}
	return max(c.Limits.Workers, 1)
}

// tap shows every observation to f before it is judged.
func (a *assembly) tap(f func(*observation.Observation)) {
	a.pipeline.Observe = func(o *observation.Observation) {
		a.before()
		f(o)
		a.identify.Observe(o)
	}
}

// counting counts the bytes of transfers by visibility on their way.
type counting struct {
	sensor.Sink
	visible *sensor.Visible
}

// Transfer implements sensor.Sink.
func (c *counting) Transfer(t sensor.Transfer) {
	c.visible.Add(&t)
	c.Sink.Transfer(t)
}

// leaseFeed brings in what the network already knows of addresses.
func leaseFeed(c configs.Leases) *device.Feed {
	feed := &device.Feed{Socket: c.Socket, Realm: sensor.DefaultRealm}
	for _, path := range c.Dnsmasq {
		feed.Leases = append(feed.Leases, device.LeaseFile{Path: path, Realm: sensor.DefaultRealm})
	}
	for _, path := range c.Kea {
		feed.Leases = append(feed.Leases, device.LeaseFile{Path: path, Realm: sensor.DefaultRealm, Kea: true})
	}
	if len(feed.Leases) == 0 && feed.Socket == "" {
		return nil
	}
	return feed
}
