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
// with something to tell have one; a flow refers to it by NameRef.
type conversation struct {
	name       string
	alpn       string
	visibility observation.Visibility
	tunnel     string
	browser    bool // a page load

	waiting []observation.Observation // until the other side answers
	partial *observation.Observation  // a request head that may yet complete
	quic    *wire.Initials
	dtls    *wire.DTLSHello
	resolve *wire.HTTPDNS // the resolution over HTTP that was asked
	asked   []string      // its names
	body    wire.HTTPBody // of the request being passed over
	passed  int64         // bytes of bodies passed over so far
	heads   int           // requests read
	free    uint32
}

// conversations is a slab of them with a free list.
type conversations struct {
	slab []conversation
	free uint32 // index + 1 of the first free one, 0 for none
	used int
	max  int
}

// Of returns the conversation of f, made if need be; nil when there is no
// room for another. The pointer is valid until the next call.
func (c *conversations) of(f *flow.Flow) *conversation {
	if f.NameRef != 0 {
		return &c.slab[f.NameRef-1]
	}
	switch {
	case c.free != 0:
		f.NameRef = c.free
		c.free = c.slab[f.NameRef-1].free
		c.slab[f.NameRef-1].free = 0
	case len(c.slab) < c.max:
		c.slab = append(c.slab, conversation{})
		f.NameRef = uint32(len(c.slab))
	default:
		return nil
	}
	c.used++
	return &c.slab[f.NameRef-1]
}

// known returns the conversation of f, nil when it has none.
func (c *conversations) known(f *flow.Flow) *conversation {
	if f.NameRef == 0 {
		return nil
	}
	return &c.slab[f.NameRef-1]
}

func (c *conversations) release(f *flow.Flow) {
	if f.NameRef == 0 {
		return
	}
	c.slab[f.NameRef-1] = conversation{free: c.free}
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
