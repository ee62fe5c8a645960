package alerts

import "github.com/prometheus/client_golang/prometheus"

// factory makes registered metrics from their definitions.
type factory struct {
	reg  prometheus.Registerer
	defs map[string]Def
}

func (f factory) counter(name string) prometheus.Counter {
	d := f.defs[Namespace+name]
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: d.Name, Help: d.Help})
	f.reg.MustRegister(c)
	return c
}

func (f factory) counterVec(name string) *prometheus.CounterVec {
	d := f.defs[Namespace+name]
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: d.Name, Help: d.Help}, d.Labels)
	f.reg.MustRegister(c)
	return c
}

func (f factory) gaugeVec(name string) *prometheus.GaugeVec {
	d := f.defs[Namespace+name]
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: d.Name, Help: d.Help}, d.Labels)
	f.reg.MustRegister(g)
	return g
}

func (f factory) gauge(name string) prometheus.Gauge {
	d := f.defs[Namespace+name]
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: d.Name, Help: d.Help})
	f.reg.MustRegister(g)
	return g
}

func (f factory) histogram(name string, buckets []float64) prometheus.Histogram {
	d := f.defs[Namespace+name]
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: d.Name, Help: d.Help, Buckets: buckets})
	f.reg.MustRegister(h)
	return h
}

func (f factory) desc(name string) *prometheus.Desc {
	d := f.defs[Namespace+name]
	return prometheus.NewDesc(d.Name, d.Help, d.Labels, nil)
}

// resolve makes the children of a vector with one label, once.
func resolve(v *prometheus.CounterVec, values ...string) map[string]prometheus.Counter {
	m := make(map[string]prometheus.Counter, len(values))
	for _, x := range values {
		m[x] = v.WithLabelValues(x)
	}
	return m
}
