package flow

import (
	"math/bits"
	"math/rand/v2"
)

// index finds a flow by its key: open addressing with linear probing, in
// parts that grow each by itself, so that no single frame pays for moving
// the whole. A slot holds the upper half of the hash beside the flow's
// number: a wrong flow is all but never fetched from memory.
type index struct {
	secret [3]uint64 // so that nobody outside can choose colliding keys
	parts  [indexParts]part
}

const indexParts = 256

// partShift is where flags keeps the part that a flow's entry is in.
const partShift = 24

// fullHash returns what add was given, as far as the index uses it.
func (f *Flow) fullHash() uint64 { return uint64(f.hash)<<32 | uint64(f.flags>>partShift) }

type part struct {
	slots []uint64 // hash<<32 | number; 0 is empty
	n     int
}

func newIndex() index {
	var x index
	for i := range x.secret {
		x.secret[i] = rand.Uint64() | 1
	}
	for i := range x.parts {
		x.parts[i].slots = make([]uint64, 16)
	}
	return x
}

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// hashOf mixes a key with the secret, 128-bit products folded, in the manner
// of wyhash.
func (x *index) hashOf(k *Key) uint64 {
	a := fold(le.Uint64(k.A[:8])^x.secret[0], le.Uint64(k.A[8:])^x.secret[1])
	b := fold(le.Uint64(k.B[:8])^x.secret[1], le.Uint64(k.B[8:])^x.secret[2])
	c := uint64(k.APort) | uint64(k.BPort)<<16 | uint64(k.Realm)<<32 | uint64(k.Proto)<<48
	return fold(a^bits.RotateLeft64(b, 32)^x.secret[2], c^b^x.secret[0])
}

// find returns the flow with key k, whose hash is h.
func (x *index) find(s *slab, k *Key, h uint64) *Flow {
	p := &x.parts[h&(indexParts-1)]
	mask := uint64(len(p.slots) - 1)
	for i := h >> 32; ; i++ {
		v := p.slots[i&mask]
		if v == 0 {
			return nil
		}
		if v>>32 == h>>32 {
			if f := s.at(uint32(v)); f.key.is(k) {
				return f
			}
		}
	}
}

// add enters flow number ref; f.hash must be h>>32 and part h&255 in it.
func (x *index) add(ref uint32, h uint64) {
	p := &x.parts[h&(indexParts-1)]
	if p.n++; p.n*4 > len(p.slots)*3 {
		p.grow()
	}
	p.put(h>>32<<32 | uint64(ref))
}

func (p *part) put(v uint64) {
	mask := uint64(len(p.slots) - 1)
	i := v >> 32 & mask
	for p.slots[i] != 0 {
		i = (i + 1) & mask
	}
	p.slots[i] = v
}

func (p *part) grow() {
	old := p.slots
	p.slots = make([]uint64, 2*len(old))
	for _, v := range old {
		if v != 0 {
			p.put(v)
		}
	}
}

// remove takes flow number ref out; the slots behind move up, so that no
// tombstones gather.
func (x *index) remove(ref uint32, h uint64) {
	p := &x.parts[h&(indexParts-1)]
	mask := uint64(len(p.slots) - 1)
	i := h >> 32 & mask
	for uint32(p.slots[i]) != ref {
		if p.slots[i] == 0 {
			return
		}
		i = (i + 1) & mask
	}
	p.n--
	for j := (i + 1) & mask; p.slots[j] != 0; j = (j + 1) & mask {
		if home := p.slots[j] >> 32 & mask; (j-home)&mask >= (j-i)&mask {
			p.slots[i] = p.slots[j]
			i = j
		}
	}
	p.slots[i] = 0
}
