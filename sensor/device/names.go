package device

import (
	"hash/maphash"
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
// its own addresses it asked from. Oldest first to go. Entries lie in the
// order in which they came, and are found by open addressing.
type nameCache struct {
	seed   maphash.Seed
	slots  []slot // numbers of entries begin at 1; a power of two
	chunks [][]nameEntry
	count  int
	next   int // who goes next, once there are max
	max    int
}

type nameEntry struct {
	nameKey
	nameValue
}

// nameChunk is how many entries are made at once.
const nameChunk = 1 << 8

func newNameCache(limit int) nameCache {
	return nameCache{seed: maphash.MakeSeed(), slots: make([]slot, nameChunk), max: limit}
}

func (c *nameCache) at(n uint32) *nameEntry { return &c.chunks[n/nameChunk][n%nameChunk] }

// hash is keyed: the device's number tells devices apart, and who chooses
// addresses must not choose slots.
func (c *nameCache) hash(k *nameKey) uint32 {
	h := maphash.Bytes(c.seed, k.addr[:]) ^ uint64(k.device)*0x9E3779B97F4A7C15
	return uint32((h * 0xD6E8FEB86659FD93) >> 32)
}

// find returns the entry of a key and its slot, or the slot where it belongs.
func (c *nameCache) find(k *nameKey, h uint32) (at uint32, e *nameEntry) {
	mask := uint32(len(c.slots) - 1)
	for at = h & mask; c.slots[at].n != 0; at = (at + 1) & mask {
		if s := c.slots[at]; s.hash == h {
			if e = c.at(s.n - 1); e.nameKey == *k {
				return at, e
			}
		}
	}
	return at, nil
}

// put reports whether another name had to go.
func (c *nameCache) put(k nameKey, v nameValue) (evicted bool) {
	h := c.hash(&k)
	if _, old := c.find(&k, h); old != nil {
		if old.name == v.name && v.from <= old.until { // asked again: conversations from before keep their name
			v.from = old.from
		}
		old.nameValue = v
		return false
	}
	n := uint32(c.count)
	if c.count < c.max {
		if c.count%nameChunk == 0 {
			c.chunks = append(c.chunks, make([]nameEntry, min(nameChunk, c.max-c.count)))
		}
		c.count++
		if 4*c.count > 3*len(c.slots) {
			c.grow()
		}
	} else {
		n = uint32(c.next)
		c.remove(n)
		c.next = (c.next + 1) % c.max
		evicted = true
	}
	at, _ := c.find(&k, h)
	*c.at(n) = nameEntry{k, v}
	c.slots[at] = slot{h, n + 1}
	return evicted
}

// remove takes entry n out of the slots.
func (c *nameCache) remove(n uint32) {
	mask := uint32(len(c.slots) - 1)
	gap := c.hash(&c.at(n).nameKey) & mask
	for c.slots[gap].n != n+1 {
		gap = (gap + 1) & mask
	}
	for i := (gap + 1) & mask; c.slots[i].n != 0; i = (i + 1) & mask {
		if home := c.slots[i].hash & mask; (i-home)&mask >= (i-gap)&mask {
			c.slots[gap] = c.slots[i]
			gap = i
		}
	}
	c.slots[gap] = slot{}
}

func (c *nameCache) grow() {
	old := c.slots
	c.slots = make([]slot, 2*len(old))
	mask := uint32(len(c.slots) - 1)
	for _, s := range old {
		if s.n == 0 {
			continue
		}
		i := s.hash & mask
		for c.slots[i].n != 0 {
			i = (i + 1) & mask
		}
		c.slots[i] = s
	}
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
		kept := cnames
		v.cnames = &kept
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
	k := nameKey{server, d.root().seq}
	_, v := t.names.find(&k, t.names.hash(&k))
	began := nanos(at) / int64(time.Second)
	if v == nil || began > int64(v.until) || began < int64(v.from)-answerSlack {
		return "", nil
	}
	if v.cnames != nil {
		cnames = *v.cnames
	}
	return v.name, cnames
}
