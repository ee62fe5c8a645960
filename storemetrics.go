package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"picket/evidence"
)

// storeMetrics shows how the evidence store does, and what people ruled: the
// site's own rate of pages that should not have been.
type storeMetrics struct {
	store *evidence.Store
	lost  func() (onTheWay, memory uint64) // frames of first packets that were not held

	packets, packetsDropped *prometheus.Desc

	written, failures, late, dropped, waiting, size, trouble, rulings *prometheus.Desc
}

func newStoreMetrics(store *evidence.Store, lost func() (onTheWay, memory uint64)) *storeMetrics {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("picket_"+name, help, labels, nil)
	}
	return &storeMetrics{
		store:    store,
		lost:     lost,
		written:  desc("evidence_rows_total", "Rows written to the evidence store."),
		failures: desc("evidence_failures_total", "Batches that could not be written, and were tried again."),
		late:     desc("evidence_late_episodes_total", "Episodes announced before the disk had them."),
		dropped:  desc("evidence_dropped_rows_total", "Rows given up because too much waited for the disk."),
		waiting:  desc("evidence_waiting_rows", "Rows in memory that wait for the disk."),
		size:     desc("evidence_bytes", "Size of the evidence store and its log."),
		trouble:  desc("evidence_degraded", "1 while the disk does not take what waits."),
		packets:  desc("evidence_packets_total", "Packets of episodes that were kept."),
		packetsDropped: desc("evidence_packets_dropped_total",
			"First packets that were not kept: queue (the slow side was behind, or fragments), memory (no room until it was known whose they are), episode (it has its share), store (pieces of the oldest, no room).", "reason"),
		rulings: desc("rulings_total", "Judgements by people.", "outcome"),
	}
}

// Describe implements prometheus.Collector.
func (m *storeMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.written, m.failures, m.late, m.dropped, m.waiting, m.size, m.trouble, m.rulings, m.packets, m.packetsDropped} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *storeMetrics) Collect(ch chan<- prometheus.Metric) {
	s := m.store.Stats()
	degraded := 0.0
	if s.Trouble != "" {
		degraded = 1
	}
	counter, gauge := prometheus.CounterValue, prometheus.GaugeValue
	for _, v := range []struct {
		desc *prometheus.Desc
		kind prometheus.ValueType
		n    float64
	}{
		{m.written, counter, float64(s.Written)}, {m.failures, counter, float64(s.Failures)},
		{m.late, counter, float64(s.Late)}, {m.dropped, counter, float64(s.Dropped)},
		{m.waiting, gauge, float64(s.Waiting)}, {m.size, gauge, float64(s.Bytes)}, {m.trouble, gauge, degraded},
	} {
		ch <- prometheus.MustNewConstMetric(v.desc, v.kind, v.n)
	}
	onTheWay, memory := m.lost()
	ch <- prometheus.MustNewConstMetric(m.packets, counter, float64(s.Packets))
	for reason, n := range map[string]uint64{"queue": onTheWay, "memory": memory, "episode": s.Full, "store": s.Old} {
		ch <- prometheus.MustNewConstMetric(m.packetsDropped, counter, float64(n), reason)
	}
	counts, err := m.store.RulingCounts()
	if err != nil {
		return // the failure is counted by the store
	}
	for _, outcome := range []string{evidence.Confirmed, evidence.Wrong, evidence.NotHandset} {
		ch <- prometheus.MustNewConstMetric(m.rulings, counter, float64(counts[outcome]), outcome)
	}
}
