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

// View is a device as others see it: a snapshot that never changes.
type View struct {
	ID        ID
	Seq       uint32 // number in this run, from 1, never given twice: a short key
	VLAN      uint16
	RandomMAC bool // the current MAC is locally administered: its OUI says nothing
	Learning  bool // too little seen to say anything
	Watched   bool // somebody waits for what it does: Config.Watched
	Router    bool // speaks for many addresses: nobody
	Shared    bool
	Leased    bool // identified by DHCP
	Realm     string
	MACs      []packet.MAC
	Addrs     []netip.Addr
	Hostname  string // the part that a signature matched, empty when none did
	Place     observation.Place
	First     time.Time
	Last      time.Time
	Verdict   handset.Verdict
}
