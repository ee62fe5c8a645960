package fleet

import (
	"context"

	"picket/alerts"
)

// takeOver tells of cases whose teller is lost, so that its alert does not
// end while the device goes on.
func (d *Desk) takeOver() {
	for k, c := range d.cases {
		d.abandon(k, c)
		own := c.parts[d.node.c.Name]
		if own == nil || c.told != nil || !own.Episode.Closed.IsZero() || !own.Episode.Firing {
			d.tidy(k, c)
			continue
		}
		others := false
		for name := range c.parts {
			others = others || name != d.node.c.Name && !d.node.lost(name)
		}
		if !others {
			d.open(context.Background(), k, c, alerts.Notice{Kind: alerts.Resumed, Episode: own.Episode, Since: own.Episode.Opened})
		}
	}
}

// abandon ends the parts of sensors that have been lost for a day: nobody
// else can. Should one come back, its own word holds.
func (d *Desk) abandon(k caseKey, c *episodeCase) {
	for name, p := range c.parts {
		if name == d.node.c.Name || !p.Episode.Closed.IsZero() || d.node.now().Sub(p.at) < continued || !d.node.lost(name) {
			continue
		}
		ended := *p
		ended.Episode.Closed, ended.Episode.CloseReason, ended.Episode.Firing = p.Episode.Last, "its sensor "+name+" has not been heard of for a day", false
		c.parts[name] = &ended
		d.keep.part(name, &ended.Episode)
		if c.told != nil {
			d.update(k, c)
		}
	}
}

// tidy forgets a case that ended long ago.
func (d *Desk) tidy(k caseKey, c *episodeCase) {
	if c.told != nil || d.node.now().Sub(c.at) < continued {
		return
	}
	for _, p := range c.parts {
		if p.Episode.Closed.IsZero() {
			return
		}
	}
	delete(d.cases, k)
}
