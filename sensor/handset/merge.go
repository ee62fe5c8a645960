package handset

import "math"

// Merge adds what another sensor saw of the same device, and reports whether
// it may change the verdict. It takes the union: of a sight that both have,
// the later last time, the earlier first, the larger count. So it does not
// matter in which order dossiers are merged, how often the same one is, or
// whether one comes back with what it was given. o is not changed.
func (d *Dossier) Merge(s *Set, o *Dossier) (changed bool) {
	d.adopt(s)
	b, err := o.MarshalBinary()
	var n Dossier
	if err != nil || n.restore(s, b) != nil || n.seen == 0 {
		return false
	}
	if d.seen == 0 || n.last > d.last {
		d.last = n.last
	}
	d.seen = max(d.seen, n.seen)
	if n.Evicted() > d.Evicted() {
		d.more().evicted = n.Evicted()
	}
	for i := range n.holders {
		changed = d.spokeAs(*n.holder(i)) || changed
	}
	for i := range n.items {
		changed = d.mergeItem(&n.items[i]) || changed
	}
	for _, m := range n.models() {
		d.addModel(hit{sig: m.sig, model: m.name, rank: int(m.rank)}, m.at)
	}
	return changed
}

// mergeItem takes the union of an item with the same one of another dossier.
func (d *Dossier) mergeItem(o *item) bool {
	for i := range d.items {
		t := &d.items[i]
		if t.sig == o.sig && t.sub == o.sub && t.visit == o.visit {
			return t.union(o)
		}
	}
	if most := d.set.rules.Items; len(d.items) >= most {
		worst := d.worst()
		if d.compare(o, &d.items[worst]) <= 0 {
			return false
		}
		d.more().evicted++
		d.items[worst] = *o
		return true
	}
	d.items = append(d.items, *o)
	return true
}

func (t *item) union(o *item) bool {
	old := *t
	first := min(t.last-int64(t.span), o.last-int64(o.span))
	mine, theirs := floorDay(t.last), floorDay(o.last)
	if mine >= theirs {
		t.days |= aged(o.days, mine-theirs)
	} else {
		t.days = aged(t.days, theirs-mine) | o.days
	}
	t.last, t.count = max(t.last, o.last), max(t.count, o.count)
	t.span = uint32(min(t.last-first, math.MaxUint32))
	return t.days != old.days || floorDay(t.last) != floorDay(old.last)
}

// aged moves the days of an item n days into the past.
func aged(days uint32, n int64) uint32 {
	if n > 31 {
		return 0
	}
	return days << n
}

// spokeAs takes over a holder with its whole time.
func (d *Dossier) spokeAs(o holder) bool {
	kind := o.hash & 1
	same := 0
	var oldest *holder
	for i := range d.holders {
		h := d.holder(i)
		if h.hash == o.hash {
			first := min(h.first(), o.first())
			h.last = max(h.last, o.last)
			h.span = uint32(min(h.last-first, math.MaxUint32))
			return false
		}
		if h.hash&1 != kind {
			continue
		}
		same++
		if oldest == nil || h.last < oldest.last || h.last == oldest.last && h.hash > oldest.hash {
			oldest = h
		}
	}
	switch {
	case same < maxHolders:
		d.addHolder(o)
	case o.last > oldest.last || o.last == oldest.last && o.hash < oldest.hash:
		*oldest = o
	default:
		return false
	}
	return true
}
