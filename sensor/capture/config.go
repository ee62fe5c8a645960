package capture

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// Config is what the operator may set about live capture. Default has the
// defaults; the zero value is not usable.
type Config struct {
	// Driver: auto, ring or libpcap. auto takes the ring, and libpcap where
	// the ring cannot serve: with vlan in the filter, on the device "any", on
	// a link type other than Ethernet and raw IP.
	Driver Driver `yaml:"driver"`
	// RingSize is the memory between kernel and sensor, for each ring. Too
	// small a ring drops in the first burst: libpcap's own default of 2 MiB
	// holds 16 ms of 1 Gbit/s.
	RingSize Size `yaml:"ring_size"`
	// SnapLength cuts frames, in bytes. The default keeps the super-frames
	// that an interface with receive offload delivers.
	SnapLength int `yaml:"snap_length"`
	// Filter is a libpcap expression (pcap-filter(7)); what it rejects is not
	// seen and not counted.
	Filter string `yaml:"filter"`
	// Promiscuous asks for frames addressed to others, without which a span
	// port shows next to nothing.
	Promiscuous bool `yaml:"promiscuous"`
	// IgnoreOutgoing drops what the machine itself sends through the
	// interface. On a span port nothing is; on a router or access point it is
	// one of the two directions.
	IgnoreOutgoing bool `yaml:"ignore_outgoing"`
	// Fanout spreads frames over several rings: by the address at home
	// (home), or by the kernel's flow hash (hash). With hash a device's
	// names and flows may meet different workers.
	Fanout Fanout `yaml:"fanout"`
	// Tunnel is the encapsulation that the span delivers, if any, so that the
	// innermost address at home decides the ring: none, erspan, vxlan, gre or
	// capwap.
	Tunnel Tunnel `yaml:"tunnel"`
	// Restraint leaves the content of bulk downstream data in the kernel:
	// headers and lengths are kept, so that bytes stay exact. It costs names
	// in server certificates that span segments. Ring only.
	Restraint bool `yaml:"restraint"`

	// HomeNetworks say which addresses are ours, for fanout and restraint;
	// set by main from home_networks.
	HomeNetworks []netip.Prefix `yaml:"-"`
	// Sockets were opened beforehand, for rings; nil: each ring opens its own.
	Sockets *Sockets `yaml:"-"`
}

// Default returns the configuration that is used where the operator is silent.
func Default() Config {
	return Config{
		Driver: DriverAuto, RingSize: 64 << 20, SnapLength: MaxFrame,
		Promiscuous: true, Fanout: FanoutHome, Tunnel: TunnelNone, Restraint: true,
	}
}

// Validate says what in c cannot be.
func (c *Config) Validate() error {
	if c.RingSize < 256<<10 || c.RingSize > 16<<30 {
		return fmt.Errorf("ring_size %s: want 256KiB to 16GiB", c.RingSize)
	}
	if c.SnapLength < 64 || c.SnapLength > MaxFrame {
		return fmt.Errorf("snap_length %d: want 64 to %d bytes", c.SnapLength, MaxFrame)
	}
	return nil
}

// vlanWord finds what a ring cannot filter by: the kernel takes the outer tag
// out of a frame before a ring's filter sees it, and libpcap compiles for
// frames that still have it, or for its own sockets.
var vlanWord = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)\bvlan\b`) })

// CheckFilter says what is wrong with a filter expression.
func CheckFilter(expr string) error {
	if expr == "" {
		return nil
	}
	_, err := compileFilter(LinkEthernet, MaxFrame, expr)
	return err
}

// Driver chooses how an interface is read.
type Driver string

// The drivers.
const (
	DriverAuto    Driver = "auto"
	DriverRing    Driver = "ring"
	DriverLibpcap Driver = "libpcap"
)

// UnmarshalText reads a driver's name.
func (d *Driver) UnmarshalText(b []byte) error {
	return oneOf("driver", d, b, DriverAuto, DriverRing, DriverLibpcap)
}

// Fanout chooses which of several rings a frame goes to.
type Fanout string

// The ways to spread frames.
const (
	FanoutHome Fanout = "home"
	FanoutHash Fanout = "hash"
)

// UnmarshalText reads a fanout's name.
func (f *Fanout) UnmarshalText(b []byte) error {
	return oneOf("fanout", f, b, FanoutHome, FanoutHash)
}

// Tunnel is an encapsulation with constant outer addresses.
type Tunnel string

// The tunnels that the spreading of frames looks into.
const (
	TunnelNone   Tunnel = "none"
	TunnelERSPAN Tunnel = "erspan" // GRE, ERSPAN type I, II or III, Ethernet
	TunnelVXLAN  Tunnel = "vxlan"  // UDP port 4789, Ethernet
	TunnelGRE    Tunnel = "gre"    // GRE, IP
	TunnelCAPWAP Tunnel = "capwap" // UDP port 5247, 802.11 or 802.3
)

// UnmarshalText reads a tunnel's name.
func (t *Tunnel) UnmarshalText(b []byte) error {
	return oneOf("tunnel", t, b, TunnelNone, TunnelERSPAN, TunnelVXLAN, TunnelGRE, TunnelCAPWAP)
}

func oneOf[T ~string](what string, dst *T, b []byte, known ...T) error {
	var names []string
	for _, k := range known {
		if string(b) == string(k) {
			*dst = k
			return nil
		}
		names = append(names, string(k))
	}
	return fmt.Errorf("%s %q: want %s", what, b, strings.Join(names, ", "))
}

// Size is a number of bytes, written 64MiB, 1GiB, 500kB or plain.
type Size int64

var units = [...]struct {
	name string
	size Size
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}, {"", 1}}

// UnmarshalText reads a size.
func (s *Size) UnmarshalText(b []byte) error {
	for _, u := range units {
		digits, ok := strings.CutSuffix(strings.TrimSpace(string(b)), u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || n < 0 || n > (1<<62)/int64(u.size) {
			break
		}
		*s = Size(n) * u.size
		return nil
	}
	return fmt.Errorf("size %q: want a number of bytes such as 64MiB", b)
}

// String writes s with the largest unit that divides it.
func (s Size) String() string {
	for _, u := range [...]int{2, 1, 0} {
		if s != 0 && s%units[u].size == 0 {
			return strconv.FormatInt(int64(s/units[u].size), 10) + units[u].name
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}
