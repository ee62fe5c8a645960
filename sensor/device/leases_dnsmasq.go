package device

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"picket/sensor/observation"
	"picket/sensor/packet"
)

// A line of a lease file or of the feed is read into a binding, or refused
// with one of these.
var (
	ErrLine    = errors.New("device: line cannot be read")
	ErrNoLease = errors.New("device: line states no lease") // a header, a DUID line, an empty line
)

// Lease times that nobody means: before the epoch of DHCP, or so far ahead
// that a nanosecond count cannot hold them.
const maxLeaseTime = 1 << 33 // seconds since 1970: the year 2242

// ParseDnsmasqLine reads a line of dnsmasq's lease file
// (/var/lib/misc/dnsmasq.leases): expiry in seconds since 1970 (0: never),
// hardware address, address, host name or *, client identifier or *. The
// lines of DHCPv6 name an IAID in place of a hardware address and state no
// binding to one, as does the duid line: they are ErrNoLease. The host name
// is not read.
func ParseDnsmasqLine(line string) (observation.BindingSeen, error) {
	b := observation.BindingSeen{Source: "lease-file"}
	f := strings.Fields(line)
	if len(f) == 0 || f[0] == "duid" {
		return b, ErrNoLease
	}
	if len(f) < 4 || len(f) > 5 {
		return b, ErrLine
	}
	expires, err := strconv.ParseInt(f[0], 10, 64)
	if err != nil || expires < 0 || expires > maxLeaseTime {
		return b, ErrLine
	}
	if b.Addr, err = netip.ParseAddr(f[2]); err != nil || b.Addr.Zone() != "" {
		return b, ErrLine
	}
	hw := f[1]
	if _, rest, ok := strings.Cut(hw, "-"); ok && len(hw) > 17 { // 06-aa:bb:..: the hardware type comes first when it is not Ethernet's
		hw = rest
	}
	var ok bool
	if b.MAC, ok = parseMAC(hw); !ok || b.MAC == (packet.MAC{}) {
		if isNumber(strings.TrimPrefix(f[1], "T")) && b.Addr.Is6() {
			return b, ErrNoLease
		}
		return b, ErrLine
	}
	if expires > 0 {
		b.To = time.Unix(expires, 0).UTC()
	}
	return b, nil
}

func isNumber(s string) bool {
	_, err := strconv.ParseUint(s, 10, 32)
	return err == nil
}
