package device

import (
	"time"

	"picket/sensor/observation"
	"picket/sensor/packet"
)

// Phones go on using an answer after its TTL, and connections outlive both;
// answers with a TTL of days are not believed for as long.
const (
	ttlFloor   = int64(10 * time.Minute)
	ttlCeiling = int64(24 * time.Hour)
	maxAnswers = 16 // of one message
)

type nameKey struct {
	addr   packet.Addr
	device uint32
}

type nameValue struct {
	name   string
	cnames *[]string // most names are no aliases
	from   uint32    // packet time of the answer, seconds since 1970
	until  uint32
}

// nameCache says under which name a device learnt an address, whichever of
// its own addresses it asked from. Oldest first to go.
type nameCache struct {
	by   map[nameKey]nameValue
	ring []nameKey
	next int
	max  int
}

func newNameCache(limit int) nameCache { return nameCache{by: map[nameKey]nameValue{}, max: limit} }

// put reports whether another name had to go.
func (c *nameCache) put(k nameKey, v nameValue) (evicted bool) {
	old, ok := c.by[k]
	switch {
	case ok && old.name == v.name && v.from <= old.until: // asked again: conversations from before keep their name
		v.from = old.from
	case !ok:
		if len(c.ring) < c.max {
			c.ring = append(c.ring, k)
		} else {
			_, evicted = c.by[c.ring[c.next]]
			delete(c.by, c.ring[c.next])
			c.ring[c.next] = k
			c.next = (c.next + 1) % c.max
		}
	}
	c.by[k] = v
	return evicted
}

// learnNames keeps what an answered question said.
func (t *Table) learnNames(d *Device, o *observation.Observation) {
	m := o.DNS
	var cnames []string
	for _, a := range m.Answers {
		if a.Type == 5 && a.Data != "" && len(cnames) < maxAnswers {
			cnames = append(cnames, a.Data)
		}
	}
	at := nanos(o.At)
	v := nameValue{name: m.QName, from: uint32(at / int64(time.Second))}
	if len(cnames) > 0 {
		v.cnames = &cnames
	}
	seq := d.root().seq
	for i, a := range m.Answers {
		if i == maxAnswers {
			return
		}
		v.until = uint32((at + ttl(a.TTL)) / int64(time.Second))
		if a.Addr.IsValid() {
			t.learnName(nameKey{packet.AddrFrom(a.Addr), seq}, v)
		}
		for _, hint := range a.Hints {
			t.learnName(nameKey{packet.AddrFrom(hint), seq}, v)
		}
	}
}

func (t *Table) learnName(k nameKey, v nameValue) {
	if t.names.put(k, v) {
		t.stats.Evicted["name"]++
	}
}

func ttl(seconds uint32) int64 {
	return min(max(int64(seconds)*int64(time.Second), ttlFloor), ttlCeiling)
}

// answerSlack is how much later than the conversation the answer that names
// it may be seen: workers are a little apart.
const answerSlack = 1 // second

// NameOf returns the name under which d had learnt the address of a server,
// at the time when a conversation began.
func (t *Table) NameOf(d *Device, server packet.Addr, at time.Time) (name string, cnames []string) {
	v, ok := t.names.by[nameKey{server, d.root().seq}]
	began := nanos(at) / int64(time.Second)
	if !ok || began > int64(v.until) || began < int64(v.from)-answerSlack {
		return "", nil
	}
	if v.cnames != nil {
		cnames = *v.cnames
	}
	return v.name, cnames
}
