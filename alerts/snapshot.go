package alerts

import (
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Snapshot is what the sensor says of itself at one moment. Whoever fills it
// reads counters that the packet path keeps without locks. Totals are since
// the start of the process.
type Snapshot struct {
	Interfaces          []InterfaceStats
	MissedBytes         uint64            // acknowledged, never seen
	DuplicateFrames     uint64            // delivered twice by the span
	Stops               map[string]uint64 // by reason
	Flows               int
	FlowsEvicted        map[string]uint64 // by reason
	Handshakes          []HandshakeStats
	VisibilityBytes     map[string]uint64 // by visibility
	OneWayBytes         uint64            // of conversations of which one direction was seen
	ObservationsDropped uint64
	Devices             []DeviceCount
	LearningRatio       float64 // 0 to 1
	WithoutHomeRatio    float64
	WithoutDeviceRatio  float64
	Databases           map[string]time.Time // when built
	WebURL              string               // under which people reach the pages; empty: not said
}

// InterfaceStats are the counts of one interface.
type InterfaceStats struct {
	Name          string
	Frames, Bytes uint64
	Dropped       map[string]uint64 // by where: kernel, interface
	Gap           time.Duration     // how long it was down, in all
}

// HandshakeStats counts one kind of handshake.
type HandshakeStats struct {
	Protocol, Outcome string
	N                 uint64
}

// DeviceCount is how many devices have one verdict.
type DeviceCount struct {
	Maker, Class, Confidence string
	N                        int
}

// maxSnapshot bounds the series of one scrape that come from a Snapshot; the
// budget sets so many aside for them.
const maxSnapshot = 1500

// snapshotCollector turns a Snapshot into metrics at each scrape.
type snapshotCollector struct {
	take  func() Snapshot
	descs map[string]*prometheus.Desc
	kinds map[string]prometheus.ValueType
	m     *Metrics
}

func newSnapshotCollector(take func() Snapshot, m *Metrics) *snapshotCollector {
	c := &snapshotCollector{take: take, descs: map[string]*prometheus.Desc{}, kinds: map[string]prometheus.ValueType{}, m: m}
	for _, d := range sensorDefs() {
		c.descs[d.Name] = prometheus.NewDesc(d.Name, d.Help, d.Labels, nil)
		c.kinds[d.Name] = prometheus.GaugeValue
		if d.Type == "counter" {
			c.kinds[d.Name] = prometheus.CounterValue
		}
	}
	return c
}

// Describe implements prometheus.Collector.
func (c *snapshotCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *snapshotCollector) Collect(ch chan<- prometheus.Metric) {
	s, left := c.take(), maxSnapshot
	put := func(name string, v float64, labels ...string) {
		if left--; left < 0 {
			c.m.overflow.Inc()
			return
		}
		name = Namespace + name
		ch <- prometheus.MustNewConstMetric(c.descs[name], c.kinds[name], v, labels...)
	}
	byLabel := func(name string, m map[string]uint64) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			put(name, float64(m[k]), k)
		}
	}
	put("flows", float64(s.Flows))
	put("observations_dropped_total", float64(s.ObservationsDropped))
	put("capture_missed_bytes_total", float64(s.MissedBytes))
	put("capture_duplicate_frames_total", float64(s.DuplicateFrames))
	put("devices_learning_ratio", s.LearningRatio)
	put("bytes_without_home_ratio", s.WithoutHomeRatio)
	put("bytes_without_device_ratio", s.WithoutDeviceRatio)
	var bytes uint64
	for _, i := range s.Interfaces {
		bytes += i.Bytes
		put("capture_frames_total", float64(i.Frames), i.Name)
		put("capture_gap_seconds_total", i.Gap.Seconds(), i.Name)
		for _, where := range slices.Sorted(maps.Keys(i.Dropped)) {
			put("capture_dropped_frames_total", float64(i.Dropped[where]), i.Name, where)
		}
	}
	put("capture_bytes_total", float64(bytes))
	byLabel("packet_stops_total", s.Stops)
	byLabel("flows_evicted_total", s.FlowsEvicted)
	put("flow_one_way_bytes_total", float64(s.OneWayBytes))
	byLabel("flow_visibility_bytes_total", s.VisibilityBytes)
	for _, h := range s.Handshakes {
		put("handshakes_total", float64(h.N), h.Protocol, h.Outcome)
	}
	for _, db := range slices.Sorted(maps.Keys(s.Databases)) {
		put("geo_database_build_timestamp_seconds", float64(s.Databases[db].Unix()), db)
	}
	if s.WebURL != "" {
		put("web_info", 1, s.WebURL)
	}
	c.devices(s.Devices, max(left, 0), put)
}

// devices puts the counts of devices, the rarest verdicts together as other
// when there are more than left.
func (c *snapshotCollector) devices(counts []DeviceCount, left int, put func(string, float64, ...string)) {
	sums := map[DeviceCount]int{}
	for _, d := range counts {
		maker := c.m.maker(d.Maker)
		if d.Confidence == "none" {
			maker = "unknown" // the best guess of a verdict of no confidence is nobody's business
		}
		sums[DeviceCount{Maker: maker, Class: or(d.Class, "unknown"), Confidence: d.Confidence}] += d.N
	}
	keys := slices.SortedFunc(maps.Keys(sums), func(a, b DeviceCount) int { return sums[b] - sums[a] })
	other := 0
	for i, k := range keys {
		if len(keys) > left && i >= left-1 {
			other += sums[k]
			c.m.overflow.Inc()
			continue
		}
		put("devices", float64(sums[k]), k.Maker, k.Class, k.Confidence)
	}
	if other > 0 {
		put("devices", float64(other), otherLabel, otherLabel, otherLabel)
	}
}
