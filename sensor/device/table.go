package device

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"hash/maphash"
	"time"

	"picket/sensor/packet"
)

// Table says who is behind an address. It is owned by one goroutine; the
// Views that it hands out never change and may be shared.
type Table struct {
	cfg     Config
	judge   Judge
	now     int64
	seq     uint32
	realms  map[string]uint16
	names   nameCache
	pending pendingDHCP
	queues  [ranks]queue // unremarkable to remarkable
	slab    slab
	byID    index
	byAddr  addrIndex
	past    map[addrKey][]holder // who held an address that moved, newest last
	byMAC   index
	wayOut  macKey         // the router that the last conversation outside came through
	byMark  map[uint64]ref // client identifier, or host name with fingerprint
	hints   []Hint
	hinted  map[addrKey]int64
	makers  []string // interned, for makerSeen

	hostnames []*details // interned
	dirty     []*Device
	changes   []Change
	sweep     []*Device // what the periodic sweep still has to visit
	stats     Stats
	realmOf   []string
	lastRealm string // the realm asked for last, and its number
	lastNum   uint16
	keyed     hash.Hash // HMAC-SHA256 with Config.Key, for ids
	scratch   []byte    // of keyed
	near      []*View   // what Ahead found
	warm      uint64    // what Ahead added up: it is asked for to be near, not for its value
}

// Ranks order devices for eviction: those that never took part in an answered
// conversation, those that nothing speaks about, those that have a verdict.
const (
	silent = iota
	unremarkable
	remarkable
	ranks
)

// longIdle is how long a device of a higher rank must have been silent to be
// let go before a silent one that was just seen.
const longIdle = int64(7 * 24 * time.Hour)

// New returns an empty table.
func New(cfg Config) *Table {
	cfg.defaults()
	return &Table{
		cfg: cfg, judge: cfg.Judge,
		realms:  map[string]uint16{},
		byMark:  map[uint64]ref{},
		past:    map[addrKey][]holder{},
		hinted:  map[addrKey]int64{},
		byAddr:  newAddrIndex(),
		names:   newNameCache(cfg.MaxNames),
		pending: newPendingDHCP(cfg.MaxPending),
		keyed:   hmac.New(sha256.New, cfg.Key),
		stats:   Stats{Evicted: map[string]uint64{}},
	}
}

// realm interns a name; ok is false when there are too many realms.
func (t *Table) realm(name string) (n uint16, ok bool) {
	if name == t.lastRealm && len(t.realmOf) > 0 {
		return t.lastNum, true
	}
	if n, ok = t.realms[name]; ok {
		t.lastRealm, t.lastNum = name, n
		return n, true
	}
	if len(t.realms) >= t.cfg.MaxRealms {
		t.stats.Evicted["realm"]++
		return 0, false
	}
	n = uint16(len(t.realms))
	t.realms[name] = n
	t.realmOf = append(t.realmOf, name)
	t.lastRealm, t.lastNum = name, n
	return n, true
}

// add makes a device and, where the table is full, lets another go.
func (t *Table) add(realm uint16, mac packet.MAC, identity []byte, at int64) *Device {
	for t.byID.count >= t.cfg.MaxDevices {
		t.evictOne()
	}
	t.seq++
	d := t.slab.put(Device{realm: realm, mac: mac, seq: t.seq, first: at, last: at, queued: seconds(at), flags: stale, num: t.newID(realm, identity)})
	t.byID.add(uint32(d.num), d.self)
	if mac != zeroMAC {
		t.byMAC.add(t.hashMAC(macKey{mac, realm}), d.self)
		if mac[0]&2 != 0 {
			d.flags |= isRandom
		}
	}
	t.slab.push(&t.queues[silent], d)
	return d
}

func (t *Table) hashMAC(k macKey) uint32 {
	b := [8]byte{6: byte(k.realm), 7: byte(k.realm >> 8)}
	copy(b[:], k.mac[:])
	return uint32(maphash.Bytes(t.byAddr.seed, b[:]))
}

// withMAC returns the device of a hardware address, nil for none.
func (t *Table) withMAC(k macKey) *Device {
	n := t.byMAC.find(t.hashMAC(k), func(n uint32) bool {
		d := t.slab.at(n)
		return d.mac == k.mac && d.realm == k.realm
	})
	if n == 0 {
		return nil
	}
	return t.slab.at(n)
}

// withNum returns the device with this number in its id, nil for none.
func (t *Table) withNum(num uint64) *Device {
	n := t.byID.find(uint32(num), func(n uint32) bool { return t.slab.at(n).num == num })
	if n == 0 {
		return nil
	}
	return t.slab.at(n)
}

// queueStep is how exactly queues are kept: moving a device at every flow
// would cost three cache misses.
const queueStep = 5 // seconds

// touch notes that d was seen, moving it to the end of its queue.
func (t *Table) touch(d *Device, at int64) {
	if at > d.last {
		d.last = at
	}
	if now := seconds(at); now < d.queued+queueStep || d.is(dead) {
		return
	} else {
		d.queued = now
	}
	t.slab.unlink(&t.queues[d.rank], d)
	t.slab.push(&t.queues[d.rank], d)
}

// rerank puts d where its worth belongs.
func (t *Table) rerank(d *Device) {
	r := uint8(silent)
	switch {
	case !d.is(spoke): // a lease costs nothing: a flood of them stays here
	case d.summary.confidence > 0 || d.join() != nil:
		r = remarkable
	default:
		r = unremarkable
	}
	if r != d.rank && !d.is(dead) {
		t.slab.unlink(&t.queues[d.rank], d)
		d.rank = r
		t.slab.push(&t.queues[r], d)
	}
}

// evictOne lets one device go: the longest idle of the least remarkable,
// unless one of a higher rank has been silent for longIdle.
func (t *Table) evictOne() {
	for r := ranks - 1; r > silent; r-- {
		if n := t.queues[r].oldest; n != 0 && t.now-t.slab.at(n).last > longIdle {
			t.drop(t.slab.at(n), "idle")
			return
		}
	}
	for r := range t.queues {
		if n := t.queues[r].oldest; n != 0 {
			t.drop(t.slab.at(n), "full")
			return
		}
	}
}

// drop forgets d and what hangs on it.
func (t *Table) drop(d *Device, why string) {
	t.stats.Evicted[why]++
	if d.into() == nil && d.view != nil {
		t.changes = append(t.changes, Change{At: timeOf(t.now), Device: d.view, Before: *d.view.Verdict, Gone: true, Why: "let go: " + why})
	}
	for b := range t.held(d) {
		t.unbind(b)
	}
	t.forget(d)
	d.bindings, d.addrs, d.dossier, d.view, d.place, d.rare = 0, 0, nil, nil, nil, nil
	t.slab.release(d)
}

// forget takes d out of every index.
func (t *Table) forget(d *Device) {
	t.unlinkJoins(d)
	t.slab.unlink(&t.queues[d.rank], d)
	t.byID.remove(uint32(d.num), d.self)
	if d.mac != zeroMAC {
		t.loseMAC(d)
	}
	for _, mark := range [...]uint64{d.client, d.host} {
		if mark != 0 && t.byMark[mark] == d.ref() {
			delete(t.byMark, mark)
		}
	}
	d.flags |= dead
}

// loseMAC takes d out of the index of hardware addresses.
func (t *Table) loseMAC(d *Device) {
	k := macKey{d.mac, d.realm}
	if t.withMAC(k) != d {
		return
	}
	t.byMAC.remove(t.hashMAC(k), d.self)
	if k == t.wayOut {
		t.wayOut = macKey{}
	}
}
