package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	publishBatch   = 256
	publishTimeout = 5 * time.Second
)

// publish commits what is said, and sends what is committed until the cluster
// has acknowledged it.
func (n *Node) publish(ctx context.Context) error {
	pause := pauses{least: 100 * time.Millisecond, most: 10 * time.Second}
	for {
		wait := time.Second
		err := n.commit()
		if err == nil {
			err = n.forget(ctx)
		}
		if err == nil {
			err = n.send(ctx)
		}
		if err != nil && ctx.Err() == nil {
			n.note(err)
			wait = pause.next()
			select { // what is said meanwhile is committed, not sent
			case <-ctx.Done():
			case <-time.After(wait):
			}
		} else {
			pause.reset()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-n.kick:
		case <-time.After(wait):
		}
	}
}

// send publishes batches until nothing waits, or some of it is not taken.
func (n *Node) send(ctx context.Context) error {
	s := n.at.Load()
	if s == nil || !n.nc.IsConnected() {
		return nil // link tells of it
	}
	for ctx.Err() == nil {
		list, err := n.spool.unsent(publishBatch)
		if err != nil || len(list) == 0 {
			return err
		}
		taken, refused := n.sendBatch(ctx, s, list)
		if err := n.spool.acknowledged(taken); err != nil {
			return err
		}
		for i := range taken {
			n.published.Add(uint64(taken[i].items))
		}
		if refused != nil {
			return refused
		}
		n.well()
		if err := errors.Join(n.commit(), n.spool.tidy()); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) sendBatch(ctx context.Context, s *stores, list []saying) (taken []saying, refused error) {
	acks := make([]jetstream.PubAckFuture, len(list))
	for i := range list {
		ack, err := s.js.PublishMsgAsync(&nats.Msg{Subject: list[i].subject, Data: list[i].body, Header: nats.Header{}}, jetstream.WithMsgID(list[i].msgID()))
		if err != nil {
			refused = fmt.Errorf("fleet: publish: %w", err)
			break
		}
		acks[i] = ack
	}
	for i, ack := range acks {
		if ack == nil {
			break
		}
		select {
		case <-ack.Ok():
			taken = append(taken, list[i])
		case err := <-ack.Err():
			refused = fmt.Errorf("fleet: publish: %w", err)
		case <-ctx.Done():
			return taken, ctx.Err()
		}
	}
	return taken, refused
}

// pulse tells the others that this sensor lives.
func (n *Node) pulse(ctx context.Context) error {
	tick := time.NewTicker(healthEvery)
	defer tick.Stop()
	for {
		if err := n.speakOld(); err != nil {
			n.note(err)
		}
		if s := n.at.Load(); s != nil && n.nc.IsConnected() {
			body, err := json.Marshal(n.ownHealth())
			if err == nil {
				put, cancel := context.WithTimeout(ctx, healthEvery)
				_, err = s.sensors.Put(put, n.c.Name, body)
				cancel()
			}
			if err != nil && ctx.Err() == nil {
				n.note(fmt.Errorf("fleet: health not told: %w", err))
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// speakOld has devices said one by one too while some sensor of the fleet
// reads nothing later than schema 1, and all of them once when the first such
// sensor shows itself.
func (n *Node) speakOld() error {
	old := false
	n.mu.Lock()
	for _, h := range n.sensors {
		old = old || h.health.Schema == 1 && stateOf(h.heard, n.now()) != "lost"
	}
	n.mu.Unlock()
	if n.single.Swap(old) || !old {
		return nil
	}
	var all []*Message
	if err := n.spool.devices(func(m *Message) { all = append(all, m) }); err != nil {
		return err
	}
	for len(all) > 0 {
		few := min(len(all), 1024)
		if err := n.spool.saySingle(all[:few]); err != nil {
			return err
		}
		all = all[few:]
	}
	wake(n.kick)
	return nil
}

func (n *Node) ownHealth() Health {
	h := Health{}
	if n.health != nil {
		h = n.health()
	}
	h.Schema, h.Name, h.At, h.Started, h.Realms, h.Key = Schema, n.c.Name, n.now().UTC(), n.started.UTC(), n.c.Share, n.key
	h.Lost, h.Refused = n.spool.dropped.Load(), n.refused.Load()
	h.Waiting, _, _ = n.spool.waiting()
	return h
}
