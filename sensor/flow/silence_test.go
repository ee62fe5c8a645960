package flow

import (
	"net/netip"
	"testing"

	"picket/sensor/packet"
)

// A flow whose next report lies beyond the wheel, after a silence of years,
// must not be put back into the bucket that is being emptied.
func TestExpireEndsAfterYearsOfSilence(t *testing.T) {
	home := NewHome([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})
	reports := 0
	table := New(Config{Home: home, IdleTCP: 1 << 60, ReportEvery: 1 << 50}, func(*Flow, bool) bool { reports++; return true })
	p := packet.Packet{
		At: 1e18, Version: 4, Proto: packet.ProtoTCP, SrcPort: 4000, DstPort: 443, Flags: 0x10, Seq: 1, Ack: 1,
		Src: packet.AddrFrom(netip.MustParseAddr("10.0.0.1")), Dst: packet.AddrFrom(netip.MustParseAddr("198.51.100.1")),
		Payload: []byte("data"), PayloadLen: 4,
	}
	table.Touch(&p)
	table.Expire(p.At + 400*24*3600*1e9)
	table.Expire(p.At + 800*24*3600*1e9)
	if reports == 0 {
		t.Error("nothing was reported")
	}
}
