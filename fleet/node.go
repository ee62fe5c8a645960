package fleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"
)

// NodeConfig is what a Node is made of.
type NodeConfig struct {
	Config Config
	Dir    string           // state directory
	Key    []byte           // site key
	Log    *slog.Logger     // nil: no log
	Now    func() time.Time // nil: the clock
	Health func() Health    // what this sensor says of itself; nil: its name alone
}

// Node is this sensor's part in the fleet. Say and Sensors are safe for
// concurrent use; the handlers are set before Run.
type Node struct {
	c       Config
	key     string
	log     *slog.Logger
	now     func() time.Time
	health  func() Health
	started time.Time
	// claimWait bounds how long the cluster may hold up a page.
	claimWait time.Duration

	// OnMessage takes each message of another sensor once, in the order of
	// arrival, by one goroutine. What was heard before the start comes first.
	OnMessage func(*Message)

	// OnForget removes what is kept elsewhere of a device as of a time. It is
	// called again when it fails.
	OnForget func(id string, at time.Time) error

	// summing counts for the metrics; nil: thresholds are this sensor's own.
	summing func() (near, heard int, dropped, passed uint64)

	spool  *spool
	inside *server.Server
	nc     *nats.Conn
	at     atomic.Pointer[stores] // nil until streams and buckets are there
	kick   chan struct{}          // something was committed
	links  *linkEvents

	mu      sync.Mutex
	pending []*Message // not committed yet
	sensors map[string]*heardOf
	// forgotten is what may not come back, by device.
	forgotten map[string]time.Time

	forgetHour  time.Time // of the goroutine that receives
	forgetCount map[string]int

	refused   atomic.Uint64
	published atomic.Uint64
	applied   atomic.Uint64
	single    atomic.Bool   // some sensor reads schema 1 alone
	missed    atomic.Uint64 // changes of devices there was no room for
	latest    atomic.Int64  // when another sensor was last heard; Unix nanoseconds
	trouble   atomic.Pointer[string]
}

// maxPending bounds what waits in memory for the spool: some tenths of a
// second, unless the disk is full.
const maxPending = 1 << 16

// NewNode opens the spool and, in mode embedded, starts the server: what is
// wrong with addresses, files or secrets is told here. Close it.
func NewNode(c NodeConfig) (*Node, error) {
	if err := c.Config.Validate(); err != nil {
		return nil, err
	}
	n := &Node{
		c: c.Config.filled(), key: Fingerprint(c.Key), log: c.Log, now: c.Now, health: c.Health,
		kick: make(chan struct{}, 1), sensors: map[string]*heardOf{},
	}
	if n.log == nil {
		n.log = slog.New(slog.DiscardHandler)
	}
	if n.now == nil {
		n.now = time.Now
	}
	n.started, n.claimWait = n.now(), claimWait
	var err error
	if n.spool, err = openSpool(c.Dir, n.c.MaxQueue); err != nil {
		return nil, err
	}
	if err := n.introduce(); err != nil {
		n.Close()
		return nil, err
	}
	var token string
	if n.c.Mode == Embedded {
		n.inside, token, err = startServer(n.c, filepath.Join(c.Dir, Directory), n.log)
	} else {
		token, err = readSecret(n.c.SecretFile)
	}
	if err != nil {
		n.Close()
		return nil, err
	}
	n.links = &linkEvents{where: strings.Join(n.c.URLs, " "), wake: make(chan struct{}, 1), report: n.note}
	if n.nc, err = connect(n.c, n.inside, token, n.links); err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

// introduce notes whose spool it is, for those that open it beside us.
func (n *Node) introduce() error {
	n.spool.shelf.source, n.spool.shelf.key = n.c.Name, n.key
	for k, v := range map[string]string{"name": n.c.Name, "key": n.key} {
		if _, err := n.spool.meta(k, v); err != nil {
			return fmt.Errorf("fleet: spool: %w", err)
		}
	}
	var err error
	n.forgotten, err = n.spool.forgottenAt("SELECT device, at FROM forgotten")
	return err
}

// Close commits what waits and stops the server. It is called after Run.
func (n *Node) Close() error {
	err := n.commit()
	if n.nc != nil {
		n.nc.Close()
	}
	if n.inside != nil {
		n.inside.Shutdown()
		n.inside.WaitForShutdown()
	}
	return errors.Join(err, n.spool.close())
}

// Name is that of this sensor in the fleet.
func (n *Node) Name() string { return n.c.Name }

// Shares reports that a realm means the same network at other sensors.
func (n *Node) Shares(realm string) bool { return slices.Contains(n.c.Share, realm) }

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it is awake
	}
}

// Say queues the state of a thing to be committed and published; it does not
// block. When the disk has not taken what was said for too long, the oldest
// is given up and counted.
func (n *Node) Say(m *Message) {
	m.Source, m.At, m.Key = n.c.Name, n.now().UTC(), n.key
	n.mu.Lock()
	if len(n.pending) >= maxPending {
		n.pending = slices.Delete(n.pending, 0, 1)
		n.spool.dropped.Add(1)
	}
	n.pending = append(n.pending, m)
	n.mu.Unlock()
	wake(n.kick)
}

// commit brings what was said to the disk.
func (n *Node) commit() error {
	n.mu.Lock()
	list := n.pending
	n.pending = nil
	n.mu.Unlock()
	if len(list) == 0 {
		return nil
	}
	err := n.spool.say(list, n.single.Load())
	if err != nil {
		n.mu.Lock()
		n.pending = append(list, n.pending...)
		n.pending = n.pending[max(0, len(n.pending)-maxPending):]
		n.mu.Unlock()
	}
	return err
}

// recallFor is how long what was heard still counts after a restart.
const recallFor = 24 * time.Hour

// Run recalls what was heard, then publishes, receives and tells its health
// until ctx is done. A cluster that is not there is no error: the sensor
// works alone and catches up.
func (n *Node) Run(ctx context.Context) error {
	if n.OnMessage != nil {
		if err := n.spool.recall(n.now().Add(-recallFor), func(m *Message) {
			if m.Kind != KindForget && !n.stale(m) {
				n.OnMessage(m)
			}
		}); err != nil {
			n.note(err)
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return n.link(ctx) })
	g.Go(func() error { return n.publish(ctx) })
	g.Go(func() error { return n.receive(ctx) })
	g.Go(func() error { return n.pulse(ctx) })
	g.Go(func() error { return n.listen(ctx) })
	return g.Wait()
}

// note logs a trouble when it is a new one.
func (n *Node) note(err error) {
	text := err.Error()
	if old := n.trouble.Swap(&text); old == nil || *old != text {
		n.log.Warn("fleet: this sensor works alone for now", "err", err)
	}
}

// well says that a trouble is over.
func (n *Node) well() {
	if n.trouble.Swap(nil) != nil {
		n.log.Info("fleet: joined")
	}
}

// linkEvery is how often streams are looked for: another program may have
// removed them.
const linkEvery = 30 * time.Second

// link makes streams and buckets once there is a cluster, and again when they
// are gone.
func (n *Node) link(ctx context.Context) error {
	js, err := jetstream.New(n.nc, jetstream.WithPublishAsyncTimeout(publishTimeout), jetstream.WithPublishAsyncMaxPending(2*publishBatch))
	if err != nil {
		return err
	}
	pause := pauses{least: 100 * time.Millisecond, most: 5 * time.Second}
	for {
		wait := linkEvery
		var s *stores
		var err error
		if n.nc.IsConnected() {
			s, err = ensure(ctx, js, n.c)
		} else {
			err = n.links.why()
		}
		if err == nil {
			err = n.sameCluster(s)
		}
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			n.note(err)
			wait = pause.next()
		} else {
			pause.reset()
			if n.at.Swap(s) == nil {
				n.well()
			}
			wake(n.kick)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-n.links.wake:
		case <-time.After(wait):
		}
	}
}

// sameCluster has everything said again to a stream that is not the one it
// was said to.
func (n *Node) sameCluster(s *stores) error {
	born := s.state.CachedInfo().Created.UTC().Format(time.RFC3339Nano)
	before, err := n.spool.meta("stream", born)
	if err != nil || before == "" || before == born {
		return err
	}
	n.log.Info("fleet: the cluster is a new one; everything is said again")
	return n.spool.again()
}

// pauses are the waits between attempts.
type pauses struct{ least, most, now time.Duration }

func (p *pauses) next() time.Duration {
	p.now = min(max(2*p.now, p.least), p.most)
	return p.now
}

func (p *pauses) reset() { p.now = 0 }

// Sensors lists what is known of every sensor, by name.
func (n *Node) Sensors() []Sensor {
	n.mu.Lock()
	defer n.mu.Unlock()
	now, out := n.now(), []Sensor{}
	for _, h := range n.sensors {
		out = append(out, h.sensor(now))
	}
	slices.SortFunc(out, func(a, b Sensor) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// distrust says why identity that a sensor told may not be believed: another
// site key, or a clock that is not known or not right. Empty: it may.
func (n *Node) distrust(m *Message) string {
	if m.Key != n.key {
		return "another site key"
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.sensors[m.Source]
	if h == nil {
		return "clock not known"
	}
	skew, known := h.skew()
	switch {
	case !known:
		return "clock not known"
	case skew.Abs() > time.Duration(n.c.MaxSkew):
		return "clock off"
	}
	return ""
}

// skewed reports that the clock of a sensor is known to be off by more than d.
func (n *Node) skewed(name string, d time.Duration) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.sensors[name]
	if h == nil {
		return false
	}
	skew, known := h.skew()
	return known && skew.Abs() > d
}

// lost reports that a sensor has not been heard of for long.
func (n *Node) lost(name string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.sensors[name]
	return h == nil || stateOf(h.heard, n.now()) == "lost"
}
