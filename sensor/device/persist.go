package device

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"sort"
	"strconv"
	"time"

	"picket/sensor/packet"
)

// Export gives every device to keep, those that others were joined into
// first, until keep returns false. Silent devices of which nothing is known
// are left out.
func (t *Table) Export(keep func(Record) bool) error {
	all := t.sorted()
	sort.SliceStable(all, func(i, j int) bool { return all[i].into() == nil && all[j].into() != nil })
	for _, d := range all {
		if d.rank == silent && d.dossier == nil && !d.is(router) {
			continue
		}
		r, err := t.record(d)
		if err != nil {
			return err
		}
		if !keep(r) {
			return nil
		}
	}
	return nil
}

// sorted returns the devices in the order in which they were first seen.
func (t *Table) sorted() []*Device {
	all := make([]*Device, 0, t.byID.count)
	for d := range t.slab.all {
		all = append(all, d)
	}
	sort.Slice(all, func(i, j int) bool {
		if all[i].first != all[j].first {
			return all[i].first < all[j].first
		}
		return all[i].num < all[j].num
	})
	return all
}

func (t *Table) record(d *Device) (Record, error) {
	r := Record{
		Version: recordVersion, ID: d.id(), Realm: t.realmOf[d.realm], Router: d.is(router), Leased: d.is(leased),
		Proven: d.is(proven), Hardware: d.is(hardware), Hostname: t.hostname(d.hostname),
		First: timeOf(d.first), Last: timeOf(d.last),
	}
	if d.place != nil {
		p := d.place.observed()
		r.Place = &p
	}
	if d.mac != zeroMAC {
		r.MAC = macText(d.mac)
	}
	if d.client != 0 {
		r.ClientID = strconv.FormatUint(d.client, 16)
	}
	if d.host != 0 {
		r.Host = strconv.FormatUint(d.host, 16)
	}
	for b := range t.held(d) {
		r.Addrs = append(r.Addrs, AddrRecord{b.addr.Netip(), timeOf(b.since), timeOf(int64(b.until) * int64(time.Second)), b.source.String()})
	}
	if d.into() != nil {
		j := d.join()
		r.Into, r.Why, r.Joined = d.into().id(), j.why, timeOf(j.at)
		if j.before != nil {
			b, err := j.before.Save()
			if err != nil {
				return r, fmt.Errorf("device %s: %w", d.id(), err)
			}
			r.Before = b
		}
	}
	if d.dossier != nil {
		b, err := d.dossier.Save()
		if err != nil {
			return r, fmt.Errorf("device %s: %w", d.id(), err)
		}
		r.Dossier = b
	}
	return r, nil
}

// Import takes back what Export gave. Records of devices that others were
// joined into must come first, as Export gives them; a record of a later
// version is refused.
func (t *Table) Import(r Record) error {
	if r.Version != recordVersion {
		return fmt.Errorf("device record: version %d, want %d", r.Version, recordVersion)
	}
	num, err := strconv.ParseUint(string(r.ID[min(2, len(r.ID)):]), 16, 48)
	if err != nil || len(r.ID) != 14 {
		return fmt.Errorf("device record: id %q", r.ID)
	}
	realm, ok := t.realm(r.Realm)
	if !ok {
		return fmt.Errorf("device record: too many realms")
	}
	if t.withNum(num) != nil {
		return fmt.Errorf("device record: %s is there already", r.ID)
	}
	d := &Device{realm: realm, num: num, first: nanos(r.First), last: nanos(r.Last), hostname: t.hostnameIndex(r.Hostname), flags: stale}
	if r.Place != nil {
		d.place = placeFrom(r.Place)
	}
	if r.MAC != "" {
		if d.mac, ok = parseMAC(r.MAC); !ok {
			return fmt.Errorf("device record: hardware address of %s", r.ID)
		}
	}
	if err := t.restoreEvidence(d, r); err != nil {
		return fmt.Errorf("device record: %s: %w", r.ID, err)
	}
	for t.byID.count >= t.cfg.MaxDevices {
		t.evictOne()
	}
	t.enter(*d, r)
	return nil
}

func (t *Table) restoreEvidence(d *Device, r Record) (err error) {
	if len(r.Dossier) > 0 {
		if d.dossier, err = t.judge.Restore(r.Dossier); err != nil {
			return err
		}
	}
	for v, p := range map[string]*uint64{r.ClientID: &d.client, r.Host: &d.host} {
		if v == "" {
			continue
		}
		if *p, err = strconv.ParseUint(v, 16, 64); err != nil {
			return err
		}
	}
	for f, on := range map[flags]bool{router | suspect: r.Router, leased | spoke: r.Leased, proven: r.Proven,
		hardware: r.Hardware, isRandom: d.mac[0]&2 != 0} {
		if on {
			d.flags |= f
		}
	}
	if len(r.Dossier) > 0 {
		d.flags |= spoke
	}
	return nil
}

// enter puts a restored device into the indexes.
func (t *Table) enter(restored Device, r Record) {
	t.seq++
	restored.seq = t.seq
	d := t.slab.put(restored)
	t.byID.add(uint32(d.num), d.self)
	if k := (macKey{d.mac, d.realm}); d.mac != zeroMAC && t.withMAC(k) == nil {
		t.byMAC.add(t.hashMAC(k), d.self)
	}
	for _, m := range [...]uint64{d.client, d.host} {
		if m != 0 && t.byMark[m] == (ref{}) {
			t.byMark[m] = d.ref()
		}
	}
	for _, a := range r.Addrs {
		k := addrKey{packet.AddrFrom(a.Addr), d.realm}
		if t.byAddr.get(k) == nil && int(d.addrs) < t.cfg.MaxAddrs {
			n := t.byAddr.put(k, binding{dev: d.self, since: nanos(a.Since), until: seconds(nanos(a.Until)), last: seconds(d.last), addr: k.addr, source: sourceOf(a.Source)})
			t.give(d, n)
		}
	}
	t.slab.push(&t.queues[silent], d)
	if root := t.find(r.Into); root != nil && root.into() == nil && root != d {
		t.rejoin(d, root, r)
	}
	t.rerank(d)
	t.markDirty(d)
}

func (t *Table) rejoin(d, root *Device, r Record) {
	j, mine := root.joinFrom(0), &join{why: r.Why, at: nanos(r.Joined)}
	if len(r.Before) > 0 {
		if before, err := t.judge.Restore(r.Before); err == nil {
			mine.before = before
		}
	}
	d.makeOdd().into, d.makeOdd().join = root, mine
	j.members = append(j.members, d)
	if d.last >= root.last {
		j.current = d
	}
	t.rerank(root)
}

// Views calls yield for every device, in the order in which they were first
// seen, until it returns false.
func (t *Table) Views(yield func(*View) bool) {
	for _, d := range t.sorted() {
		if d.into() == nil && !d.empty() && !yield(t.View(d)) {
			return
		}
	}
}

// Find returns the View of a device by its id, nil when there is none.
func (t *Table) Find(id ID) *View {
	if d := t.find(id); d != nil {
		return t.View(d)
	}
	return nil
}

// Holder returns the View of who holds an address, nil when nobody is known to.
func (t *Table) Holder(realm string, addr netip.Addr) *View {
	n, ok := t.realms[realm]
	if !ok {
		return nil
	}
	if b := t.byAddr.get(addrKey{packet.AddrFrom(addr), n}); b != nil {
		return t.View(t.of(b))
	}
	return nil
}

// parseMAC reads aa:bb:cc:dd:ee:ff, also with dashes.
func parseMAC(s string) (m packet.MAC, ok bool) {
	if len(s) != 17 {
		return m, false
	}
	for i := range m {
		if _, err := hex.Decode(m[i:i+1], []byte(s[3*i:3*i+2])); err != nil {
			return packet.MAC{}, false
		}
		if i < 5 && s[3*i+2] != ':' && s[3*i+2] != '-' {
			return packet.MAC{}, false
		}
	}
	return m, true
}
