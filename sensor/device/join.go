package device

import (
	"encoding/binary"
	"strings"
	"time"

	"picket/sensor/observation"
)

// join says why two devices are one, and how to undo it.
type join struct {
	why     string
	at      int64
	members []*Device // on the root: who was joined into it, in order
	before  Dossier   // on a member: the root's evidence before the join
	current *Device   // on the root: the member that spoke last
	since   int64     // on the root: when it began to
	turns   uint8     // on the root: quick changes between members
}

// maxMembers bounds the hardware addresses of one device: with a new random
// MAC every day (Android 12 and later, per network), the last fortnight.
const maxMembers = 16

// bothAtOnce is how quickly two members must take turns, and manyTurns how
// often, to be two devices after all: one device leaves a network before it
// comes back with another MAC.
const (
	bothAtOnce = int64(30 * time.Second)
	manyTurns  = 4
)

// recognise joins a device that just got its lease to one seen before, when
// it says by DHCP that it is the same one.
func (t *Table) recognise(d *Device, m *observation.DHCPMessage, host string, at int64) {
	if id := normalClientID(m.ClientID); id != "" {
		t.recogniseBy(d, &d.client, t.mark(d.realm, identClient, id), "same DHCP client identifier", at)
	}
	if len(m.ParamList) > 0 && personal(host) {
		key := strings.ToLower(host) + "\x00" + paramList(m.ParamList) + "\x00" + m.VendorClass
		t.recogniseBy(d, &d.host, t.mark(d.realm, 'h', key), "same host name with the same DHCP fingerprint", at)
	}
}

func (t *Table) recogniseBy(d *Device, own *uint64, mark uint64, why string, at int64) {
	old := t.slab.get(t.byMark[mark])
	*own = mark
	if old == nil {
		t.byMark[mark] = d.ref()
		return
	}
	if old == d || old.root() == d.root() {
		return
	}
	if d.into() != nil || d.join() != nil || !old.is(isRandom) && !d.is(isRandom) && old.mac != d.mac && old.mac != zeroMAC {
		return // two burnt-in addresses are two network cards, not one phone in disguise
	}
	if at-old.last < bothAtOnce/2 || old.realm != d.realm {
		return // it is still here
	}
	t.joinInto(d, old.root(), why, at)
}

// joinInto makes d part of root. Their evidence stays apart in d, so that the
// join can be undone.
func (t *Table) joinInto(d, root *Device, why string, at int64) {
	if root.is(router) || d.is(router) {
		return
	}
	if j := root.join(); j != nil && len(j.members) >= maxMembers {
		t.Unjoin(j.members[0].id(), "too many hardware addresses")
	}
	j, mine := root.joinFrom(at), &join{why: why, at: at}
	mine.before = clone(root.dossier)
	d.makeOdd().into, d.makeOdd().join = root, mine
	j.members = append(j.members, d)
	j.current, j.since, j.turns = d, at, 0
	root.flags |= stale
	t.stats.Joined++
	gone := d.view
	if gone == nil {
		gone = t.build(d, nil)
	}
	t.changes = append(t.changes, Change{At: timeOf(at), Device: gone, Before: *gone.Verdict, Gone: true, Into: root.id(), Why: why})
	d.view = nil
	t.rerank(root)
}

// joinFrom returns what joins others into d, made if there is nothing.
func (d *Device) joinFrom(at int64) *join {
	r := d.makeOdd()
	if r.join == nil {
		r.join = &join{current: d, since: at}
	}
	return r.join
}

// Unjoin makes the member with this hardware address's own id a device again
// and takes from the root what it had learnt through the member and since. It reports
// whether there was such a join.
func (t *Table) Unjoin(member ID, why string) bool {
	d := t.find(member)
	if d == nil || d.into() == nil {
		return false
	}
	root, before := d.into(), d.join().before
	at, j := t.now, root.join()
	members := j.members
	for i, m := range members {
		if m != d {
			continue
		}
		for _, later := range members[i+1:] { // they saw what d had brought
			later.join().before = clone(before)
		}
		j.members = append(members[:i:i], members[i+1:]...)
		break
	}
	root.dossier = before
	d.part()
	if len(j.members) == 0 {
		root.part()
	} else {
		j.current, j.since = root, at
	}
	root.flags &^= hardware
	root.flags |= stale
	d.flags |= stale
	t.stats.Unjoined++
	t.addHardware(root)
	t.markDirty(root)
	t.markDirty(d)
	t.announce(root, at, "no longer joined with "+string(d.id())+": "+why)
	return true
}

func clone(d Dossier) Dossier {
	if d == nil {
		return nil
	}
	return d.Clone()
}

// unlinkJoins prepares d for being dropped.
func (t *Table) unlinkJoins(d *Device) {
	if root := d.into(); root != nil {
		j := root.join()
		for i, m := range j.members {
			if m == d {
				j.members = append(j.members[:i:i], j.members[i+1:]...)
				break
			}
		}
		if j.current == d {
			j.current = root
		}
		if len(j.members) == 0 {
			root.part()
		}
		d.part()
		return
	}
	if d.join() == nil {
		return
	}
	for _, m := range d.join().members { // each has its own evidence
		m.part()
		m.flags |= stale
		t.markDirty(m)
	}
	d.part()
}

// overlap undoes joins of devices that turn out to be there at once.
func (t *Table) overlap(d *Device, at int64) {
	root := d.root()
	j := root.join()
	if j == nil || j.current == d {
		return
	}
	last := j.current
	if at-j.since < bothAtOnce {
		j.turns++
	} else {
		j.turns = 0
	}
	j.current, j.since = d, at
	if j.turns < manyTurns {
		return
	}
	member := d
	if member == root {
		member = last
	}
	if t.Unjoin(member.id(), "both in use at the same time") {
		// neither mark tells them apart again
		for _, x := range [...]*Device{member, root} {
			for _, m := range [...]uint64{x.client, x.host} {
				if m != 0 {
					delete(t.byMark, m)
				}
			}
		}
	}
}

// mark hashes an identity so that its value need not be kept.
func (t *Table) mark(realm uint16, kind byte, value string) uint64 {
	h := t.hash(realm, append([]byte{kind}, value...), 0)
	return h | uint64(kind)<<48
}

// normalClientID returns what of a DHCP client identifier outlives a MAC, in
// hexadecimal: a DUID, also inside the node-specific form of RFC 4361, or an
// opaque one; empty for one that only repeats a hardware address (type 1).
func normalClientID(hexID string) string {
	id := strings.ToLower(hexID)
	switch {
	case len(id) < 8 || strings.HasPrefix(id, "01") && len(id) == 14:
		return ""
	case strings.HasPrefix(id, "ff") && len(id) > 10+8:
		id = id[10:] // type, IAID
	}
	if strings.Trim(id, "0") == "" || strings.HasPrefix(id, "0003") && randomDUID(id) {
		return ""
	}
	return id
}

// randomDUID reports whether a DUID-LL is made of a random MAC: it changes
// with it, and says nothing more.
func randomDUID(id string) bool {
	return len(id) >= 10 && strings.ContainsRune("2367abef", rune(id[9]))
}

// find returns the device with this id.
func (t *Table) find(id ID) *Device {
	if len(id) != 14 {
		return nil
	}
	var b [8]byte
	for i := range 12 {
		c := id[2+i]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		default:
			return nil
		}
		b[2+i/2] = b[2+i/2]<<4 | c
	}
	return t.withNum(binary.BigEndian.Uint64(b[:]))
}
