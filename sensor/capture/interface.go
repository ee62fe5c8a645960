package capture

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

// iface is a network interface as Linux shows it below /sys/class/net.
type iface struct {
	name    string
	index   uint16 // Frame.Iface
	sys     fs.FS  // /sys/class/net
	proc    fs.FS  // /proc/net
	ifindex string // the kernel's number at the start: a new one means another interface
	arphrd  int    // hardware type, ARPHRD_*
	any     bool   // libpcap's device for all interfaces together
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
	if strings.ContainsAny(name, "/\x00") || name == "." || name == ".." || !i.exists() {
		return nil, fmt.Errorf("no interface %q; there are %s", name, strings.Join(i.others(), ", "))
	}
	i.ifindex = i.read("ifindex")
	i.arphrd, _ = strconv.Atoi(i.read("type"))
	return i, nil
}

func (i *iface) exists() bool {
	_, err := fs.Stat(i.sys, path.Join(i.name, "ifindex"))
	return err == nil
}

// others lists the interfaces that are there.
func (i *iface) others() []string {
	entries, _ := fs.ReadDir(i.sys, ".")
	var names []string
	for _, e := range entries {
		if _, err := fs.Stat(i.sys, path.Join(e.Name(), "ifindex")); err == nil {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names
}

// read returns one attribute, empty when there is none.
func (i *iface) read(attr string) string {
	b, _ := fs.ReadFile(i.sys, path.Join(i.name, attr))
	return strings.TrimSpace(string(b))
}

// iffUp is IFF_UP of linux/if.h.
const iffUp = 1

// state reports whether the interface is up and has a carrier, or that it is another one by now.
func (i *iface) state() (up bool, err error) {
	if i.any {
		return true, nil
	}
	now := i.read("ifindex")
	switch {
	case now == "":
		return false, ErrInterfaceGone
	case now != i.ifindex:
		return false, fmt.Errorf("made anew: %w", ErrInterfaceGone)
	}
	flags, _ := strconv.ParseUint(i.read("flags"), 0, 32)
	return flags&iffUp != 0 && i.read("carrier") != "0", nil
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
		n, _ := strconv.ParseUint(i.read("statistics/"+counter), 10, 64)
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
