package device

import (
	"picket/sensor/packet"
)

// routerStrangers is how many addresses, none of them proven to be its own,
// frames of one MAC may carry before that MAC is taken for a router. One or
// two are explained by a lease that moved unseen; three at the same time by
// nothing but forwarding.
const routerStrangers = 3

// hostMAC reports whether a hardware address can be that of one host.
func hostMAC(m packet.MAC) bool { return m != packet.MAC{} && m[0]&1 == 0 }

// unicast reports whether an address can belong to a host.
func unicast(a packet.Addr) bool {
	if a == (packet.Addr{}) || a[0] == 0xff {
		return false
	}
	if !is4(a) {
		return true
	}
	return a[12] != 0 && a[12] < 224 && a[12] != 127
}

func is4(a packet.Addr) bool {
	return a[10] == 0xff && a[11] == 0xff && [10]byte(a[:10]) == [10]byte{}
}

// linkLocal is fe80::/10 or 169.254.0.0/16: it never crosses a router.
func linkLocal(a packet.Addr) bool {
	return a[0] == 0xfe && a[1]&0xc0 == 0x80 || is4(a) && a[12] == 169 && a[13] == 254
}

// containsMAC reports whether the interface identifier of a is the modified
// EUI-64 form of m (RFC 4291, appendix A).
func containsMAC(a packet.Addr, m packet.MAC) bool {
	return !is4(a) && a[8] == m[0]^2 && a[9] == m[1] && a[10] == m[2] && a[11] == 0xff &&
		a[12] == 0xfe && a[13] == m[3] && a[14] == m[4] && a[15] == m[5]
}

// adoptable says whether frames alone may give addr to the device with this
// MAC. A router's frames carry everyone's addresses, so without proof that
// the MAC is on this link it is trusted for one address; with proof for
// several of IPv6 and for an IPv4 address that follows a silent one.
func (t *Table) adoptable(m *Device, addr packet.Addr, at int64) (source, bool) {
	switch {
	case containsMAC(addr, m.mac):
		return byEUI64, !m.is(router)
	case m.is(router | suspect):
		return 0, false
	case linkLocal(addr):
		return byFrame, true
	}
	for b := range t.held(m) {
		switch {
		case linkLocal(b.addr):
		case !m.is(proven):
			if b.silence(at) < sameTime {
				return 0, false
			}
		case is4(addr) && is4(b.addr) && b.silence(at) < sameTime:
			return 0, false
		}
	}
	return byFrame, !t.crowded(m, at)
}

// crowded reports that a MAC holds as many addresses as may be kept, all of
// them in use: no host does.
func (t *Table) crowded(m *Device, at int64) bool {
	if int(m.addrs) < t.cfg.MaxAddrs {
		return false
	}
	for b := range t.held(m) {
		if b.silence(at) > sameTime {
			return false
		}
	}
	return true
}

// stranger notes that frames of m carried an address that is not its own.
func (t *Table) stranger(m *Device, addr packet.Addr) {
	if m.is(router) {
		return
	}
	seen := m.makeOdd()
	if h := foldAddr(addr); h != seen.foreign {
		seen.foreign = h
		seen.strangers++
	}
	m.flags |= suspect
	if seen.strangers >= routerStrangers {
		t.makeRouter(m)
		return
	}
	if !m.is(proven) {
		t.detach(m)
	}
}

// carriesRemote notes that frames of mac came from an address outside home:
// two of those and it is the way out.
func (t *Table) carriesRemote(realm uint16, mac packet.MAC, addr packet.Addr, at int64) {
	k := macKey{mac, realm}
	if k == t.wayOut || !hostMAC(mac) {
		return
	}
	m := t.withMAC(k)
	if m == nil {
		m = t.add(realm, mac, macIdentity(mac), at)
		m.flags |= suspect // whoever it is, it brings what others sent
	}
	t.touch(m, at)
	if m.is(router) {
		t.wayOut = k
		return
	}
	h := foldAddr(addr)
	seen := m.makeOdd()
	if seen.remote == 0 {
		seen.remote = h
	}
	if seen.remote != h {
		t.makeRouter(m)
	}
}

// makeRouter makes m nobody: what only its frames tied to it goes back to the
// addresses, and evidence that may be of others is dropped.
func (t *Table) makeRouter(m *Device) {
	if m.is(router) || m.into() != nil {
		return
	}
	k := macKey{m.mac, m.realm}
	t.detach(m)
	m = t.withMAC(k) // another, if the old one keeps its address
	if m == nil {
		return
	}
	m.flags |= router | suspect | stale | dirty
	m.dossier = nil
	t.announce(m, t.now, "its hardware address speaks for many: a router, and nobody")
}

// detach ends the trust in a MAC that only frames tied to addresses. Such a
// device has one address, whose evidence is its own: it keeps both, and its
// id, and loses the MAC; a device that proof ties to the MAC keeps it and
// loses the unproven addresses.
func (t *Table) detach(m *Device) {
	if m.is(proven) || m.bindings == 0 {
		t.release(m)
		return
	}
	mac := m.mac
	t.loseMAC(m)
	m.mac = packet.MAC{}
	m.flags = m.flags&^(suspect|isRandom) | stale
	if m.is(hardware) { // it counted as alone for long enough, and was not
		m.dossier = nil
		m.flags = m.flags&^hardware | dirty
	}
	n := t.add(m.realm, mac, macIdentity(mac), t.now)
	n.flags |= suspect
	from, to := m.makeOdd(), n.makeOdd()
	to.foreign, to.remote, to.strangers = from.foreign, from.remote, max(from.strangers, 1)
	from.strangers, from.foreign, from.remote = 0, 0, 0
}

// release gives the unproven addresses of m back.
func (t *Table) release(m *Device) {
	for link := &m.bindings; *link != 0; {
		b := t.byAddr.at(*link)
		if b.source > byFrame || linkLocal(b.addr) {
			link = &b.next
			continue
		}
		*link = b.next
		m.addrs--
		m.flags |= stale
		t.unbind(b)
	}
}

// prove notes that m's MAC is on this link. Frames of a MAC that only frames
// had tied to an address, and that turns out to be on the link, keep it.
func (t *Table) prove(m *Device) {
	if m.is(proven) || m.mac == (packet.MAC{}) {
		return
	}
	m.flags |= proven
	t.addHardware(m)
}
