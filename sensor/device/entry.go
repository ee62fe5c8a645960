package device

import (
	"math"
	"time"

	"picket/sensor/packet"
)

// Device is the table's handle of a device. It is only good for passing back
// to the Table that gave it, by the goroutine that owns the Table.
type Device struct {
	newer, older *Device // in the queue of its rank
	into         *Device // joined into this one; nil for most
	join         *join   // set when into is, and on a device others were joined into
	num          uint64  // 48 bits of keyed hash: the id
	mac          packet.MAC
	realm        uint16
	rank         uint8
	flags        flags
	seq          uint32 // unique in the run; key of the name cache
	foreign      uint32 // hash of an IPv4 address that frames of mac carried unproven
	remote       uint32 // hash of an address outside home that frames of mac carried
	strangers    uint8  // distinct addresses of that kind seen
	first, last  int64  // packet time, ns
	queued       uint32 // second when it was put at the end of its queue
	sharedUntil  uint32 // second
	client, host uint64 // keyed hashes: DHCP client identifier; host name with fingerprint
	bindings     []*binding
	place        *place
	hostname     uint16 // what of the host name may be shown: index into Table.hostnames, plus one
	dossier      Dossier
	view         *View
	summary      summary
	judged       int64 // when the verdict was made
	visit        visit
	recent       recent
	bssid        packet.MAC
	makers       []makerSeen
}

type flags uint16

const (
	proven   flags = 1 << iota // ARP, ND, DHCP or EUI-64 showed that the MAC is on this link
	suspect                    // frames with its MAC carried an address of somebody else
	router                     // nobody
	leased                     // DHCP identified it
	dirty                      // evidence newer than the verdict
	stale                      // the view no longer says what is known
	dead                       // evicted
	hardware                   // its MAC is among its evidence
	spoke                      // took part in an answered conversation
	isRandom                   // its MAC is locally administered
	watched                    // Config.Watched says so
)

func (d *Device) is(f flags) bool { return d.flags&f != 0 }

// empty reports a hardware address of which nothing is known but that frames
// carried it: the far end of a link, say. It is no device of ours.
func (d *Device) empty() bool {
	return len(d.bindings) == 0 && d.dossier == nil && d.join == nil && !d.is(router)
}

// root is the device that d was joined into, or d itself.
func (d *Device) root() *Device {
	if d.into != nil {
		return d.into
	}
	return d
}

// ID returns the id of the device, of the one it was joined into if it was.
func (d *Device) ID() ID { return d.root().id() }

// Watched says what Config.Watched said of the device.
func (d *Device) Watched() bool { return d.root().is(watched) }

func (d *Device) id() ID { return idOf(d.num) }

// summary is what a change of verdict is judged by.
type summary struct {
	model          uint32 // hash
	maker          uint8  // index into Table.makers, plus one
	class, handset uint8  // index into classes and answers
	confidence     uint8
	shared         bool
}

type addrKey struct {
	addr  packet.Addr
	realm uint16
}

type macKey struct {
	mac   packet.MAC
	realm uint16
}

// binding says who holds an address, since when, and by whose word.
type binding struct {
	dev    *Device
	since  int64  // nanoseconds
	until  uint32 // second of the end of the lease; 0 when not known
	last   uint32 // second of the last conversation
	addr   packet.Addr
	source source
	moved  bool // Table.past has who held it before
}

func (b *binding) key() addrKey { return addrKey{b.addr, b.dev.realm} }

// silence is how long nothing was heard from the address, in nanoseconds.
func (b *binding) silence(at int64) int64 { return at - int64(b.last)*int64(time.Second) }

// seconds of packet time fit 32 bits until 2106.
func seconds(ns int64) uint32 {
	return uint32(min(max(ns/int64(time.Second), 0), math.MaxUint32))
}

// holder is a device that held an address until a time.
type holder struct {
	dev   *Device
	until int64
}

// maxPast bounds the holders remembered for one address: they matter only
// as long as a conversation of theirs is still being reported.
const maxPast = 4

// source is who said that an address belongs to a device, weakest first.
// docs/identity.md explains the order.
type source uint8

const (
	byFrame     source = iota // frames carried both: no proof
	byEUI64                   // the address contains the MAC (RFC 4291, appendix A)
	byNeighbour               // ARP, ND
	byFeed
	byLeaseFile
	byRADIUS
	byDHCP
)

var sourceNames = [...]string{"frame", "eui64", "neighbour", "feed", "lease-file", "radius", "dhcp"}

func (s source) String() string { return sourceNames[s] }

func sourceOf(name string) source {
	for s, n := range sourceNames {
		if n == name {
			return source(s)
		}
	}
	return byFeed
}

// queue holds devices by when they were last seen, oldest first.
type queue struct{ oldest, newest *Device }

func (q *queue) push(d *Device) {
	d.older, d.newer = q.newest, nil
	if q.newest != nil {
		q.newest.newer = d
	} else {
		q.oldest = d
	}
	q.newest = d
}

func (q *queue) remove(d *Device) {
	if d.older != nil {
		d.older.newer = d.newer
	} else {
		q.oldest = d.newer
	}
	if d.newer != nil {
		d.newer.older = d.older
	} else {
		q.newest = d.older
	}
	d.newer, d.older = nil, nil
}

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func timeOf(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}
