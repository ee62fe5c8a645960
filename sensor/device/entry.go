package device

import (
	"math"
	"time"

	"picket/sensor/packet"
)

// Device is the table's handle of a device. It is only good for passing back
// to the Table that gave it, by the goroutine that owns the Table, before
// anything else happens.
type Device struct {
	view     *View
	dossier  Dossier
	place    *place
	rare     *rare  // what most do not have; nil for those
	last     int64  // packet time, ns
	num      uint64 // 48 bits of keyed hash: the id
	seq      uint32 // unique in the run; key of the name cache
	bindings uint32 // number of the first of its addresses; 0 for none
	addrs    uint16 // how many they are
	hostname uint16 // what of the host name may be shown: index into Table.hostnames, plus one
	mac      packet.MAC
	realm    uint16
	flags    flags
	rank     uint8

	newer, older uint32 // in the queue of its rank: numbers in the slab
	self         uint32 // its own number
	queued       uint32 // second when it was put at the end of its queue
	first        int64
	judged       int64 // when the verdict was made
	summary      summary
	bssid        packet.MAC
	client, host uint64 // keyed hashes: DHCP client identifier; host name with fingerprint
	visit        visit
	recent       recent
}

// rare is what most devices do not have.
type rare struct {
	makers      []makerSeen
	rest        *rest  // what hardly any has; nil for those
	sharedUntil uint32 // second
}

type rest struct {
	into      *Device // joined into this one
	join      *join   // set when into is, and on a device others were joined into
	doubtful  []doubt // names first seen in a visit, at most maxDoubtful
	foreign   uint32  // hash of an IPv4 address that frames of mac carried unproven
	remote    uint32  // hash of an address outside home that frames of mac carried
	strangers uint8   // distinct addresses of that kind seen
}

// What nobody may write to.
var (
	noRare rare
	noRest rest
)

// few returns what is rare of d, to be read.
func (d *Device) few() *rare {
	if d.rare == nil {
		return &noRare
	}
	return d.rare
}

// more returns what is rare of d, to be written.
func (d *Device) more() *rare {
	if d.rare == nil {
		d.rare = new(rare)
	}
	return d.rare
}

// odd returns what hardly any device has, to be read.
func (d *Device) odd() *rest {
	if d.rare == nil || d.rare.rest == nil {
		return &noRest
	}
	return d.rare.rest
}

// makeOdd returns what hardly any device has, to be written.
func (d *Device) makeOdd() *rest {
	r := d.more()
	if r.rest == nil {
		r.rest = new(rest)
	}
	return r.rest
}

func (d *Device) into() *Device { return d.odd().into }

func (d *Device) join() *join { return d.odd().join }

// part takes d out of a join.
func (d *Device) part() {
	if d.rare != nil && d.rare.rest != nil {
		d.rare.rest.into, d.rare.rest.join = nil, nil
	}
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
	return d.bindings == 0 && d.dossier == nil && d.join() == nil && !d.is(router)
}

// root is the device that d was joined into, or d itself.
func (d *Device) root() *Device {
	if into := d.odd().into; into != nil {
		return into
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
	since  int64 // nanoseconds
	addr   packet.Addr
	until  uint32 // second of the end of the lease; 0 when not known
	last   uint32 // second of the last conversation
	dev    uint32 // number of the device
	next   uint32 // number of its next binding; 0 for none
	source source
	moved  bool // Table.past has who held it before
}

// of returns who holds an address.
func (t *Table) of(b *binding) *Device { return t.slab.at(b.dev) }

func (t *Table) keyOf(b *binding) addrKey { return addrKey{b.addr, t.of(b).realm} }

// held yields the addresses of d, in the order in which they came; the one
// yielded may be taken away.
func (t *Table) held(d *Device) func(yield func(*binding) bool) {
	return func(yield func(*binding) bool) {
		for n := d.bindings; n != 0; {
			b := t.byAddr.at(n)
			n = b.next
			if !yield(b) {
				return
			}
		}
	}
}

// silence is how long nothing was heard from the address, in nanoseconds.
func (b *binding) silence(at int64) int64 { return at - int64(b.last)*int64(time.Second) }

// seconds of packet time fit 32 bits until 2106.
func seconds(ns int64) uint32 {
	return uint32(min(max(ns/int64(time.Second), 0), math.MaxUint32))
}

// holder is a device that held an address until a time.
type holder struct {
	dev   ref
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
