package fleet

import (
	"context"
	"time"

	"picket/alerts"
)

const (
	// partWait is how long the page of a threshold that several sensors passed
	// together waits for their parts, so that it bears the sum.
	partWait  = 2 * time.Second
	waitEvery = 250 * time.Millisecond
)

// whole reports that the parts of all these sensors are there, and open.
func (c *episodeCase) whole(sensors []string) bool {
	for _, s := range sensors {
		if p := c.parts[s]; p == nil || !p.Episode.Closed.IsZero() {
			return false
		}
	}
	return true
}

// await has a page wait for the parts of the sensors whose sum it is about. It
// reports whether it waits.
func (d *Desk) await(k caseKey, c *episodeCase, n alerts.Notice) bool {
	if c.whole(n.Episode.SumOf) {
		return false
	}
	c.wait, c.until = &n, d.node.now().Add(partWait)
	d.waiting[k] = true
	return true
}

// openNow tells what waited.
func (d *Desk) openNow(k caseKey, c *episodeCase) {
	n := *c.wait
	c.wait = nil
	delete(d.waiting, k)
	if c.told == nil {
		d.open(context.Background(), k, c, n)
	}
}

// openWaiting tells what has waited for long enough; or all.
func (d *Desk) openWaiting(all bool) {
	for k := range d.waiting {
		c := d.cases[k]
		switch {
		case c == nil || c.wait == nil:
			delete(d.waiting, k)
		case all || !d.node.now().Before(c.until):
			d.openNow(k, c)
		}
	}
}
