package alerts

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"picket/sensor/handset"
)

func BenchmarkTransferOfUnconcernedDevice(b *testing.B) {
	w := newWorld(b, worldConfig{metrics: NewMetrics(prometheus.NewRegistry(), MetricsConfig{Makers: []string{"apple", "xiaomi"}})})
	v := phone("d-00000000000a", "apple", handset.Certain)
	t := transfer(v, inCN, start, 1500)
	w.judge.Transfer(t)
	b.ReportAllocs()
	for b.Loop() {
		w.judge.Transfer(t)
	}
}

func TestTransferOfUnconcernedDeviceDoesNotAllocate(t *testing.T) {
	w := newWorld(t, worldConfig{metrics: NewMetrics(prometheus.NewRegistry(), MetricsConfig{Makers: []string{"apple", "xiaomi"}})})
	tr := transfer(phone("d-00000000000a", "apple", handset.Certain), inCN, start, 1500)
	w.judge.Transfer(tr)
	if n := testing.AllocsPerRun(1000, func() { w.judge.Transfer(tr) }); n != 0 {
		t.Errorf("Transfer: %v allocations, want none", n)
	}
	if n := testing.AllocsPerRun(1000, func() { w.judge.Tick(start.Add(time.Second)) }); n != 0 {
		t.Errorf("Tick: %v allocations, want none", n)
	}
}
