package capture

import "golang.org/x/net/bpf"

const (
	portVXLAN  = 4789 // RFC 7348, section 5
	portCAPWAP = 5247 // data channel: RFC 5415, section 3.1

	greEthernet = 0x6558 // transparent Ethernet bridging: RFC 1701
	greERSPAN   = 0x88be // types I and II: draft-foschiano-erspan
	greERSPAN3  = 0x22eb // type III
)

// unwrap looks into a tunnel. It comes with A the EtherType of the outer
// header and X its start, and goes to dispatch with the inner ones; where
// there is no such tunnel, with the outer ones.
func (p *program) unwrap(tunnel Tunnel, dispatch label) {
	v4, v6, go4, plain := p.label(), p.label(), p.label(), p.label()
	p.store(slotType)
	p.save(slotOuter)
	p.when(bpf.JumpEqual, etherIPv4, v4)
	p.when(bpf.JumpEqual, etherIPv6, v6)
	p.jump(plain)
	p.here(v4)
	p.load(6, 2)
	p.and(0x1fff)
	p.when(bpf.JumpNotEqual, 0, plain) // a later fragment
	p.load(9, 1)
	p.store(slotProto)
	p.pastIP(true)
	p.jump(go4)
	p.here(v6)
	p.load(6, 1)
	p.store(slotProto)
	p.pastIP(false)
	p.here(go4)
	switch tunnel {
	case TunnelGRE, TunnelERSPAN:
		p.unwrapGRE(dispatch, plain)
	case TunnelVXLAN:
		p.unwrapVXLAN(dispatch, plain)
	case TunnelCAPWAP:
		p.unwrapCAPWAP(dispatch, plain)
	}
	p.here(plain)
	p.restore(slotOuter)
	p.recall(slotType)
}

// ethernet reads an inner Ethernet header at X.
func (p *program) ethernet(dispatch label) {
	p.load(12, 2)
	p.store(slotInner)
	p.advance(14)
	p.recall(slotInner)
	p.tags(slotInner)
	p.jump(dispatch)
}

// unwrapGRE: RFC 2784 and 2890; the optional fields come in this order.
func (p *program) unwrapGRE(dispatch, plain label) {
	p.recall(slotProto)
	p.when(bpf.JumpNotEqual, protoGRE, plain)
	p.load(2, 2)
	p.store(slotInner)
	p.load(0, 1)
	p.store(slotFlags)
	p.advance(4)
	for _, flag := range [...]uint32{0x80, 0x20, 0x10} { // checksum, key, sequence
		absent := p.label()
		p.recall(slotFlags)
		p.and(flag)
		p.when(bpf.JumpEqual, 0, absent)
		p.advance(4)
		p.here(absent)
	}
	erspan, erspan3, inner := p.label(), p.label(), p.label()
	p.recall(slotInner)
	p.when(bpf.JumpEqual, greERSPAN, erspan)
	p.when(bpf.JumpEqual, greERSPAN3, erspan3)
	p.when(bpf.JumpEqual, greEthernet, inner)
	p.jump(dispatch) // IP in GRE
	p.here(erspan)
	p.recall(slotFlags)
	p.and(0x10)
	p.when(bpf.JumpEqual, 0, inner) // type I has no sequence number and no header
	p.advance(8)
	p.jump(inner)
	p.here(erspan3)
	short := p.label()
	p.load(11, 1)
	p.and(1) // the platform-specific subheader
	p.when(bpf.JumpEqual, 0, short)
	p.advance(8)
	p.here(short)
	p.advance(12)
	p.here(inner)
	p.ethernet(dispatch)
}

// unwrapVXLAN: RFC 7348, section 5.
func (p *program) unwrapVXLAN(dispatch, plain label) {
	p.recall(slotProto)
	p.when(bpf.JumpNotEqual, protoUDP, plain)
	p.load(2, 2)
	p.when(bpf.JumpNotEqual, portVXLAN, plain)
	p.advance(8 + 8)
	p.ethernet(dispatch)
}

// unwrapCAPWAP: RFC 5415, section 4.3, with 802.3 or 802.11 inside.
func (p *program) unwrapCAPWAP(dispatch, plain label) {
	known, native := p.label(), p.label()
	p.recall(slotProto)
	p.when(bpf.JumpNotEqual, protoUDP, plain)
	p.load(0, 2)
	p.when(bpf.JumpEqual, portCAPWAP, known)
	p.load(2, 2)
	p.when(bpf.JumpNotEqual, portCAPWAP, plain)
	p.here(known)
	p.advance(8)
	p.load(0, 1)
	p.when(bpf.JumpNotEqual, 0, plain) // DTLS
	first := p.label()
	p.load(3, 1)
	p.and(0x80) // a fragment
	p.when(bpf.JumpEqual, 0, first)
	p.load(6, 2)
	p.and(0xfff8)
	p.when(bpf.JumpNotEqual, 0, plain) // a later one
	p.here(first)
	p.load(2, 1)
	p.store(slotFlags)
	p.load(1, 1)
	p.and(0xf8) // HLEN, in units of 4 bytes, is the upper five bits
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 1})
	p.advanceA()
	p.recall(slotFlags)
	p.and(1) // native frame format
	p.when(bpf.JumpNotEqual, 0, native)
	p.ethernet(dispatch)
	p.here(native)
	p.wireless(dispatch, plain)
}

// wireless reads an IEEE 802.11 data frame with LLC and SNAP at X.
func (p *program) wireless(dispatch, plain label) {
	p.load(0, 1)
	p.store(slotInner)
	p.and(0x4c)
	p.when(bpf.JumpNotEqual, 0x08, plain) // not data, or without a body
	p.load(1, 1)
	p.store(slotFlags)
	p.and(0x40)
	p.when(bpf.JumpNotEqual, 0, plain) // encrypted
	noQoS, noHT, three := p.label(), p.label(), p.label()
	p.advance(24)
	p.recall(slotFlags)
	p.and(3)
	p.when(bpf.JumpNotEqual, 3, three)
	p.advance(6) // the fourth address
	p.here(three)
	p.recall(slotInner)
	p.and(0x80)
	p.when(bpf.JumpEqual, 0, noQoS)
	p.advance(2)
	p.recall(slotFlags)
	p.and(0x80)
	p.when(bpf.JumpEqual, 0, noHT)
	p.advance(4)
	p.here(noHT)
	p.here(noQoS)
	p.load(6, 2)
	p.store(slotInner)
	p.advance(8)
	p.recall(slotInner)
	p.tags(slotInner)
	p.jump(dispatch)
}
