package fleet

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"picket/alerts"
	"picket/evidence"
)

// Desk stands between the judge and the notifier: of a device that violates
// one policy at several sensors, one of them tells people, with what all of
// them saw. It is an alerts.Announcer. While the cluster is out of reach it
// tells what its own sensor saw: the alert has the same labels at every
// sensor, so that Alertmanager makes one of two.
type Desk struct {
	node *Node
	next alerts.Announcer
	log  *slog.Logger
	keep *partKeeper // nil: what other sensors saw is not kept

	mu    sync.Mutex
	queue []note
	kick  chan struct{}

	cases   map[caseKey]*episodeCase // of Run alone
	waiting map[caseKey]bool         // those with a page that waits; of Run alone
}

// note is a notice of our judge, or a message of another sensor.
type note struct {
	notice  alerts.Notice
	message *Message
	forget  string // a device
}

// caseKey: policies that differ are different cases, and never merged.
type caseKey struct{ device, policy, hash string }

func keyOf(e *evidence.Episode) caseKey {
	return caseKey{or(e.AlertDevice, e.Device), e.Policy, e.PolicyHash}
}

// episodeCase is one device under one policy, over the fleet.
type episodeCase struct {
	parts map[string]*part  // by sensor
	told  *evidence.Episode // as people were last told by us; nil while we do not
	since time.Time         // of the notice that was told
	at    time.Time         // last touched, our clock
	wait  *alerts.Notice    // a page that waits for the parts of others; nil: none
	until time.Time         // for so long
}

const (
	// maxNotes bounds what waits for the desk; beyond it pages go straight on.
	maxNotes = 1 << 14
	// maxCases bounds the cases in memory; the longest untouched goes.
	maxCases = 1 << 16
	// continued is how long an episode that ended may be continued unpaged
	// (the judge's own rule for one sensor).
	continued = 24 * time.Hour
	deskEvery = 5 * time.Second
)

// NewDesk returns a Desk before next. It starts nothing.
func NewDesk(n *Node, next alerts.Announcer, log *slog.Logger) *Desk {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Desk{node: n, next: next, log: log, kick: make(chan struct{}, 1), cases: map[caseKey]*episodeCase{}, waiting: map[caseKey]bool{}}
}

// Announce implements alerts.Announcer.
func (d *Desk) Announce(n alerts.Notice) {
	if !d.put(note{notice: n}) {
		d.next.Announce(n) // better twice than not at all
	}
}

// Receive takes a message of KindEpisode.
func (d *Desk) Receive(m *Message) {
	if !d.put(note{message: m}) {
		d.node.refused.Add(1) // the next version comes
	}
}

// Forget ends and forgets the cases of a device.
func (d *Desk) Forget(device string) { d.put(note{forget: device}) }

func (d *Desk) forget(device string) {
	for k, c := range d.cases {
		if k.device != device {
			continue
		}
		if c.told != nil {
			e := *c.told
			e.Closed, e.CloseReason, e.Firing = d.node.now().UTC(), "forgotten", false
			d.forward(k, c, alerts.Resolved, e, time.Time{})
		}
		delete(d.cases, k)
	}
}

func (d *Desk) put(n note) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.queue) >= maxNotes {
		return false
	}
	d.queue = append(d.queue, n)
	wake(d.kick)
	return true
}

// Run works until ctx is done; what then waits is told, for the notifier
// keeps it.
func (d *Desk) Run(ctx context.Context) error {
	if err := d.restore(); err != nil {
		d.log.Error("fleet: what was told before the start is not known", "err", err)
	}
	tick := time.NewTicker(deskEvery)
	defer tick.Stop()
	soon := time.NewTicker(waitEvery)
	defer soon.Stop()
	for {
		select {
		case <-ctx.Done():
			d.work(ctx)
			d.openWaiting(true)
			return nil
		case <-d.kick:
			d.work(ctx)
		case <-soon.C:
			d.openWaiting(false)
		case <-tick.C:
			d.takeOver()
		}
	}
}

// restore takes over what this sensor had said and told.
func (d *Desk) restore() error {
	err := d.node.spool.ownParts(d.node.now().Add(-8*24*time.Hour), func(m *Message) {
		if p := partOf(m); p != nil && p.Shared {
			d.hold(keyOf(&p.Episode), m.Source, p)
		}
	})
	if err != nil {
		return err
	}
	return d.node.spool.told(func(body []byte) {
		var e evidence.Episode
		if json.Unmarshal(body, &e) == nil {
			c := d.of(keyOf(&e))
			c.told = &e
			if len(c.parts) == 0 { // its part was given up: it ends with the next word
				c.parts[d.node.c.Name] = &part{Episode: e, Shared: true}
			}
		}
	})
}

// partOf reads a part. What is no episode of picket's is nil.
func partOf(m *Message) *part {
	p := &part{version: m.Version, at: m.At}
	if m.Gone || json.Unmarshal(m.Body, p) != nil || !goodName().MatchString(p.Episode.ID) || !goodName().MatchString(p.Episode.Device) || p.Episode.ID != m.ID {
		return nil
	}
	p.Episode.Sensor = ""
	if !slices.ContainsFunc(p.Episode.SumOf, func(n string) bool { return !goodName().MatchString(n) }) && len(p.Episode.SumOf) <= maxWords {
		return p
	}
	p.Episode.SumOf = nil
	return p
}

func (d *Desk) work(ctx context.Context) {
	for {
		d.mu.Lock()
		list := d.queue
		d.queue = nil
		d.mu.Unlock()
		if len(list) == 0 {
			return
		}
		for _, n := range list {
			switch {
			case n.forget != "":
				d.forget(n.forget)
			case n.message != nil:
				d.remote(n.message)
			default:
				d.local(ctx, n.notice)
			}
		}
	}
}

// of returns the case of a key.
func (d *Desk) of(k caseKey) *episodeCase {
	c := d.cases[k]
	if c == nil {
		if len(d.cases) >= maxCases {
			d.dropCase()
		}
		c = &episodeCase{parts: map[string]*part{}}
		d.cases[k] = c
	}
	c.at = d.node.now()
	return c
}

// dropCase lets go the case untouched for longest that is not told by us.
func (d *Desk) dropCase() {
	var oldest caseKey
	var at time.Time
	for k, c := range d.cases {
		if c.told == nil && c.wait == nil && (at.IsZero() || c.at.Before(at)) {
			oldest, at = k, c.at
		}
	}
	delete(d.cases, oldest)
}

// hold keeps a part unless a newer one of the sensor is there. Of one sensor
// the latest episode of the case counts.
func (d *Desk) hold(k caseKey, sensor string, p *part) *episodeCase {
	c := d.of(k)
	was := c.parts[sensor]
	if was != nil && was.version > p.version && p.version != 0 {
		return c
	}
	if was == nil || was.Episode.ID == p.Episode.ID || !p.Episode.Opened.Before(was.Episode.Opened) {
		c.parts[sensor] = p
	}
	return c
}

// local takes a notice of our own judge.
func (d *Desk) local(ctx context.Context, n alerts.Notice) {
	e := n.Episode
	if n.Kind == alerts.Resolved && strings.HasPrefix(e.CloseReason, "raised to ") {
		return // the notice after it opens the case again: raise tells both
	}
	shared := d.node.Shares(e.Realm)
	p := &part{Episode: e, Shared: shared}
	if body, err := json.Marshal(p); err != nil {
		d.log.Error("fleet: episode not shared", "episode", e.ID, "err", err)
	} else {
		d.node.Say(&Message{Kind: KindEpisode, Scope: e.Policy, ID: e.ID, Body: body})
	}
	if !shared {
		d.next.Announce(n)
		return
	}
	k := keyOf(&e)
	c := d.hold(k, d.node.c.Name, p)
	if c.wait != nil && n.Kind != alerts.Changed {
		d.openNow(k, c)
	}
	if c.told != nil {
		d.update(k, c)
		return
	}
	if n.Kind == alerts.Opened && d.await(k, c, n) {
		return
	}
	if n.Kind == alerts.Opened || n.Kind == alerts.Resumed {
		d.open(ctx, k, c, n)
	}
}

// open asks whether it is ours to tell of a case, and does.
func (d *Desk) open(ctx context.Context, k caseKey, c *episodeCase, n alerts.Notice) {
	now := d.node.now().UTC()
	want := claim{Sensor: d.node.c.Name, Severity: n.Episode.AlertedAs, Since: now}
	held, err := d.node.claim(ctx, k, want, func(h claim) bool {
		switch {
		case !h.Closed.IsZero():
			return now.Sub(h.Closed) > continued || rank(want.Severity) > rank(h.Severity)
		}
		return d.node.lost(h.Sensor)
	})
	if err != nil {
		d.log.Info("fleet: told alone", "episode", n.Episode.ID, "err", err)
	} else if held.Sensor != d.node.c.Name {
		d.log.Info("fleet: another sensor tells of it", "episode", n.Episode.ID, "sensor", held.Sensor)
		return
	}
	merged := combine(c.parts)
	if n.Since.IsZero() {
		n.Since = merged.Opened
	}
	d.forward(k, c, n.Kind, merged, n.Since)
}

// forward tells people, and keeps what they were told.
func (d *Desk) forward(k caseKey, c *episodeCase, kind alerts.NoticeKind, e evidence.Episode, since time.Time) {
	d.next.Announce(alerts.Notice{Kind: kind, Episode: e, Since: since})
	var body []byte
	c.told, c.since = nil, since
	if kind != alerts.Resolved {
		c.told = &e
		body, _ = json.Marshal(e) // it was marshalled as a part before
	}
	if err := d.node.spool.tell(claimKey(k), body); err != nil {
		d.log.Error("fleet: what was told is not kept", "episode", e.ID, "err", err)
	}
}

// remote takes another sensor's part.
func (d *Desk) remote(m *Message) {
	p := partOf(m)
	if p == nil || !p.Shared || m.Key != d.node.key || !d.node.Shares(p.Episode.Realm) {
		return // another network, or ids that mean something else
	}
	if d.node.skewed(m.Source, sameFlow/2) { // when it saw a conversation says nothing
		p.Episode.Flows, p.Episode.Untold = nil, p.Episode.Last
	}
	d.keep.part(m.Source, &p.Episode)
	k := keyOf(&p.Episode)
	c := d.hold(k, m.Source, p)
	if c.wait != nil && c.whole(c.wait.Episode.SumOf) {
		d.openNow(k, c)
		return
	}
	if c.told != nil {
		d.update(k, c)
	}
}

// update tells what became of a case that people know of.
func (d *Desk) update(k caseKey, c *episodeCase) {
	merged := combine(c.parts)
	told := *c.told
	switch {
	case !merged.Closed.IsZero():
		d.forward(k, c, alerts.Resolved, merged, time.Time{})
		d.closeClaim(k, told.AlertedAs, merged.Closed)
	case rank(merged.AlertedAs) > rank(told.AlertedAs):
		told.Closed, told.CloseReason, told.Firing = d.node.now().UTC(), "raised to "+merged.AlertedAs, false
		d.next.Announce(alerts.Notice{Kind: alerts.Resolved, Episode: told})
		d.forward(k, c, alerts.Opened, merged, c.since)
	case changed(&told, &merged):
		d.forward(k, c, alerts.Changed, merged, c.since)
	}
}

func changed(a, b *evidence.Episode) bool {
	return a.Sent != b.Sent || a.Sentence != b.Sentence || !a.Last.Equal(b.Last) || a.Place != b.Place || a.Confidence != b.Confidence ||
		!slices.Equal(a.Countries, b.Countries) || !slices.Equal(a.Caveats, b.Caveats)
}

// closeClaim notes when a case ended, so that it is continued unpaged
// wherever the device shows itself next.
func (d *Desk) closeClaim(k caseKey, severity string, at time.Time) {
	want := claim{Sensor: d.node.c.Name, Severity: severity, Since: at, Closed: at}
	if _, err := d.node.claim(context.Background(), k, want, func(claim) bool { return false }); err != nil {
		d.log.Debug("fleet: end of a case not noted", "err", err)
	}
}
