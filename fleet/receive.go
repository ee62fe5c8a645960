package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	hearBatch = 256
	hearWait  = 20 * time.Millisecond // for a batch to fill
	maxHealth = 64 << 10              // bytes of a health message
	hearAhead = 64                    // messages the server sends before they are taken: 32 MiB at most
)

// receive takes the state stream from its start, each time anew: it holds the
// latest of each thing alone, and what was heard before is no news.
func (n *Node) receive(ctx context.Context) error {
	pause := pauses{least: 100 * time.Millisecond, most: 5 * time.Second}
	for ctx.Err() == nil {
		err := errors.New("fleet: no stream yet")
		if s := n.at.Load(); s != nil {
			err = n.consume(ctx, s)
			if err != nil && ctx.Err() == nil {
				n.note(err)
			}
		}
		if err == nil {
			pause.reset()
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause.next()):
		}
	}
	return nil
}

func (n *Node) consume(ctx context.Context, s *stores) error {
	cons, err := s.state.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		FilterSubjects: n.subjects(), DeliverPolicy: jetstream.DeliverAllPolicy,
	})
	if err != nil {
		return fmt.Errorf("fleet: consumer: %w", err)
	}
	in := make(chan delivery, hearBatch) // full: the server waits
	failed := make(chan error, 1)
	run, err := cons.Consume(func(m jetstream.Msg) {
		select {
		case in <- delivery{m.Subject(), m.Data()}:
		case <-ctx.Done():
		}
	}, jetstream.PullMaxMessages(hearAhead), jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) {
		if errors.Is(err, jetstream.ErrNoHeartbeat) || errors.Is(err, jetstream.ErrServerShutdown) {
			return // it recovers by itself
		}
		select {
		case failed <- err:
		default:
		}
	}))
	if err != nil {
		return fmt.Errorf("fleet: consumer: %w", err)
	}
	defer run.Stop()
	for {
		batch, err := gather(ctx, in, failed)
		if err != nil || ctx.Err() != nil {
			return err
		}
		if err := n.hear(batch); err != nil {
			return err // the consumer starts again, and gives it again
		}
	}
}

// subjects are what concerns this sensor: devices and partials of the
// realms that it shares, episodes, and what is to be forgotten.
func (n *Node) subjects() []string {
	out := []string{prefix + string(KindEpisode) + ".>", prefix + string(KindForget) + ".>"}
	for _, r := range n.c.Share {
		for _, k := range [...]Kind{KindDevice, KindBatch, KindPartial} {
			out = append(out, prefix+string(k)+"."+token(r)+".>")
		}
	}
	return out
}

// delivery is a message as it comes.
type delivery struct {
	subject string
	data    []byte
}

// gather waits for a message and takes what comes with it.
func gather(ctx context.Context, in <-chan delivery, failed <-chan error) ([]delivery, error) {
	var batch []delivery
	select {
	case b := <-in:
		batch = append(batch, b)
	case err := <-failed:
		return nil, fmt.Errorf("fleet: consumer: %w", err)
	case <-ctx.Done():
		return nil, nil
	}
	full := time.NewTimer(hearWait)
	defer full.Stop()
	for len(batch) < hearBatch {
		select {
		case b := <-in:
			batch = append(batch, b)
		case <-full.C:
			return batch, nil
		case <-ctx.Done():
			return batch, nil
		}
	}
	return batch, nil
}

// hear commits a batch and hands on what is news.
func (n *Node) hear(batch []delivery) error {
	var list []*Message
	var bodies [][]byte
	for _, b := range batch {
		m, err := n.spool.pack.decode(b.data)
		if err == nil && m.subject() != b.subject {
			err = ErrSubject
		}
		if err != nil {
			n.refused.Add(1)
			n.log.Debug("fleet: message left alone", "err", err)
			continue
		}
		if m.Source == n.c.Name && m.Kind == KindBatch {
			if err := n.spool.orphan(m); err != nil {
				return err
			}
			continue
		}
		if m.Source == n.c.Name {
			if err := n.spool.overtaken(m.thing(), m.Version); err != nil {
				return err
			}
			continue
		}
		list, bodies = append(list, m), append(bodies, b.data)
	}
	if len(list) == 0 {
		return nil
	}
	news, err := n.spool.hear(list, bodies)
	if err != nil {
		return err
	}
	n.latest.Store(n.now().UnixNano())
	for _, m := range news {
		switch m.Kind {
		case KindForget:
			if err := n.forgets(m); err != nil {
				return err
			}
			continue
		case KindBatch:
		default:
			n.hand(m)
			continue
		}
		for _, d := range m.devices() {
			n.hand(d)
		}
	}
	return nil
}

// hand gives what is news to whom it concerns.
func (n *Node) hand(m *Message) {
	if n.stale(m) {
		return
	}
	n.applied.Add(1)
	if n.OnMessage != nil {
		n.OnMessage(m)
	}
}

// listen follows the health of every sensor.
func (n *Node) listen(ctx context.Context) error {
	pause := pauses{least: 100 * time.Millisecond, most: 5 * time.Second}
	for ctx.Err() == nil {
		if s := n.at.Load(); s != nil {
			if err := n.watch(ctx, s); err != nil && ctx.Err() == nil {
				n.note(err)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause.next()):
		}
	}
	return nil
}

func (n *Node) watch(ctx context.Context, s *stores) error {
	w, err := s.sensors.WatchAll(ctx)
	if err != nil {
		return fmt.Errorf("fleet: health of the others: %w", err)
	}
	defer w.Stop()
	live := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, ok := <-w.Updates():
			if !ok {
				return errors.New("fleet: health of the others: ended")
			}
			if e == nil {
				live = true // what comes from now on was just said
				continue
			}
			n.learn(e.Key(), e.Value(), live)
		}
	}
}

func (n *Node) learn(key string, body []byte, live bool) {
	var h Health
	if len(body) > maxHealth || json.Unmarshal(body, &h) != nil || !goodName().MatchString(h.Name) || h.Name != key {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	was := n.sensors[h.Name]
	if was == nil {
		if len(n.sensors) >= maxSensors {
			return
		}
		was = &heardOf{}
		n.sensors[h.Name] = was
	}
	was.take(h, n.now(), live)
}
