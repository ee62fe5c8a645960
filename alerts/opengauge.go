package alerts

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"picket/evidence"
)

// seriesPerEpisode is how many series one open episode has: open, info,
// detail, sent bytes, pushed.
const seriesPerEpisode = 5

// episodeCollector exports the open episodes. A series exists for as long as
// its episode is open; Prometheus then marks it stale at the next scrape.
type episodeCollector struct {
	m                                           *Metrics
	open, info, detail, sent, push, byCondition *prometheus.Desc

	mu       sync.Mutex
	episodes map[string]*openEpisode // by id
	announce map[string]time.Time    // pushing of episodes that are not shown yet
}

type openEpisode struct {
	policy, device, maker, confidence, country, basis string
	families                                          string // of evidence
	condition                                         evidence.Condition
	severity                                          Severity
	sent                                              uint64
	pushed                                            bool
	pushing                                           time.Time // until when it counts as pushed, being on its way
	own                                               bool      // has series of its own
}

func newEpisodeCollector(f factory, m *Metrics) *episodeCollector {
	return &episodeCollector{
		m:           m,
		open:        f.desc("episode_open"),
		info:        f.desc("episode_info"),
		detail:      f.desc("episode_detail"),
		sent:        f.desc("episode_sent_bytes"),
		push:        f.desc("episode_pushed"),
		byCondition: f.desc("episode_condition"),
		episodes:    map[string]*openEpisode{},
		announce:    map[string]time.Time{},
	}
}

// set creates or updates the series of an open episode. severity is the one
// shown, which for a continued episode is not its own; families are of the
// evidence for its maker, none while the store's verdict holds.
func (c *episodeCollector) set(e *evidence.Episode, severity Severity, families []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.episodes[e.ID]
	if o == nil {
		o = &openEpisode{}
		c.episodes[e.ID] = o
		o.pushing = c.announce[e.ID]
		delete(c.announce, e.ID)
	}
	if !o.own {
		if o.own = c.m.budget.take(seriesPerEpisode); !o.own {
			c.m.overflow.Inc()
		}
	}
	o.policy, o.device, o.severity, o.condition = e.Policy, e.Device, severity, e.Condition
	o.maker, o.confidence, o.sent = c.m.maker(e.Maker), e.Confidence, e.Sent
	o.country, o.basis = labelList(e.Countries), labelList(e.Basis)
	if len(families) > 0 {
		o.families = labelList(families)
	}
}

// labelList joins at most five words in alphabetical order, so that the
// label changes only when a word is added.
func labelList(words []string) string {
	w := slices.Sorted(slices.Values(words[:min(len(words), 5)]))
	return strings.Join(w, ",")
}

// total sets the bytes of an open episode between updates.
func (c *episodeCollector) total(id string, sent uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if o := c.episodes[id]; o != nil {
		o.sent = sent
	}
}

func (c *episodeCollector) remove(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.episodes[id]
	if o == nil {
		return
	}
	delete(c.episodes, id)
	delete(c.announce, id)
	if !o.own {
		return
	}
	c.m.budget.give(seriesPerEpisode)
}

func (c *episodeCollector) pushed(id string, is bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if o := c.episodes[id]; o != nil {
		o.pushed = is
	}
}

// onItsWay lets an episode count as pushed until it is, or until a time: a
// scrape that falls between must not have the rules page it as well.
func (c *episodeCollector) onItsWay(id string, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if o := c.episodes[id]; o != nil {
		o.pushing, o.pushed = until, false
		return
	}
	if len(c.announce) < maxAnnounced { // the judge shows it next: more than a few are a mistake
		c.announce[id] = until
	}
}

// maxAnnounced bounds the episodes that are announced and not yet shown.
const maxAnnounced = 1 << 10

// Describe implements prometheus.Collector.
func (c *episodeCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.open, c.info, c.detail, c.sent, c.push, c.byCondition} {
		ch <- d
	}
}

type seriesKey struct{ policy, device, more string }

// Collect implements prometheus.Collector. Should two episodes have the same
// labels, the series is exported once.
func (c *episodeCollector) Collect(ch chan<- prometheus.Metric) {
	c.mu.Lock()
	all := make([]openEpisode, 0, len(c.episodes))
	for _, o := range c.episodes {
		all = append(all, *o)
	}
	c.mu.Unlock()
	slices.SortFunc(all, func(a, b openEpisode) int { return cmp.Compare(b.severity.rank(), a.severity.rank()) })
	now := time.Now() // scrapes live in wall time
	done, acts := map[seriesKey]bool{}, map[[2]string]int{}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, o := range all {
		acts[[2]string{o.policy, string(o.condition)}]++
		dev, key := o.device, seriesKey{policy: o.policy, device: o.device}
		if !o.own {
			dev, key = otherLabel, seriesKey{o.policy, otherLabel, string(o.severity)}
		}
		if done[key] {
			continue
		}
		done[key] = true
		gauge(c.open, 1, o.policy, string(o.severity), dev)
		if !o.own {
			continue
		}
		gauge(c.info, 1, dev, o.policy, o.maker, o.confidence, o.country, o.basis)
		gauge(c.detail, 1, o.policy, dev, string(o.condition), o.families)
		gauge(c.sent, float64(o.sent), o.policy, dev)
		if o.pushed || now.Before(o.pushing) {
			gauge(c.push, 1, o.policy, dev)
		}
	}
	for k, n := range acts {
		gauge(c.byCondition, float64(n), k[0], k[1])
	}
}
