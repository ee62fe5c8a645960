package fleet

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"picket/sensor/device"
)

// Table is the device table as identity sharing needs it. Its methods are
// called by the goroutine that owns the table.
type Table interface {
	Record(device.ID) (device.Record, bool, error)
	Adopt(device.Record) (*device.View, error)
	Release(realm string, addr netip.Addr, id device.ID, at time.Time) bool
}

// deviceBody is the body of a message of KindDevice.
type deviceBody struct {
	Record   device.Record `json:"record"`
	Released []released    `json:"released,omitempty"` // addresses that it had, and has no longer
}

// released is the end of a binding.
type released struct {
	Addr netip.Addr `json:"addr"`
	At   time.Time  `json:"at"`
}

const (
	changedEvery  = 200 * time.Millisecond // between looks at what changed
	sayEvery      = time.Second            // least time between two messages about one device whose identity changed
	refreshEvery  = 30 * time.Second       // the same when only its evidence grew
	releasedFor   = 24 * time.Hour
	maxReleased   = 24
	maxDirty      = 1 << 16
	maxKnown      = 1 << 15 // messages of others that are looked at again
	maxInbox      = 1 << 16
	againPerTick  = 512
	identityStale = 4 * time.Hour // of a lease without an end, from a sensor that is lost
)

// Identity shares what this sensor knows of devices that a policy concerns,
// and takes over what others know. Receive may be called by any goroutine;
// everything else by the one that owns the table.
type Identity struct {
	node      *Node
	table     Table
	concerned func(*device.View, time.Time) bool
	log       *slog.Logger

	mu      sync.Mutex
	inbox   map[string]*Message
	forget  []device.ID
	arrived atomic.Bool

	dirty map[device.ID]noted
	said  map[device.ID]*saidDevice
	known map[string]*heardDevice // what others said, by thing
	order []string                // of known, to go round
	next  int
	flush time.Time
}

// heardDevice is what another sensor said of a device.
type heardDevice struct {
	*Message // without its body
	body     deviceBody
	bad      bool // it is no record
}

// read reads the body of a message once: it is looked at again and again.
func read(m *Message) *heardDevice {
	h := &heardDevice{}
	h.bad = json.Unmarshal(m.Body, &h.body) != nil || h.body.Record.Realm != m.Scope || string(h.body.Record.ID) != m.ID
	c := *m
	c.Body = nil
	h.Message = &c
	return h
}

// noted is a device that changed.
type noted struct {
	at      time.Time // when
	concern bool
	urgent  bool // its identity or verdict changed, and not its evidence alone
	realm   string
}

// saidDevice is what was last said of a device.
type saidDevice struct {
	at       time.Time
	sum      [32]byte
	addrs    map[netip.Addr]bool
	released []released
}

// NewIdentity returns an Identity over table. concerned reports whether a
// device may be told of to other sensors: it is one that a policy concerns.
func NewIdentity(n *Node, table Table, concerned func(*device.View, time.Time) bool, log *slog.Logger) *Identity {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	i := &Identity{
		node: n, table: table, concerned: concerned, log: log, inbox: map[string]*Message{}, dirty: map[device.ID]noted{},
		said: map[device.ID]*saidDevice{}, known: map[string]*heardDevice{},
	}
	if err := n.spool.devices(i.remember); err != nil {
		log.Error("fleet: what was said of devices before the start is not known", "err", err)
	}
	return i
}

// Receive takes a message of KindDevice.
func (i *Identity) Receive(m *Message) {
	thing := m.thing()
	i.mu.Lock()
	switch was := i.inbox[thing]; {
	case was != nil && was.Version >= m.Version: // an older one, by another way
	case was != nil || len(i.inbox) < maxInbox:
		i.inbox[thing] = m
	default:
		i.node.refused.Add(1) // the sensor is behind; the next version comes
	}
	i.mu.Unlock()
	i.arrived.Store(true)
}

// Forget leaves out a device; it is safe for concurrent use.
func (i *Identity) Forget(id device.ID) {
	i.mu.Lock()
	i.forget = append(i.forget, id)
	i.mu.Unlock()
	i.arrived.Store(true)
}

// leave does what Forget asked for.
func (i *Identity) leave(list []device.ID) {
	for _, id := range list {
		delete(i.said, id)
		delete(i.dirty, id)
		for thing, m := range i.known {
			if m != nil && m.ID == string(id) {
				i.known[thing] = nil
			}
		}
	}
}

// Note says that something is known of a device. urgent: its identity, its
// place or its verdict changed.
func (i *Identity) Note(v *device.View, at time.Time, urgent bool) {
	if v == nil || !i.node.Shares(v.Realm) {
		return
	}
	concern := !v.Router && !v.Shared && i.concerned(v, at)
	if !concern && i.said[v.ID] == nil {
		return
	}
	old, there := i.dirty[v.ID]
	if !there && len(i.dirty) >= maxDirty {
		i.node.missed.Add(1)
		return
	}
	i.dirty[v.ID] = noted{at: at, concern: concern, urgent: urgent || old.urgent, realm: v.Realm}
}

// Poke does what is due, and costs next to nothing when nothing is: it may be
// called for every observation.
func (i *Identity) Poke(now time.Time) {
	if i.arrived.Load() {
		i.take(now)
	}
	if len(i.dirty) > 0 && now.Sub(i.flush) >= changedEvery {
		i.tell(now)
	}
}

// Tick does what is due about once a second, and looks again at some of what
// others said: a device may have shown itself since.
func (i *Identity) Tick(now time.Time) {
	i.Poke(now)
	for range min(againPerTick, len(i.order)) {
		i.next %= len(i.order)
		thing := i.order[i.next]
		i.next++
		if m := i.known[thing]; m != nil {
			i.expire(m, now)
			i.apply(m, now, false)
		}
	}
}

// tell says what changed.
func (i *Identity) tell(now time.Time) {
	i.flush = now
	for id, n := range i.dirty {
		was := i.said[id]
		wait := refreshEvery
		if n.urgent {
			wait = sayEvery
		}
		if was != nil && n.concern && now.Sub(was.at) < wait {
			continue
		}
		delete(i.dirty, id)
		if !n.concern {
			delete(i.said, id)
			i.node.Say(&Message{Kind: KindDevice, Scope: n.realm, ID: string(id), Gone: true})
			continue
		}
		if err := i.say(id, n, now); err != nil {
			i.log.Warn("fleet: device not shared", "device", id, "err", err)
		}
	}
}

func (i *Identity) say(id device.ID, n noted, now time.Time) error {
	r, ok, err := i.table.Record(id)
	if err != nil || !ok {
		return err
	}
	r.Into, r.Why, r.Joined, r.Before = "", "", time.Time{}, nil
	was := i.said[id]
	if was == nil {
		was = &saidDevice{}
		i.said[id] = was
	}
	addrs := map[netip.Addr]bool{}
	for _, a := range r.Addrs {
		addrs[a.Addr] = true
	}
	var gone []released
	for _, g := range was.released {
		if !addrs[g.Addr] && now.Sub(g.At) < releasedFor {
			gone = append(gone, g)
		}
	}
	for a := range was.addrs {
		if !addrs[a] {
			gone = append(gone, released{a, n.at})
		}
	}
	gone = gone[max(0, len(gone)-maxReleased):]
	body, err := json.Marshal(deviceBody{r, gone})
	if err != nil {
		return fmt.Errorf("fleet: %s: %w", id, err)
	}
	was.at, was.addrs, was.released = now, addrs, gone
	if sum := sha256.Sum256(body); sum != was.sum {
		was.sum = sum
		i.node.Say(&Message{Kind: KindDevice, Scope: r.Realm, ID: string(id), Body: body})
	}
	return nil
}

// remember takes over what was said of a device before a restart.
func (i *Identity) remember(m *Message) {
	var b deviceBody
	if m.Gone || json.Unmarshal(m.Body, &b) != nil {
		return
	}
	out := &saidDevice{addrs: map[netip.Addr]bool{}, released: b.Released}
	for _, a := range b.Record.Addrs {
		out.addrs[a.Addr] = true
	}
	i.said[device.ID(m.ID)] = out
}

// take applies what has come in.
func (i *Identity) take(now time.Time) {
	i.arrived.Store(false)
	i.mu.Lock()
	in := i.inbox
	i.inbox = map[string]*Message{}
	forget := i.forget
	i.forget = nil
	i.mu.Unlock()
	i.leave(forget)
	for thing, m := range in {
		was, there := i.known[thing]
		switch {
		case m.Gone && there:
			i.known[thing] = nil // its place in the round stays
			continue
		case m.Gone, was != nil && was.Version >= m.Version:
			continue
		}
		h := read(m)
		if there {
			i.known[thing] = h
		} else if len(i.known) < maxKnown {
			i.order = append(i.order, thing)
			i.known[thing] = h
		} else {
			i.node.missed.Add(1) // it is applied, and not looked at again
		}
		i.apply(h, now, true)
	}
}

// apply takes over what one message says, if it may be believed. first: it is
// new, so that a refusal counts.
func (i *Identity) apply(m *heardDevice, now time.Time, first bool) {
	why := i.node.distrust(m.Message)
	switch {
	case why != "":
	case !i.node.Shares(m.Scope):
		return // not the same network: none of our business
	case m.bad:
		why = "not a record"
	case future(&m.body, now.Add(time.Duration(i.node.c.MaxSkew))):
		why = "from the future"
	}
	if why != "" {
		if first {
			i.node.refused.Add(1)
			i.log.Debug("fleet: identity not believed", "sensor", m.Source, "device", m.ID, "why", why)
		}
		return
	}
	for _, g := range m.body.Released {
		i.table.Release(m.Scope, g.Addr, device.ID(m.ID), g.At)
	}
	if _, err := i.table.Adopt(m.body.Record); err != nil && first {
		i.log.Debug("fleet: device not taken over", "sensor", m.Source, "device", m.ID, "err", err)
	}
}

func future(b *deviceBody, limit time.Time) bool {
	if b.Record.First.After(limit) || b.Record.Last.After(limit) {
		return true
	}
	for _, a := range b.Record.Addrs {
		if a.Since.After(limit) {
			return true
		}
	}
	for _, g := range b.Released {
		if g.At.After(limit) {
			return true
		}
	}
	return false
}

// expire ends the leases that a sensor told of which is lost, and which
// nobody can say the end of: another device may have the address by now.
func (i *Identity) expire(m *heardDevice, now time.Time) {
	if m.bad || !i.node.lost(m.Source) {
		return
	}
	over := false
	for _, a := range m.body.Record.Addrs {
		end := a.Until
		if end.IsZero() {
			end = m.At.Add(identityStale)
		}
		if now.After(end) {
			i.table.Release(m.Scope, a.Addr, device.ID(m.ID), end)
			over = true
		}
	}
	if over {
		i.known[m.thing()] = nil
	}
}
