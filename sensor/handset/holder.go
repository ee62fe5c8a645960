package handset

import "math"

// holder is a hardware address (even hash) or a DHCP host name (odd hash)
// that spoke as this device. Names tell a change of device where the
// evidence has no addresses.
type holder struct {
	hash uint32
	span uint32 // seconds from first to last; saturates
	last int64  // Unix time
}

func (h *holder) first() int64 { return h.last - int64(h.span) }

// maxHolders bounds the holders of each kind.
const maxHolders = 4

// holder returns number i of d.holders.
func (d *Dossier) holder(i uint32) *holder {
	if i < uint32(len(d.first)) {
		return &d.first[i]
	}
	return &d.few().who[i-uint32(len(d.first))]
}

func (d *Dossier) addHolder(h holder) {
	if d.holders < uint32(len(d.first)) {
		d.first[d.holders] = h
	} else {
		r := d.more()
		r.who = append(r.who, h)
	}
	d.holders++
}

// spoke notes who spoke and reports a new one. kind is 0 for an address, 1
// for a name.
func (d *Dossier) spoke(who uint64, kind uint32, at int64) bool {
	hash := uint32(mix(hashSeed^who*hashPrime)*hashPrime>>32)&^1 | kind
	same := 0
	var oldest *holder
	for i := range d.holders {
		h := d.holder(i)
		if h.hash == hash {
			first := min(h.first(), at)
			h.last = max(h.last, at)
			h.span = uint32(min(h.last-first, math.MaxUint32))
			return false
		}
		if h.hash&1 == kind {
			same++
			if oldest == nil || h.last < oldest.last || h.last == oldest.last && h.hash > oldest.hash {
				oldest = h
			}
		}
	}
	if same < maxHolders {
		d.addHolder(holder{hash: hash, last: at})
		return true
	}
	if at > oldest.last || at == oldest.last && hash < oldest.hash {
		*oldest = holder{hash: hash, last: at}
		return true
	}
	return false
}

// since is when the present binding began; evidence last seen before it
// belongs to whoever held the address then.
func (d *Dossier) since() int64 {
	slack := int64(d.set.rules.Slack)
	if start, others, ok := d.takeover(0); ok {
		if others == never {
			start -= slack
		}
		return start
	}
	// No address was seen: another DHCP host name, later than a renewal
	// under two names would come, is another device.
	if start, others, ok := d.takeover(1); ok && others != never && start-others > slack {
		return start
	}
	return never
}

const never = -1 << 62

// takeover is when the latest holder of a kind began to speak, and when
// others last spoke before it, or never.
func (d *Dossier) takeover(kind uint32) (start, others int64, ok bool) {
	var now *holder
	for i := range d.holders {
		h := d.holder(i)
		if h.hash&1 == kind && (now == nil || h.last > now.last || h.last == now.last && (h.first() > now.first() || h.first() == now.first() && h.hash < now.hash)) {
			now = h
		}
	}
	if now == nil {
		return 0, never, false
	}
	start, others = now.first(), never
	for i := range d.holders {
		if h := d.holder(i); h.hash&1 == kind && h != now {
			start = max(start, min(h.last+1, now.last))
		}
	}
	for i := range d.holders {
		if h := d.holder(i); h.hash&1 == kind && h != now {
			others = max(others, min(h.last, start))
		}
	}
	return start, others, true
}
