//go:build linux

package capture

import (
	"errors"
	"fmt"
	"regexp"

	"golang.org/x/net/bpf"
)

// ringFilter makes the program of a ring's socket: what the operator filters,
// then restraint, then the snap length.
func ringFilter(c Config, i *iface) ([]bpf.RawInstruction, error) {
	var user []bpf.RawInstruction
	if c.Filter != "" {
		if vlanWord.MatchString(c.Filter) {
			return nil, errNoVLAN
		}
		link, _ := i.link()
		var err error
		if user, err = compileFilter(link, c.SnapLength, c.Filter); err != nil {
			return nil, err
		}
	}
	_, mac := i.link()
	last := []bpf.Instruction{bpf.RetConstant{Val: uint32(c.SnapLength)}}
	if c.Restraint && len(c.HomeNetworks) > 0 {
		last = restraintProgram(inKernel, c.HomeNetworks, uint32(mac), uint32(c.SnapLength))
	}
	raw, err := bpf.Assemble(last)
	if err != nil {
		return nil, fmt.Errorf("restraint: %w", err)
	}
	prog := chain(user, raw)
	if len(prog) > maxProgram {
		return nil, errTooLong
	}
	return prog, nil
}

var errTooLong = fmt.Errorf("filter and home_networks make a program of more than %d instructions; merge some prefixes, or restraint: false", maxProgram)

// The kernel takes the outer tag out of a frame before the ring's filter sees
// it, and libpcap compiles for frames that still have it.
var (
	vlanWord  = regexp.MustCompile(`(?i)\bvlan\b`)
	errNoVLAN = errors.New("filter: the ring sees frames without their outer VLAN tag; with vlan in a filter use driver: libpcap")
)

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
