//go:build linux

package capture

import (
	"errors"
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
	tail := []bpf.RawInstruction{{Op: 0x06, K: uint32(c.SnapLength)}}
	return chain(user, tail), nil
}

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
