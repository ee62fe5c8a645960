//go:build linux

package capture

import (
	"fmt"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// spreading makes the program of a fanout group, nil when the kernel's hash is
// to spread the frames.
func spreading(c Config) ([]bpf.RawInstruction, error) {
	if c.Fanout == FanoutHash {
		return nil, nil
	}
	code, err := spreadProgram(inKernel, c.HomeNetworks, c.Tunnel)
	if err != nil {
		return nil, err
	}
	return bpf.Assemble(code)
}

// noGroup asks for a group of one's own.
const noGroup = -1

// join puts the socket into a fanout group, gives the group its program, and
// returns the group's number: that of the first is chosen by the kernel, since
// groups of other programs on the machine have numbers too.
func join(fd, group int, prog []bpf.RawInstruction) (int, error) {
	mode := unix.PACKET_FANOUT_HASH
	if prog != nil {
		mode = unix.PACKET_FANOUT_CBPF
	}
	value := group | mode<<16
	if group == noGroup {
		value = (mode | unix.PACKET_FANOUT_FLAG_UNIQUEID) << 16
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_FANOUT, value); err != nil {
		return 0, fmt.Errorf("fanout: %w", err)
	}
	value, err := unix.GetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_FANOUT)
	if err != nil {
		return 0, fmt.Errorf("fanout: %w", err)
	}
	if prog != nil {
		if err := attach(fd, unix.SOL_PACKET, unix.PACKET_FANOUT_DATA, prog); err != nil {
			return 0, fmt.Errorf("fanout program: %w", err)
		}
	}
	return value & 0xffff, nil
}
