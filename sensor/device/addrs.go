package device

import (
	"hash/maphash"

	"picket/sensor/packet"
)

// addrIndex finds the binding of an address: for each realm a table of open
// addressing, whose slots hold no pointer and whose bindings lie side by
// side. A Go map costs three cache misses a look-up, this one two, and the
// collector has a thousandth of the objects to look at.
type addrIndex struct {
	seed   maphash.Seed
	realms []addrTable
	chunks [][]binding
	used   uint32   // bindings taken of the chunks
	free   []uint32 // of those, the ones given back
}

// addrTable is one realm's: a slot is free when its binding is 0.
type addrTable struct {
	slots []addrSlot // a power of two
	count int
}

type addrSlot struct{ hash, binding uint32 } // binding: its number plus one

const (
	bindingChunk = 1 << 9
	leastSlots   = 1 << 6
)

func newAddrIndex() addrIndex { return addrIndex{seed: maphash.MakeSeed()} }

// hash is keyed: who chooses addresses must not choose slots.
func (x *addrIndex) hash(a packet.Addr) uint32 { return uint32(maphash.Bytes(x.seed, a[:])) }

func (x *addrIndex) at(n uint32) *binding { return &x.chunks[n/bindingChunk][n%bindingChunk] }

func (x *addrIndex) get(k addrKey) *binding {
	if int(k.realm) >= len(x.realms) || x.realms[k.realm].count == 0 {
		return nil
	}
	return x.find(&x.realms[k.realm], x.hash(k.addr), k.addr)
}

func (x *addrIndex) find(t *addrTable, h uint32, a packet.Addr) *binding {
	mask := uint32(len(t.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		s := t.slots[i]
		if s.binding == 0 {
			return nil
		}
		if s.hash == h {
			if b := x.at(s.binding - 1); b.addr == a {
				return b
			}
		}
	}
}

// put keeps b, whose address is not there yet, and returns where it now
// lies.
func (x *addrIndex) put(k addrKey, b binding) *binding {
	for int(k.realm) >= len(x.realms) {
		x.realms = append(x.realms, addrTable{})
	}
	t := &x.realms[k.realm]
	if 4*(t.count+1) > 3*len(t.slots) {
		t.grow()
	}
	n := x.take()
	to := x.at(n)
	*to = b
	t.insert(addrSlot{x.hash(k.addr), n + 1})
	t.count++
	return to
}

// take returns the number of a binding that nobody uses.
func (x *addrIndex) take() uint32 {
	if n := len(x.free); n > 0 {
		at := x.free[n-1]
		x.free = x.free[:n-1]
		return at
	}
	if x.used%bindingChunk == 0 {
		x.chunks = append(x.chunks, make([]binding, bindingChunk))
	}
	x.used++
	return x.used - 1
}

func (t *addrTable) insert(s addrSlot) {
	mask := uint32(len(t.slots) - 1)
	i := s.hash & mask
	for t.slots[i].binding != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = s
}

func (t *addrTable) grow() {
	old := t.slots
	t.slots = make([]addrSlot, max(leastSlots, 2*len(old)))
	for _, s := range old {
		if s.binding != 0 {
			t.insert(s)
		}
	}
}

// remove forgets an address. Its binding can still be read until the next
// put.
func (x *addrIndex) remove(k addrKey) {
	if int(k.realm) >= len(x.realms) || x.realms[k.realm].count == 0 {
		return
	}
	t := &x.realms[k.realm]
	h, mask := x.hash(k.addr), uint32(len(t.slots)-1)
	for i := h & mask; t.slots[i].binding != 0; i = (i + 1) & mask {
		if s := t.slots[i]; s.hash == h && x.at(s.binding-1).addr == k.addr {
			x.free = append(x.free, s.binding-1)
			t.closeGap(i, mask)
			t.count--
			return
		}
	}
}

// closeGap moves the slots behind a freed one that would not be found
// otherwise.
func (t *addrTable) closeGap(gap, mask uint32) {
	for i := (gap + 1) & mask; t.slots[i].binding != 0; i = (i + 1) & mask {
		if home := t.slots[i].hash & mask; (i-home)&mask >= (i-gap)&mask {
			t.slots[gap] = t.slots[i]
			gap = i
		}
	}
	t.slots[gap] = addrSlot{}
}

func (x *addrIndex) len() (n int) {
	for i := range x.realms {
		n += x.realms[i].count
	}
	return n
}
