package capture

import (
	"fmt"
	"net/netip"

	"golang.org/x/net/bpf"
)

// spreadProgram makes the program that a fanout group asks which ring a frame
// goes to: the kernel takes its result modulo the number of rings.
//
// It is a hash of the address at home. With both ends at home it is the
// client's, by the larger port, so that a device's questions to the campus
// resolver stay with the device; with neither, both addresses' sum. Behind
// tunnel the innermost addresses count. Every direction of a conversation
// gives the same answer.
func spreadProgram(o origin, home []netip.Prefix, tunnel Tunnel) ([]bpf.Instruction, error) {
	p := newProgram(o)
	p.begin()
	dispatch := p.label()
	if tunnel != TunnelNone && tunnel != "" {
		p.unwrap(tunnel, dispatch)
	}
	p.here(dispatch)
	v4, v6 := p.label(), p.label()
	p.when(bpf.JumpEqual, etherIPv4, v4)
	p.when(bpf.JumpEqual, etherIPv6, v6)
	p.add(bpf.RetConstant{Val: 0})
	p.here(v4)
	p.choose(family(home, true), 12, 4)
	p.here(v6)
	p.choose(family(home, false), 8, 16)
	code := p.resolved()
	if len(code) > maxProgram {
		return nil, fmt.Errorf("home_networks: %d prefixes are too many to spread frames by in the kernel; merge some, or fanout: hash", len(home))
	}
	return code, nil
}

// maxProgram is BPF_MAXINSNS.
const maxProgram = 4096

// choose ends the program for one family: X is the IP header, the source
// address is at src and takes size bytes, the destination follows.
func (p *program) choose(home []netip.Prefix, src, size uint32) {
	dst := src + size
	srcHome, both, useSrc, useDst, sum := p.label(), p.label(), p.label(), p.label(), p.label()
	p.save(slotBase)
	p.inHome(home, src, srcHome)
	p.inHome(home, dst, useDst)
	p.jump(sum)
	p.here(srcHome)
	p.inHome(home, dst, both)
	p.jump(useSrc)
	p.here(both)
	p.ports(size == 4, sum)
	p.whenX(bpf.JumpGreaterThan, useSrc)
	p.whenX(bpf.JumpEqual, sum)
	p.jump(useDst)
	p.here(useSrc)
	p.hash(src, size)
	p.here(useDst)
	p.hash(dst, size)
	p.here(sum)
	p.hash(src, 2*size)
}

// ports sets A to the source port and X to the destination port, or jumps to
// none.
func (p *program) ports(v4 bool, none label) {
	known := p.label()
	if v4 {
		p.load(6, 2)
		p.and(0x1fff) // a later fragment has no ports
		p.when(bpf.JumpNotEqual, 0, none)
		p.load(9, 1)
	} else {
		p.load(6, 1)
	}
	p.when(bpf.JumpEqual, protoTCP, known)
	p.when(bpf.JumpNotEqual, protoUDP, none)
	p.here(known)
	p.pastIP(v4)
	p.load(2, 2)
	p.store(slotPort)
	p.load(0, 2)
	p.restore(slotPort)
}

// pastIP moves X from the IP header to what follows it.
func (p *program) pastIP(v4 bool) {
	if !v4 {
		p.advance(40)
		return
	}
	p.load(0, 1)
	p.and(0xf)
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpShiftLeft, Val: 2})
	p.advanceA()
}

// hash ends the program with a hash of size bytes at off of the IP header: the
// exclusive or of their words, so that the order of two addresses does not
// matter, spread by a multiplication (Knuth, volume 3, section 6.4).
func (p *program) hash(off, size uint32) {
	p.restore(slotBase)
	p.load(off, 4)
	for n := uint32(4); n < size; n += 4 {
		p.store(slotSum)
		p.load(off+n, 4)
		p.restore(slotSum)
		p.add(bpf.ALUOpX{Op: bpf.ALUOpXor})
		p.restore(slotBase)
	}
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpMul, Val: 0x9e3779b1},
		bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 16}, bpf.RetA{})
}
