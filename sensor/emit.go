package sensor

import (
	"slices"

	"picket/sensor/observation"
)

// slot returns a cleared observation at the end of the batch, to be filled in;
// nil when the channel is full.
func (w *Worker) slot() *observation.Observation {
	n := len(w.batch)
	switch {
	case n < cap(w.batch):
	case w.gather:
		w.batch = slices.Grow(w.batch, 1)
	case w.flush():
		n = 0
	default:
		return nil
	}
	w.batch = w.batch[:n+1]
	w.stats.Observations++
	o := &w.batch[n]
	*o = observation.Observation{}
	return o
}

// emit hands o over; false when the channel is full and o was not taken.
func (w *Worker) emit(o *observation.Observation) bool {
	s := w.slot()
	if s == nil {
		return false
	}
	*s = *o
	return true
}

// tell emits o and counts it as lost when there is no room: what is seen
// again and again may be missed once. Flow reports are kept instead.
func (w *Worker) tell(o *observation.Observation) {
	if !w.emit(o) {
		w.stats.ObservationsDropped++
	}
}

// flush sends the batch; false when the receiver is behind and must not be
// waited for.
func (w *Worker) flush() bool {
	w.kept.hand(len(w.batch) > 0)
	if len(w.batch) == 0 || w.gather {
		return true
	}
	if w.observe != nil {
		w.observe(w.batch)
		w.batch = w.batch[:0] // slot clears what is used again
		return true
	}
	if w.cfg.Wait {
		select {
		case w.out <- w.batch:
		case <-w.ctx.Done():
			w.batch = w.batch[:0]
			return true
		}
	} else {
		select {
		case w.out <- w.batch:
		default:
			if !w.closing || !w.lastWords() {
				return false
			}
		}
	}
	w.batch = w.fresh()
	return true
}

// handOver sends what there is, so that nobody waits for a batch to fill up.
// A receiver that is behind would gain nothing by it, and the room in the
// channel is for full batches: a trickle must not fill it.
func (w *Worker) handOver() {
	if !w.cfg.Wait && len(w.out) > cap(w.out)/2 {
		return
	}
	w.flush()
}

// lastWords waits for the receiver at the end of the input: no frame is lost
// by it, and what every open flow has to tell is more than the channel holds.
func (w *Worker) lastWords() bool {
	select {
	case w.out <- w.batch:
		return true
	case <-w.patience.Done():
		return false
	}
}

func (w *Worker) fresh() []observation.Observation {
	select {
	case b := <-w.spare:
		return b[:0]
	default:
		return make([]observation.Observation, 0, batchSize)
	}
}
