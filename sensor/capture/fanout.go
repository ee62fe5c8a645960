//go:build linux

package capture

import (
	"fmt"
	"os"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// fanoutID makes a group number that other processes and interfaces are
// unlikely to use: the kernel refuses to join sockets of different kinds.
func fanoutID(ifindex int) uint16 { return uint16(os.Getpid()*31 + ifindex) }

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

// join puts the socket into a fanout group and gives the group its program.
func join(fd int, group uint16, prog []bpf.RawInstruction) error {
	mode := unix.PACKET_FANOUT_HASH
	if prog != nil {
		mode = unix.PACKET_FANOUT_CBPF
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_FANOUT, int(group)|mode<<16); err != nil {
		return fmt.Errorf("fanout: %w", err)
	}
	if prog == nil {
		return nil
	}
	if err := attach(fd, unix.SOL_PACKET, unix.PACKET_FANOUT_DATA, prog); err != nil {
		return fmt.Errorf("fanout program: %w", err)
	}
	return nil
}
