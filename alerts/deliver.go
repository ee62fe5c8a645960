package alerts

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"time"
)

// maxBatch bounds the alerts of one POST.
const maxBatch = 64

// idle is how long a deliverer sleeps when nothing is due sooner.
const idle = 10 * time.Second

// deliver keeps one Alertmanager told until ctx is done.
func (n *Notifier) deliver(ctx context.Context, am poster, wake <-chan struct{}) {
	pause := n.c.Backoff
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-wake:
		}
		for {
			now := time.Now()
			batch := n.due(am.name, now)
			if len(batch) == 0 {
				timer.Reset(n.next(am.name, now))
				break
			}
			if n.send(ctx, am, batch) {
				pause = n.c.Backoff
				continue
			}
			if !sleep(ctx, jitter(pause)) {
				return
			}
			pause = min(2*pause, maxBackoff)
		}
	}
}

// jitter spreads retries of many sensors over half the pause.
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) }

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// task is one alert to be sent: as it was when the batch was made.
type task struct {
	key    string
	ends   bool // the end is told
	starts time.Time
	post   postable
}

// due lists what is to be sent to an Alertmanager now, new things first.
func (n *Notifier) due(am string, now time.Time) []task {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.release(now)
	var urgent, repeats []task
	for _, k := range sortedKeys(n.alerts) {
		p := n.alerts[k]
		at, isNew := n.when(p, am)
		if at.IsZero() || at.After(now) {
			continue
		}
		t := n.task(p, am, now)
		if isNew {
			urgent = append(urgent, t)
		} else {
			repeats = append(repeats, t)
		}
	}
	all := append(urgent, repeats...)
	return all[:min(len(all), maxBatch)]
}

// next is how long until something is due.
func (n *Notifier) next(am string, now time.Time) time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	soonest := now.Add(idle)
	if len(n.waiting) > 0 {
		soonest = now.Add(time.Duration(float64(time.Second) / n.c.PerSec))
	}
	for _, p := range n.alerts {
		if at, _ := n.when(p, am); !at.IsZero() && at.Before(soonest) {
			soonest = at
		}
	}
	return max(soonest.Sub(now), time.Millisecond)
}

// when says when p is to be sent to am next, zero for never, and whether
// that is news. An alert that ended before anybody was told fires for a
// while first: Alertmanager tells nobody of an end without a beginning.
func (n *Notifier) when(p *pending, am string) (at time.Time, isNew bool) {
	t := p.Told[am]
	switch {
	case !p.admitted:
		return time.Time{}, false
	case t.Fired.IsZero():
		return p.StartsAt.Add(-24 * time.Hour), true // clocks differ; now
	case p.EndsAt.IsZero():
		return p.sentAt[am].Add(n.c.Resend), false
	case t.Resolved.IsZero():
		at := t.Fired
		if t.Late { // not by comparing times: an end can date back to the last byte
			at = at.Add(n.c.Hold)
		}
		return at, true
	case p.sentAt[am].Sub(t.Resolved) < n.c.Linger:
		return p.sentAt[am].Add(n.c.Resend), false
	}
	return time.Time{}, false
}

// task makes the message about p.
func (n *Notifier) task(p *pending, am string, now time.Time) task {
	labels := maps.Clone(p.Labels)
	maps.Copy(labels, p.labels)
	starts := p.StartsAt
	if starts.After(now) { // the sensor's clock is behind the capture's
		starts = now
	}
	t := task{key: p.Key, starts: p.StartsAt, post: postable{
		Labels: labels, Annotations: p.Annotations, StartsAt: starts.UTC(), EndsAt: now.Add(n.c.Stands).UTC(),
	}}
	if l := n.to.links.External; l != nil {
		t.post.GeneratorURL = n.to.links.Device(p.Labels["device"])
	}
	if !p.EndsAt.IsZero() && !p.Told[am].Fired.IsZero() {
		t.ends = true
		t.post.EndsAt = p.EndsAt.UTC()
		if p.EndsAt.After(now) {
			t.post.EndsAt = now.UTC()
		}
		if t.post.EndsAt.Before(t.post.StartsAt) {
			t.post.EndsAt = t.post.StartsAt
		}
	}
	return t
}

// send posts a batch and reports whether the next one may follow at once.
func (n *Notifier) send(ctx context.Context, am poster, batch []task) bool {
	posts := make([]postable, len(batch))
	for i := range batch {
		posts[i] = batch[i].post
	}
	err := am.post(ctx, posts)
	switch {
	case err == nil:
		n.count(outcomeAccepted, len(batch))
		n.accepted(am.name, batch)
		return true
	case errors.Is(err, errRefused) && len(batch) > 1: // one of them: find out which
		ok := true
		for i := range batch {
			ok = n.send(ctx, am, batch[i:i+1]) && ok
		}
		return ok
	case errors.Is(err, errRefused):
		n.count(outcomeRefused, 1)
		n.c.Logger.Error("alert refused", "alert", batch[0].key, "err", err)
		n.accepted(am.name, batch) // nothing more can be done about it
		return true
	}
	if ctx.Err() == nil {
		n.count(outcomeFailed, len(batch))
		n.c.Logger.Warn("alertmanager not reached", "url", am.name, "alerts", len(batch), "err", err)
	}
	return false
}

// accepted notes what an Alertmanager has taken.
func (n *Notifier) accepted(am string, batch []task) {
	now := time.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, t := range batch {
		p := n.alerts[t.key]
		if p == nil || !p.StartsAt.Equal(t.starts) {
			continue // it is another one by now
		}
		n.note(p, am, t.ends, now)
	}
	poke(n.save)
}

func (n *Notifier) note(p *pending, am string, ended bool, now time.Time) {
	told := p.Told[am]
	p.sentAt[am] = now
	if !ended { // also what an earlier process told: the rules need not tell it again
		n.c.Metrics.Pushed(p.Episode, true)
	}
	switch {
	case told.Fired.IsZero():
		first := n.nobody(p)
		told.Fired, told.Late, p.unsaved = now, !p.EndsAt.IsZero(), true
		if first && n.c.Metrics != nil {
			if !p.Since.IsZero() {
				n.c.Metrics.Latency(now.Sub(p.Since))
			}
		}
	case ended && told.Resolved.IsZero():
		told.Resolved, p.unsaved = now, true
	}
	p.Told[am] = told
	if ended && n.everywhere(p, func(t Told) bool { return !t.Resolved.IsZero() && now.Sub(t.Resolved) >= n.c.Linger-n.c.Resend }) {
		delete(n.alerts, p.Key)
		n.gone = append(n.gone, p.Key)
	}
}

// nobody reports whether no Alertmanager has been told of p yet.
func (n *Notifier) nobody(p *pending) bool {
	for _, t := range p.Told {
		if !t.Fired.IsZero() {
			return false
		}
	}
	return true
}
