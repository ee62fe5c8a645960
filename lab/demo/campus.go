package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"picket/lab"
)

// campus is the lab: phones on a bridge of the gateway, the internet behind
// it, and a span of the bridge.
type campus struct {
	net     *lab.Net
	gateway *lab.Host
	inet    *lab.Host
	hosts   map[string]*lab.Host
	dir     string
}

const (
	gatewayIP  = "10.20.0.1"
	uplinkIP   = "100.64.0.1"
	internetIP = "100.64.0.2"
)

func build(n *lab.Net) (*campus, error) {
	c := &campus{net: n, hosts: map[string]*lab.Host{}}
	var err error
	if c.gateway, err = n.Host("gw"); err != nil {
		return nil, err
	}
	if c.inet, err = n.Host("inet"); err != nil {
		return nil, err
	}
	if c.dir, err = os.MkdirTemp("", "picket-demo"); err != nil {
		return nil, err
	}
	steps := []error{
		sysctl(c.gateway, "net.ipv6.conf.all.disable_ipv6=1"), sysctl(c.gateway, "net.ipv6.conf.default.disable_ipv6=1"),
		c.gateway.IP("link add br0 address 02:00:5e:10:00:01 type bridge"),
		c.gateway.IP("link set br0 up"),
		c.gateway.IP("addr add %s/24 dev br0", gatewayIP),
		c.gateway.IP("link add span0 type veth peer name span1"),
		c.gateway.IP("link set span0 up"),
		c.gateway.IP("link set span1 up"),
		n.Link(c.gateway, "up0", c.inet, "up0"),
		c.gateway.IP("addr add %s/30 dev up0", uplinkIP),
		c.inet.IP("addr add %s/30 dev up0", internetIP),
		c.gateway.IP("route add default via %s", internetIP),
		c.inet.IP("route add default via %s", uplinkIP),
		sysctl(c.gateway, "net.ipv4.ip_forward=1"),
	}
	for _, s := range servers {
		steps = append(steps, c.inet.IP("addr replace %s/32 dev lo", s.addr))
	}
	for _, err := range steps {
		if err != nil {
			return nil, err
		}
	}
	if err := c.phones(); err != nil {
		return nil, err
	}
	return c, c.gateway.Span("span0", "br0")
}

// phones plugs every device of the cast in.
func (c *campus) phones() error {
	for i, d := range cast {
		h, err := c.net.Host(d.name)
		if err != nil {
			return err
		}
		c.hosts[d.name] = h
		port := fmt.Sprintf("port%d", i)
		for _, err := range []error{
			c.net.Link(c.gateway, port, h, "wlan0"),
			c.gateway.IP("link set %s master br0", port),
			h.IP("link set wlan0 down"),
			h.IP("link set wlan0 address %s", d.mac),
			sysctl(h, "net.ipv6.conf.all.disable_ipv6=1"),
			h.IP("link set wlan0 up"),
			ethtool(h, "wlan0"), ethtool(c.gateway, port),
		} {
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func sysctl(h *lab.Host, setting string) error {
	return output(h.Command(context.Background(), "sysctl", "-qw", setting))
}

// ethtool turns segmentation offload off: frames as a wire carries them.
func ethtool(h *lab.Host, name string) error {
	return output(h.Command(context.Background(), "ethtool", "-K", name, "tso", "off", "gso", "off", "gro", "off", "tx", "off"))
}

func output(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, out)
	}
	return nil
}

// serve starts the resolver with its DHCP server, and the servers.
func (c *campus) serve(ctx context.Context) error {
	args := []string{"--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--log-facility=/dev/null", "--quiet-dhcp",
		"--interface=br0", "--bind-interfaces", "--dhcp-range=10.20.0.10,10.20.0.99,12h", "--dhcp-leasefile=" + filepath.Join(c.dir, "leases"),
		"--dhcp-option=3," + gatewayIP, "--dhcp-option=6," + gatewayIP, "--user=root"}
	for _, d := range cast {
		args = append(args, "--dhcp-host="+d.mac+","+d.ip)
	}
	for name, s := range servers {
		if s.cname != "" {
			args = append(args, "--host-record="+s.cname+","+s.addr, "--cname="+name+","+s.cname)
		} else {
			args = append(args, "--host-record="+name+","+s.addr)
		}
	}
	cmd := c.gateway.Command(ctx, "dnsmasq", args...)
	if err := cmd.Start(); err != nil {
		return err
	}
	return c.internet(ctx)
}

// lease runs the device's DHCP client, and gives it the address it got.
func (c *campus) lease(ctx context.Context, d device) error {
	conf := filepath.Join(c.dir, d.name+".conf")
	var b strings.Builder
	b.WriteString("option captive-portal code 114 = text;\noption v6-only code 108 = unsigned integer 32;\n")
	b.WriteString("option classless-routes code 121 = string;\noption wpad code 252 = text;\ntimeout 20;\nbackoff-cutoff 2;\n")
	if d.dhcp.hostname != "" {
		fmt.Fprintf(&b, "send host-name %q;\n", d.dhcp.hostname)
	}
	if d.dhcp.class != "" {
		fmt.Fprintf(&b, "send vendor-class-identifier %q;\n", d.dhcp.class)
	}
	fmt.Fprintf(&b, "request %s;\n", d.dhcp.params)
	if err := os.WriteFile(conf, []byte(b.String()), 0o644); err != nil {
		return err
	}
	h := c.hosts[d.name]
	file := func(ext string) string { return filepath.Join(c.dir, d.name+ext) }
	if err := output(h.Command(ctx, "dhclient", "-1", "-sf", "/bin/true", "-cf", conf, "-lf", file(".lease"), "-pf", file(".pid"), "wlan0")); err != nil {
		return err
	}
	_ = output(h.Command(ctx, "dhclient", "-x", "-sf", "/bin/true", "-cf", conf, "-lf", file(".lease"), "-pf", file(".pid"), "wlan0"))
	if err := h.IP("addr add %s/24 dev wlan0", d.ip); err != nil {
		return err
	}
	return h.IP("route add default via %s", gatewayIP)
}

// tape records the span until the returned function is called.
func (c *campus) tape(out string) (stop func() error, err error) {
	spy, err := c.gateway.Sniff("span1")
	if err != nil {
		return nil, err
	}
	f, err := os.Create(out)
	if err != nil {
		return nil, err
	}
	if _, err := f.Write(fileHeader()); err != nil {
		return nil, err
	}
	done := make(chan error, 1)
	quit := make(chan struct{})
	go func() {
		for {
			frame, err := spy.Frame(time.Now().Add(200 * time.Millisecond))
			if err != nil {
				select {
				case <-quit:
					done <- nil
					return
				default:
					continue
				}
			}
			if _, err := f.Write(append(recordHeader(time.Now(), len(frame)), frame...)); err != nil {
				done <- err
				return
			}
		}
	}()
	return func() error {
		close(quit)
		if err := <-done; err != nil {
			return err
		}
		return f.Close()
	}, nil
}

// fileHeader begins a pcap file of Ethernet frames with times in nanoseconds
// (draft-ietf-opsawg-pcap, section 4).
func fileHeader() []byte {
	b := binary.LittleEndian.AppendUint32(nil, 0xa1b23c4d)
	b = binary.LittleEndian.AppendUint16(b, 2) // version 2.4
	b = binary.LittleEndian.AppendUint16(b, 4)
	b = append(b, make([]byte, 8)...)
	b = binary.LittleEndian.AppendUint32(b, 1<<16) // snap length
	return binary.LittleEndian.AppendUint32(b, 1)  // LINKTYPE_ETHERNET
}

// recordHeader stands before a frame that was captured whole.
func recordHeader(at time.Time, n int) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(at.Unix()))
	b = binary.LittleEndian.AppendUint32(b, uint32(at.Nanosecond()))
	b = binary.LittleEndian.AppendUint32(b, uint32(n))
	return binary.LittleEndian.AppendUint32(b, uint32(n))
}

// random returns n bytes that do not compress: what encrypted traffic is.
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return b
}
