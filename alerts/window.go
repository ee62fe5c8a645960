package alerts

import "time"

// maxPoints bounds the window of one account. Reports of flows come seconds
// apart, so that ten minutes of one device rarely need more.
const maxPoints = 64

// window sums bytes over the latest stretch of packet time. The zero value
// is empty.
type window struct {
	points []point // oldest first
	sum    uint64
}

type point struct {
	at time.Time
	n  uint64
}

// add counts n bytes at a time, and forgets what is older than within. It
// returns the sum of the stretch.
func (w *window) add(at time.Time, n uint64, within time.Duration) uint64 {
	w.forget(at.Add(-within))
	switch last := len(w.points) - 1; {
	case n == 0:
	case last >= 0 && !at.After(w.points[last].at):
		w.points[last].n += n
		w.sum += n
	default:
		if len(w.points) == maxPoints {
			w.merge()
		}
		w.points = append(w.points, point{at, n})
		w.sum += n
	}
	return w.sum
}

// forget drops the points before t.
func (w *window) forget(t time.Time) {
	drop := 0
	for drop < len(w.points) && w.points[drop].at.Before(t) {
		w.sum -= w.points[drop].n
		drop++
	}
	if drop > 0 {
		w.points = w.points[:copy(w.points, w.points[drop:])]
	}
}

// merge makes room: the two oldest points become one at the time of the
// older, so that bytes are forgotten early and never late.
func (w *window) merge() {
	w.points[1] = point{w.points[0].at, w.points[0].n + w.points[1].n}
	w.points = w.points[:copy(w.points, w.points[1:])]
}
