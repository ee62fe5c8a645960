package sensor

import (
	"picket/sensor/flow"
	"picket/sensor/observation"
	"picket/sensor/wire"
)

// maxAssemblies bounds the QUIC and the DTLS hellos that are being put
// together at once, of each: some 20 KiB apiece.
const maxAssemblies = 4096

// conversation is what is known of one flow beyond its counts. Only flows
// with something to tell have one; a flow refers to it by NameRef. It is
// small, for every named flow has one as long as it lives.
type conversation struct {
	name    string
	alpn    string
	more    *pending
	free    uint32 // index + 1 of the next free one, 0 for none
	seen    uint8  // visibility: index + 1 in visibilities, 0 when nothing was said
	browser bool   // a page load
}

// pending is what a conversation needs while something of it is open.
type pending struct {
	waiting []observation.Observation // until the other side answers
	partial *observation.Observation  // a request head that may yet complete
	quic    *wire.Initials
	dtls    *wire.DTLSHello
	resolve *wire.HTTPDNS // the resolution over HTTP that was asked
	asked   []string      // its names
	tunnel  string
	http2   *http2Talk
	body    wire.HTTPBody // of the request being passed over
	passed  int64         // bytes of bodies passed over so far
	heads   int           // requests read
}

// call names the conversation.
func (c *conversation) call(name string, by observation.Visibility) {
	c.name, c.seen = name, visibilityCode(by)
}

// unnamed reports that nothing was said yet of how the flow was named.
func (c *conversation) unnamed() bool { return c.name == "" && c.seen == 0 }

// open returns the pending part, made if need be.
func (w *Worker) open(c *conversation) *pending {
	if c.more == nil {
		c.more = w.pendings.take()
	}
	return c.more
}

// shut gives the pending part back.
func (w *Worker) shut(c *conversation) {
	if c.more == nil {
		return
	}
	if c.more.http2 != nil {
		w.http2s--
	}
	kept := c.more.waiting
	clear(kept)
	*c.more = pending{waiting: kept[:0]}
	w.pendings.give(c.more)
	c.more = nil
}

// Conversations are allocated so many at once, and never move.
const (
	convoBits  = 9
	convoChunk = 1 << convoBits
)

// conversations is a slab of them with a free list.
type conversations struct {
	chunks []*[convoChunk]conversation
	made   int
	free   uint32 // index + 1 of the first free one, 0 for none
	used   int
	max    int
}

func (c *conversations) at(ref uint32) *conversation {
	return &c.chunks[(ref-1)>>convoBits][(ref-1)&(convoChunk-1)]
}

// of returns the conversation of f, made if need be; nil when there is no
// room for another.
func (c *conversations) of(f *flow.Flow) *conversation {
	if f.NameRef != 0 {
		return c.at(f.NameRef)
	}
	switch {
	case c.free != 0:
		f.NameRef = c.free
		v := c.at(c.free)
		c.free, v.free = v.free, 0
	case c.made < c.max:
		if c.made>>convoBits == len(c.chunks) {
			c.chunks = append(c.chunks, new([convoChunk]conversation))
		}
		c.made++
		f.NameRef = uint32(c.made)
	default:
		return nil
	}
	c.used++
	return c.at(f.NameRef)
}

// known returns the conversation of f, nil when it has none.
func (c *conversations) known(f *flow.Flow) *conversation {
	if f.NameRef == 0 {
		return nil
	}
	return c.at(f.NameRef)
}

func (c *conversations) release(f *flow.Flow) {
	if f.NameRef == 0 {
		return
	}
	*c.at(f.NameRef) = conversation{free: c.free}
	c.free = f.NameRef
	f.NameRef = 0
	c.used--
}

// pool keeps values that are costly to make, at most max in use.
type pool[T any] struct {
	idle []*T
	used int
	max  int
}

func (p *pool[T]) take() *T {
	if p.used >= p.max {
		return nil
	}
	p.used++
	if n := len(p.idle); n > 0 {
		v := p.idle[n-1]
		p.idle = p.idle[:n-1]
		return v
	}
	return new(T)
}

func (p *pool[T]) give(v *T) {
	p.used--
	if len(p.idle) < 64 { // what a burst needed need not be kept for ever
		p.idle = append(p.idle, v)
	}
}

// interned gives equal names one string. It forgets all when full.
type interned struct{ m map[string]string }

const maxInterned = 1 << 16

func (i *interned) string(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if s, ok := i.m[string(b)]; ok {
		return s
	}
	if i.m == nil || len(i.m) >= maxInterned {
		i.m = make(map[string]string)
	}
	s := string(b)
	i.m[s] = s
	return s
}
