// Package lab builds small networks out of Linux network namespaces, with a
// span port, for tests and for recording the demonstration capture: real
// clients, real servers, real kernels, and no packet outside the namespaces.
//
// It needs root, iproute2 and the u32 and mirred modules of tc.
package lab

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// Net is a set of hosts that end together.
type Net struct {
	prefix string
	hosts  []*Host
}

// Host is one network namespace.
type Host struct {
	Name string
	ns   string
}

// New returns an empty network. Close it.
func New() (*Net, error) {
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("lab: network namespaces need root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		return nil, fmt.Errorf("lab: iproute2 is missing: %w", err)
	}
	var b [3]byte
	if _, err := rand.Read(b[:]); err != nil {
		return nil, err
	}
	return &Net{prefix: "pk" + hex.EncodeToString(b[:])}, nil
}

// Close deletes the namespaces and everything in them.
func (n *Net) Close() {
	for _, h := range n.hosts {
		_ = run("ip", "netns", "del", h.ns)
	}
	n.hosts = nil
}

// Host adds a host with its loopback up.
func (n *Net) Host(name string) (*Host, error) {
	h := &Host{Name: name, ns: n.prefix + "-" + name}
	if err := run("ip", "netns", "add", h.ns); err != nil {
		return nil, err
	}
	n.hosts = append(n.hosts, h)
	return h, h.IP("link set lo up")
}

// Link joins two hosts by a cable with an interface at each end, both up.
func (n *Net) Link(a *Host, aName string, b *Host, bName string) error {
	if err := run("ip", "link", "add", aName, "netns", a.ns, "type", "veth", "peer", "name", bName, "netns", b.ns); err != nil {
		return err
	}
	if err := a.IP("link set %s up", aName); err != nil {
		return err
	}
	return b.IP("link set %s up", bName)
}

// Span mirrors everything that passes ports, both ways, to the interface
// span of the same host, as a switch does for a monitor session.
func (h *Host) Span(span string, ports ...string) error {
	for _, port := range ports {
		if err := h.tc("qdisc add dev %s clsact", port); err != nil {
			return err
		}
		for _, way := range []string{"ingress", "egress"} {
			if err := h.tc("filter add dev %s %s protocol all u32 match u32 0 0 action mirred egress mirror dev %s", port, way, span); err != nil {
				return err
			}
		}
	}
	return nil
}

// IP runs ip(8) in the host.
func (h *Host) IP(format string, args ...any) error { return h.inside("ip", format, args) }

func (h *Host) tc(format string, args ...any) error { return h.inside("tc", format, args) }

func (h *Host) inside(command, format string, args []any) error {
	words := strings.Fields(fmt.Sprintf(format, args...))
	return run("ip", append([]string{"netns", "exec", h.ns, command}, words...)...)
}

// Command is exec.CommandContext inside the host.
func (h *Host) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", h.ns, name}, args...)...)
}

// Do calls f on a thread that stands in the host: sockets that f opens
// itself stay there, whoever uses them later.
func (h *Host) Do(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		fd, err := unix.Open("/run/netns/"+h.ns, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			done <- fmt.Errorf("lab: %s: %w", h.Name, err)
			return
		}
		defer unix.Close(fd)
		if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("lab: %s: %w", h.Name, err)
			return
		}
		done <- f()
	}()
	return <-done
}

// Dial connects from the host to addr, which must be numeric.
func (h *Host) Dial(network, addr string) (conn net.Conn, err error) {
	err = h.Do(func() error { conn, err = net.Dial(network, addr); return err })
	return conn, err
}

// Listen listens in the host on addr, which must be numeric.
func (h *Host) Listen(network, addr string) (l net.Listener, err error) {
	err = h.Do(func() error { l, err = net.Listen(network, addr); return err })
	return l, err
}

// ListenPacket opens a UDP socket in the host.
func (h *Host) ListenPacket(network, addr string) (c net.PacketConn, err error) {
	err = h.Do(func() error { c, err = net.ListenPacket(network, addr); return err })
	return c, err
}

func run(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("lab: %s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
