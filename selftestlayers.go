package main

import (
	"encoding/binary"
	"net/netip"

	"picket/sensor/capture"
)

// layersTold are the encapsulations that a span may come in: each carries a
// question for a name of its own.
var layersTold = []string{"vlan", "qinq", "pppoe", "mpls", "ipip", "gre", "erspan", "vxlan", "geneve", "capwap"}

// layers writes one question inside each of them.
func (s *script) layers() {
	for _, name := range layersTold {
		inner := &script{at: s.at}
		far := netip.AddrPortFrom(scriptResolver, 53)
		inner.udp(deviceNumber(5), true, 33000, far, dnsMessage(1, layerQuestion(name), 1, netip.Addr{}))
		s.at += int64(1e6)
		data := enclose(name, inner.frames[0].Data)
		s.frames = append(s.frames, capture.Frame{Data: data, At: s.at, Wire: len(data), Link: capture.LinkEthernet})
	}
}

func layerQuestion(name string) string { return name + ".layers.example.com" }

// enclose puts an Ethernet frame, or the IP packet in it, into a layer.
func enclose(name string, frame []byte) []byte {
	addresses, packet := frame[:12:12], frame[14:]
	join := func(parts ...[]byte) (out []byte) {
		for _, p := range parts {
			out = append(out, p...)
		}
		return out
	}
	switch name {
	case "vlan":
		return join(addresses, []byte{0x81, 0, 0, 110}, frame[12:])
	case "qinq": // IEEE 802.1ad
		return join(addresses, []byte{0x88, 0xa8, 0, 20, 0x81, 0, 0, 110}, frame[12:])
	case "pppoe": // RFC 2516, section 4; PPP protocol 0x0021 is IPv4
		return join(addresses, []byte{0x88, 0x64, 0x11, 0, 0, 1}, be16(len(packet)+2), []byte{0, 0x21}, packet)
	case "mpls": // RFC 3032: label 100, bottom of the stack
		return join(addresses, []byte{0x88, 0x47, 0, 6, 0x41, 64}, packet)
	case "ipip":
		return betweenSwitches(addresses, 4, packet)
	case "gre": // RFC 2784
		return betweenSwitches(addresses, 47, join([]byte{0, 0, 8, 0}, packet))
	case "erspan": // type II: GRE with a sequence number, then eight bytes
		return betweenSwitches(addresses, 47, join([]byte{0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 110, 0, 1, 0, 0, 0, 1}, frame))
	case "vxlan": // RFC 7348, network 42
		return betweenSwitches(addresses, 17, join(ports(4789, 8+len(frame)), []byte{8, 0, 0, 0, 0, 0, 42, 0}, frame))
	case "geneve": // RFC 8926, network 7
		return betweenSwitches(addresses, 17, join(ports(6081, 8+len(frame)), []byte{0, 0, 0x65, 0x58, 0, 0, 7, 0}, frame))
	default: // CAPWAP data (RFC 5415, section 4.3), bridged: an Ethernet frame in clear
		return betweenSwitches(addresses, 17, join(ports(5247, 8+len(frame)), []byte{0, 0x10, 0x02, 0, 0, 1, 0, 0}, frame))
	}
}

func be16(n int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(n)) }

// ports is a UDP header from a port of its own to port to.
func ports(to, payload int) []byte {
	return append(append(append(be16(49152), be16(to)...), be16(8+payload)...), 0, 0)
}

// betweenSwitches is an IPv4 packet between two switches.
func betweenSwitches(addresses []byte, proto byte, body []byte) []byte {
	head := append([]byte{0x45, 0}, be16(20+len(body))...)
	head = append(head, 0, 1, 0x40, 0, 64, proto, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2)
	return append(append(append(append([]byte{}, addresses...), 8, 0), head...), body...)
}

// leases6 asks for an address of IPv6 (RFC 8415).
func (s *script) leases6(d scriptDevice) {
	six := scriptDevice{d.mac, netip.MustParseAddr("fe80::70:6bff:fe00:1")}
	solicit := append([]byte{1, 0, 0, 7, 0, 1, 0, 10, 0, 3, 0, 1}, d.mac[:]...)
	s.udp(six, true, 546, netip.MustParseAddrPort("[ff02::1:2]:547"), append(solicit, 0, 6, 0, 2, 0, 23))
}

// accounts tells of d by RADIUS accounting (RFC 2866), from an access point.
func (s *script) accounts(d scriptDevice) {
	station := "02-70-6B-00-00-01"
	attributes := append([]byte{40, 6, 0, 0, 0, 1, 8, 6}, d.addr.AsSlice()...)
	attributes = append(append(attributes, 31, byte(2+len(station))), station...)
	ap := scriptDevice{[6]byte{2, 0, 0, 0, 0, 0xfd}, netip.MustParseAddr("10.20.0.2")}
	server := netip.AddrPortFrom(scriptGateway, 1813)
	s.udp(ap, true, 40005, server, append(append([]byte{4, 9}, append(be16(20+len(attributes)), make([]byte, 16)...)...), attributes...))
	s.udp(ap, false, 40005, server, append([]byte{5, 9, 0, 20}, make([]byte, 16)...))
}
