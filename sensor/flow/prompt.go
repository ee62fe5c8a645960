package flow

import (
	"net/netip"
	"sync/atomic"

	"picket/sensor/packet"
)

// promptBits is how many marks a Prompt has: with 10,000 addresses in it one
// stranger in 26 is taken for one of them, whose reports then come early too.
const promptBits = 1 << 18

// Prompt is a set of addresses whose conversations somebody waits for: the
// Table reports theirs as they go on, and leaves others until they end, or
// for a minute. Nothing is ever taken out. It may be used from any goroutine.
type Prompt struct {
	marks   [promptBits / 64]atomic.Uint64
	changes atomic.Uint64
}

// Add puts a into the set.
func (s *Prompt) Add(a netip.Addr) {
	mark, bit := markOf(packet.AddrFrom(a))
	if s.marks[mark].Load()&bit == 0 {
		s.marks[mark].Or(bit)
		s.changes.Add(1)
	}
}

func (s *Prompt) has(a *packet.Addr) bool {
	mark, bit := markOf(*a)
	return s.marks[mark].Load()&bit != 0
}

// markOf spreads addresses by the multiplier of splitmix64. Whoever makes
// addresses collide hastens his own reports.
func markOf(a packet.Addr) (mark int, bit uint64) {
	h := (le.Uint64(a[:8])*0x9e3779b97f4a7c15 ^ le.Uint64(a[8:])) * 0xbf58476d1ce4e5b9
	h >>= 64 - 18
	return int(h >> 6), 1 << (h & 63)
}

// leisure is how long the increase of a flow may wait that nobody waits for.
const leisure = int64(60e9)

// unhurried reports that nobody waits for what f goes on to do: somebody was
// told of it once, and neither of its ends is in the set.
func (t *Table) unhurried(f *Flow) bool {
	return t.c.Prompt != nil && f.flags&introduced != 0 && !t.c.Prompt.has(&f.key.A) && !t.c.Prompt.has(&f.key.B)
}

// hurry makes due what waits of addresses that came into the set. It looks at
// every flow, so it takes its time between two looks: a quarter of a second,
// and with a million flows two.
func (t *Table) hurry(now int64) {
	if t.c.Prompt == nil || now < t.hurryAt {
		return
	}
	changes := t.c.Prompt.changes.Load()
	if changes == t.hurried {
		return
	}
	t.hurried, t.hurryAt = changes, now+max(int64(25e7), int64(t.slab.count)*2000)
	for i := range t.wheel.heads {
		for ref := t.wheel.heads[i]; ref != 0; {
			f := t.slab.at(ref)
			ref = f.next
			if f.reportAt != 0 && f.flags&(introduced|patient) == introduced && t.wheel.time(f.reportAt) > now && !t.unhurried(f) {
				f.reportAt = t.wheel.moment(now)
				t.wheel.sooner(&t.slab, f, now)
			}
		}
	}
}
