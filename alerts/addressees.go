package alerts

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/prometheus/common/config"
)

// addressees are the Alertmanagers that are told, and how. A reload puts
// others in their place, whole.
type addressees struct {
	config   AlertmanagerConfig
	links    Links
	client   *http.Client
	posters  []poster
	wake     []chan struct{} // by poster
	replaced chan struct{}   // closed when others take their place
}

func (c *NotifierConfig) addressees(am AlertmanagerConfig, l Links) (*addressees, error) {
	if err := am.Validate(); err != nil {
		return nil, err
	}
	client, err := c.client(am)
	if err != nil {
		return nil, fmt.Errorf("alertmanager: %w", err)
	}
	to := &addressees{config: am, links: l, client: client, replaced: make(chan struct{})}
	for _, u := range am.URLs {
		p, err := newPoster(client, u)
		if err != nil {
			return nil, err
		}
		to.posters = append(to.posters, p)
		to.wake = append(to.wake, make(chan struct{}, 1))
	}
	return to, nil
}

func (c *NotifierConfig) client(am AlertmanagerConfig) (*http.Client, error) {
	if c.Transport != nil {
		return &http.Client{Transport: c.Transport}, nil
	}
	h := am.HTTP
	h.EnableHTTP2 = true
	return config.NewClientFromConfig(h, "alertmanager")
}

// Redirect tells others from now on, or the same ones otherwise: what a
// reload of the configuration asks for. On an error all stays as it was. An
// alert that stands keeps the labels under which it was announced, for it
// would be another one with new ones; Alertmanagers that are new are told what
// stands, not what is over. It reports whether somebody is told now where
// nobody was: what stands must then be announced again.
func (n *Notifier) Redirect(am AlertmanagerConfig, l Links) (first bool, err error) {
	to, err := n.c.addressees(am, l)
	if err != nil {
		return false, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if reflect.DeepEqual(n.to.config, am) && reflect.DeepEqual(n.to.links, l) {
		return false, nil // secrets in files are read anew for each request anyway
	}
	first = len(n.to.posters) == 0 && len(to.posters) > 0 // what is held is older than the silence
	close(n.to.replaced)
	n.to = to
	now := time.Now()
	for _, k := range sortedKeys(n.alerts) {
		p := n.alerts[k]
		if !p.EndsAt.IsZero() && !n.nobody(p) {
			n.overBefore(p, now)
		}
		if first || len(to.posters) == 0 || !p.EndsAt.IsZero() && n.everywhere(p, func(t Told) bool { return !t.Resolved.IsZero() }) {
			delete(n.alerts, k)
			n.gone = append(n.gone, k)
		}
	}
	if len(n.alerts) == 0 {
		n.waiting = nil
	}
	poke(n.save)
	return first, nil
}

// overBefore spares Alertmanagers that have not heard of p an alert that
// others were told of and that is over.
func (n *Notifier) overBefore(p *pending, now time.Time) {
	for _, am := range n.to.posters {
		if t := p.Told[am.name]; t.Fired.IsZero() {
			p.Told[am.name], p.sentAt[am.name], p.unsaved = Told{Fired: now, Resolved: now}, now.Add(-n.c.Linger), true
		}
	}
}

// tell keeps the addressees told until ctx is done, and those that a reload
// puts in their place.
func (n *Notifier) tell(ctx context.Context) error {
	for ctx.Err() == nil {
		n.mu.Lock()
		to := n.to
		n.mu.Unlock()
		inner, stop := context.WithCancel(ctx)
		var all sync.WaitGroup
		for i := range to.posters {
			all.Go(func() { n.deliver(inner, to.posters[i], to.wake[i]) })
		}
		select {
		case <-ctx.Done():
		case <-to.replaced:
		}
		stop()
		all.Wait()
		to.client.CloseIdleConnections()
	}
	return nil
}
