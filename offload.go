package main

import (
	"fmt"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// offload is a feature of an interface that changes frames before a sensor
// sees them. See include/uapi/linux/ethtool.h of the kernel.
type offload struct {
	name    string // as ethtool -K spells it
	command uint32 // ETHTOOL_G*
	flag    uint32 // the bit of ETHTOOL_GFLAGS; 0: the value itself
	harm    string
}

// offloads are those to turn off on an interface that only listens.
var offloads = [...]offload{
	{"gro", unix.ETHTOOL_GGRO, 0, "merges segments: sizes, counts and TTLs of the merged frames are lost"},
	{"lro", unix.ETHTOOL_GFLAGS, 1 << 15, "merges segments for good"},
	{"gso", unix.ETHTOOL_GGSO, 0, "sends super-frames: matters where the machine's own traffic is mirrored"},
	{"tso", unix.ETHTOOL_GTSO, 0, "sends super-frames: matters where the machine's own traffic is mirrored"},
	{"rxvlan", unix.ETHTOOL_GFLAGS, 1 << 8, "takes the outer tag out of the frame; picket puts it back, other tools may not"},
}

// ifreq is struct ifreq with a pointer.
type ifreq struct {
	name [unix.IFNAMSIZ]byte
	data unsafe.Pointer
	_    [16]byte
}

// offloadsOn returns which of the offloads are on.
func offloadsOn(name string) ([]offload, error) {
	if len(name) >= unix.IFNAMSIZ {
		return nil, fmt.Errorf("%s: no interface has so long a name", name)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	var on []offload
	var failed error
	for _, o := range offloads {
		v, err := ethtool(fd, name, o.command)
		if err != nil {
			failed = err
			continue
		}
		if o.flag != 0 {
			v &= o.flag
		}
		if v != 0 {
			on = append(on, o)
		}
	}
	return on, failed
}

// ethtool asks for one value (struct ethtool_value).
func ethtool(fd int, name string, command uint32) (uint32, error) {
	value := [2]uint32{command, 0}
	r := ifreq{data: unsafe.Pointer(&value)}
	copy(r.name[:], name)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&r)))
	if errno != 0 {
		return 0, os.NewSyscallError("ethtool "+name, errno)
	}
	return value[1], nil
}

// offloadLine is the command that turns them off.
func offloadLine(name string, on []offload) string {
	words := []string{"ethtool -K " + name}
	for _, o := range on {
		words = append(words, o.name+" off")
	}
	return strings.Join(words, " ")
}
