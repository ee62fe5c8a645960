package alerts

import (
	"hash/maphash"

	"picket/sensor/device"
)

// dossiers holds the dossiers of a judge side by side: a device more is a
// piece of a chunk, what finds it is a number, and the collector looks at
// chunks. They are in a ring by when they were last heard of.
type dossiers struct {
	seed   maphash.Seed
	chunks [][]dossier
	used   uint32
	free   []uint32 // numbers given back
	slots  []slot   // by device.ID: open addressing; a power of two
	count  int
	near   []uint32 // number by device.View.Seq: whoever was asked for last among those that fall there; a power of two

	oldest, newest uint32 // of the ring; 0 for none
}

type slot struct{ hash, n uint32 } // n: number of a dossier; 0 for a free slot

const (
	dossierChunk = 1 << 8
	leastSlots   = 1 << 8
)

func newDossiers() dossiers {
	return dossiers{seed: maphash.MakeSeed(), slots: make([]slot, leastSlots)}
}

// at returns the dossier with a number; they begin at 1.
func (x *dossiers) at(n uint32) *dossier { return &x.chunks[(n-1)/dossierChunk][(n-1)%dossierChunk] }

// find returns the dossier of a device and its slot, or the slot where it belongs.
func (x *dossiers) find(id device.ID) (at int, d *dossier) {
	mask, h := len(x.slots)-1, x.hash(id)
	for at = int(h) & mask; x.slots[at].n != 0; at = (at + 1) & mask {
		if s := x.slots[at]; s.hash == h {
			if d = x.at(s.n); d.id == id {
				return at, d
			}
		}
	}
	return at, nil
}

// hash is keyed: ids of other sensors come from outside.
func (x *dossiers) hash(id device.ID) uint32 { return uint32(maphash.String(x.seed, string(id))) }

// get returns the dossier of a device, nil for none.
func (x *dossiers) get(id device.ID) *dossier {
	_, d := x.find(id)
	return d
}

// add makes the dossier of a device that has none, the latest of the ring.
func (x *dossiers) add(id device.ID) *dossier {
	if 4*(x.count+1) > 3*len(x.slots) {
		x.grow()
	}
	at, _ := x.find(id)
	var n uint32
	if k := len(x.free); k > 0 {
		n = x.free[k-1]
		x.free = x.free[:k-1]
	} else {
		if x.used%dossierChunk == 0 {
			x.chunks = append(x.chunks, make([]dossier, dossierChunk))
		}
		x.used++
		n = x.used
	}
	x.slots[at] = slot{x.hash(id), n}
	x.count++
	d := x.at(n)
	*d = dossier{id: id, self: n}
	x.push(d)
	return d
}

func (x *dossiers) grow() {
	old := x.slots
	x.slots = make([]slot, 2*len(old))
	mask := len(x.slots) - 1
	for _, s := range old {
		if s.n == 0 {
			continue
		}
		at := int(s.hash) & mask
		for x.slots[at].n != 0 {
			at = (at + 1) & mask
		}
		x.slots[at] = s
	}
}

// remove takes d out of everything that finds it.
func (x *dossiers) remove(d *dossier) {
	x.unlink(d)
	x.forgetNear(d)
	gap, _ := x.find(d.id)
	mask := len(x.slots) - 1
	for i := (gap + 1) & mask; x.slots[i].n != 0; i = (i + 1) & mask {
		if home := int(x.slots[i].hash) & mask; (i-home)&mask >= (i-gap)&mask {
			x.slots[gap] = x.slots[i]
			gap = i
		}
	}
	x.slots[gap] = slot{}
	x.count--
	x.free = append(x.free, d.self)
	*d = dossier{}
}

// push makes d the latest of the ring.
func (x *dossiers) push(d *dossier) {
	d.older, d.newer = x.newest, 0
	if x.newest != 0 {
		x.at(x.newest).newer = d.self
	} else {
		x.oldest = d.self
	}
	x.newest = d.self
}

func (x *dossiers) unlink(d *dossier) {
	if d.older != 0 {
		x.at(d.older).newer = d.newer
	} else {
		x.oldest = d.newer
	}
	if d.newer != 0 {
		x.at(d.newer).older = d.older
	} else {
		x.newest = d.older
	}
}

// all yields every dossier, those heard of least recently first; the one
// yielded may be removed.
func (x *dossiers) all(yield func(*dossier) bool) {
	for n := x.oldest; n != 0; {
		d := x.at(n)
		n = d.newer
		if !yield(d) {
			return
		}
	}
}

// of finds the dossier of a device by its short number, without hashing, nil
// where that finds another or none: get finds it then.
func (x *dossiers) of(v *device.View) *dossier {
	if v.Seq == 0 || len(x.near) == 0 {
		return nil
	}
	n := x.near[int(v.Seq)&(len(x.near)-1)]
	if n == 0 {
		return nil
	}
	if d := x.at(n); d.view == v || d.id == v.ID {
		return d
	}
	return nil
}

// bringNear has d found by the number of its device.
func (x *dossiers) bringNear(seq uint32, d *dossier) {
	if seq == 0 {
		return
	}
	if x.count > len(x.near) {
		size := max(leastSlots, 2*len(x.near))
		for size < x.count {
			size *= 2
		}
		old := x.near
		x.near = make([]uint32, size)
		for _, n := range old {
			if n != 0 {
				x.near[int(x.at(n).seq)&(size-1)] = n
			}
		}
	}
	if d.seq != seq && d.seq != 0 { // let go and seen again: the device has another number
		x.forgetNear(d)
	}
	d.seq = seq
	x.near[int(seq)&(len(x.near)-1)] = d.self
}

func (x *dossiers) forgetNear(d *dossier) {
	if len(x.near) == 0 {
		return
	}
	if at := int(d.seq) & (len(x.near) - 1); x.near[at] == d.self {
		x.near[at] = 0
	}
}

// Ahead brings near what is held of devices that transfers will soon come
// of: looking for many at once costs little more than for one. It changes
// nothing.
func (j *Judge) Ahead(soon []*device.View) {
	j.mu.Lock()
	defer j.mu.Unlock()
	x := &j.dossiers
	if len(x.near) == 0 {
		return
	}
	mask := len(x.near) - 1
	for _, v := range soon {
		if n := x.near[int(v.Seq)&mask]; n != 0 {
			j.warm += uint64(x.at(n).seq)
		}
	}
	for _, v := range soon {
		if n := x.near[int(v.Seq)&mask]; n != 0 {
			if list := x.at(n).accounts(); len(list) > 0 {
				j.warm += list[0].sent
			}
		}
	}
}
