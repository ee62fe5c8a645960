package packet

import "encoding/binary"

// Link types whose header was written by a packet filter, a kernel or a
// capture card, and none of which was on a wire.
const (
	linkENC         = 109
	linkPFLOG       = 117
	linkPKTAPUser   = 149 // Darwin, before it had a number: DLT_USER2
	linkERF         = 197
	linkIPNET       = 226
	linkNFLOG       = 239
	linkNetAnalyzer = 240
	linkNetRaw      = 241 // with preamble
	linkPKTAP       = 258
	linkMPacket     = 274
)

// filterLink reads the link types of filters and cards.
func (p *Packet) filterLink(link uint16, b []byte, wire int) Reason {
	p.Layer = Filter
	switch link {
	case linkENC: // address family, SPI, flags
		return p.after(12, b, wire, (*Packet).ip)
	case linkPFLOG:
		if len(b) < 1 {
			return Truncated
		}
		if b[0] < 28 {
			return BadLength
		}
		return p.after((int(b[0])+3)&^3, b, wire, (*Packet).ip)
	case linkIPNET:
		return p.after(24, b, wire, (*Packet).ip)
	case linkNFLOG:
		return p.nflog(b, wire)
	case linkPKTAP, linkPKTAPUser:
		return p.pktap(b, wire)
	case linkERF:
		return p.erf(b, wire)
	case linkNetAnalyzer:
		return p.after(4, b, wire, (*Packet).ethernetOuter)
	case linkNetRaw:
		return p.after(4, b, wire, (*Packet).preamble)
	}
	return p.preamble(b, wire)
}

// after reads what stands behind n bytes.
func (p *Packet) after(n int, b []byte, wire int, inner func(*Packet, []byte, int) Reason) Reason {
	if len(b) < n {
		return Truncated
	}
	return inner(p, b[n:], wire-n)
}

// preamble skips the octets of a preamble up to the start delimiter (IEEE
// 802.3, section 3.2; 802.3br, section 99.3).
func (p *Packet) preamble(b []byte, wire int) Reason {
	for i, c := range b[:min(len(b), 8)] {
		if c != 0x55 {
			return p.after(i+1, b, wire, (*Packet).ethernetOuter)
		}
	}
	return Truncated
}

// Attributes of a record of Linux netfilter (linux/netfilter/nfnetlink_log.h).
const (
	nflogHeader  = 1 // EtherType, hook
	nflogAddress = 8 // length, padding, link address of the sender
	nflogPayload = 9
)

// maxAttributes bounds the attributes of one record; the kernel knows some 20.
const maxAttributes = 64

// nflog reads the attributes up to the payload; their lengths are in the
// byte order of the machine that wrote them.
func (p *Packet) nflog(b []byte, wire int) Reason {
	if len(b) < 8 {
		return Truncated
	}
	if b[1] != 0 {
		return BadVersion
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if n := binary.LittleEndian.Uint16(b[4:]); n < 4 || int(n) > wire {
		order = binary.BigEndian
	}
	family, b, wire := b[0], b[4:], wire-4
	for range maxAttributes {
		if len(b) < 4 {
			return Truncated
		}
		n, kind := int(order.Uint16(b)), order.Uint16(b[2:])&0x7fff
		if n < 4 || n > wire {
			return BadLength
		}
		body := b[4:max(4, min(n, len(b)))]
		switch {
		case kind == nflogPayload && family == 3 || kind == nflogPayload && p.EtherType == EtherTypeARP:
			p.EtherType = EtherTypeARP
			return p.arp(body)
		case kind == nflogPayload:
			return p.ip(body, n-4)
		case kind == nflogHeader && len(body) >= 2:
			p.EtherType = be.Uint16(body)
		case kind == nflogAddress && len(body) >= 10 && be.Uint16(body) == 6:
			p.LinkSrc = MAC(body[4:10])
		}
		padded := (n + 3) &^ 3
		if padded > len(b) {
			return Truncated
		}
		b, wire = b[padded:], wire-padded
	}
	return TooDeep
}

// pktap reads the header of Darwin's pktap interfaces, which names the link
// type of what follows.
func (p *Packet) pktap(b []byte, wire int) Reason {
	if len(b) < 12 {
		return Truncated
	}
	n, record, link := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[8:])
	if n < 12 || n > uint32(wire) || record != 1 || link > 0xffff || link == linkPKTAP || link == linkPKTAPUser || link == linkPPI {
		return BadLength
	}
	if int(n) > len(b) {
		return Truncated
	}
	return p.link(uint16(link), b[n:], wire-int(n))
}

// erf reads a record of Endace's cards: timestamp, type, flags, lengths,
// extension headers, and of Ethernet two octets of padding.
func (p *Packet) erf(b []byte, wire int) Reason {
	if len(b) < 16 {
		return Truncated
	}
	kind, n := b[8], 16
	for more := kind & 0x80; more != 0; n += 8 {
		if len(b) < n+8 {
			return Truncated
		}
		more = b[n] & 0x80
	}
	switch kind & 0x7f {
	case 2, 11, 16, 21: // Ethernet, plain and with colour or hash
		return p.after(n+2, b, wire, (*Packet).ethernetOuter)
	case 1, 10, 15, 17, 20: // HDLC: PPP or Cisco's
		return p.after(n, b, wire, (*Packet).ppp)
	case 22:
		return p.after(n, b, wire, (*Packet).ipv4)
	case 23:
		return p.after(n, b, wire, (*Packet).ipv6)
	}
	return NotIP
}
