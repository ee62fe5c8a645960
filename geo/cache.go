package geo

import (
	"encoding/binary"
	"hash/maphash"
	"net/netip"
	"strings"
	"sync/atomic"
)

// defaultCache is how many judged servers are kept: 16,384 of about 700
// bytes are 11 MiB when full. A campus talks to fewer within an hour.
const defaultCache = 1 << 14

// maxChain bounds the names of a query that is kept; longer chains are
// judged each time.
const maxChain = 16

// cache keeps judged servers. Every query has two slots it may be in; a
// third that wants the same pair throws the older of the two out. Reading
// takes no lock. It is safe for concurrent use.
type cache struct {
	seed    maphash.Seed
	slots   []slot
	turn    atomic.Uint64 // who is older
	evicted atomic.Uint64
}

// slot holds a judged server. The mark tells without a look at it that it is
// another one, and how old it is: the upper half of the hash, and the lower
// half of the turn in which it came. Mark and server may be of two that came
// at once; then a server is judged again.
type slot struct {
	mark atomic.Uint64
	e    atomic.Pointer[judged]
}

// judged is immutable once it is in a slot.
type judged struct {
	q Query
	j Jurisdiction
}

func newCache(n int) *cache {
	if n <= 0 {
		n = defaultCache
	}
	size := 2
	for size < n {
		size <<= 1
	}
	return &cache{seed: maphash.MakeSeed(), slots: make([]slot, size)}
}

// hash says where q is: see pair.
func (c *cache) hash(q *Query) uint64 {
	hi, lo := halves(q.Addr)
	h := maphash.String(c.seed, q.Name)
	h ^= hi * 0x9E3779B97F4A7C15
	h = (h ^ lo) * 0xD6E8FEB86659FD93
	if n := len(q.CNAMEs); n > 0 { // the chain depends on name and address; its length tells enough
		h += uint64(n)<<8 + uint64(len(q.CNAMEs[n-1]))
	}
	return h ^ h>>32
}

// pair is the two slots for hash h.
func (c *cache) pair(h uint64) *[2]slot {
	at := int(h) & (len(c.slots) - 1) &^ 1
	return (*[2]slot)(c.slots[at : at+2])
}

// halves are the bits of a. An IPv4 address goes by As4: the processor cannot
// read back at once the two halves that As16 writes, which costs a third of
// the time that a cached answer takes.
func halves(a netip.Addr) (hi, lo uint64) {
	if a.Is4() {
		b := a.As4()
		return 0, uint64(binary.BigEndian.Uint32(b[:]))
	}
	b := a.As16()
	return binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])
}

func (c *cache) get(q *Query, h uint64) *judged {
	pair := c.pair(h)
	for i := range pair {
		if pair[i].mark.Load()>>32 != h>>32 {
			continue
		}
		if e := pair[i].e.Load(); e != nil && e.q.same(q) {
			return e
		}
	}
	return nil
}

func (c *cache) put(e *judged, h uint64) {
	pair, turn := c.pair(h), uint32(c.turn.Add(1))
	to := &pair[0]
	if to.e.Load() != nil {
		if other := &pair[1]; other.e.Load() == nil || turn-uint32(other.mark.Load()) > turn-uint32(to.mark.Load()) {
			to = other
		}
	}
	if to.e.Load() != nil {
		c.evicted.Add(1)
	}
	to.e.Store(e)
	to.mark.Store(h>>32<<32 | uint64(turn))
}

func (c *cache) clear() {
	for i := range c.slots {
		c.slots[i].e.Store(nil)
	}
}

func (c *cache) len() int {
	n := 0
	for i := range c.slots {
		if c.slots[i].e.Load() != nil {
			n++
		}
	}
	return n
}

func (q *Query) same(o *Query) bool {
	return q.Name == o.Name && q.Addr == o.Addr && q.Tunnel == o.Tunnel && q.Question == o.Question &&
		sameNames(q.CNAMEs, o.CNAMEs) && sameNames(q.PTRs, o.PTRs)
}

// sameNames is slices.Equal, which calls itself out of line here.
func sameNames(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// own makes the strings our own: they may be cut out of something larger. The
// name is already.
func (q *Query) own(name string) {
	q.Name, q.CNAMEs, q.PTRs = name, cloneAll(q.CNAMEs), cloneAll(q.PTRs)
}

func cloneAll(names []string) []string {
	if len(names) == 0 {
		return nil
	}
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = strings.Clone(n)
	}
	return out
}

// cacheable reports whether q is small enough to be kept.
func (q *Query) cacheable() bool {
	if len(q.Name) > 255 || len(q.CNAMEs)+len(q.PTRs) > maxChain {
		return false
	}
	for _, list := range [...][]string{q.CNAMEs, q.PTRs} {
		for _, n := range list {
			if len(n) > 255 {
				return false
			}
		}
	}
	return true
}

// plain is a without zone, IPv4 where it is mapped into IPv6.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }
