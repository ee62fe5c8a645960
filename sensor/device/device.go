// Package device says who is behind an address: MAC addresses, leases, IPv6
// privacy addresses, randomised MACs, routers, reassignment. Identity is
// keyed by (realm, address); evidence belongs to the device and never to
// the address.
package device

import (
	"net/netip"
	"time"

	"picket/sensor/handset"
	"picket/sensor/observation"
	"picket/sensor/packet"
)

// ID names a device, stable over restarts: "d-" and 12 hexadecimal digits
// of a keyed hash over (realm, identity). It gives no address away.
type ID string

// View is a device as others see it: a snapshot that never changes. There is
// one for every device that is active, so it is small: what is seldom asked
// for is packed, and unpacked by methods.
type View struct {
	ID      ID
	Realm   string
	Verdict *handset.Verdict // shared by those of whom the same is known: read-only; nil only in a View not made by a Table

	place *place
	more  *details
	addrs string // 16 bytes each, in the order of netip.Addr.Compare

	first, last int64  // packet time, ns
	Seq         uint32 // number in this run, from 1, never given twice: a short key
	VLAN        uint16
	mac         packet.MAC // the first of MACs; zero for none

	RandomMAC bool // the current MAC is locally administered: its OUI says nothing
	Learning  bool // too little seen to say anything
	Watched   bool // somebody waits for what it does: Config.Watched
	Router    bool // speaks for many addresses: nobody
	Shared    bool
	Leased    bool // identified by DHCP
}

// details are what most devices do not have. They never change: devices of
// one host name share them.
type details struct {
	macs     []packet.MAC // those after the first
	hostname string
}

// Details are what a View packs.
type Details struct {
	MACs        []packet.MAC
	Addrs       []netip.Addr
	Hostname    string
	Place       observation.Place
	First, Last time.Time
}

// With returns a copy of v with these details: for Views of devices that no
// Table holds.
func (v View) With(d Details) *View {
	v.first, v.last, v.place, v.more = nanos(d.First), nanos(d.Last), placeFrom(&d.Place), nil
	if d.Hostname != "" {
		v.more = &details{hostname: d.Hostname}
	}
	v.setMACs(d.MACs)
	b := make([]byte, 0, 16*len(d.Addrs))
	for _, a := range d.Addrs {
		p := packet.AddrFrom(a)
		b = append(b, p[:]...)
	}
	v.addrs = string(b)
	return &v
}

// MACs are the hardware addresses of the device, the current one last.
func (v *View) MACs() []packet.MAC {
	if v.mac == zeroMAC {
		return nil
	}
	list := []packet.MAC{v.mac}
	if v.more != nil {
		list = append(list, v.more.macs...)
	}
	return list
}

func (v *View) setMACs(list []packet.MAC) {
	v.mac = zeroMAC
	if len(list) > 0 {
		v.mac = list[0]
	}
	if len(list) > 1 {
		v.more = &details{append([]packet.MAC(nil), list[1:]...), v.Hostname()}
	}
}

// Addrs are the addresses that the device holds, in order.
func (v *View) Addrs() []netip.Addr {
	if v.addrs == "" {
		return nil
	}
	out := make([]netip.Addr, 0, len(v.addrs)/16)
	for b := v.addrs; len(b) >= 16; b = b[16:] {
		out = append(out, packet.Addr([]byte(b[:16])).Netip())
	}
	return out
}

// Addressed reports whether the device holds an address.
func (v *View) Addressed() bool { return v.addrs != "" }

// Hostname is the part of the host name that a signature matched, empty when
// none did.
func (v *View) Hostname() string {
	if v.more == nil {
		return ""
	}
	return v.more.hostname
}

// Place is where the device is, as far as some source says; zero for nowhere
// known.
func (v *View) Place() observation.Place { return v.place.observed() }

// First is when the device was seen first, in packet time.
func (v *View) First() time.Time { return timeOf(v.first) }

// Last is when the device was seen last, as of this View: up to a minute
// behind.
func (v *View) Last() time.Time { return timeOf(v.last) }
