package alerts

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"picket/evidence"
)

// load takes over what the outbox has, as far as there is room.
func (n *Notifier) load() error {
	if n.c.Outbox == nil {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	after := ""
	for len(n.alerts) < n.c.Queue {
		page, err := n.c.Outbox.Alerts(after, maxBatch)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			n.spilled = false
			return nil
		}
		for _, a := range page {
			n.adopt(a)
			after = a.Key
		}
	}
	n.spilled = true
	n.wakeAll()
	return nil
}

// adopt takes an alert of the outbox into memory, unless it is there.
func (n *Notifier) adopt(a Alert) {
	if p := n.alerts[a.Key]; p != nil {
		if p.StartsAt.Equal(a.StartsAt) && len(p.Told) == 0 {
			p.Told = maps.Clone(a.Told)
			if p.Told == nil {
				p.Told = map[string]Told{}
			}
		}
		return
	}
	p := n.pending(a)
	maps.Copy(p.Told, a.Told)
	n.alerts[a.Key] = p
	n.admit(p, Opened, time.Now())
	if len(p.Told) > 0 {
		p.admitted = true
	}
	n.wakeAll()
}

// keep writes to the outbox what it does not have, until ctx is done.
func (n *Notifier) keep(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-n.save:
		}
		n.persist()
		n.mu.Lock()
		room := n.spilled && len(n.alerts) <= n.c.Queue/2
		n.mu.Unlock()
		if !room {
			continue
		}
		if err := n.load(); err != nil {
			n.c.Metrics.storeFailed()
			n.c.Logger.Error("outbox not read", "err", err)
		}
	}
}

// persist writes and deletes what has changed. A failed write is tried again
// with the next change.
func (n *Notifier) persist() {
	n.mu.Lock()
	var changed []Alert
	for _, k := range sortedKeys(n.alerts) {
		if p := n.alerts[k]; p.unsaved && k != StormAlert {
			a := p.Alert
			a.Told = maps.Clone(p.Told)
			changed, p.unsaved = append(changed, a), false
		}
	}
	gone := n.gone
	n.gone = nil
	if n.c.Metrics != nil {
		n.c.Metrics.pending.Set(float64(n.untold()))
	}
	n.mu.Unlock()
	if n.c.Outbox == nil {
		return
	}
	for _, a := range changed {
		if err := n.c.Outbox.PutAlert(a); err != nil {
			n.c.Metrics.storeFailed()
			n.c.Logger.Error("alert not stored", "alert", a.Key, "err", err)
		}
	}
	for _, k := range gone {
		if err := n.c.Outbox.DeleteAlert(k); err != nil {
			n.c.Metrics.storeFailed()
		}
	}
}

// untold counts the alerts that some Alertmanager has not accepted.
func (n *Notifier) untold() int {
	count := 0
	for _, p := range n.alerts {
		if !n.everywhere(p, func(t Told) bool { return !t.Fired.IsZero() && (p.EndsAt.IsZero() || !t.Resolved.IsZero()) }) {
			count++
		}
	}
	return count
}

// Memory is a Store that ends with the process: for `picket read` and tests.
// It keeps at most Max closed episodes, the latest. It is safe for
// concurrent use; the zero value is ready.
type Memory struct {
	Max int // 0 means 1<<16

	mu       sync.Mutex
	episodes map[string]evidence.Episode
	alerts   map[string]Alert
	dropped  uint64
}

// NewMemory returns an empty Memory with the default limit.
func NewMemory() *Memory { return &Memory{} }

// SaveEpisode implements Store.
func (m *Memory) SaveEpisode(e evidence.Episode) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.episodes == nil {
		m.episodes = map[string]evidence.Episode{}
	}
	m.episodes[e.ID] = e
	if limit := or(m.Max, 1<<16); len(m.episodes) > limit {
		m.dropOldest()
	}
	return nil
}

func (m *Memory) dropOldest() {
	oldest := ""
	for id, e := range m.episodes {
		if !e.Closed.IsZero() && (oldest == "" || e.Closed.Before(m.episodes[oldest].Closed)) {
			oldest = id
		}
	}
	if oldest != "" {
		delete(m.episodes, oldest)
		m.dropped++
	}
}

// Dropped is how many closed episodes were forgotten by the limit.
func (m *Memory) Dropped() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.dropped
}

// Episodes implements Store. They come in the order in which they opened.
func (m *Memory) Episodes(since time.Time) ([]evidence.Episode, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []evidence.Episode
	for _, e := range m.episodes {
		if e.Closed.IsZero() || !e.Closed.Before(since) {
			out = append(out, e)
		}
	}
	sortEpisodes(out)
	return out, nil
}

// PutAlert implements Outbox.
func (m *Memory) PutAlert(a Alert) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.alerts == nil {
		m.alerts = map[string]Alert{}
	}
	m.alerts[a.Key] = a
	return nil
}

// DeleteAlert implements Outbox.
func (m *Memory) DeleteAlert(key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.alerts, key)
	return nil
}

// Alerts implements Outbox.
func (m *Memory) Alerts(after string, limit int) ([]Alert, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Alert
	for k, a := range m.alerts {
		if k > after {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b Alert) int { return cmp.Compare(a.Key, b.Key) })
	return out[:min(len(out), limit)], nil
}
