package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"picket/alerts"
	"picket/lab"
)

// post is a sensor of the fleet in a namespace of its own: a span of some
// part of the campus, and a cable to the management network.
type post struct {
	fleet *fleetCampus
	*process
	*lab.Host
	name, addr string
	conf       string
}

// fleetCampus is a campus that three sensors watch: access at the DHCP
// server, where it is shown DHCP, ARP and DNS alone; edge on the cable
// between the campus' router and the internet; core at that cable's far end.
// Alertmanager stands on the management network, which no span shows.
type fleetCampus struct {
	*campus
	desk  *desk
	mgmt  *campus
	posts []*post
	crowd *phone
}

const (
	managerAddr = "10.99.0.100"
	accessOnly  = "udp port 67 or udp port 68 or arp or udp port 53"
)

func newFleetCampus(t *testing.T) *fleetCampus {
	t.Helper()
	need(t, "prometheus-alertmanager", "dhclient")
	f := &fleetCampus{campus: newCampus(t)}
	f.mgmt = &campus{t: t, net: f.net, gw: host(t, f.net, "mgmt"), dir: f.dir}
	f.ip(f.mgmt.gw, "link add mg0 type bridge")
	f.ip(f.mgmt.gw, "link set mg0 up")
	f.ip(f.mgmt.gw, "addr add %s/24 dev mg0", managerAddr)
	f.desk = f.mgmt.openDesk("1s")
	f.forward(managerAddr+":9093", "127.0.0.1:9093")
	ok(t, f.net.Link(f.gw, "up1", f.inet, "up1")) // for what comes back another way
	f.ip(f.gw, "addr add 100.64.1.1/30 dev up1")
	f.ip(f.inet, "addr add 100.64.1.2/30 dev up1")
	for _, name := range []string{"all", "default", "up0", "up1"} {
		f.setting(f.gw, "net.ipv4.conf."+name+".rp_filter=0")
		f.setting(f.inet, "net.ipv4.conf."+name+".rp_filter=0")
	}
	secret, key := f.write("fleet.secret", "a secret of the fleet in the test\n"), strings.Repeat("k", 32)
	for i, name := range []string{"access", "edge", "core"} {
		p := &post{fleet: f, Host: host(t, f.net, name), name: name, addr: fmt.Sprintf("10.99.0.%d", i+1)}
		f.posts = append(f.posts, p)
		f.setting(p.Host, "net.ipv6.conf.all.disable_ipv6=1")
		ok(t, f.net.Link(f.mgmt.gw, "m-"+name, p.Host, "mg0"))
		f.ip(f.mgmt.gw, "link set m-%s master mg0", name)
		f.ip(p.Host, "addr add %s/24 dev mg0", p.addr)
		ok(t, os.MkdirAll(p.state(), 0o700))
		ok(t, os.WriteFile(filepath.Join(p.state(), "site.key"), []byte(key), 0o600))
		p.conf = f.write(name+".yml", "%s", p.config(secret))
	}
	f.output(f.gw, "tc", "qdisc", "del", "dev", "br0", "clsact") // the campus' own span has no sensor here
	f.watch(f.posts[0], f.gw, "br0")
	f.watch(f.posts[1], f.gw, "up0")
	f.watch(f.posts[2], f.inet, "up0")
	return f
}

// watch gives a sensor a span of a port.
func (f *fleetCampus) watch(p *post, at *lab.Host, port string) {
	f.t.Helper()
	end := "s-" + p.name
	ok(f.t, f.net.Link(at, end, p.Host, span))
	f.ip(at, "link set %s mtu 65535", end)
	f.ip(p.Host, "link set %s mtu 65535 arp off", span)
	ok(f.t, at.Span(end, port))
}

// forward lets the management network reach a port of its loopback.
func (f *fleetCampus) forward(from, to string) {
	l, err := f.mgmt.gw.Listen("tcp4", from)
	ok(f.t, err)
	f.t.Cleanup(func() { l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := f.mgmt.gw.Dial("tcp4", to)
			if err != nil {
				in.Close()
				continue
			}
			go relay(in, out)
			go relay(out, in)
		}
	}()
}

func relay(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	to.Close()
	from.Close()
}

func (p *post) state() string { return filepath.Join(p.fleet.dir, "state-"+p.name) }

func (p *post) config(secret string) string {
	var routes []string
	for i := range 3 {
		if addr := fmt.Sprintf("10.99.0.%d", i+1); addr != p.addr {
			routes = append(routes, addr+":6222")
		}
	}
	filter := ""
	if p.name == "access" {
		filter = accessOnly
	}
	return fmt.Sprintf(`
interfaces: [%s]
capture: {filter: %q}
web: {listen_addresses: ["%s:9710"]}
alertmanager: {urls: ["http://%s:9093"], alert_labels: {site: campus}}
fleet:
  mode: embedded
  name: %s
  cluster: %[3]s:6222
  routes: [%[6]s]
  listen: %[3]s:4222
  secret_file: %[7]s
  max_store: 64MiB
  share_realms: [default]
policies:%[8]s`, span, filter, p.addr, managerAddr, p.name, strings.Join(routes, ", "), secret, strings.Replace(oneKilobyteToCN, quiet, "4m", 1))
}

func (p *post) begin() {
	t := p.fleet.t
	t.Helper()
	p.process = p.fleet.start(p.Host, binary(t), "run", "-c", p.conf, "--state", p.state())
	until(t, p.name+" that captures", func() bool {
		select {
		case <-p.done:
			t.Fatalf("%s ended: %s", p.name, p.log)
		default:
		}
		return p.fleet.mgmt.get(p.url("/-/ready")) != ""
	})
}

func (p *post) url(path string) string { return "http://" + p.addr + ":9710" + path }

// joined waits until a sensor sees three that are well.
func (f *fleetCampus) joined() {
	f.t.Helper()
	f.health(func(up int) bool { return up == 3 }, "three sensors that hear each other")
}

func (f *fleetCampus) health(is func(up int) bool, what string) {
	f.t.Helper()
	within(f.t, 2*time.Minute, what, func() bool {
		for _, p := range f.posts {
			select {
			case <-p.done:
				continue
			default:
			}
			out, _ := p.Command(f.t.Context(), binary(f.t), "fleet", "status", "--json", "-c", p.conf).Output() // fails while one is lost
			if !is(strings.Count(string(out), `"state":"up"`)) {
				return false
			}
		}
		return true
	})
}

// open is what a sensor's API says of open episodes.
func (p *post) open() (list []struct {
	ID, Device string
	Sent       int64 `json:"sent_bytes"`
	Caveats    []string
}) {
	var body struct {
		Episodes json.RawMessage
	}
	if json.Unmarshal([]byte(p.fleet.mgmt.get(p.url("/api/v1/episodes?state=open"))), &body) == nil {
		_ = json.Unmarshal(body.Episodes, &list)
	}
	return list
}

// all waits until every sensor shows one episode, of exactly n bytes, and
// returns its device.
func (f *fleetCampus) all(n int64) (device string) {
	f.t.Helper()
	shown := map[string]any{}
	defer func() {
		if f.t.Failed() {
			f.t.Logf("at the end they showed %+v", shown)
		}
	}()
	within(f.t, 2*time.Minute, fmt.Sprintf("one episode of %d bytes at every sensor", n), func() bool {
		for _, p := range f.posts {
			list := p.open()
			shown[p.name] = list
			if len(list) != 1 || list[0].Sent != n {
				return false
			}
			device = list[0].Device
		}
		return true
	})
	return device
}

// strangers are other hosts of the campus: by them a sensor beyond the router
// learns, at each start, that the router's MAC is nobody's.
func (f *fleetCampus) strangers() {
	f.t.Helper()
	if f.crowd == nil {
		f.crowd = f.plug("crowd", "02:5e:00:00:00:01")
	}
	for i := range 4 {
		f.crowd.become(fmt.Sprintf("02:5e:00:00:01:%02x", i), fmt.Sprintf("10.20.7.%d", 10+i))
		f.crowd.get("connectivitycheck.gstatic.com", "/generate_204", pixelAgent)
	}
}

// TestFleet is several sensors as one. The access side sees who asks for
// DHCP, the edge who sends what behind a router: one phone, one page. Then
// one sensor is killed, one cut off, all are started again, and a phone's
// answers come back another way than its questions: at every sensor there is
// one episode, and its bytes are those that the phone's sockets counted.
func TestFleet(t *testing.T) {
	f := newFleetCampus(t)
	access, edge, core := f.posts[0], f.posts[1], f.posts[2]
	for _, p := range f.posts {
		p.begin()
	}
	f.joined()
	f.strangers()
	phone := f.redmi()
	until(t, "edge that knows the phone by name", func() bool { return strings.Contains(f.mgmt.get(edge.url("/api/v1/devices")), phone.mac) })

	sent := phone.upload("data.mistat.xiaomi.com", 30_000)
	got := f.desk.wait("page", func(p page) bool { return p.Status == "firing" })
	device := f.all(sent)
	f.desk.settle()
	f.desk.exactly("officer firing " + alerts.PageAlert + " " + device)
	if got.Labels["device"] != device || !strings.Contains(f.mgmt.get(access.url("/api/v1/devices/"+device)), phone.mac) {
		t.Errorf("the page is about %s, the access sensor knows it not", got.Labels["device"])
	}

	t.Log("one is killed in the middle of a conversation")
	u := phone.connect("tracking.miui.com")
	u.send(10_000)
	edge.stop(syscall.SIGKILL)
	u.send(20_000)
	f.health(func(up int) bool { return up >= 2 }, "majority")
	edge.begin()
	u.send(5_000)
	sent += u.close()
	f.joined()
	f.strangers()
	f.all(sent)

	t.Log("one is cut off")
	f.ip(f.mgmt.gw, "link set m-core down")
	sent += phone.upload("data.mistat.xiaomi.com", 40_000)
	cut, err := time.ParseDuration(or(os.Getenv("PICKET_PARTITION"), "45s"))
	ok(t, err)
	time.Sleep(cut) // a partition is a time without messages
	sent += phone.upload("tracking.miui.com", 3_000)
	f.ip(f.mgmt.gw, "link set m-core up")
	f.joined()
	f.all(sent)

	t.Log("all are started again")
	for _, p := range f.posts {
		p.stop(syscall.SIGTERM)
	}
	for _, p := range f.posts {
		p.begin()
	}
	f.joined()
	f.strangers()
	sent += phone.upload("data.mistat.xiaomi.com", 2_000)
	f.all(sent)

	t.Log("answers come back another way")
	f.output(f.inet, "tc", "qdisc", "del", "dev", "up0", "clsact")
	ok(t, f.inet.Span("s-core", "up1"))
	f.ip(f.inet, "route replace %s/32 via 100.64.1.1 dev up1", phone.ip)
	sent += phone.upload("data.mistat.xiaomi.com", 7_000)
	f.all(sent)
	if list := core.open(); strings.Contains(strings.Join(list[0].Caveats, "; "), alerts.OneWay) {
		t.Errorf("both directions were seen: %q", list[0].Caveats)
	}

	var end page
	within(t, 6*time.Minute, "resolve", func() bool {
		for _, p := range f.desk.got() {
			if p.Status == "resolved" {
				end = p
				return true
			}
		}
		return false
	})
	f.desk.settle()
	f.desk.exactly("officer firing "+alerts.PageAlert+" "+device, "officer resolved "+alerts.PageAlert+" "+device)
	if end.Annotations["sent_bytes"] != strconv.FormatInt(sent, 10) {
		t.Errorf("the resolve says %s bytes, the phone's sockets %d", end.Annotations["sent_bytes"], sent)
	}
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
