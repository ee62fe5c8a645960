package wire

import (
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

func serialised(t testing.TB, l ...gopacket.SerializableLayer) []byte {
	t.Helper()
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true}, l...); err != nil {
		t.Fatal(err)
	}
	return slices.Clone(buf.Bytes())
}

func arpPacket(t testing.TB, op uint16, mac net.HardwareAddr, sender, target string) []byte {
	s, d := netip.MustParseAddr(sender).As4(), netip.MustParseAddr(target).As4()
	return serialised(t, &layers.ARP{AddrType: layers.LinkTypeEthernet, Protocol: layers.EthernetTypeIPv4, HwAddressSize: 6, ProtAddressSize: 4,
		Operation: op, SourceHwAddress: mac, SourceProtAddress: s[:], DstHwAddress: make([]byte, 6), DstProtAddress: d[:]})
}

func TestARP(t *testing.T) {
	mac := net.HardwareAddr{2, 0, 0x5e, 0x10, 0, 1}
	for _, c := range []struct {
		what       string
		b          []byte
		op         NeighbourOp
		addr       string
		gratuitous bool
		err        error
	}{
		{"request", arpPacket(t, 1, mac, "192.0.2.7", "192.0.2.1"), ARPRequest, "192.0.2.7", false, nil},
		{"reply", arpPacket(t, 2, mac, "192.0.2.7", "192.0.2.1"), ARPReply, "192.0.2.7", false, nil},
		{"gratuitous", arpPacket(t, 1, mac, "192.0.2.7", "192.0.2.7"), ARPRequest, "192.0.2.7", true, nil},
		{"probe", arpPacket(t, 1, mac, "0.0.0.0", "192.0.2.7"), ARPProbe, "192.0.2.7", false, nil},
		{"inverse", arpPacket(t, 8, mac, "192.0.2.7", "192.0.2.1"), NoNeighbour, "", false, ErrOther},
		{"broadcast sender", arpPacket(t, 1, net.HardwareAddr{255, 255, 255, 255, 255, 255}, "192.0.2.7", "192.0.2.1"), NoNeighbour, "", false, ErrMalformed},
	} {
		var n Neighbour
		if err := n.ParseARP(c.b); err != c.err {
			t.Errorf("%s: %v, want %v", c.what, err, c.err)
		} else if err == nil && (n.Op != c.op || n.Addr.String() != c.addr || n.Gratuitous != c.gratuitous || !n.HasMAC || n.MAC != [6]byte(mac)) {
			t.Errorf("%s: %+v", c.what, n)
		}
	}
	whole := arpPacket(t, 1, mac, "192.0.2.7", "192.0.2.1")
	for i := range whole {
		var n Neighbour
		if err := n.ParseARP(whole[:i]); err != ErrTruncated {
			t.Errorf("first %d bytes: %v, want ErrTruncated", i, err)
		}
	}
}

// icmpOf is an ICMPv6 message of the type, without checksum.
func icmpOf(kind byte, body ...byte) []byte { return append([]byte{kind, 0, 0, 0}, body...) }

func TestND(t *testing.T) {
	src := netip.MustParseAddr("fe80::7")
	target := netip.MustParseAddr("2001:db8::7").As16()
	slla := []byte{1, 1, 2, 0, 0x5e, 0x10, 0, 1}
	tlla := []byte{2, 1, 2, 0, 0x5e, 0x10, 0, 2}
	prefix := append([]byte{3, 4, 64, 0xc0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0}, target[:]...)
	ns := append(icmpOf(135, append(make([]byte, 4), target[:]...)...), slla...)
	na := append(icmpOf(136, append([]byte{0xa0, 0, 0, 0}, target[:]...)...), tlla...)
	ra := append(icmpOf(134, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0), append(slices.Clone(slla), prefix...)...)
	var n Neighbour

	if err := n.ParseND(ns, src, 255); err != nil || n.Op.String() != "ns" || n.Addr != src || n.MAC[5] != 1 || n.Target.String() != "2001:db8::7" {
		t.Errorf("NS: %v %+v", err, n)
	}
	if err := n.ParseND(ns, netip.IPv6Unspecified(), 255); err != nil || n.Op.String() != "probe" || n.Addr.String() != "2001:db8::7" {
		t.Errorf("NS of duplicate address detection: %v %+v", err, n)
	}
	if err := n.ParseND(na, src, 255); err != nil || n.Op.String() != "na" || n.Addr.String() != "2001:db8::7" || n.MAC[5] != 2 || !n.Router {
		t.Errorf("NA: %v %+v", err, n)
	}
	if err := n.ParseND(ra, src, 255); err != nil || n.Op.String() != "ra" || !n.Router || n.Lifetime != 1800 || !n.HasMAC ||
		!slices.Equal(n.Prefixes, []netip.Prefix{netip.MustParsePrefix("2001:db8::/64")}) {
		t.Errorf("RA: %v %+v", err, n)
	}
	if err := n.ParseND(ra, src, 64); err != ErrMalformed {
		t.Errorf("hop limit 64: %v, want ErrMalformed", err)
	}
	if err := n.ParseND(icmpOf(128, 0, 0, 0, 0), src, 255); err != ErrOther {
		t.Errorf("echo request: %v, want ErrOther", err)
	}
	if err := n.ParseND(append(slices.Clone(ns[:24]), 1, 0, 0, 0, 0, 0, 0, 0), src, 255); err != ErrMalformed {
		t.Errorf("option of length 0: %v, want ErrMalformed", err)
	}
	for i := range ra {
		if err := n.ParseND(ra[:i], src, 255); err != ErrTruncated && i != 16 && i != 24 {
			t.Errorf("first %d bytes of the RA: %v, want ErrTruncated", i, err)
		}
	}
	if a := testing.AllocsPerRun(100, func() { n.ParseND(ra, src, 255) }); a != 0 {
		t.Errorf("%v allocations, want none", a)
	}
}

func FuzzNeighbour(f *testing.F) {
	f.Add(arpPacket(f, 1, net.HardwareAddr{2, 0, 0, 0, 0, 1}, "192.0.2.7", "192.0.2.1"))
	f.Add(icmpOf(136, append([]byte{0xa0, 0, 0, 0}, make([]byte, 16)...)...))
	f.Add(icmpOf(134, append(make([]byte, 12), 3, 4, 64, 0)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		var n Neighbour
		n.ParseARP(b)
		n.ParseND(b, netip.MustParseAddr("fe80::1"), 255)
		if len(n.Prefixes) > ndMaxPrefixes {
			t.Error("over the bound")
		}
	})
}
