package sensor

import (
	"testing"

	"picket/sensor/capture"
	"picket/sensor/observation"
)

// TestLastWordsAreHeard: a live worker waits for nobody, but at the end what
// every flow has to tell is told, however little the channel holds.
func TestLastWordsAreHeard(t *testing.T) {
	w := newBench(t, WorkerConfig{}).w
	out := make(chan []observation.Observation, 1)
	w.out = out
	const flows = 3 * batchSize
	var frames []capture.Frame
	for i := range flows {
		k := newTalk("203.0.113.5:443")
		k.client = phoneAt(uint16(20000 + i))
		frames = append(frames, k.up([]byte("x")).frames...)
	}
	w.Frames(frames)
	finals := make(chan int)
	go func() {
		n := 0
		for batch := range out {
			for i := range batch {
				if batch[i].Kind == observation.FlowReport && batch[i].Flow.Final {
					n++
				}
			}
		}
		finals <- n
	}()
	w.Close()
	close(out)
	if n := <-finals; n != flows || w.stats.ObservationsDropped != 0 {
		t.Errorf("%d of %d flows told to the end, %d observations dropped", n, flows, w.stats.ObservationsDropped)
	}
}
