package fleet

import (
	"github.com/prometheus/client_golang/prometheus"
)

// maxPeers bounds the series about other sensors; what is beyond is counted.
const maxPeers = 256

// metrics shows how the fleet does, as this sensor sees it. The sensor that
// they are scraped from is a label of the target, as for all of picket's;
// peer is another sensor.
type metrics struct {
	node *Node

	connected, sensors, waiting, oldest, size, lost, published, applied, refused, missed *prometheus.Desc
	partials, partialsDropped, summed                                                    *prometheus.Desc
	skew, heard, overflow                                                                *prometheus.Desc
}

// Metrics collects the metrics of a node.
func (n *Node) Metrics() prometheus.Collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("picket_fleet_"+name, help, labels, nil)
	}
	return &metrics{
		node:            n,
		connected:       desc("connected", "1 while this sensor has a cluster with its streams."),
		sensors:         desc("sensors", "Sensors of the fleet, this one too, by how they do.", "state"),
		waiting:         desc("waiting_messages", "Things said that the cluster has not acknowledged."),
		oldest:          desc("publish_lag_seconds", "Since when the oldest thing waits for the cluster."),
		size:            desc("spool_bytes", "Size of the queue on disk and its log."),
		lost:            desc("spool_dropped_total", "Things given up because the queue was full."),
		published:       desc("published_total", "Things that the cluster has acknowledged."),
		applied:         desc("applied_total", "Things of other sensors that were news and were taken over."),
		refused:         desc("refused_total", "Things of other sensors not believed: clock, key, version, or too many."),
		missed:          desc("missed_total", "Changes of devices there was no room for; later ones are told."),
		partials:        desc("partials", "Devices below a policy's threshold whose bytes are summed: those this sensor tells of, and those it was told of.", "side"),
		partialsDropped: desc("partials_dropped_total", "Bytes and devices that were left out of sums because there was no room."),
		summed:          desc("summed_total", "Thresholds passed by what several sensors saw together."),
		skew:            desc("clock_skew_seconds", "Clock of another sensor less ours, the way included.", "peer"),
		heard:           desc("heard_age_seconds", "Since when another sensor has not been heard.", "peer"),
		overflow:        desc("peers_overflow", "Other sensors without series of their own."),
	}
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		m.connected, m.sensors, m.waiting, m.oldest, m.size, m.lost, m.published, m.applied, m.refused, m.missed,
		m.partials, m.partialsDropped, m.summed, m.skew, m.heard, m.overflow,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := func(d *prometheus.Desc, n uint64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n))
	}
	v, now := m.node.View(), m.node.now()
	states := map[string]int{"up": 0, "late": 0, "lost": 0}
	peers, overflow := 0, 0
	for _, s := range v.Sensors {
		states[s.State]++
		switch {
		case s.Name == v.Name:
		case peers >= maxPeers:
			overflow++
		default:
			peers++
			gauge(m.heard, max(0, now.Sub(s.Heard).Seconds()), s.Name)
			if s.Known {
				gauge(m.skew, s.Skew.Seconds(), s.Name)
			}
		}
	}
	for state, n := range states {
		gauge(m.sensors, float64(n), state)
	}
	connected, lag := 0.0, 0.0
	if v.Connected {
		connected = 1
	}
	if !v.Oldest.IsZero() {
		lag = max(0, now.Sub(v.Oldest).Seconds())
	}
	gauge(m.connected, connected)
	gauge(m.waiting, float64(v.Waiting))
	gauge(m.oldest, lag)
	gauge(m.size, float64(v.SpoolBytes))
	gauge(m.overflow, float64(overflow))
	count(m.lost, v.Lost)
	count(m.published, v.Published)
	count(m.applied, v.Applied)
	count(m.refused, v.Refused)
	count(m.missed, m.node.missed.Load())
	if m.node.summing != nil {
		near, heard, dropped, passed := m.node.summing()
		gauge(m.partials, float64(near), "told")
		gauge(m.partials, float64(heard), "heard")
		count(m.partialsDropped, dropped)
		count(m.summed, passed)
	}
}
