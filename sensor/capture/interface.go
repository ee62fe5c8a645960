package capture

import (
	"bufio"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

// iface is a network interface, as it was when it was opened.
type iface struct {
	name   string
	index  uint16 // Frame.Iface
	number int    // the kernel's: another one means another interface
	arphrd int    // hardware type, ARPHRD_*
	any    bool   // libpcap's device for all interfaces together
	sys    fs.FS  // /sys/class/net
	proc   fs.FS  // /proc/net
}

// Hardware types of linux/if_arp.h that the ring reads.
const (
	arphrdEther    = 1
	arphrdLoopback = 772
	arphrdNone     = 65534 // tun, wireguard: raw IP
)

func findInterface(name string, index uint16) (*iface, error) {
	i := &iface{name: name, index: index, sys: os.DirFS("/sys/class/net"), proc: os.DirFS("/proc/net"), any: name == "any"}
	if i.any {
		return i, nil
	}
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, n := range all {
		if n.Name == name {
			i.number, i.arphrd = n.Index, hardware(name)
			return i, nil
		}
		names = append(names, n.Name)
	}
	slices.Sort(names)
	return nil, fmt.Errorf("no interface %q; there are %s", name, strings.Join(names, ", "))
}

// state reports whether the interface is up and has a carrier, or that it is
// another one by now.
func (i *iface) state() (up bool, err error) {
	if i.any {
		return true, nil
	}
	all, err := net.Interfaces()
	if err != nil {
		return false, err
	}
	for _, n := range all {
		switch {
		case n.Name == i.name && n.Index != i.number:
			return false, fmt.Errorf("made anew: %w", ErrInterfaceGone)
		case n.Name == i.name:
			return n.Flags&net.FlagUp != 0 && n.Flags&net.FlagRunning != 0, nil
		}
	}
	return false, ErrInterfaceGone
}

// ringLink reports whether the ring reads this kind of interface.
func (i *iface) ringLink() bool {
	return i.arphrd == arphrdEther || i.arphrd == arphrdLoopback || i.arphrd == arphrdNone
}

// link returns the link type of the frames of the ring, and the length of
// their link-layer header without tags.
func (i *iface) link() (LinkType, int) {
	if i.arphrd == arphrdNone {
		return LinkRaw, 0
	}
	return LinkEthernet, 14
}

// interfaceDrops are what was lost before any socket saw it.
type interfaceDrops struct{ device, softnet uint64 }

func (i *iface) drops() interfaceDrops {
	var d interfaceDrops
	for _, counter := range [...]string{"rx_dropped", "rx_missed_errors", "rx_fifo_errors"} {
		b, _ := fs.ReadFile(i.sys, path.Join(i.name, "statistics", counter))
		n, _ := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
		d.device += n
	}
	d.softnet = softnetDrops(i.proc)
	return d
}

// softnetDrops sums the second column of /proc/net/softnet_stat: one line a
// processor, hexadecimal.
func softnetDrops(proc fs.FS) (sum uint64) {
	f, err := proc.Open("softnet_stat")
	if err != nil {
		return 0
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if cols := strings.Fields(s.Text()); len(cols) > 1 {
			n, _ := strconv.ParseUint(cols[1], 16, 64)
			sum += n
		}
	}
	return sum
}
