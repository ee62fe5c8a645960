package alerts

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"picket/evidence"
	"picket/geo"
	"picket/sensor/observation"
)

// otherLabel takes what the budget of series has no room for.
const otherLabel = "other"

// DefaultSeries is the budget of series of one sensor.
const DefaultSeries = 10000

// Metrics is what Prometheus sees. Its methods are safe for concurrent use,
// and do nothing on a nil Metrics.
type Metrics struct {
	budget   *budget
	makers   map[string]bool // nil: not checked
	overflow prometheus.Counter

	sent       *prometheus.CounterVec
	visibility map[observation.Visibility]prometheus.Counter
	episodes   *prometheus.CounterVec
	open       *episodeCollector
	latency    prometheus.Histogram
	outcomes   map[string]prometheus.Counter
	evicted    map[string]prometheus.Counter

	exempt *prometheus.GaugeVec

	pending, held, devices, heldBytes prometheus.Gauge
	storeErrors                       prometheus.Counter
	reloaded, reloadedAt              prometheus.Gauge

	mu       sync.Mutex
	children map[labelPair]prometheus.Counter // of sent
	counted  map[labelTriple]prometheus.Counter
}

type labelPair struct{ maker, country string }
type labelTriple struct{ policy, maker, country string }

// MetricsConfig is what Metrics is made of.
type MetricsConfig struct {
	Series   int             // budget; 0 means DefaultSeries
	Makers   []string        // closed list of the signature set; others are counted as other
	Policies []string        // their counters start at 0
	Snapshot func() Snapshot // called at each scrape, by several goroutines; nil: none
}

// The outcomes of a notification.
const (
	outcomeAccepted = "accepted"
	outcomeRefused  = "refused" // 4xx: sending it again would not help
	outcomeFailed   = "failed"  // tried again
	outcomeSpilled  = "spilled" // queue full: kept in the store until there is room
)

// What the judge may forget.
const (
	evictedDevice  = "device"
	evictedHeld    = "held"
	evictedServer  = "server"
	evictedEpisode = "episode"
	evictedEarly   = "unnamed"
)

// NewMetrics registers every metric of Defs with reg.
func NewMetrics(reg prometheus.Registerer, c MetricsConfig) *Metrics {
	f := factory{reg, map[string]Def{}}
	for _, d := range Defs() {
		f.defs[d.Name] = d
	}
	m := &Metrics{
		overflow:    f.counter("series_overflow_total"),
		sent:        f.counterVec("sent_bytes_total"),
		episodes:    f.counterVec("episodes_total"),
		latency:     f.histogram("alert_latency_seconds", []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600}),
		pending:     f.gauge("notifications_pending"),
		held:        f.gauge("notifications_held"),
		devices:     f.gauge("judge_devices"),
		heldBytes:   f.gauge("judge_held_bytes"),
		storeErrors: f.counter("store_errors_total"),
		exempt:      f.gaugeVec("exemption_end_timestamp_seconds"),
		reloaded:    f.gauge("config_last_reload_successful"),
		reloadedAt:  f.gauge("config_last_reload_success_timestamp_seconds"),
		children:    map[labelPair]prometheus.Counter{},
		counted:     map[labelTriple]prometheus.Counter{},
		visibility:  map[observation.Visibility]prometheus.Counter{},
	}
	if c.Makers != nil {
		m.makers = map[string]bool{}
		for _, k := range c.Makers {
			m.makers[k] = true
		}
	}
	vis := f.counterVec("handset_visibility_bytes_total")
	for _, v := range visibilities {
		m.visibility[v] = vis.WithLabelValues(string(v))
	}
	m.outcomes = resolve(f.counterVec("notifications_total"), outcomeAccepted, outcomeRefused, outcomeFailed, outcomeSpilled)
	m.evicted = resolve(f.counterVec("judge_evicted_total"), evictedDevice, evictedHeld, evictedServer, evictedEpisode, evictedEarly)
	// Set aside: one scrape's snapshot, what was resolved above, the buckets,
	// the conditions, and the series named other.
	limit := or(c.Series, DefaultSeries)
	m.budget = &budget{left: limit - maxSnapshot - 100 - 10*len(c.Policies)}
	m.open = newEpisodeCollector(f, m)
	reg.MustRegister(m.open)
	if c.Snapshot != nil {
		reg.MustRegister(newSnapshotCollector(c.Snapshot, m))
	}
	for _, p := range c.Policies {
		m.episodeCounter(p, otherLabel, otherLabel)
	}
	return m
}

var visibilities = []observation.Visibility{
	observation.BySNI, observation.ByQUIC, observation.ByDNS, observation.ByHTTP, observation.ByCertificate, observation.Unnamed,
	observation.HiddenECH, observation.HiddenDoH, observation.HiddenTunnel, observation.Truncated,
	observation.MissedStart, observation.OneWay,
}

// budget is how many series may still be made.
type budget struct {
	mu   sync.Mutex
	left int
}

func (b *budget) take(n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left < n {
		return false
	}
	b.left -= n
	return true
}

func (b *budget) give(n int) {
	b.mu.Lock()
	b.left += n
	b.mu.Unlock()
}

// maker is m as a label: of the closed list, unknown or other.
func (m *Metrics) maker(maker string) string {
	switch {
	case maker == "":
		return "unknown"
	case m.makers == nil || m.makers[maker] || maker == "unknown":
		return maker
	}
	return otherLabel
}

// country is c as a label.
func country(c geo.Country) string {
	if c == "" {
		return "unknown"
	}
	return string(c)
}

// Sent resolves the counter of bytes that handsets of a maker sent to a
// country. Callers keep it.
func (m *Metrics) Sent(maker string, c geo.Country) prometheus.Counter {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := labelPair{m.maker(maker), country(c)}
	if child, ok := m.children[key]; ok {
		return child
	}
	if !m.budget.take(1) {
		m.overflow.Inc()
		key = labelPair{otherLabel, otherLabel}
	}
	child := m.sent.WithLabelValues(key.maker, key.country)
	m.children[key] = child
	return child
}

// episodeCounter resolves a child of episodes_total.
func (m *Metrics) episodeCounter(policy, maker, country string) prometheus.Counter {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := labelTriple{policy, maker, country}
	if child, ok := m.counted[key]; ok {
		return child
	}
	if (maker != otherLabel || country != otherLabel) && !m.budget.take(1) {
		m.overflow.Inc()
		key = labelTriple{policy, otherLabel, otherLabel}
	}
	child := m.episodes.WithLabelValues(key.policy, key.maker, key.country)
	m.counted[key] = child
	return child
}

// Reloaded says how the latest reload ended, at now.
func (m *Metrics) Reloaded(ok bool, now time.Time) {
	if m == nil {
		return
	}
	if !ok {
		m.reloaded.Set(0)
		return
	}
	m.reloaded.Set(1)
	m.reloadedAt.Set(float64(now.UnixMilli()) / 1e3)
}

func (m *Metrics) evict(what string) {
	if m != nil {
		m.evicted[what].Inc()
	}
}

func (m *Metrics) storeFailed() {
	if m != nil {
		m.storeErrors.Inc()
	}
}

// opened counts a new episode.
func (m *Metrics) opened(e *evidence.Episode) {
	if m == nil {
		return
	}
	c := geo.Country("")
	if len(e.Countries) > 0 {
		c = geo.Country(e.Countries[0])
	}
	m.episodeCounter(e.Policy, m.maker(e.Maker), country(c)).Inc()
}

// exemptions shows when the next exemption of each policy ends.
func (m *Metrics) exemptions(rules []*Rule, now time.Time) {
	if m == nil {
		return
	}
	m.exempt.Reset()
	for _, r := range rules {
		for _, t := range r.changesAt { // soonest first
			if t.After(now) {
				m.exempt.WithLabelValues(r.Policy.Name).Set(float64(t.Unix()))
				break
			}
		}
	}
}

// Pushed says whether an Alertmanager holds the alert of an open episode.
func (m *Metrics) Pushed(episode string, is bool) {
	if m != nil {
		m.open.pushed(episode, is)
	}
}

// Pushing says that the alert of an open episode is on its way to an
// Alertmanager. Until a time it counts as pushed, accepted or not.
func (m *Metrics) Pushing(episode string, until time.Time) {
	if m != nil {
		m.open.onItsWay(episode, until)
	}
}

// Latency counts how long an alert took from the first offending byte, or
// the verdict, to its acceptance.
func (m *Metrics) Latency(d time.Duration) {
	if m != nil {
		m.latency.Observe(max(0, d.Seconds()))
	}
}
