package device

import (
	"net/netip"
	"time"
)

// Config bounds a Table and sets its clocks. Zero values mean the defaults.
type Config struct {
	// Key makes device ids: keep it, and ids survive a restart; fix it, and
	// output is reproducible. It must be secret where ids leave the site.
	Key []byte
	// Judge weighs evidence. It may be replaced with Table.SetJudge.
	Judge Judge
	// Home reports whether an address is inside home_networks. Nil: every
	// private address is (RFC 1918, RFC 4193, RFC 6598, link-local).
	Home func(netip.Addr) bool

	// Watched reports whether somebody waits for what a device does: a policy
	// prohibits it. Asked whenever a View is made. Nil: nobody does.
	Watched func(*View) bool

	MaxDevices int // default 200,000; beyond it the idle and unremarkable go first
	MaxAddrs   int // addresses kept for one device, default 24
	MaxNames   int // name ↔ address pairs over all devices, default 262,144
	MaxPending int // DHCP requests that wait for their answer, default 8,192
	MaxRealms  int // default 1,024; addresses of further realms have no device

	// IdleAddress is how long an address without a hardware address may be
	// silent and still be the same device. Default 4 h.
	IdleAddress time.Duration
	// Refresh is the least packet time between two verdicts of one device
	// that sends nothing. Default 500 ms. A Transfer never waits for it.
	Refresh time.Duration
	// Recheck is how old a verdict may grow before decay is applied though
	// nothing new was seen. Default 1 h.
	Recheck time.Duration
}

const (
	defaultMaxDevices = 200_000
	defaultMaxAddrs   = 24
	defaultMaxNames   = 1 << 18
	defaultMaxPending = 1 << 13
	defaultMaxRealms  = 1 << 10
)

func (c *Config) defaults() {
	set := func(n *int, d int) {
		if *n <= 0 {
			*n = d
		}
	}
	set(&c.MaxDevices, defaultMaxDevices)
	set(&c.MaxAddrs, defaultMaxAddrs)
	set(&c.MaxNames, defaultMaxNames)
	set(&c.MaxPending, defaultMaxPending)
	set(&c.MaxRealms, defaultMaxRealms)
	wait := func(t *time.Duration, d time.Duration) {
		if *t <= 0 {
			*t = d
		}
	}
	wait(&c.IdleAddress, 4*time.Hour)
	wait(&c.Refresh, 500*time.Millisecond)
	wait(&c.Recheck, time.Hour)
	if c.Home == nil {
		c.Home = privateAddr
	}
	if len(c.Key) == 0 {
		c.Key = []byte("picket: fixed key for runs without state")
	}
}

// sharedSpace is 100.64.0.0/10, carrier-grade NAT (RFC 6598).
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

func privateAddr(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsLoopback() || sharedSpace.Contains(a)
}

// Stats counts what the table holds and what it had to let go.
type Stats struct {
	Devices  int           // now
	Active   int           // of them, seen within the last hour of packet time
	Learning int           // of the active, those of which too little was seen
	Groups   map[Group]int // devices by maker, class and confidence; routers left out
	Evicted  map[string]uint64
	Bytes    uint64 // of flows with an end at home, both directions
	NoDevice uint64 // of Bytes, at addresses without a device
	Moved    uint64 // leases that went to another device
	Joined   uint64
	Unjoined uint64
	Refused  uint64 // claims of a weaker source than the one that holds the address
	Now      time.Time
}

// LearningRatio is the share of active devices of which too little was seen.
func (s Stats) LearningRatio() float64 { return ratio(uint64(s.Learning), uint64(s.Active)) }

// NoDeviceRatio is the share of bytes at addresses without a device.
func (s Stats) NoDeviceRatio() float64 { return ratio(s.NoDevice, s.Bytes) }

func ratio(part, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// Group is a cell of the metric devices.
type Group struct{ Maker, Class, Confidence string }

// A Hint tells the operator something about where the tap stands.
type Hint struct {
	At    time.Time
	Kind  string // "resolver-or-nat", "routers-only"
	Realm string
	Addr  netip.Addr // zero when the hint is about the whole span
	Text  string     // in words
}
