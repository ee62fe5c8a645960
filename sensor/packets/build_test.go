package packets

import (
	"encoding/binary"
	"net/netip"

	"picket/sensor/packet"
)

var be = binary.BigEndian

const (
	client = "10.0.0.1"
	server = "203.0.113.9"
)

// frameOf is a frame from client to server, or back, with its record.
func frameOf(at int64, flow uint64, sent bool, proto uint8, port uint16, seq uint32, payload string) Frame {
	src, dst := netip.MustParseAddr(client), netip.MustParseAddr(server)
	sport, dport := uint16(40000), port
	if !sent {
		src, dst, sport, dport = dst, src, dport, sport
	}
	var transport []byte
	transport = be.AppendUint16(be.AppendUint16(transport, sport), dport)
	if proto == packet.ProtoTCP {
		transport = be.AppendUint32(be.AppendUint32(transport, seq), 1)
		transport = append(transport, 0x50, 0x18, 2, 0, 0, 0, 0, 0)
	} else {
		transport = append(be.AppendUint16(transport, uint16(8+len(payload))), 0, 0)
	}
	header := len(transport)
	transport = append(transport, payload...)
	sum := checksum(src, dst, proto, transport)
	if proto == packet.ProtoTCP {
		be.PutUint16(transport[16:], sum)
	} else {
		be.PutUint16(transport[6:], sum)
	}
	ip := append([]byte{0x45, 0}, be.AppendUint16(nil, uint16(20+len(transport)))...)
	ip = append(ip, 0, 7, 0x40, 0, 64, proto, 0, 0)
	ip = append(append(ip, src.AsSlice()...), dst.AsSlice()...)
	data := append([]byte{2, 0, 0, 0, 0, 0xbb, 2, 0, 0, 0, 0, 0xaa, 8, 0}, append(ip, transport...)...)
	r := Record{
		At: at, Flow: flow, Home: packet.AddrFrom(netip.MustParseAddr(client)), Away: packet.AddrFrom(netip.MustParseAddr(server)),
		Wire: uint32(len(data)), Size: uint32(len(data)), Body: uint32(14 + 20 + header), Whole: uint32(len(payload)), Link: linkEthernet,
		Sent: sent, DNS: port == 53,
	}
	return Frame{r, data}
}

// checksum of a segment or datagram (RFC 9293, section 3.1).
func checksum(src, dst netip.Addr, proto uint8, b []byte) uint16 {
	all := append(append(src.AsSlice(), dst.AsSlice()...), 0, proto)
	all = append(be.AppendUint16(all, uint16(len(b))), b...)
	if len(all)%2 == 1 {
		all = append(all, 0)
	}
	sum := uint32(0)
	for i := 0; i < len(all); i += 2 {
		sum += uint32(be.Uint16(all[i:]))
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// packetsOf reads back what a Writer wrote: the data of each packet.
func packetsOf(blocks []byte) (out [][]byte) {
	for at := 0; at+32 <= len(blocks); at += int(le.Uint32(blocks[at+4:])) {
		n := int(le.Uint32(blocks[at+20:]))
		out = append(out, blocks[at+28:at+28+n])
	}
	return out
}
