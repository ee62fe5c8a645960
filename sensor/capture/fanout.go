//go:build linux

package capture

import (
	"os"

	"golang.org/x/sys/unix"
)

// fanoutID makes a group number that other processes and interfaces are
// unlikely to use: the kernel refuses to join sockets of different kinds.
func fanoutID(ifindex int) uint16 { return uint16(os.Getpid()*31 + ifindex) }

// join puts the socket into a fanout group.
func join(fd int, group uint16, _ Config) error {
	return unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_FANOUT, int(group)|unix.PACKET_FANOUT_HASH<<16)
}
