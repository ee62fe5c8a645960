package capture

import (
	"net/netip"

	"golang.org/x/net/bpf"
)

const (
	// bulkFrame is the size above which a downstream frame may be bulk. Below
	// it nothing is saved by looking.
	bulkFrame = 600
	// quicKept is what is kept of a short-header packet: the flags and the
	// longest connection ID, which are header (RFC 9000, section 17.3).
	quicKept = 1 + 20
)

// restraintProgram makes the socket filter that leaves the content of bulk
// downstream data in the kernel: of a frame above bulkFrame from the server
// side of TCP, or of QUIC, to an address at home it returns the headers alone,
// and of every other frame all, up to snap. Frame.Wire and the IP header keep
// the true lengths.
//
// Returned whole: upstream frames; both ends at home, or neither; anything in
// a tunnel or in fragments; DNS over TCP; segments with SYN, FIN or RST; what
// begins like a TLS record other than application data, or an HTTP response;
// QUIC long headers. mac is the length of the link-layer header.
func restraintProgram(o origin, home []netip.Prefix, mac, snap uint32) []bpf.Instruction {
	p := newProgram(o)
	whole, v4, v6, headers := p.label(), p.label(), p.label(), p.label()
	p.add(bpf.LoadExtension{Num: bpf.ExtLen})
	p.when(bpf.JumpLessOrEqual, bulkFrame, whole) // headers fit in what is longer: no load can fail
	p.begin()
	p.when(bpf.JumpEqual, etherIPv4, v4)
	p.when(bpf.JumpEqual, etherIPv6, v6)
	p.jump(whole)
	p.here(v4)
	p.load(6, 2)
	p.and(0x3fff) // more fragments, or an offset
	p.when(bpf.JumpNotEqual, 0, whole)
	p.load(9, 1)
	p.downstream(family(home, true), 12, 4, whole, headers)
	p.here(v6)
	p.load(6, 1)
	p.downstream(family(home, false), 8, 16, whole, headers)
	p.here(headers) // A is where the payload begins, behind the link layer
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: mac})
	p.when(bpf.JumpGreaterThan, snap, whole)
	p.add(bpf.RetA{})
	p.here(whole)
	p.add(bpf.RetConstant{Val: snap})
	return p.resolved()
}

// downstream comes with A the transport protocol and X the IP header, and goes
// to headers with A what is to be kept from the network header on, or to whole.
func (p *program) downstream(home []netip.Prefix, src, size uint32, whole, headers label) {
	p.store(slotProto)
	known, down := p.label(), p.label()
	p.when(bpf.JumpEqual, protoTCP, known)
	p.when(bpf.JumpNotEqual, protoUDP, whole)
	p.here(known)
	p.inHome(home, src, whole)
	p.inHome(home, src+size, down)
	p.jump(whole)
	p.here(down)
	p.pastIP(size == 4)
	p.load(0, 2)
	p.store(slotPort)
	udp := p.label()
	p.recall(slotProto)
	p.when(bpf.JumpEqual, protoUDP, udp)
	p.tcpBulk(whole, headers)
	p.here(udp)
	p.quicBulk(whole, headers)
}

func (p *program) tcpBulk(whole, headers label) {
	p.recall(slotPort)
	p.when(bpf.JumpEqual, 53, whole)
	p.load(13, 1)
	p.when(bpf.JumpBitsSet, 0x07, whole) // FIN, SYN, RST
	p.load(12, 1)
	p.and(0xf0)
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 2})
	p.advanceA()
	p.load(0, 4)
	p.when(bpf.JumpEqual, be.Uint32([]byte("HTTP")), whole)
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 24})
	for record := uint32(20); record <= 22; record++ { // change_cipher_spec, alert, handshake: RFC 8446, section 5.1
		p.when(bpf.JumpEqual, record, whole)
	}
	p.add(bpf.TXA{})
	p.jump(headers)
}

func (p *program) quicBulk(whole, headers label) {
	p.recall(slotPort)
	p.when(bpf.JumpNotEqual, 443, whole)
	p.load(8, 1)
	p.when(bpf.JumpBitsSet, 0x80, whole) // long header
	p.add(bpf.TXA{}, bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: 8 + quicKept})
	p.jump(headers)
}
