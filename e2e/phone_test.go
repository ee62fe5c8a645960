package e2e

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"picket/lab"
)

// phone is a device of the campus with a DHCP client, a resolver and a TLS
// client, all real.
type phone struct {
	campus *campus
	*lab.Host
	mac string
	ip  string
}

// requested is option 55 of Android 10 and later, in dhclient's words.
const requested = "subnet-mask, routers, domain-name-servers, domain-name, interface-mtu, broadcast-address, dhcp-lease-time, " +
	"dhcp-renewal-time, dhcp-rebinding-time, vendor-encapsulated-options, captive-portal, v6-only"

// lease gets an address the way the device's DHCP client would.
func (p *phone) lease(hostname, class string) {
	p.campus.t.Helper()
	p.dhclient(hostname, class, "-1")
	p.dhclient(hostname, class, "-x")
	b, err := os.ReadFile(p.leases())
	ok(p.campus.t, err)
	at := strings.LastIndex(string(b), "fixed-address ")
	if at < 0 {
		p.campus.t.Fatalf("no lease: %s", b)
	}
	addr, _, _ := strings.Cut(string(b[at+len("fixed-address "):]), ";")
	p.address(addr)
}

// remember gives the DHCP client the memory of an address that it had before.
func (p *phone) remember(addr string) {
	p.campus.t.Helper()
	p.campus.write(p.Name+".lease", "lease {\n  interface \"wlan0\";\n  fixed-address %s;\n  option subnet-mask 255.255.0.0;\n"+
		"  option dhcp-server-identifier %s;\n  renew never;\n  rebind never;\n  expire never;\n}\n", addr, gatewayIP)
}

// release gives the address back.
func (p *phone) release(hostname, class string) {
	p.campus.t.Helper()
	p.dhclient(hostname, class, "-r")
	p.campus.ip(p.Host, "addr flush dev wlan0")
}

func (p *phone) leases() string { return filepath.Join(p.campus.dir, p.Name+".lease") }

func (p *phone) dhclient(hostname, class, do string) {
	t := p.campus.t
	t.Helper()
	if _, err := exec.LookPath("dhclient"); err != nil {
		t.Skip("no dhclient: apt install isc-dhcp-client")
	}
	conf := p.campus.write(p.Name+".conf", "option captive-portal code 114 = text;\noption v6-only code 108 = unsigned integer 32;\ntimeout 30;\nbackoff-cutoff 2;\n"+
		"send host-name %q;\nsend vendor-class-identifier %q;\nrequest %s;\n", hostname, class, requested)
	p.campus.output(p.Host, "dhclient", do, "-sf", "/bin/true", "-cf", conf, "-lf", p.leases(), "-pf", filepath.Join(p.campus.dir, p.Name+".pid"), "wlan0")
}

// address gives the phone an address and a way out.
func (p *phone) address(ip string) {
	p.campus.t.Helper()
	p.ip = ip
	p.campus.ip(p.Host, "addr flush dev wlan0")
	p.campus.ip(p.Host, "addr add %s/16 dev wlan0", ip)
	p.campus.ip(p.Host, "route replace default via %s", gatewayIP)
}

// become makes another device of the phone: MAC and address are new.
func (p *phone) become(mac, ip string) {
	p.campus.t.Helper()
	p.mac = mac
	p.campus.ip(p.Host, "link set wlan0 down")
	p.campus.ip(p.Host, "link set wlan0 address %s", mac)
	p.campus.ip(p.Host, "link set wlan0 up")
	p.address(ip)
}

// ask resolves a name.
func (p *phone) ask(name string) string {
	t := p.campus.t
	t.Helper()
	r := net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) { return p.Dial("udp4", gatewayIP+":53") }}
	var err error
	for range 5 { // the bridge may have just learnt of us
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		var addrs []string
		addrs, err = r.LookupHost(ctx, name)
		cancel()
		if err == nil {
			return addrs[0]
		}
	}
	t.Fatal(err)
	return ""
}

// get makes a plain HTTP request, as a connectivity check does.
func (p *phone) get(name, path, agent string) {
	t := p.campus.t
	t.Helper()
	conn, err := p.Dial("tcp4", p.ask(name)+":80")
	ok(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nUser-Agent: %s\r\nHost: %s\r\nConnection: close\r\n\r\n", path, agent, name)
	ok(t, err)
	_, err = io.Copy(io.Discard, conn)
	ok(t, err)
}

// counted counts what passes a connection: the truth of the tests.
type counted struct {
	net.Conn
	up atomic.Int64
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.up.Add(int64(n))
	return n, err
}

// upload is a TLS connection that sends.
type upload struct {
	p     *phone
	raw   *counted
	tls   *tls.Conn
	begun time.Time // before the first SYN
}

// connect opens a TLS connection to a name.
func (p *phone) connect(name string) *upload {
	p.campus.t.Helper()
	return p.secure(p.ask(name), name)
}

// secure opens a TLS connection to an address; without a name it shows none.
func (p *phone) secure(addr, name string) *upload {
	t := p.campus.t
	t.Helper()
	begun := time.Now()
	conn, err := p.Dial("tcp4", addr+":443")
	ok(t, err)
	raw := &counted{Conn: conn}
	c := tls.Client(raw, &tls.Config{ServerName: name, InsecureSkipVerify: true})
	ok(t, c.Handshake())
	return &upload{p, raw, c, begun}
}

// send sends n bytes that do not compress, and waits until they are there.
func (u *upload) send(n int) {
	u.p.campus.t.Helper()
	b := make([]byte, n)
	_, _ = rand.Read(b)
	_, err := u.tls.Write(b)
	ok(u.p.campus.t, err)
	_, err = u.tls.Read(b[:1])
	ok(u.p.campus.t, err)
}

// close ends the connection and returns the bytes that went up.
func (u *upload) close() int64 {
	_ = u.tls.Close()
	return u.raw.up.Load()
}

// upload sends n bytes to a name over a connection of their own, and returns
// the bytes that went up.
func (p *phone) upload(name string, n int) int64 {
	p.campus.t.Helper()
	u := p.connect(name)
	u.send(n)
	return u.close()
}

// What the phones say of themselves.
const (
	redmiAgent = "Dalvik/2.1.0 (Linux; U; Android 13; 23021RAAEG Build/TKQ1.221114.001)"
	pixelAgent = "Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/UD1A.231105.004)"
)

// behave does what a freshly joined Xiaomi handset does: enough to be known,
// and nothing that goes to CN.
func (p *phone) behave() {
	p.campus.t.Helper()
	p.get("connectivitycheck.gstatic.com", "/generate_204", redmiAgent)
	p.ask("update.intl.miui.com")
	p.ask("find.api.micloud.xiaomi.net")
	p.ask("api.sec.intl.miui.com")
}

// redmi plugs in a Xiaomi handset that leases an address and behaves.
func (c *campus) redmi() *phone {
	c.t.Helper()
	p := c.plug("redmi", "5a:11:22:33:44:01")
	p.lease("Redmi-Note-12", "android-dhcp-13")
	p.behave()
	return p
}

// pixel plugs in a handset that nobody prohibits.
func (c *campus) pixel() *phone {
	c.t.Helper()
	p := c.plug("pixel", "aa:3f:66:c0:12:06")
	p.lease("Mia-s-Pixel-8", "android-dhcp-14")
	p.get("connectivitycheck.gstatic.com", "/generate_204", pixelAgent)
	return p
}
