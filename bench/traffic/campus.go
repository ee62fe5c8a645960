package traffic

import (
	"fmt"
	"net/netip"
)

// device is one client, derived from its number alone.
type device struct {
	n  int
	v4 netip.Addr
	v6 netip.Addr
}

func (g *generator) device(n int) device {
	v6 := [16]byte{0xfd, 0x12, 0x34, 0x56, 0x78, 0x9a}
	v6[13], v6[14], v6[15] = byte(n>>16)|0x80, byte(n>>8), byte(n)
	return device{n, netip.AddrFrom4([4]byte{10, 16 + byte(n>>16), byte(n >> 8), byte(n)}), netip.AddrFrom16(v6)}
}

// mac is a locally administered address.
func (d device) mac() [6]byte { return [6]byte{2, 0x11, 0, byte(d.n >> 16), byte(d.n >> 8), byte(d.n)} }

// vlan is 0 for every second device.
func (d device) vlan() uint16 {
	if d.n%2 == 1 {
		return 0
	}
	return uint16(10 + d.n/2%8)
}

var (
	gateway   = [6]byte{2, 0x22, 0, 0, 0, 1}
	resolver4 = netip.MustParseAddr("10.0.0.53")
	resolver6 = netip.MustParseAddr("fd12:3456:789a::53")
)

const servers = 4000

// server is one service: a name and its addresses.
type server struct {
	name   string
	v4, v6 netip.Addr
}

// clouds are first octets that no bogon filter takes away.
var clouds = [...]byte{23, 34, 47, 52, 93, 104, 142, 151, 185, 203}

// known are names that signatures may know, so that verdicts are part of what
// is measured. They stand for one service in fifty.
var known = [...]string{
	"connect.rom.miui.com", "data.mistat.xiaomi.com", "api.account.xiaomi.com", "connectivitycheck.platform.hicloud.com",
	"connectivitycheck.gstatic.com", "captive.apple.com", "gsp-ssl.ls.apple.com", "play.googleapis.com",
}

func serverNumber(n int) server {
	s := server{
		name: fmt.Sprintf("host%d.service%d.example.net", n, n%97),
		v4:   netip.AddrFrom4([4]byte{clouds[n%len(clouds)], 64 + byte(n>>10), byte(n >> 8), byte(n)}),
	}
	v6 := [16]byte{0x26, 0x06, 0x47, byte(n % 16)}
	v6[14], v6[15] = byte(n>>8), byte(n)
	s.v6 = netip.AddrFrom16(v6)
	if n%50 == 7 {
		s.name = known[n/50%len(known)]
		if k := n / 50 / len(known); k > 0 {
			s.name = fmt.Sprintf("r%d.%s", k, s.name)
		}
	}
	return s
}
