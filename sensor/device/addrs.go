package device

import (
	"hash/maphash"

	"picket/sensor/packet"
)

// addrIndex finds the binding of an address: an index for each realm, and
// bindings side by side, without pointers.
type addrIndex struct {
	seed   maphash.Seed
	realms []index
	chunks [][]binding
	used   uint32   // bindings taken of the chunks
	free   []uint32 // of those, the ones given back
}

const bindingChunk = 1 << 9

func newAddrIndex() addrIndex { return addrIndex{seed: maphash.MakeSeed()} }

// hash is keyed: who chooses addresses must not choose slots.
func (x *addrIndex) hash(a packet.Addr) uint32 { return uint32(maphash.Bytes(x.seed, a[:])) }

// at returns the binding with a number; they begin at 1.
func (x *addrIndex) at(n uint32) *binding { return &x.chunks[(n-1)/bindingChunk][(n-1)%bindingChunk] }

func (x *addrIndex) get(k addrKey) *binding {
	if int(k.realm) >= len(x.realms) || x.realms[k.realm].count == 0 {
		return nil
	}
	return x.find(&x.realms[k.realm], x.hash(k.addr), k.addr)
}

func (x *addrIndex) find(t *index, h uint32, a packet.Addr) *binding {
	mask := uint32(len(t.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		s := t.slots[i]
		if s.n == 0 {
			return nil
		}
		if s.hash == h {
			if b := x.at(s.n); b.addr == a {
				return b
			}
		}
	}
}

// put keeps b, whose address is not there yet, and returns its number.
func (x *addrIndex) put(k addrKey, b binding) uint32 {
	for int(k.realm) >= len(x.realms) {
		x.realms = append(x.realms, index{})
	}
	n := x.take()
	*x.at(n) = b
	x.realms[k.realm].add(x.hash(k.addr), n)
	return n
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
	return x.used
}

// remove forgets an address. Its binding can still be read until the next
// put.
func (x *addrIndex) remove(k addrKey) {
	if int(k.realm) >= len(x.realms) {
		return
	}
	t, h := &x.realms[k.realm], x.hash(k.addr)
	if n := t.find(h, func(n uint32) bool { return x.at(n).addr == k.addr }); n != 0 {
		t.remove(h, n)
		x.free = append(x.free, n)
	}
}

func (x *addrIndex) len() (n int) {
	for i := range x.realms {
		n += x.realms[i].count
	}
	return n
}
