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
	d = b.dev
	if d.mac != mac && hostMAC(mac) {
		return t.contested(b, mac, at)
	}
	if t.over(b, at) {
		return t.replace(b, at), true
	}
	t.seen(b, at)
	if len(d.bindings) > 1 && is4(addr) {
		t.goesBack(b, begin, at)
	}
	return d, true
}

// seen notes a conversation of the holder.
func (t *Table) seen(b *binding, at int64) {
	b.last = max(b.last, seconds(at))
	t.touch(b.dev, at)
	if r := b.dev.into; r != nil {
		t.touch(r, at)
		t.overlap(b.dev, at)
	} else if b.dev.join != nil {
		t.overlap(b.dev, at)
	}
}

// over reports that silence or the end of a lease ended the binding.
func (t *Table) over(b *binding, at int64) bool {
	silence := b.silence(at)
	if b.until != 0 && seconds(at) > b.until && silence > pastLease {
		return b.dev.mac == (packet.MAC{}) || !b.dev.is(proven)
	}
	return b.dev.mac == (packet.MAC{}) && b.dev.client == 0 && silence > int64(t.cfg.IdleAddress)
}

// firstHolder makes the holder of an address not seen before.
func (t *Table) firstHolder(realm uint16, addr packet.Addr, mac packet.MAC, at int64) *Device {
	if hostMAC(mac) {
		m := t.byMAC[macKey{mac, realm}]
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
	k := b.key()
	d := t.add(k.realm, packet.MAC{}, addrIdentity(b.addr, at), at)
	if b.dev.is(dead) { // the eviction that made room took the holder
		t.bind(k, d, at, 0, byFrame)
		return d
	}
	t.move(b, d, at, 0, byFrame)
	return d
}

// contested decides about an address whose frames carry another MAC than
// that of its holder.
func (t *Table) contested(b *binding, mac packet.MAC, at int64) (*Device, bool) {
	realm := b.dev.realm
	m := t.byMAC[macKey{mac, realm}]
	present := b.source > byFrame && b.dev.mac != (packet.MAC{}) && b.silence(at) < quietHolder
	if m != nil && (m.is(router) || m.is(suspect) && !present) { // the frames came through somebody
		if t.over(b, at) {
			return t.replace(b, at), true
		}
		t.seen(b, at)
		return b.dev, true
	}
	if b.dev.mac == (packet.MAC{}) { // the first MAC for a bare address proves nothing
		t.seen(b, at)
		return b.dev, true
	}
	if present {
		if m == nil { // remember who speaks for somebody else
			m = t.add(realm, mac, macIdentity(mac), at)
			if b.dev.is(dead) {
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
	if src, ok := t.adoptable(m, b.addr, at); ok && !b.dev.is(dead) {
		t.move(b, m, at, 0, src)
		return m, true
	}
	t.stranger(m, b.addr)
	if b.dev.is(dead) {
		return nil, false
	}
	return b.dev, false
}

// holderAt returns who held the address at a time before the present holder.
func (t *Table) holderAt(b *binding, at int64) *Device {
	for _, p := range t.past[b.key()] {
		if at < p.until {
			if p.dev.is(dead) {
				return nil
			}
			return p.dev
		}
	}
	return nil
}

// bind records the first holder of an address.
func (t *Table) bind(k addrKey, d *Device, at, until int64, src source) *binding {
	b := t.byAddr.put(k, binding{dev: d, since: at, until: seconds(until), last: seconds(at), addr: k.addr, source: src})
	t.give(d, b)
	if src > byFrame {
		t.prove(d)
	}
	return b
}

// unbind forgets an address and who held it.
func (t *Table) unbind(b *binding) {
	t.byAddr.remove(b.key())
	if b.moved {
		delete(t.past, b.key())
	}
}

// give puts b among the addresses of d; the one longest silent makes room.
func (t *Table) give(d *Device, b *binding) {
	d.flags |= stale
	if len(d.bindings) >= t.cfg.MaxAddrs {
		old := 0
		for i, x := range d.bindings {
			if x.last < d.bindings[old].last {
				old = i
			}
		}
		t.unbind(d.bindings[old])
		d.bindings[old] = b
		t.stats.Evicted["address"]++
	} else {
		if len(d.bindings) == cap(d.bindings) && len(d.bindings) < 3 {
			d.bindings = append(make([]*binding, 0, 3), d.bindings...) // most have IPv4, link-local, IPv6
		}
		d.bindings = append(d.bindings, b)
	}
	if d.into != nil {
		d.into.flags |= stale
	}
}

// move gives an address to another device: what comes is the new one's, what
// was stays with the old.
func (t *Table) move(b *binding, to *Device, at, until int64, src source) {
	old := b.dev
	past := t.past[b.key()]
	if len(past) == maxPast {
		copy(past, past[1:])
		past = past[:maxPast-1]
	}
	t.past[b.key()] = append(past, holder{old, at})
	b.moved = true
	t.takeAway(old, b)
	b.dev, b.since, b.until, b.last, b.source = to, at, seconds(until), seconds(at), src
	t.give(to, b)
	if src > byFrame {
		t.prove(to)
	}
	t.touch(to, at)
	t.stats.Moved++
	if old.root() != to.root() {
		t.announce(old.root(), at, "its address went to another device")
	}
}

func (t *Table) takeAway(d *Device, b *binding) {
	for i, x := range d.bindings {
		if x == b {
			d.bindings = append(d.bindings[:i], d.bindings[i+1:]...)
			break
		}
	}
	d.flags |= stale
	d.root().flags |= stale
}
