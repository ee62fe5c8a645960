package alerts

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// NotifierConfig is what a Notifier is made of. Zero durations and numbers
// mean the defaults.
type NotifierConfig struct {
	Alertmanager AlertmanagerConfig
	Links        Links
	Outbox       Outbox            // nil: what is not told is lost with the process
	Metrics      *Metrics          // nil: not counted
	Logger       *slog.Logger      // nil: no log
	Transport    http.RoundTripper // nil: as Alertmanager.HTTP says

	Resend  time.Duration // of what fires; default 1m
	Queue   int           // alerts in memory; default 4096, the rest waits in the outbox
	Burst   int           // new alerts at once; default 200
	PerSec  float64       // new alerts per second after that; default 5
	Hold    time.Duration // how long an alert that ended untold fires; default 2m, beyond group_wait
	Stands  time.Duration // how long an alert stands should picket die; default 1h
	Linger  time.Duration // how long an end is repeated; default 15m, as Prometheus does
	Backoff time.Duration // first pause after a failure; default 1s, doubled up to 1m
}

const maxBackoff = time.Minute

// onItsWay is how long the rules leave an episode to us before we have told
// anybody: a scrape that falls between its beginning and the answer of
// Alertmanager must not page it a second time.
const onItsWay = 10 * time.Second

func (c NotifierConfig) filled() NotifierConfig {
	c.Resend = or(c.Resend, time.Minute)
	c.Queue = or(c.Queue, 4096)
	c.Burst = or(c.Burst, 200)
	c.PerSec = or(c.PerSec, 5)
	c.Hold = or(c.Hold, 2*time.Minute)
	c.Stands = or(c.Stands, time.Hour)
	c.Linger = or(c.Linger, 15*time.Minute)
	c.Backoff = or(c.Backoff, time.Second)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// Notifier tells every Alertmanager what stands and what has ended. It keeps
// the alerts it has to tell, not a list of messages: one that is down for an
// hour is told the state when it is back, and each episode that began and
// ended meanwhile is told as firing and then as resolved. Announce is safe
// for concurrent use; Run is called once.
type Notifier struct {
	c NotifierConfig

	mu      sync.Mutex
	to      *addressees
	alerts  map[string]*pending
	waiting []string // keys of new alerts that the rate limit holds back, oldest first
	tokens  float64
	filled  time.Time // when tokens was brought up to date
	spilled bool      // the outbox has more than memory
	gone    []string  // keys to delete from the outbox

	save chan struct{}
}

// pending is an alert and what is yet to be done about it.
type pending struct {
	Alert
	admitted bool                 // past the rate limit
	unsaved  bool                 // differs from the outbox
	labels   map[string]string    // of the site, when it was announced
	sentAt   map[string]time.Time // by Alertmanager
}

// NewNotifier makes a Notifier; Run starts it.
func NewNotifier(c NotifierConfig) (*Notifier, error) {
	n := &Notifier{c: c.filled(), alerts: map[string]*pending{}, save: make(chan struct{}, 1)}
	var err error
	if n.to, err = n.c.addressees(c.Alertmanager, c.Links); err != nil {
		return nil, err
	}
	n.tokens = float64(n.c.Burst)
	return n, nil
}

// Announce takes a notice over. It does not wait for anybody.
func (n *Notifier) Announce(notice Notice) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.to.posters) == 0 {
		return
	}
	now := time.Now()
	if notice.Kind == Opened || notice.Kind == Resumed {
		n.c.Metrics.Pushing(notice.Episode.ID, now.Add(onItsWay))
	}
	a := newAlert(notice.Episode, notice.Since, n.to.links)
	p := n.alerts[a.Key]
	switch {
	case p == nil && notice.Kind == Changed:
		return // in the outbox, or over
	case p == nil && len(n.alerts) >= n.c.Queue:
		n.spill(a)
		return
	case p == nil:
		p = n.pending(a)
		n.alerts[a.Key] = p
		n.admit(p, notice.Kind, now)
	case notice.Kind == Opened && !p.EndsAt.IsZero():
		p.reopen(a)
	default:
		p.Annotations, p.EndsAt, p.Episode = a.Annotations, a.EndsAt, a.Episode
	}
	p.unsaved = true
	n.wakeAll()
}

// pending is an alert that nobody here has been told of.
func (n *Notifier) pending(a Alert) *pending {
	a.Told = map[string]Told{}
	return &pending{Alert: a, sentAt: map[string]time.Time{}, labels: n.to.config.Labels}
}

// reopen lets the same alert fire again.
func (p *pending) reopen(a Alert) {
	p.Alert = a
	p.Told, p.sentAt = map[string]Told{}, map[string]time.Time{}
}

// admit lets a new alert through, or holds it until there are tokens.
func (n *Notifier) admit(p *pending, k NoticeKind, now time.Time) {
	n.refill(now)
	if k == Resumed || len(n.waiting) == 0 && n.tokens >= 1 {
		p.admitted = true
		n.tokens = max(0, n.tokens-1)
		return
	}
	n.waiting = append(n.waiting, p.Key)
	n.storm(now)
}

func (n *Notifier) refill(now time.Time) {
	if !n.filled.IsZero() {
		n.tokens = min(float64(n.c.Burst), n.tokens+now.Sub(n.filled).Seconds()*n.c.PerSec)
	}
	n.filled = now
}

// release admits as many of those that wait as there are tokens, and ends
// the storm when none waits.
func (n *Notifier) release(now time.Time) {
	if len(n.waiting) == 0 {
		return
	}
	n.refill(now)
	for len(n.waiting) > 0 && n.tokens >= 1 {
		if p := n.alerts[n.waiting[0]]; p != nil {
			p.admitted = true
		}
		n.waiting = n.waiting[1:]
		n.tokens--
	}
	n.storm(now)
}

// storm keeps the alert that says that others are held back.
func (n *Notifier) storm(now time.Time) {
	if n.c.Metrics != nil {
		n.c.Metrics.held.Set(float64(len(n.waiting)))
	}
	p := n.alerts[StormAlert]
	if len(n.waiting) == 0 {
		if p != nil && p.EndsAt.IsZero() {
			p.EndsAt, p.unsaved = now, true
		}
		return
	}
	if p == nil || !p.EndsAt.IsZero() {
		p = n.pending(Alert{Key: StormAlert, Labels: map[string]string{"alertname": StormAlert}, StartsAt: now})
		p.admitted = true
		n.alerts[StormAlert] = p
	}
	p.Annotations = map[string]string{
		"summary":     fmt.Sprintf("Storm: %d new alerts are held back and told slowly", len(n.waiting)),
		"description": "More devices broke a policy at once than a person can read of. All of them are in the store and on the evidence page. A policy that is too wide, a change of signatures or a loop of the span does this more often than people do.",
		"severity":    string(Page),
		"runbook_url": n.to.links.Runbook(StormAlert),
	}
	p.unsaved = true
}

// spill keeps an alert in the outbox alone.
func (n *Notifier) spill(a Alert) {
	n.count(outcomeSpilled, 1)
	if n.c.Outbox == nil {
		n.c.Logger.Error("alert lost: queue full and no store", "alert", a.Key)
		return
	}
	n.spilled = true
	if err := n.c.Outbox.PutAlert(a); err != nil {
		n.c.Metrics.storeFailed()
		n.c.Logger.Error("alert not stored", "alert", a.Key, "err", err)
	}
}

func (n *Notifier) count(outcome string, by int) {
	if n.c.Metrics != nil {
		n.c.Metrics.outcomes[outcome].Add(float64(by))
	}
}

func (n *Notifier) wakeAll() {
	for _, w := range n.to.wake {
		poke(w)
	}
	poke(n.save)
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // woken already
	}
}

// Run tells until ctx is done. What is not told by then is in the outbox.
func (n *Notifier) Run(ctx context.Context) error {
	if err := n.load(); err != nil {
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return n.tell(gctx) })
	g.Go(func() error { return n.keep(gctx) })
	err := g.Wait()
	n.persist()
	return err
}

// Pending returns the alerts that are not told everywhere yet, by key.
func (n *Notifier) Pending() []Alert {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []Alert
	for _, k := range sortedKeys(n.alerts) {
		p := n.alerts[k]
		if !n.everywhere(p, func(t Told) bool { return !t.Fired.IsZero() && (p.EndsAt.IsZero() || !t.Resolved.IsZero()) }) {
			a := p.Alert
			a.Told = maps.Clone(a.Told)
			out = append(out, a)
		}
	}
	return out
}

func (n *Notifier) everywhere(p *pending, is func(Told) bool) bool {
	for _, am := range n.to.posters {
		if !is(p.Told[am.name]) {
			return false
		}
	}
	return true
}
