package traffic

import "net/netip"

// TCP flags.
const (
	fin = 0x01
	syn = 0x02
	rst = 0x04
	psh = 0x08
	ack = 0x10
)

// segment is one packet of a conversation.
type segment struct {
	of        *Flow
	up        bool // from the client
	flags     byte
	seq, ack  uint32
	payload   []byte
	fresh     int // how many of its bytes were not sent before
	handshake int // how many of the fresh ones are handshake
	bulk      bool
}

// send writes the frame of s and tells the truth.
func (g *generator) send(d device, s *segment) {
	from, to, sport, dport := s.of.Client, s.of.Server, s.of.ClientPort, s.of.ServerPort
	if s.up {
		s.of.Sent += uint64(s.fresh)
		s.of.Handshake += uint64(s.handshake)
	} else {
		s.of.Received += uint64(s.fresh)
		from, to, sport, dport = to, from, dport, sport
	}
	if s.bulk {
		g.sum.Bulk++
	}
	proto, l4 := byte(17), 8
	if s.of.Proto == "tcp" {
		proto, l4 = 6, 20
		if s.flags&syn != 0 {
			l4 = 40
		} else {
			l4 = 32
		}
	}
	b := g.linkHeader(d, s.up, from.Is4(), l4+len(s.payload))
	b = ipHeader(b, from, to, proto, l4+len(s.payload))
	b = be.AppendUint16(be.AppendUint16(b, sport), dport)
	if proto == 17 {
		b = be.AppendUint16(b, uint16(8+len(s.payload)))
		b = append(b, 0, 0)
	} else {
		b = tcpRest(b, s, l4, uint32(g.now/1e6))
	}
	b = append(b, s.payload...)
	g.write(b)
}

func tcpRest(b []byte, s *segment, l4 int, stamp uint32) []byte {
	b = be.AppendUint32(be.AppendUint32(b, s.seq), s.ack)
	b = append(b, byte(l4/4)<<4, s.flags, 0xff, 0xff, 0, 0, 0, 0)
	if s.flags&syn != 0 { // MSS, SACK permitted, timestamps, window scale
		b = append(b, 2, 4, 5, 0xb4, 4, 2, 8, 10)
		b = be.AppendUint32(b, stamp)
		return append(b, 0, 0, 0, 0, 1, 3, 3, 9)
	}
	b = be.AppendUint32(append(b, 1, 1, 8, 10), stamp)
	return be.AppendUint32(b, stamp)
}

func ipHeader(b []byte, from, to netip.Addr, proto byte, payload int) []byte {
	if from.Is6() {
		b = append(b, 0x60, 0, 0, 0, byte(payload>>8), byte(payload), proto, 60)
		return append(append(b, from.AsSlice()...), to.AsSlice()...)
	}
	at := len(b)
	n := 20 + payload
	b = append(b, 0x45, 0, byte(n>>8), byte(n), 0, 0, 0x40, 0, 60, proto, 0, 0)
	f, t := from.As4(), to.As4()
	b = append(append(b, f[:]...), t[:]...)
	var sum uint32
	for i := at; i < at+20; i += 2 {
		sum += uint32(b[i])<<8 | uint32(b[i+1])
	}
	sum = sum&0xffff + sum>>16
	be.PutUint16(b[at+10:], ^uint16(sum&0xffff+sum>>16))
	return b
}

// linkHeader writes what comes before the IP header, payload being what comes
// behind it.
func (g *generator) linkHeader(d device, up, v4 bool, payload int) []byte {
	if v4 {
		return g.link(d, up, etherIPv4, 20+payload)
	}
	return g.link(d, up, etherIPv6, 40+payload)
}

// link writes what comes before n bytes of a protocol that is given by its
// EtherType.
func (g *generator) link(d device, up bool, kind uint16, n int) []byte {
	b := g.frame[:0]
	station := d.mac()
	switch g.Encap {
	case ERSPAN:
		inner := 14 + n
		if d.vlan() != 0 {
			inner += 4
		}
		b = outer(b, 47, 8+8+inner, 1, false)
		b = append(b, 0x10, 0, 0x88, 0xbe)
		b = be.AppendUint32(b, uint32(g.sum.Frames))
		b = append(b, 0x10, 1, 0, 1, 0, 0, 0, 0)
	case CAPWAP:
		b = outer(b, 17, 8+8+26+8+n, byte(d.n%4), !up)
		sport, dport := uint16(5000+d.n%4), uint16(5247)
		if !up {
			sport, dport = dport, sport
		}
		b = be.AppendUint16(be.AppendUint16(b, sport), dport)
		b = append(be.AppendUint16(b, uint16(8+8+26+8+n)), 0, 0)
		b = append(b, 0, 0x10, 0x43, 0, 0, 0, 0, 0) // HLEN 2, 802.11, native frame
		return wireless(b, up, station, byte(d.n%4), kind)
	}
	if up {
		b = append(append(b, gateway[:]...), station[:]...)
	} else {
		b = append(append(b, station[:]...), gateway[:]...)
	}
	if id := d.vlan(); id != 0 {
		b = be.AppendUint16(append(b, 0x81, 0), id)
	}
	return be.AppendUint16(b, kind)
}

// outer writes the Ethernet and IPv4 headers of an encapsulation.
func outer(b []byte, proto byte, payload int, sensor byte, back bool) []byte {
	b = append(b, 2, 0x33, 0, 0, 0, 1, 2, 0x33, 0, 0, 0, 2, 8, 0)
	from, to := netip.AddrFrom4([4]byte{10, 255, 1, sensor}), netip.AddrFrom4([4]byte{10, 255, 0, 1})
	if back {
		from, to = to, from
	}
	return ipHeader(b, from, to, proto, payload)
}

// wireless writes an 802.11 QoS data header with LLC and SNAP.
func wireless(b []byte, up bool, station [6]byte, point byte, kind uint16) []byte {
	bssid := [6]byte{2, 0x44, 0, 0, 0, point}
	if up { // to the distribution system
		b = append(b, 0x88, 1, 0, 0)
		b = append(append(append(b, bssid[:]...), station[:]...), gateway[:]...)
	} else {
		b = append(b, 0x88, 2, 0, 0)
		b = append(append(append(b, station[:]...), bssid[:]...), gateway[:]...)
	}
	b = append(b, 0, 0, 0, 0) // sequence, QoS
	return be.AppendUint16(append(b, 0xaa, 0xaa, 3, 0, 0, 0), kind)
}
