package e2e

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

const sensorURL = "http://127.0.0.1:9710"

// picket is the sensor under test.
type picket struct {
	*process
	campus *campus
	args   []string
}

// listen starts `picket run` on the span and waits until it captures.
func (c *campus) listen(args ...string) *picket {
	c.t.Helper()
	p := &picket{campus: c, args: append([]string{"run", "-i", span, "--state", filepath.Join(c.dir, "state")}, args...)}
	p.begin()
	return p
}

func (p *picket) begin() {
	p.campus.t.Helper()
	p.process = p.campus.start(p.campus.gw, binary(p.campus.t), p.args...)
	until(p.campus.t, "picket that captures", func() bool {
		select {
		case <-p.done:
			p.campus.t.Fatalf("picket ended: %s", p.log)
		default:
		}
		return p.campus.get(sensorURL+"/-/ready") != ""
	})
}

// sum adds up the samples of a metric whose labels contain all of those
// given ("maker=xiaomi"). A metric that is not there is 0.
func (c *campus) sum(metric string, labels ...string) float64 {
	c.t.Helper()
	total := 0.0
	for _, m := range c.families()[metric].GetMetric() {
		if matches(m, labels) {
			total += m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return total
}

// families is what the sensor exports now.
func (c *campus) families() map[string]*dto.MetricFamily {
	c.t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(c.get(sensorURL + "/metrics")))
	ok(c.t, err)
	return families
}

func matches(m *dto.Metric, labels []string) bool {
	for _, want := range labels {
		found := false
		for _, l := range m.Label {
			found = found || l.GetName()+"="+l.GetValue() == want
		}
		if !found {
			return false
		}
	}
	return true
}

// reaches waits until a metric is at least n.
func (c *campus) reaches(n float64, metric string, labels ...string) {
	c.t.Helper()
	until(c.t, metric+" of "+strconv.FormatFloat(n, 'f', -1, 64), func() bool { return c.sum(metric, labels...) >= n })
}

// ends asserts that the sensor ends by itself with the given status.
func (p *picket) ends(t *testing.T, status int, most time.Duration) {
	t.Helper()
	if got := p.wait(most); got != status {
		t.Errorf("exit status %d, want %d: %s", got, status, p.log)
	}
}
