package flow

import (
	"net/netip"
	"testing"

	"picket/sensor/packet"
)

// A DHCP broadcast from no address has no end at home, and says nothing
// about home_networks.
func TestBroadcastIsNotWithoutHome(t *testing.T) {
	table := New(Config{Home: NewHome([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})}, func(*Flow, bool) bool { return true })
	for src, dst := range map[string]string{"0.0.0.0": "255.255.255.255", "fe80::1": "ff02::fb", "198.51.100.1": "203.0.113.1"} {
		p := packet.Packet{At: 1e18, Wire: 100, Version: 4, Proto: packet.ProtoUDP, SrcPort: 68, DstPort: 67, PayloadLen: 50,
			Src: packet.AddrFrom(netip.MustParseAddr(src)), Dst: packet.AddrFrom(netip.MustParseAddr(dst))}
		table.Touch(&p)
	}
	if got := table.Stats().NoHome; got != 100 {
		t.Errorf("%d bytes without home, want 100: those between two public addresses", got)
	}
}
