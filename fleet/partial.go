package fleet

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"picket/alerts"
	"picket/sensor/device"
)

// Summer sums what the sensors of a fleet see of a device below a threshold.
// *alerts.Judge is one.
type Summer interface {
	// Partials lists up to limit of ours that changed; without bytes: withdrawn.
	Partials(now time.Time, limit int) []alerts.Partial
	// Hear takes another sensor's; nil: withdrawn. False: there is no room.
	Hear(sensor, id string, p *alerts.Partial) bool
	// Recall takes what this sensor had told before the start.
	Recall(alerts.Partial)
	// ForgetPartials forgets a device.
	ForgetPartials(device.ID)
	// Summing counts accounts told of, partials heard, what there was no room
	// for, and thresholds passed together.
	Summing() (near, heard int, dropped, passed uint64)
}

// Sums has a policy's threshold hold for what the sensors that share a realm
// see together: it tells the others what this sensor's judge holds below one,
// and the judge what they hold. Receive is safe for concurrent use.
type Sums struct {
	node  *Node
	judge Summer
	log   *slog.Logger

	mu      sync.Mutex
	waiting map[string]*Message // not believed so far, by thing: the latest of each
}

const (
	// sumsEvery is how soon the others are told what changed, sumsAtOnce how
	// many devices then: the rest a moment later.
	sumsEvery  = 250 * time.Millisecond
	sumsAtOnce = 64
	// maxWaiting bounds the partials whose sensor's clock is not known yet.
	maxWaiting = 1 << 12
	// maxPartialFor bounds how long a partial holds at its sensor's word.
	maxPartialFor = 8 * 24 * time.Hour
)

// NewSums has n's fleet and a judge sum thresholds. It starts nothing; it is
// called before the node's Run.
func NewSums(n *Node, judge Summer, log *slog.Logger) (*Sums, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Sums{node: n, judge: judge, log: log, waiting: map[string]*Message{}}
	n.summing = judge.Summing
	return s, n.spool.ownPartials(func(m *Message) {
		if p := partialOf(m); p != nil {
			judge.Recall(*p)
		}
	})
}

// partialID names a partial among those of one sensor.
func partialID(p *alerts.Partial) string {
	sum := sha256.Sum256([]byte(p.Policy + "\x00" + p.Hash + "\x00" + p.Maker))
	return p.Device + "-" + hex.EncodeToString(sum[:8])
}

// partialOf reads a partial. What is none of picket's is nil.
func partialOf(m *Message) *alerts.Partial {
	var p alerts.Partial
	if m.Gone || json.Unmarshal(m.Body, &p) != nil || !goodName().MatchString(p.Device) || m.ID != partialID(&p) || m.Scope != p.Realm ||
		len(p.Bytes) == 0 || len(p.Bytes) > alerts.MaxPortions || p.Until.Sub(m.At) > maxPartialFor {
		return nil
	}
	for _, b := range p.Bytes {
		if b.Stretch < 0 || b.Sent == 0 || b.Sent > alerts.MaxPortion {
			return nil
		}
	}
	return &p
}

// Run tells the others what changed until ctx is done.
func (s *Sums) Run(ctx context.Context) error {
	tick := time.NewTicker(sumsEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			s.tell()
			s.again()
		}
	}
}

// tell says what changed of what is shared.
func (s *Sums) tell() {
	for _, p := range s.judge.Partials(s.node.now(), sumsAtOnce) {
		if !s.node.Shares(p.Realm) {
			continue
		}
		m := &Message{Kind: KindPartial, Scope: p.Realm, ID: partialID(&p), Gone: len(p.Bytes) == 0}
		if !m.Gone {
			var err error
			if m.Body, err = json.Marshal(p); err != nil {
				s.log.Error("fleet: bytes below a threshold not told", "err", err)
				continue
			}
		}
		s.node.Say(m)
	}
}

// Receive takes a message of KindPartial.
func (s *Sums) Receive(m *Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.waiting, m.thing())
	if s.take(m) {
		return
	}
	s.node.refused.Add(1)
	if len(s.waiting) < maxWaiting {
		s.waiting[m.thing()] = m
	}
}

// again looks at what was not believed, for a clock that is known by now.
func (s *Sums) again() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, m := range s.waiting {
		if old := s.node.now().Sub(m.At) > maxPartialFor; !old && s.node.distrust(m) != "" {
			continue
		} else if old || s.take(m) {
			delete(s.waiting, k)
		}
	}
}

// take hands a message on. False: its sensor may not be believed yet.
func (s *Sums) take(m *Message) bool {
	p := partialOf(m)
	switch {
	case !s.node.Shares(m.Scope):
		return true // another network
	case p == nil:
		s.judge.Hear(m.Source, m.ID, nil)
		return true
	case s.node.distrust(m) != "":
		s.judge.Hear(m.Source, m.ID, nil) // nor is what it said before
		return false
	case s.node.now().Before(p.Until):
		s.judge.Hear(m.Source, m.ID, p)
	}
	return true
}

// Forget forgets what is held of a device.
func (s *Sums) Forget(id device.ID) {
	s.mu.Lock()
	for k, m := range s.waiting {
		if p := partialOf(m); p != nil && p.Device == string(id) {
			delete(s.waiting, k)
		}
	}
	s.mu.Unlock()
	s.judge.ForgetPartials(id)
}
