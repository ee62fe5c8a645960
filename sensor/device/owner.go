package device

import (
	"time"

	"picket/sensor/packet"
)

// sameTime is how close two uses must be to be at the same time: a host that
// was given another address does not go back to the one before.
const sameTime = int64(10 * time.Minute)

// quietHolder is how long the proven holder of an address must have been
// silent there before frames alone can give the address to another MAC.
const quietHolder = int64(time.Minute)

// pastLease is how long an address must have been silent for the end of its
// lease to end the binding: renewals are often not seen.
const pastLease = int64(10 * time.Minute)

// owner says which device held addr when a conversation began, making one
// where there is none. own reports that the frames came from that device as
// far as can be told: what others send in its name is no evidence.
func (t *Table) owner(realm uint16, addr packet.Addr, mac packet.MAC, at, begin int64) (d *Device, own bool) {
	if !unicast(addr) {
		return nil, false
	}
	b := t.byAddr.get(addrKey{addr, realm})
	if b == nil {
		return t.firstHolder(realm, addr, mac, at), true
	}
	if begin < b.since && b.moved {
		if p := t.holderAt(b, begin); p != nil {
			t.touch(p, at)
			return p, p.mac == mac || !hostMAC(mac)
		}
	}
	d = t.of(b)
	if d.mac != mac && hostMAC(mac) {
		return t.contested(b, mac, at)
	}
	if t.over(b, at) {
		return t.replace(b, at), true
	}
	t.seen(b, at)
	if d.addrs > 1 && is4(addr) {
		t.goesBack(b, begin, at)
	}
	return d, true
}

// seen notes a conversation of the holder.
func (t *Table) seen(b *binding, at int64) {
	b.last = max(b.last, seconds(at))
	d := t.of(b)
	t.touch(d, at)
	if d.rare == nil {
		return
	}
	if r := d.into(); r != nil {
		t.touch(r, at)
		t.overlap(d, at)
	} else if d.join() != nil {
		t.overlap(d, at)
	}
}

// over reports that silence or the end of a lease ended the binding.
func (t *Table) over(b *binding, at int64) bool {
	d, silence := t.of(b), b.silence(at)
	if b.until != 0 && seconds(at) > b.until && silence > pastLease {
		return d.mac == zeroMAC || !d.is(proven)
	}
	return d.mac == zeroMAC && d.client == 0 && silence > int64(t.cfg.IdleAddress)
}

// firstHolder makes the holder of an address not seen before.
func (t *Table) firstHolder(realm uint16, addr packet.Addr, mac packet.MAC, at int64) *Device {
	if hostMAC(mac) {
		m := t.withMAC(macKey{mac, realm})
		if m == nil {
			m = t.add(realm, mac, macIdentity(mac), at)
		}
		if src, ok := t.adoptable(m, addr, at); ok {
			t.bind(addrKey{addr, realm}, m, at, 0, src)
			return m
		}
		t.stranger(m, addr)
	}
	d := t.add(realm, packet.MAC{}, addrIdentity(addr, 0), at)
	t.bind(addrKey{addr, realm}, d, at, 0, byFrame)
	return d
}

// replace gives an address that fell silent to a new device.
func (t *Table) replace(b *binding, at int64) *Device {
	k := t.keyOf(b)
	d := t.add(k.realm, packet.MAC{}, addrIdentity(b.addr, at), at)
	if t.of(b).is(dead) { // the eviction that made room took the holder
		t.bind(k, d, at, 0, byFrame)
		return d
	}
	t.move(b, d, at, 0, byFrame)
	return d
}

// contested decides about an address whose frames carry another MAC than
// that of its holder.
func (t *Table) contested(b *binding, mac packet.MAC, at int64) (*Device, bool) {
	had := t.of(b)
	realm := had.realm
	m := t.withMAC(macKey{mac, realm})
	present := b.source > byFrame && had.mac != zeroMAC && b.silence(at) < quietHolder
	if m != nil && (m.is(router) || m.is(suspect) && !present) { // the frames came through somebody
		if t.over(b, at) {
			return t.replace(b, at), true
		}
		t.seen(b, at)
		return had, true
	}
	if had.mac == zeroMAC { // the first MAC for a bare address proves nothing
		t.seen(b, at)
		return had, true
	}
	if present {
		if m == nil { // remember who speaks for somebody else
			m = t.add(realm, mac, macIdentity(mac), at)
			if had.is(dead) {
				return nil, false
			}
		}
		// What it does is its own: neither evidence nor bytes go to the holder.
		t.stranger(m, b.addr)
		if m.is(dead) {
			return nil, false
		}
		return m, false
	}
	if m == nil {
		m = t.add(realm, mac, macIdentity(mac), at)
	}
	if src, ok := t.adoptable(m, b.addr, at); ok && !had.is(dead) {
		t.move(b, m, at, 0, src)
		return m, true
	}
	t.stranger(m, b.addr)
	if had.is(dead) {
		return nil, false
	}
	return had, false
}

// holderAt returns who held the address at a time before the present holder.
func (t *Table) holderAt(b *binding, at int64) *Device {
	for _, p := range t.past[t.keyOf(b)] {
		if at < p.until {
			return t.slab.get(p.dev)
		}
	}
	return nil
}

// bind records the first holder of an address.
func (t *Table) bind(k addrKey, d *Device, at, until int64, src source) {
	n := t.byAddr.put(k, binding{dev: d.self, since: at, until: seconds(until), last: seconds(at), addr: k.addr, source: src})
	t.give(d, n)
	if src > byFrame {
		t.prove(d)
	}
}

// unbind forgets an address and who held it.
func (t *Table) unbind(b *binding) {
	k := t.keyOf(b)
	t.byAddr.remove(k)
	if b.moved {
		delete(t.past, k)
	}
}

// give puts binding n among the addresses of d; the one longest silent makes
// room.
func (t *Table) give(d *Device, n uint32) {
	d.flags |= stale
	link, oldest := &d.bindings, &d.bindings
	for *link != 0 {
		b := t.byAddr.at(*link)
		if b.last < t.byAddr.at(*oldest).last {
			oldest = link
		}
		link = &b.next
	}
	if int(d.addrs) >= t.cfg.MaxAddrs {
		old := t.byAddr.at(*oldest)
		*oldest, t.byAddr.at(n).next = n, old.next
		t.unbind(old)
		t.stats.Evicted["address"]++
	} else {
		*link, t.byAddr.at(n).next = n, 0
		d.addrs++
	}
	if into := d.into(); into != nil {
		into.flags |= stale
	}
}

// move gives an address to another device: what comes is the new one's, what
// was stays with the old.
func (t *Table) move(b *binding, to *Device, at, until int64, src source) {
	old, k := t.of(b), t.keyOf(b)
	past := t.past[k]
	if len(past) == maxPast {
		copy(past, past[1:])
		past = past[:maxPast-1]
	}
	t.past[k] = append(past, holder{old.ref(), at})
	b.moved = true
	n := t.takeAway(old, b)
	b.dev, b.since, b.until, b.last, b.source = to.self, at, seconds(until), seconds(at), src
	t.give(to, n)
	if src > byFrame {
		t.prove(to)
	}
	t.touch(to, at)
	t.stats.Moved++
	if old.root() != to.root() {
		t.announce(old.root(), at, "its address went to another device")
	}
}

// takeAway takes b from d and returns its number.
func (t *Table) takeAway(d *Device, b *binding) (n uint32) {
	for link := &d.bindings; *link != 0; link = &t.byAddr.at(*link).next {
		if t.byAddr.at(*link) == b {
			n = *link
			*link = b.next
			d.addrs--
			break
		}
	}
	d.flags |= stale
	d.root().flags |= stale
	return n
}
