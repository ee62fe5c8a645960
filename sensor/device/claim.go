package device

import (
	"time"

	"picket/sensor/observation"
	"picket/sensor/packet"
)

// sameMoment is how close two claims must be for the stronger source to win;
// otherwise the later one does.
const sameMoment = int64(2 * time.Second)

// claim is a statement of the network that an address is at a device.
type claim struct {
	addr      packet.Addr
	at, until int64
	source    source
}

// hold gives the address to d by proof, unless a later statement, or a
// stronger one of the same moment, gave it to another.
func (t *Table) hold(d *Device, c claim) bool {
	if !unicast(c.addr) || d.is(dead) {
		return false
	}
	k := addrKey{c.addr, d.realm}
	b := t.byAddr.get(k)
	if b == nil {
		t.bind(k, d, c.at, c.until, c.source)
		t.touch(d, c.at)
		return true
	}
	if b.dev == d.self {
		if c.source >= b.source {
			b.source, b.until = c.source, seconds(c.until)
		}
		b.last = max(b.last, seconds(c.at))
		t.prove(d)
		t.touch(d, c.at)
		return true
	}
	proof := b.source > byFrame
	if proof && (c.at < b.since-sameMoment || c.at < b.since+sameMoment && c.source < b.source) {
		t.stats.Refused++
		return false
	}
	if !proof && c.at < b.since {
		c.at = b.since // the holder was wrong from the start: frames prove nothing
	}
	t.move(b, d, c.at, c.until, c.source)
	return true
}

// deviceOf returns the device of a MAC, making it where there is none.
func (t *Table) deviceOf(realm uint16, mac packet.MAC, at int64) *Device {
	if d := t.withMAC(macKey{mac, realm}); d != nil {
		return d
	}
	return t.add(realm, mac, macIdentity(mac), at)
}

// neighbour reads an ARP or ND statement. It has no answer by its nature; it
// says who is on the link, and is evidence of nothing else.
func (t *Table) neighbour(realm uint16, o *observation.Observation) {
	n := o.Neighbour
	if !hostMAC(n.MAC) || hostMAC(o.MAC) && o.MAC != n.MAC && n.Op != "ra" {
		return // spoken for another: proxy ARP or a forgery
	}
	at := nanos(o.At)
	d := t.deviceOf(realm, n.MAC, at)
	if n.Router || n.Op == "ra" {
		d.flags |= proven
		t.makeRouter(d)
		return
	}
	if n.Op == "probe" || d.is(router) && !linkLocal(packet.AddrFrom(n.Addr)) && int(d.addrs) >= routerStrangers {
		return
	}
	addr := packet.AddrFrom(n.Addr)
	if !unicast(addr) || !t.cfg.Home(n.Addr) && is4(addr) {
		return
	}
	if t.proxied(d, addr, at) {
		t.makeRouter(d)
		return
	}
	if t.hold(d, claim{addr: addr, at: at, source: byNeighbour}) {
		t.place(d, observation.Place{VLAN: o.VLAN, Source: bySight, At: o.At})
	}
}

// proxied reports that a MAC answers ARP for more IPv4 addresses than a host
// has: proxy ARP (RFC 1027).
func (t *Table) proxied(d *Device, addr packet.Addr, at int64) bool {
	if !is4(addr) {
		return false
	}
	n := 0
	for b := range t.held(d) {
		if is4(b.addr) && b.addr != addr && b.source == byNeighbour && b.silence(at) < sameTime {
			n++
		}
	}
	return n >= routerStrangers
}

// stated reads a binding that the network itself knows: RADIUS accounting, a
// lease file, a controller.
func (t *Table) stated(realm uint16, o *observation.Observation) {
	s := o.Binding
	at := nanos(s.From)
	if at == 0 || at > nanos(o.At) {
		at = nanos(o.At)
	}
	addr := packet.AddrFrom(s.Addr)
	b := t.byAddr.get(addrKey{addr, realm})
	if s.Stop || !s.To.IsZero() && s.To.Before(o.At) {
		if b != nil && (!hostMAC(s.MAC) || t.of(b).mac == s.MAC) {
			b.until = seconds(at)
		}
		return
	}
	var d *Device
	switch {
	case hostMAC(s.MAC):
		d = t.deviceOf(realm, s.MAC, at)
		if d.is(router) {
			return
		}
		if unicast(addr) {
			t.hold(d, claim{addr, at, nanos(s.To), sourceOf(s.Source)})
		}
	case b != nil:
		d = t.of(b)
	default:
		return
	}
	t.place(d, s.Place)
}

// place keeps the latest statement of where a device is.
func (t *Table) place(d *Device, p observation.Place) {
	if p.AccessPoint == "" && p.SSID == "" && p.Switch == "" && p.Port == "" && p.VLAN == 0 {
		return
	}
	next := place{at: nanos(p.At), vlan: p.VLAN}
	if old := d.place; old != nil {
		since := time.Duration(next.at - old.at)
		if since < 0 {
			return
		}
		if p.Source == bySight && old.words().source != bySight { // a VLAN alone does not unsay an access point
			if old.vlan == p.VLAN || since < time.Hour {
				return
			}
		}
		if old.vlan == p.VLAN && old.words() == wordsOf(&p) {
			if since < time.Minute {
				return
			}
			next.said = old.said
		}
	}
	d.place = next.with(wordsOf(&p))
	d.flags |= stale
	d.root().flags |= stale
}
