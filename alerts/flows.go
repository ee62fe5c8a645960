package alerts

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"picket/evidence"
	"picket/sensor"
)

// FlowOf is a keyed hash of a realm and a five-tuple: the same at every
// sensor of a fleet.
type FlowOf func(realm string, client, server netip.AddrPort, proto uint8) uint64

// flowBook is what single conversations have of an account: what a fleet
// needs, so that one which two sensors see counts once. What it has no room
// for is in the account's totals alone, and untold says until when.
type flowBook struct {
	of     map[flowKey]*evidence.Conversation
	untold time.Time // what ended by then may be missing; zero: nothing is
}

type flowKey struct {
	tuple  uint64 // keyed hash of realm and five-tuple
	flow   uint64 // of this sensor
	server serverKey
}

const (
	// maxFlows bounds the conversations of an open episode: some days of a
	// phone that reports every few minutes, and 200 KiB as JSON.
	maxFlows = 2048
	// maxHeldFlows is the same while there is no episode.
	maxHeldFlows = 32
)

// tellFlow notes a conversation of an account, where somebody asks for them.
func (j *Judge) tellFlow(a *account, t *sensor.Transfer) {
	if j.flowOf != nil {
		k := j.flowOf(t.Device.Realm, t.Client, t.Server, t.Proto)
		a.flows.add(k, t, a.open())
		j.portion(a, k, t)
	}
}

// add counts a transfer. k is the hash of its realm and five-tuple.
func (b *flowBook) add(k uint64, t *sensor.Transfer, open bool) {
	key := flowKey{k, t.Flow, serverKey{t.Server, t.Name, lastOf(t.CNAMEs), t.Tunnel != ""}}
	f := b.of[key]
	if f == nil {
		limit := maxHeldFlows
		if open {
			limit = maxFlows
		}
		if len(b.of) >= limit {
			b.forget(limit / 8)
		}
		if b.of == nil {
			b.of = map[flowKey]*evidence.Conversation{}
		}
		f = &evidence.Conversation{Key: k, First: t.First}
		b.of[key] = f
	}
	f.Last = later(f.Last, t.Last)
	f.Sent, f.Handshake, f.Received = f.Sent+t.Sent, f.Handshake+t.Handshake, f.Received+t.Received
}

// forget leaves the n that have been quiet for longest to the totals.
func (b *flowBook) forget(n int) {
	keys := make([]flowKey, 0, len(b.of))
	for k := range b.of {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(x, y flowKey) int {
		return cmp.Or(b.of[x].Last.Compare(b.of[y].Last), cmp.Compare(x.tuple, y.tuple), cmp.Compare(x.flow, y.flow), strings.Compare(x.server.name, y.server.name))
	})
	for _, k := range keys[:max(1, min(n, len(keys)))] {
		b.untold = later(b.untold, b.of[k].Last)
		delete(b.of, k)
	}
}

// drop leaves out what went to a server that no longer counts.
func (b *flowBook) drop(s serverKey) {
	for k := range b.of {
		if k.server == s {
			delete(b.of, k)
		}
	}
}

// absorb adds the conversations of another account.
func (b *flowBook) absorb(o *flowBook) {
	b.untold = later(b.untold, o.untold)
	for k, f := range o.of {
		mine := b.of[k]
		if mine == nil {
			if b.of == nil {
				b.of = map[flowKey]*evidence.Conversation{}
			}
			b.of[k] = f
			continue
		}
		mine.Sent, mine.Handshake, mine.Received = mine.Sent+f.Sent, mine.Handshake+f.Handshake, mine.Received+f.Received
		if f.First.Before(mine.First) {
			mine.First = f.First
		}
		mine.Last = later(mine.Last, f.Last)
	}
	if over := len(b.of) - maxFlows; over > 0 {
		b.forget(over)
	}
}

// describeFlows lists the conversations, oldest first. It is called once the
// servers of e are in their order.
func describeFlows(e *evidence.Episode, a *account) {
	e.Flows, e.Untold = nil, a.flows.untold
	if len(a.flows.of) == 0 {
		return
	}
	at := map[serverKey]int{}
	others := -1
	for i := range e.Servers {
		s := &e.Servers[i]
		if s.Name == othersName {
			others = i
			continue
		}
		at[serverKey{s.Addr, s.Name, s.CNAME, s.Tunnel}] = i
	}
	for k, f := range a.flows.of {
		c := *f
		i, there := at[k.server]
		if !there {
			i = others
		}
		c.Server = i
		e.Flows = append(e.Flows, c)
	}
	slices.SortFunc(e.Flows, func(x, y evidence.Conversation) int {
		return cmp.Or(x.First.Compare(y.First), cmp.Compare(x.Key, y.Key), x.Last.Compare(y.Last), cmp.Compare(x.Sent, y.Sent))
	})
}

// flowsOf is the way back, from what the store has.
func flowsOf(e *evidence.Episode) flowBook {
	b := flowBook{untold: e.Untold}
	var sum uint64
	for i, c := range e.Flows {
		k := flowKey{tuple: c.Key, flow: ^uint64(i)} // numbers of flows begin anew with the process
		if c.Server >= 0 && c.Server < len(e.Servers) {
			k.server, _ = fromEvidence(e.Servers[c.Server])
		}
		if b.of == nil {
			b.of = map[flowKey]*evidence.Conversation{}
		}
		b.of[k] = &c
		sum += c.Sent
	}
	if sum < e.Sent && b.untold.IsZero() {
		b.untold = e.Last // kept by a sensor that told no conversations apart
	}
	return b
}
