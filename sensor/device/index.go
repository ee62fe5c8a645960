package device

// index finds numbers by a hash: open addressing, whose slots hold no
// pointer. A Go map costs three cache misses a look-up and some fifty bytes
// an entry, this one a miss and 8 bytes in slots of which 3/8 to 3/4 are in use.
// The zero value is ready.
type index struct {
	slots []slot // a power of two
	count int
}

type slot struct{ hash, n uint32 } // n: the number plus one; 0 for a free slot

const leastSlots = 1 << 6

// find returns the number with this hash that is the one looked for, or 0.
func (x *index) find(h uint32, is func(n uint32) bool) uint32 {
	if x.count == 0 {
		return 0
	}
	mask := uint32(len(x.slots) - 1)
	for i := h & mask; x.slots[i].n != 0; i = (i + 1) & mask {
		if s := x.slots[i]; s.hash == h && is(s.n) {
			return s.n
		}
	}
	return 0
}

// add puts in a number that is not there.
func (x *index) add(h, n uint32) {
	if 4*(x.count+1) > 3*len(x.slots) {
		x.grow()
	}
	x.insert(slot{h, n})
	x.count++
}

func (x *index) insert(s slot) {
	mask := uint32(len(x.slots) - 1)
	i := s.hash & mask
	for x.slots[i].n != 0 {
		i = (i + 1) & mask
	}
	x.slots[i] = s
}

func (x *index) grow() {
	old := x.slots
	x.slots = make([]slot, max(leastSlots, 2*len(old)))
	for _, s := range old {
		if s.n != 0 {
			x.insert(s)
		}
	}
}

// remove takes a number out, if it is there.
func (x *index) remove(h, n uint32) {
	if x.count == 0 {
		return
	}
	mask := uint32(len(x.slots) - 1)
	for i := h & mask; x.slots[i].n != 0; i = (i + 1) & mask {
		if x.slots[i].n == n {
			x.closeGap(i, mask)
			x.count--
			return
		}
	}
}

// closeGap moves the slots behind a freed one that would not be found
// otherwise.
func (x *index) closeGap(gap, mask uint32) {
	for i := (gap + 1) & mask; x.slots[i].n != 0; i = (i + 1) & mask {
		if home := x.slots[i].hash & mask; (i-home)&mask >= (i-gap)&mask {
			x.slots[gap] = x.slots[i]
			gap = i
		}
	}
	x.slots[gap] = slot{}
}
