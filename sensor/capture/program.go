package capture

import "golang.org/x/net/bpf"

// program assembles classic BPF with labels. Jumps only go forward, as BPF
// asks; conditional jumps reach any distance, which plain ones do not.
type program struct {
	origin
	code  []bpf.Instruction
	at    []int // where each label is, by label
	jumps map[int]label
}

// label is a place in a program that jumps name before it is reached.
type label int

// origin says where a program finds things in a frame.
type origin struct {
	net   uint32          // the network header
	proto bpf.Instruction // loads the EtherType behind the tag that the kernel took
}

// inKernel is the origin of a program that runs on a socket: SKF_NET_OFF of
// linux/filter.h holds wherever the frame's data begins, and on interfaces
// without a link-layer header.
var inKernel = origin{net: 0xfff00000, proto: bpf.LoadExtension{Num: bpf.ExtProto}}

func newProgram(o origin) *program {
	return &program{origin: o, jumps: map[int]label{}}
}

func (p *program) add(code ...bpf.Instruction) { p.code = append(p.code, code...) }

func (p *program) label() label {
	p.at = append(p.at, -1)
	return label(len(p.at) - 1)
}

// here says that l is the next instruction.
func (p *program) here(l label) { p.at[l] = len(p.code) }

func (p *program) jump(l label) {
	p.jumps[len(p.code)] = l
	p.add(bpf.Jump{})
}

// when jumps to l if A compares so with v.
func (p *program) when(cond bpf.JumpTest, v uint32, l label) {
	p.add(bpf.JumpIf{Cond: cond, Val: v, SkipFalse: 1})
	p.jump(l)
}

// whenX jumps to l if A compares so with X.
func (p *program) whenX(cond bpf.JumpTest, l label) {
	p.add(bpf.JumpIfX{Cond: cond, SkipFalse: 1})
	p.jump(l)
}

// load reads size bytes at X+off of the network header into A.
func (p *program) load(off uint32, size int) {
	p.add(bpf.LoadIndirect{Off: p.net + off, Size: size})
}

// advance adds n to X; A is lost.
func (p *program) advance(n uint32) {
	p.add(bpf.TXA{}, bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: n}, bpf.TAX{})
}

// advanceA adds A to X.
func (p *program) advanceA() { p.add(bpf.ALUOpX{Op: bpf.ALUOpAdd}, bpf.TAX{}) }

// and masks A.
func (p *program) and(mask uint32) { p.add(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: mask}) }

// store and recall keep A; restore sets X from what was kept.
func (p *program) store(slot int)   { p.add(bpf.StoreScratch{Src: bpf.RegA, N: slot}) }
func (p *program) recall(slot int)  { p.add(bpf.LoadScratch{Dst: bpf.RegA, N: slot}) }
func (p *program) restore(slot int) { p.add(bpf.LoadScratch{Dst: bpf.RegX, N: slot}) }

// save keeps X; A is lost.
func (p *program) save(slot int) { p.add(bpf.StoreScratch{Src: bpf.RegX, N: slot}) }

// resolved returns the instructions with their jumps filled in.
func (p *program) resolved() []bpf.Instruction {
	for at, l := range p.jumps {
		p.code[at] = bpf.Jump{Skip: uint32(p.at[l] - at - 1)}
	}
	return p.code
}

// retConstant is BPF_RET|BPF_K.
const retConstant = 0x06

// chain makes one program of two: what the first accepts, the second decides.
func chain(first, second []bpf.RawInstruction) []bpf.RawInstruction {
	prog := make([]bpf.RawInstruction, 0, len(first)+len(second))
	for n, p := range first {
		if p.Op == retConstant && p.K != 0 {
			p = bpf.RawInstruction{Op: 0x05, K: uint32(len(first) - n - 1)} // BPF_JMP|BPF_JA
		}
		prog = append(prog, p)
	}
	return append(prog, second...)
}
