package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"picket/lab"
)

// campus is phones on a bridge of the gateway, the internet behind it, and a
// span of the bridge. The sensor, Prometheus, Alertmanager and the webhook
// live on the gateway's loopback, which the span does not show.
type campus struct {
	t    *testing.T
	net  *lab.Net
	gw   *lab.Host
	inet *lab.Host
	dir  string
}

const (
	gatewayIP = "10.20.0.1"
	span      = "span1"
)

// The servers of the tests: real names at addresses of the networks that the
// embedded database places where the story needs them.
var servers = map[string]string{
	"connectivitycheck.gstatic.com": "142.250.185.67", // US
	"update.intl.miui.com":          "52.76.31.14",    // SG
	"api.sec.intl.miui.com":         "52.76.31.15",    // SG
	"find.api.micloud.xiaomi.net":   "52.76.31.16",    // SG
	"data.mistat.xiaomi.com":        "120.92.96.155",  // CN
	"tracking.miui.com":             "120.92.96.156",  // CN
	"www.sina.com.cn":               "123.126.45.205", // CN
}

// need skips the test unless every program is there and we are root.
func need(t *testing.T, programs ...string) {
	t.Helper()
	if os.Getenv("PICKET_E2E") == "" {
		t.Skip("takes minutes: set PICKET_E2E=1 to run the whole system")
	}
	if testing.Short() {
		t.Skip("builds a network: not in short mode")
	}
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	for _, p := range append(programs, "ip", "tc", "sysctl", "ethtool") {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("no %s: apt install %s", p, debian[p])
		}
	}
}

// debian is the package that a program is in.
var debian = map[string]string{
	"ip": "iproute2", "tc": "iproute2", "sysctl": "procps", "ethtool": "ethtool", "dnsmasq": "dnsmasq-base", "dhclient": "isc-dhcp-client",
	"prometheus": "prometheus", "prometheus-alertmanager": "prometheus-alertmanager", "setpriv": "util-linux", "mount": "mount", "chromium": "chromium",
}

// newCampus builds the network and starts its resolver and servers.
func newCampus(t *testing.T) *campus {
	t.Helper()
	need(t, "dnsmasq")
	n, err := lab.New()
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(n.Close)
	c := &campus{t: t, net: n, gw: host(t, n, "gw"), inet: host(t, n, "inet"), dir: t.TempDir()}
	for _, h := range []*lab.Host{c.gw, c.inet} {
		c.setting(h, "net.ipv6.conf.all.disable_ipv6=1")
		c.setting(h, "net.ipv6.conf.default.disable_ipv6=1")
	}
	c.ip(c.gw, "link add br0 address 02:00:5e:10:00:01 type bridge")
	c.ip(c.gw, "link set br0 up")
	c.ip(c.gw, "addr add %s/16 dev br0", gatewayIP)
	c.newSpan()
	ok(t, n.Link(c.gw, "up0", c.inet, "up0"))
	c.ip(c.gw, "addr add 100.64.0.1/30 dev up0")
	c.ip(c.inet, "addr add 100.64.0.2/30 dev up0")
	c.ip(c.gw, "route add default via 100.64.0.2")
	c.ip(c.inet, "route add default via 100.64.0.1")
	c.setting(c.gw, "net.ipv4.ip_forward=1")
	for _, addr := range servers {
		c.ip(c.inet, "addr add %s/32 dev lo", addr)
	}
	c.serve()
	c.resolve()
	return c
}

// newSpan makes the span interface, and mirrors the bridge to it.
func (c *campus) newSpan() {
	c.t.Helper()
	c.ip(c.gw, "link add span0 type veth peer name %s", span)
	c.ip(c.gw, "link set span0 mtu 65535 up")
	c.ip(c.gw, "link set %s mtu 65535 up arp off", span) // as systemd/network has it: the kernel would answer questions that the span shows
	ok(c.t, c.gw.Span("span0", "br0"))
}

// resolve starts the resolver with its DHCP server.
func (c *campus) resolve() {
	args := []string{
		"--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--log-facility=/dev/null", "--quiet-dhcp", "--no-ping", "--dhcp-authoritative",
		"--interface=br0", "--bind-interfaces", "--dhcp-range=10.20.0.10,10.20.0.99,12h", "--dhcp-leasefile=" + filepath.Join(c.dir, "leases"),
		"--dhcp-option=3," + gatewayIP, "--dhcp-option=6," + gatewayIP, "--user=root", "--pid-file=",
	}
	for name, addr := range servers {
		args = append(args, "--host-record="+name+","+addr)
	}
	c.start(c.gw, "dnsmasq", args...)
}

func (c *campus) ip(h *lab.Host, format string, args ...any) {
	c.t.Helper()
	ok(c.t, h.IP(format, args...))
}

func (c *campus) setting(h *lab.Host, setting string) {
	c.t.Helper()
	c.output(h, "sysctl", "-qw", setting)
}

func (c *campus) output(h *lab.Host, name string, args ...string) string {
	c.t.Helper()
	out, err := h.Command(context.Background(), name, args...).CombinedOutput()
	if err != nil {
		c.t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// plug plugs a host into the bridge, its interface wlan0 with the given MAC.
func (c *campus) plug(name, mac string) *phone {
	c.t.Helper()
	h := host(c.t, c.net, name)
	ok(c.t, c.net.Link(c.gw, name, h, "wlan0"))
	c.ip(c.gw, "link set %s master br0", name)
	c.setting(h, "net.ipv6.conf.all.disable_ipv6=1")
	for _, end := range []struct {
		h *lab.Host
		i string
	}{{h, "wlan0"}, {c.gw, name}} { // frames as a wire carries them
		c.output(end.h, "ethtool", "-K", end.i, "tso", "off", "gso", "off", "gro", "off", "tx", "off")
	}
	p := &phone{campus: c, Host: h, mac: mac}
	c.ip(h, "link set wlan0 down")
	c.ip(h, "link set wlan0 address %s", mac)
	c.ip(h, "link set wlan0 up")
	return p
}

func host(t *testing.T, n *lab.Net, name string) *lab.Host {
	t.Helper()
	h, err := n.Host(name)
	ok(t, err)
	return h
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// write writes a file into the campus' directory and returns its path.
func (c *campus) write(name, format string, args ...any) string {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	text := format
	if len(args) > 0 {
		text = fmt.Sprintf(format, args...)
	}
	ok(c.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}
