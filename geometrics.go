package main

import (
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"

	"picket/geo"
)

// geoMetrics shows what jurisdictions rest on and how judging goes. What is
// embedded or configured has its age in picket_geo_database_build_timestamp_seconds.
type geoMetrics struct {
	places *geo.Geo
	state  string

	judged, cached, evicted, reloads, learnt, refused, imported *prometheus.Desc
}

func newGeoMetrics(places *geo.Geo, state string) *geoMetrics {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("picket_"+name, help, labels, nil)
	}
	return &geoMetrics{
		places: places, state: state,
		judged:   desc("geo_judged_total", "Servers placed that were not among those kept."),
		cached:   desc("geo_cached_servers", "Placed servers that are kept."),
		evicted:  desc("geo_cache_evicted_total", "Placed servers thrown out for another."),
		reloads:  desc("geo_reloads_total", "Replacements of databases and rules.", "outcome"),
		learnt:   desc("geo_nat64_prefixes_learnt", "NAT64 prefixes learnt from the site's own resolvers."),
		refused:  desc("geo_nat64_prefixes_refused_total", "NAT64 prefixes not believed: too many, or of a known operator's network."),
		imported: desc("data_build_timestamp_seconds", "When the imported bundle that a part of the data comes from was made.", "part"),
	}
}

// Describe implements prometheus.Collector.
func (m *geoMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.judged, m.cached, m.evicted, m.reloads, m.learnt, m.refused, m.imported} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *geoMetrics) Collect(ch chan<- prometheus.Metric) {
	count := func(d *prometheus.Desc, n uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	s := m.places.Stats()
	count(m.judged, s.Judged)
	gauge(m.cached, float64(s.Cached))
	count(m.evicted, s.Evicted)
	count(m.reloads, s.Reloads, "done")
	count(m.reloads, s.ReloadsFailed, "failed")
	gauge(m.learnt, float64(s.NAT64Learnt))
	count(m.refused, s.NAT64Refused)
	dir := importedData(m.state)
	if dir == "" {
		return
	}
	info, err := readManifest(dir)
	if err != nil {
		return // data status says why
	}
	for _, part := range bundleParts {
		if imports(dir, part) {
			gauge(m.imported, float64(info.Created.Unix()), part)
		}
	}
}

// readManifest reads what the bundle in dir says of itself.
func readManifest(dir string) (info bundleInfo, err error) {
	b, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err == nil {
		err = json.Unmarshal(b, &info)
	}
	return info, err
}
