package capture

import (
	"net/netip"

	"golang.org/x/net/bpf"
)

// EtherTypes and IP protocols that the programs know.
const (
	etherIPv4 = 0x0800
	etherIPv6 = 0x86dd
	etherVLAN = 0x8100 // IEEE 802.1Q
	etherQinQ = 0x88a8 // IEEE 802.1ad

	protoTCP = 6
	protoUDP = 17
	protoGRE = 47
)

// The scratch memory of the programs.
const (
	slotType  = iota // EtherType
	slotBase         // start of the IP header
	slotProto        // IP protocol of the outer header
	slotOuter        // start of the outer IP header
	slotFlags
	slotInner
	slotPort
	slotSum
)

// begin sets A to the EtherType and X to the start of what it names, behind
// the tags that are still in the frame.
func (p *program) begin() {
	p.add(bpf.LoadConstant{Dst: bpf.RegX, Val: 0}, p.proto)
	p.tags(slotInner)
}

// tags passes at most two 802.1Q tags; A is the EtherType, X the place behind
// it. What it keeps in slot is lost.
func (p *program) tags(slot int) {
	for range 2 {
		tag, plain := p.label(), p.label()
		p.when(bpf.JumpEqual, etherVLAN, tag)
		p.when(bpf.JumpNotEqual, etherQinQ, plain)
		p.here(tag)
		p.load(2, 2)
		p.store(slot)
		p.advance(4)
		p.recall(slot)
		p.here(plain)
	}
}

// inHome jumps to yes if the address at X+off is in one of the prefixes.
func (p *program) inHome(home []netip.Prefix, off uint32, yes label) {
	for _, h := range home {
		next := p.label()
		b := h.Masked().Addr().AsSlice()
		for n, left := uint32(0), h.Bits(); left > 0; n, left = n+4, left-32 {
			mask := ^uint32(0)
			if left < 32 {
				mask <<= 32 - left
			}
			p.load(off+n, 4)
			p.and(mask)
			p.when(bpf.JumpNotEqual, be.Uint32(b[n:])&mask, next)
		}
		p.jump(yes)
		p.here(next)
	}
}

// family returns the prefixes of one address family.
func family(home []netip.Prefix, v4 bool) []netip.Prefix {
	var some []netip.Prefix
	for _, h := range home {
		if h.Addr().Is4In6() && h.Bits() >= 96 {
			h = netip.PrefixFrom(h.Addr().Unmap(), h.Bits()-96)
		}
		if h.Addr().Is4() == v4 {
			some = append(some, h)
		}
	}
	return some
}
