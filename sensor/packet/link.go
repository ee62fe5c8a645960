package packet

import "encoding/binary"

// Link types (LINKTYPE_ values, https://www.tcpdump.org/linktypes.html).
const (
	linkNull     = 0
	linkEthernet = 1
	linkPPP      = 9
	linkRaw12    = 12 // DLT_RAW as BSD numbers it
	linkRaw14    = 14 // DLT_RAW as OpenBSD numbers it
	linkPPPHDLC  = 50
	linkPPPoE    = 51
	linkRaw      = 101
	linkHDLC     = 104
	linkWiFi     = 105
	linkLoop     = 108
	linkCooked   = 113
	linkPrism    = 119
	linkRadiotap = 127
	linkAVS      = 163
	linkPPPD     = 166
	linkPPI      = 192
	linkPPPDir   = 204
	linkIPv4     = 228
	linkIPv6     = 229
	linkCooked2  = 276
)

// link reads the outermost header.
func (p *Packet) link(link uint16, b []byte, wire int) Reason {
	switch link {
	case linkEthernet:
		return p.ethernetOuter(b, wire)
	case linkRaw, linkRaw12, linkRaw14, linkIPv4, linkIPv6:
		p.Layer = RawIP
		return p.ip(b, wire)
	case linkCooked:
		return p.cooked(b, wire)
	case linkCooked2:
		return p.cooked2(b, wire)
	case linkNull, linkLoop:
		return p.loopback(b, wire)
	case linkPPP, linkPPPHDLC:
		return p.ppp(b, wire)
	case linkPPPDir, linkPPPD:
		p.Layer = PPP
		if len(b) < 1 {
			return Truncated
		}
		return p.ppp(b[1:], wire-1)
	case linkHDLC:
		return p.hdlc(b, wire)
	case linkPPPoE:
		return p.pppoe(b, wire)
	case linkWiFi:
		return p.wifi(b, wire)
	case linkRadiotap:
		return p.radiotap(b, wire)
	case linkPrism, linkAVS:
		return p.prism(b, wire)
	case linkPPI:
		return p.ppi(b, wire)
	}
	return p.rareLink(link, b, wire)
}

// rareLink keeps the seldom ones out of the way of the frequent ones.
func (p *Packet) rareLink(link uint16, b []byte, wire int) Reason {
	switch link {
	case linkENC, linkPFLOG, linkPKTAP, linkPKTAPUser, linkERF, linkIPNET, linkNFLOG, linkNetAnalyzer, linkNetRaw, linkMPacket:
		return p.filterLink(link, b, wire)
	case linkTokenRing, linkSLIP, linkFDDI, linkATM, linkATMClassic, linkFrameRelay, linkIPFC, linkSunATM,
		linkFireWire, linkMPLS, linkInfiniband, linkBrcmTag, linkBrcmBefore, linkDSA, linkEDSA:
		return p.wanLink(link, b, wire)
	case linkJuniperEthernet, linkJuniperPPP, linkJuniperFrameRelay, linkJuniperHDLC, linkJuniperPPPoE:
		return p.juniper(link, b, wire)
	}
	return UnknownLink
}

// cooked reads a Linux cooked header, version 1.
func (p *Packet) cooked(b []byte, wire int) Reason {
	p.Layer = Cooked
	if len(b) < 16 {
		return Truncated
	}
	if be.Uint16(b[4:]) == 6 {
		p.LinkSrc = MAC(b[6:12])
	}
	return p.cookedProto(be.Uint16(b[2:]), be.Uint16(b[14:]), b[16:], wire-16)
}

// cooked2 reads a Linux cooked header, version 2.
func (p *Packet) cooked2(b []byte, wire int) Reason {
	p.Layer = Cooked2
	if len(b) < 20 {
		return Truncated
	}
	if b[11] == 6 {
		p.LinkSrc = MAC(b[12:18])
	}
	return p.cookedProto(be.Uint16(b[8:]), be.Uint16(b), b[20:], wire-20)
}

// arphrdNetlink marks cooked frames that carry netlink messages.
const arphrdNetlink = 824

func (p *Packet) cookedProto(arphrd, proto uint16, b []byte, wire int) Reason {
	switch {
	case arphrd == arphrdNetlink:
		return NotIP
	case proto == 4: // 802.2 LLC
		return p.llc(b, wire)
	case proto < 0x600:
		return NotIP
	}
	return p.etherType(proto, b, wire)
}

// loopback reads the address family of BSD loopback, in either byte order.
func (p *Packet) loopback(b []byte, wire int) Reason {
	p.Layer = Loopback
	if len(b) < 4 {
		return Truncated
	}
	family := binary.LittleEndian.Uint32(b)
	if family&0xffff == 0 {
		family = be.Uint32(b)
	}
	switch family {
	case 2, 10, 24, 28, 30: // AF_INET; AF_INET6 of Linux, NetBSD, FreeBSD, Darwin
		return p.ip(b[4:], wire-4)
	}
	return NotIP
}

// ppi reads a Per-Packet Information header, which names the link type of
// what follows.
func (p *Packet) ppi(b []byte, wire int) Reason {
	if len(b) < 8 {
		return Truncated
	}
	n, link := int(binary.LittleEndian.Uint16(b[2:])), binary.LittleEndian.Uint32(b[4:])
	if n < 8 || link == linkPPI || link > 0xffff {
		return BadLength
	}
	if n > len(b) {
		return Truncated
	}
	return p.link(uint16(link), b[n:], wire-n)
}
