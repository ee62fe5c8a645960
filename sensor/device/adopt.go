package device

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"picket/sensor/packet"
)

// Why what another sensor knows of a device is not taken over.
var (
	ErrNobody   = errors.New("device record: a router or several devices here")
	ErrHeldElse = errors.New("device record: its address was another's here within that time")
)

// merger is a Dossier that can take over what another sensor saved.
type merger interface {
	// Merge adds a saved dossier, and reports whether that can change the
	// verdict. Merging what is there already changes nothing.
	Merge(saved []byte) (changed bool, err error)
}

// Merge implements merger.
func (d *dossier) Merge(saved []byte) (bool, error) {
	o, err := d.by.Restore(saved)
	if err != nil {
		return false, err
	}
	return d.Dossier.Merge(d.by.set.Load(), &o.(*dossier).Dossier), nil
}

// Record returns what Export gives of one device, of the one it was joined
// into if it was, with the addresses of all that were joined into it.
func (t *Table) Record(id ID) (Record, bool, error) {
	d := t.find(id)
	if d == nil || d.is(dead) {
		return Record{}, false, nil
	}
	d = d.root()
	r, err := t.record(d)
	if err != nil || d.join() == nil {
		return r, err == nil, err
	}
	for _, m := range d.join().members {
		part, err := t.record(m)
		if err != nil {
			return Record{}, false, err
		}
		r.Addrs = append(r.Addrs, part.Addrs...)
	}
	return r, true, nil
}

// Adopt takes over what another sensor on the same network (realm) knows of a
// device: its hardware address, what of its addresses was proven there, its
// evidence. Adopting the same record again changes nothing, and the order of
// records does not matter: of two claims of an address the later holds. Into,
// Why, Joined and Before are ignored. What an address alone tells counts only
// for who held it all the while.
func (t *Table) Adopt(r Record) (*View, error) {
	if r.Version != recordVersion {
		return nil, fmt.Errorf("device record: version %d, want %d", r.Version, recordVersion)
	}
	realm, ok := t.realm(r.Realm)
	if !ok {
		return nil, errors.New("device record: too many realms")
	}
	if r.Router {
		return nil, ErrNobody
	}
	var d *Device
	var err error
	if r.MAC != "" && r.Proven {
		d, err = t.adoptMAC(realm, &r)
	} else {
		d, err = t.adoptAddr(realm, &r)
	}
	if err != nil {
		return nil, err
	}
	if d.is(router|dead) || t.isShared(d) {
		return nil, ErrNobody
	}
	if err := t.merge(d, r.Dossier); err != nil {
		return nil, err
	}
	if n := t.hostnameIndex(r.Hostname); n != 0 && d.hostname == 0 {
		d.hostname = n
		d.flags |= stale
	}
	if r.Place != nil {
		t.place(d, *r.Place)
	}
	return t.View(d), nil
}

// adoptMAC finds or makes the device of a hardware address, and gives it the
// addresses that were proven to be its own.
func (t *Table) adoptMAC(realm uint16, r *Record) (*Device, error) {
	mac, ok := parseMAC(r.MAC)
	if !ok || !hostMAC(mac) {
		return nil, fmt.Errorf("device record: hardware address of %s", r.ID)
	}
	d := t.deviceOf(realm, mac, nanos(r.First))
	if d.is(router) {
		return nil, ErrNobody
	}
	for _, a := range r.Addrs {
		src := sourceOf(a.Source)
		addr := packet.AddrFrom(a.Addr)
		if src == byFrame || !unicast(addr) || linkLocal(addr) || !t.cfg.Home(a.Addr) {
			continue // frames prove nothing elsewhere; a link-local address means nothing there
		}
		t.adoptLease(d, addrKey{addr, realm}, claim{addr, nanos(a.Since), nanos(a.Until), src})
		if d.is(dead) {
			return nil, ErrNobody
		}
	}
	if r.Leased && !d.is(leased) {
		d.flags |= leased | stale
	}
	return d.root(), nil
}

// adoptLease gives d an address. What was known of the address alone, all of
// it seen while d held it, was d.
func (t *Table) adoptLease(d *Device, k addrKey, c claim) {
	var bare *Device
	if b := t.byAddr.get(k); b != nil {
		h := t.of(b)
		if h.root() == d.root() {
			return // nothing new: its own word stands
		}
		if h.mac == zeroMAC && h.into() == nil && h.join() == nil && h.first >= c.at-sameMoment && !t.isShared(h) {
			bare = h
		}
	}
	if !t.hold(d, c) || bare == nil || bare.is(dead|router) || bare.bindings != 0 {
		return
	}
	root := d.root()
	saved, err := saveOf(bare)
	t.joinInto(bare, root, "another sensor saw who held its address all the while", t.now)
	if err == nil && bare.into() == root {
		_ = t.merge(root, saved) // just saved by the same judge
	}
}

func saveOf(d *Device) ([]byte, error) {
	if d.dossier == nil {
		return nil, nil
	}
	return d.dossier.Save()
}

// adoptAddr finds who held an address all the while that another sensor
// watched it, or makes the device of the address.
func (t *Table) adoptAddr(realm uint16, r *Record) (*Device, error) {
	for _, a := range r.Addrs {
		addr := packet.AddrFrom(a.Addr)
		if !unicast(addr) || linkLocal(addr) || !t.cfg.Home(a.Addr) {
			continue
		}
		b := t.byAddr.get(addrKey{addr, realm})
		if b == nil {
			d := t.add(realm, packet.MAC{}, addrIdentity(addr, 0), nanos(r.First))
			t.bind(addrKey{addr, realm}, d, nanos(a.Since), nanos(a.Until), byFrame)
			return d, nil
		}
		if b.since > nanos(r.First)+sameMoment {
			return nil, ErrHeldElse
		}
		return t.of(b).root(), nil
	}
	return nil, fmt.Errorf("device record: %s has neither a proven hardware address nor an address at home", r.ID)
}

// merge adds saved evidence to d.
func (t *Table) merge(d *Device, saved []byte) error {
	if len(saved) == 0 {
		return nil
	}
	if d.dossier == nil {
		d.dossier = t.judge.New()
	}
	m, ok := d.dossier.(merger)
	if !ok {
		return errors.ErrUnsupported
	}
	changed, err := m.Merge(saved)
	if err != nil {
		return fmt.Errorf("device record: %s: %w", d.id(), err)
	}
	d.flags |= spoke
	if changed {
		t.markDirty(d)
		t.rerank(d)
	}
	return nil
}

// Release ends that a device holds an address, as of a time at which another
// sensor saw it go: what comes from the address afterwards is somebody
// else's, until it is known whose. It reports whether the device had it.
func (t *Table) Release(realm string, addr netip.Addr, id ID, at time.Time) bool {
	n, ok := t.realms[realm]
	if !ok {
		return false
	}
	b := t.byAddr.get(addrKey{packet.AddrFrom(addr), n})
	if b == nil || t.of(b).root().id() != id || b.since > nanos(at) {
		return false
	}
	t.replace(b, nanos(at))
	return true
}
