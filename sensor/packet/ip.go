package packet

import "encoding/binary"

// maxExtensions bounds the IPv6 extension headers followed.
const maxExtensions = 12

// mtuJumbo is the longest frame that Ethernet switches carry: a longer one
// was merged by the network card or the kernel.
const mtuJumbo = 9216

// ip reads an IP header of either version.
func (p *Packet) ip(b []byte, wire int) Reason {
	if len(b) < 1 {
		return Truncated
	}
	switch b[0] >> 4 {
	case 4:
		return p.ipv4(b, wire)
	case 6:
		return p.ipv6(b, wire)
	}
	return BadVersion
}

// set4 stores an IPv4 address in its mapped form.
func (a *Addr) set4(b uint32) {
	binary.LittleEndian.PutUint64(a[:8], 0)
	binary.LittleEndian.PutUint64(a[8:], uint64(b)<<32|0xffff0000)
}

// ipv4 reads an IPv4 header (RFC 791, section 3.1).
func (p *Packet) ipv4(b []byte, wire int) Reason {
	p.Layer = IPv4
	if len(b) < 20 {
		return Truncated
	}
	n, total := int(b[0]&15)*4, int(be.Uint16(b[2:4]))
	switch {
	case b[0]>>4 != 4:
		return BadVersion
	case n < 20:
		return BadLength
	}
	if p.depth++; p.depth > maxDepth {
		return TooDeep
	}
	b, wire, ok := p.trim(b, wire, n, total)
	if !ok || len(b) < 20 {
		return BadLength
	}
	p.Version, p.TTL, p.Proto = 4, b[8], b[9]
	p.FragID = uint32(be.Uint16(b[4:6]))
	p.Src.set4(binary.LittleEndian.Uint32(b[12:16]))
	p.Dst.set4(binary.LittleEndian.Uint32(b[16:20]))
	if len(b) < n {
		return Truncated
	}
	if frag := be.Uint16(b[6:8]); frag&0x3fff != 0 {
		p.FragMore, p.FragOffset = frag&0x2000 != 0, frag<<3
		p.datagram, p.header = b, n
		return p.fragment(b[n:], wire-n)
	}
	if p.Proto == ProtoTCP {
		return p.tcp(b[n:], wire-n)
	}
	return p.transport(b[n:], wire-n)
}

// trim cuts an IP packet to the total length that its header claims; n is
// the length of that header. A length of 0 is left by segmentation offload.
func (p *Packet) trim(b []byte, wire, n, total int) ([]byte, int, bool) {
	switch {
	case total == n && n == 0, total == 0:
		p.Super = true
	case total < n:
		return b, wire, false
	case total <= wire:
		wire = total
		if len(b) > total {
			b = b[:total]
		}
	case p.cut: // the outer header says that bytes are missing: trust the inner one
		wire = total
	default:
		p.Short = true
	}
	if wire > mtuJumbo {
		p.Super = true
	}
	return b, wire, wire >= n
}

// ipv6 reads an IPv6 header (RFC 8200, section 3).
func (p *Packet) ipv6(b []byte, wire int) Reason {
	p.Layer = IPv6
	if len(b) < 40 {
		return Truncated
	}
	if b[0]>>4 != 6 {
		return BadVersion
	}
	if p.depth++; p.depth > maxDepth {
		return TooDeep
	}
	total := int(be.Uint16(b[4:6]))
	if total != 0 || b[6] == 59 { // 0: a jumbogram, or left by segmentation offload
		total += 40
	}
	b, wire, ok := p.trim(b, wire, 40, total)
	if !ok || len(b) < 40 {
		return BadLength
	}
	p.Version, p.TTL, p.Proto = 6, b[7], b[6]
	p.Src, p.Dst = Addr(b[8:24]), Addr(b[24:40])
	if p.Proto == ProtoTCP {
		return p.tcp(b[40:], wire-40)
	}
	return p.extensions(b, wire)
}

// extensions follows the extension headers of an IPv6 packet (RFC 8200,
// section 4; AH: RFC 4302; mobility: RFC 6275; HIP: RFC 7401; shim6: RFC 5533).
func (p *Packet) extensions(b []byte, wire int) Reason {
	at, nextAt := 40, 6
	for range maxExtensions {
		switch p.Proto {
		case 0, 43, 60, 135, 139, 140:
			if len(b) < at+8 {
				return Truncated
			}
			nextAt = at
			p.Proto, at = b[at], at+8+8*int(b[at+1])
		case 51:
			if len(b) < at+8 {
				return Truncated
			}
			nextAt = at
			p.Proto, at = b[at], at+8+4*int(b[at+1])
		case 44:
			if len(b) < at+8 {
				return Truncated
			}
			p.Proto = b[at]
			p.FragID = be.Uint32(b[at+4:])
			frag := be.Uint16(b[at+2:])
			if frag&0xfff9 != 0 { // else an atomic fragment (RFC 6946): ordinary
				p.FragMore, p.FragOffset = frag&1 != 0, frag&^7
				p.datagram, p.header, p.nextAt = b, at, nextAt
				return p.fragment(b[at+8:], wire-at-8)
			}
			nextAt = at
			at += 8
		default:
			return p.transport(b[at:], wire-at)
		}
		if at > wire {
			return BadLength
		}
		if at > len(b) {
			return Truncated
		}
	}
	return TooDeep
}

// fragment reads what a fragment shows: the transport header if it is the
// first, addresses in any case.
func (p *Packet) fragment(b []byte, wire int) Reason {
	p.fragLen = wire
	if p.FragOffset == 0 {
		switch p.Proto {
		case ProtoTCP:
			return p.tcp(b, wire)
		case ProtoUDP:
			return p.udpPlain(b, wire)
		case ProtoICMP, ProtoICMPv6:
			return p.transport(b, wire)
		}
		p.Payload, p.PayloadLen = b, wire
		return TunnelFragment
	}
	p.Payload, p.PayloadLen = b, wire
	return LaterFragment
}
