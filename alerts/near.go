package alerts

import "picket/sensor/device"

// nearDossiers finds a dossier by the short number of its device, without
// hashing: a slot holds the dossier that was asked for last among those whose
// numbers fall there. What is not found is in Judge.dossiers.
type nearDossiers []*dossier

// leastNear is how many slots there are at first: a power of two.
const leastNear = 1 << 8

func (n nearDossiers) get(v *device.View) *dossier {
	if v.Seq == 0 || len(n) == 0 {
		return nil
	}
	d := n[int(v.Seq)&(len(n)-1)]
	if d == nil || d.view != v && d.id != v.ID {
		return nil
	}
	return d
}

// put keeps d under the number of its device; held is how many dossiers there
// are, and so, nearly, how many slots.
func (n *nearDossiers) put(seq uint32, d *dossier, held int) {
	if seq == 0 {
		return
	}
	if held > len(*n) {
		size := max(leastNear, 2*len(*n))
		for size < held {
			size *= 2
		}
		old := *n
		*n = make(nearDossiers, size)
		for _, o := range old {
			if o != nil {
				(*n)[int(o.seq)&(size-1)] = o
			}
		}
	}
	if d.seq != seq && d.seq != 0 { // let go and seen again: the device has another number
		n.remove(d)
	}
	d.seq = seq
	(*n)[int(seq)&(len(*n)-1)] = d
}

func (n nearDossiers) remove(d *dossier) {
	if len(n) == 0 {
		return
	}
	if at := int(d.seq) & (len(n) - 1); n[at] == d {
		n[at] = nil
	}
}

// unlist takes d out of everything that finds it.
func (j *Judge) unlist(d *dossier) {
	d.prev.next, d.next.prev = d.next, d.prev
	j.near.remove(d)
	delete(j.dossiers, d.id)
}

// Ahead brings near what is held of devices that transfers will soon come
// of: looking for many at once costs little more than for one. It changes
// nothing.
func (j *Judge) Ahead(soon []*device.View) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.near) == 0 {
		return
	}
	mask := len(j.near) - 1
	for _, v := range soon {
		if d := j.near[int(v.Seq)&mask]; d != nil {
			j.warm += uint64(d.seq)
		}
	}
	for _, v := range soon {
		if d := j.near[int(v.Seq)&mask]; d != nil && len(d.accounts) > 0 {
			j.warm += d.accounts[0].sent
		}
	}
}
