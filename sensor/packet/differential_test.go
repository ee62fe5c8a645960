package packet

import (
	"bytes"
	"math/rand/v2"
	"net"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// TestAgreesWithGopacket compares Decode with an independent decoder over
// plain frames that a third party's serialiser made.
func TestAgreesWithGopacket(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for i := range 2000 {
		frame := plainFrame(t, r)
		ref := gopacket.NewPacket(frame, layers.LayerTypeEthernet, gopacket.NoCopy)
		var p Packet
		if got := p.Decode(1, frame, 1, len(frame)); got != Decoded {
			t.Fatalf("frame %d: %v at %v\n%v", i, got, p.Layer, ref)
		}
		src, dst := ref.NetworkLayer().NetworkFlow().Endpoints()
		if !bytes.Equal(src.Raw(), p.Src.Netip().AsSlice()) || !bytes.Equal(dst.Raw(), p.Dst.Netip().AsSlice()) {
			t.Fatalf("frame %d: %v → %v\n%v", i, p.Src.Netip(), p.Dst.Netip(), ref)
		}
		var payload []byte
		switch l := ref.TransportLayer().(type) {
		case *layers.TCP:
			payload = l.Payload
			if p.Seq != l.Seq || p.Ack != l.Ack || p.SrcPort != uint16(l.SrcPort) || p.DstPort != uint16(l.DstPort) || p.Window != l.Window || p.Flags&SYN != 0 != l.SYN {
				t.Fatalf("frame %d: %+v\n%v", i, p, ref)
			}
		case *layers.UDP:
			payload = l.Payload
			if p.SrcPort != uint16(l.SrcPort) || p.DstPort != uint16(l.DstPort) {
				t.Fatalf("frame %d: %+v\n%v", i, p, ref)
			}
		}
		if !bytes.Equal(payload, p.Payload) || len(payload) != p.PayloadLen {
			t.Fatalf("frame %d: %d bytes of payload (%d claimed), want %d", i, len(p.Payload), p.PayloadLen, len(payload))
		}
	}
}

// plainFrame makes Ethernet, up to two tags, IPv4 or IPv6, TCP or UDP.
func plainFrame(t *testing.T, r *rand.Rand) []byte {
	t.Helper()
	random := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	v6, isTCP, tags := r.IntN(2) == 0, r.IntN(2) == 0, r.IntN(3)
	proto, kind := layers.IPProtocolUDP, layers.EthernetTypeIPv4
	if isTCP {
		proto = layers.IPProtocolTCP
	}
	if v6 {
		kind = layers.EthernetTypeIPv6
	}
	outer := kind
	if tags > 0 {
		outer = layers.EthernetTypeDot1Q
	}
	stack := []gopacket.SerializableLayer{&layers.Ethernet{SrcMAC: random(6), DstMAC: random(6), EthernetType: outer}}
	for i := range tags {
		next := kind
		if i+1 < tags {
			next = layers.EthernetTypeDot1Q
		}
		stack = append(stack, &layers.Dot1Q{VLANIdentifier: uint16(r.IntN(4095)), Type: next})
	}
	var network gopacket.NetworkLayer
	if v6 {
		l := &layers.IPv6{Version: 6, NextHeader: proto, HopLimit: 60, SrcIP: net.IP(append([]byte{0x20}, random(15)...)), DstIP: net.IP(append([]byte{0x20}, random(15)...))}
		network, stack = l, append(stack, l)
	} else {
		l := &layers.IPv4{Version: 4, Protocol: proto, TTL: 60, SrcIP: random(4), DstIP: random(4)}
		network, stack = l, append(stack, l)
	}
	var err error
	if isTCP {
		l := &layers.TCP{SrcPort: layers.TCPPort(r.Uint32()), DstPort: layers.TCPPort(r.Uint32()), Seq: r.Uint32(), Ack: r.Uint32(), SYN: r.IntN(2) == 0, Window: uint16(r.Uint32())}
		err, stack = l.SetNetworkLayerForChecksum(network), append(stack, l)
	} else {
		l := &layers.UDP{SrcPort: layers.UDPPort(40000 + r.IntN(9000)), DstPort: 443}
		err, stack = l.SetNetworkLayerForChecksum(network), append(stack, l)
	}
	stack = append(stack, gopacket.Payload(random(r.IntN(200))))
	buf := gopacket.NewSerializeBuffer()
	if err == nil {
		err = gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, stack...)
	}
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte(nil), buf.Bytes()...)
}
