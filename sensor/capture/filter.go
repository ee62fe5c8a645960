//go:build linux

package capture

import (
	"errors"
	"fmt"

	"golang.org/x/net/bpf"
)

// ringFilter makes the program of a ring's socket: what the operator filters,
// then restraint, then the snap length.
func ringFilter(c Config, i *iface) ([]bpf.RawInstruction, error) {
	var user []bpf.RawInstruction
	if c.Filter != "" {
		if vlanWord().MatchString(c.Filter) {
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

var errNoVLAN = errors.New("filter: the ring sees frames without their outer VLAN tag; with vlan in a filter use driver: libpcap")
