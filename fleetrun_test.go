package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"picket/alerts"
	"picket/configs"
	"picket/evidence"
	"picket/fleet"
	"picket/sensor/observation"
	"picket/sensor/packet"
)

// outpost is a sensor of a fleet with all but its frames: the test says what
// its workers saw.
type outpost struct {
	listen string
	a      *assembly
	judge  *alerts.Judge
	member *member
	stop   func()

	mu   sync.Mutex
	told []alerts.Notice
}

func (o *outpost) Announce(n alerts.Notice) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.told = append(o.told, n)
}

func (o *outpost) count(kind alerts.NoticeKind) (n int, last evidence.Episode) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, t := range o.told {
		if t.Kind == kind {
			n, last = n+1, t.Episode
		}
	}
	return n, last
}

func newOutpost(t *testing.T, f fleet.Config, state string) *outpost {
	t.Helper()
	c := configs.Defaults()
	c.Fleet = f
	p, err := alerts.Quick([]string{"xiaomi"}, []string{"CN"})
	if err != nil {
		t.Fatal(err)
	}
	c.Policies = []alerts.Policy{p}
	log := slog.New(slog.DiscardHandler)
	j, err := compile(c, log)
	if err != nil {
		t.Fatal(err)
	}
	o := &outpost{listen: f.Listen}
	if o.member, err = join(c.Fleet, state, func() []*alerts.Rule { return j.rules }, nil, log); err != nil {
		t.Fatal(err)
	}
	store, err := evidence.Open(evidence.Config{Dir: state})
	if err != nil {
		t.Fatal(err)
	}
	o.judge, err = alerts.NewJudge(alerts.JudgeConfig{Rules: j.rules, Geo: j.geo, Store: alerts.Kept{Store: store}, Announce: o.member.announcer(o, store, log), FlowOf: o.member.flowOf(), Sensor: o.member.name()})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.member.sum(o.judge, log); err != nil {
		t.Fatal(err)
	}
	k, err := newKeeper(o.judge, store, j.geo, log)
	if err != nil {
		t.Fatal(err)
	}
	if o.a, err = assemble(context.Background(), c, j, o.member.sink(k), nil, true, state, log); err != nil {
		t.Fatal(err)
	}
	o.member.share(o.a, store, log)
	ctx, cancel := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	wait.Go(func() {
		if err := o.member.run(ctx); err != nil {
			t.Error(err)
		}
	})
	o.stop = sync.OnceFunc(func() {
		cancel()
		wait.Wait()
		o.member.close(log)
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(o.stop)
	return o
}

func (o *outpost) see(list ...observation.Observation) {
	for i := range list {
		o.a.pipeline.Observe(&list[i])
	}
}

// eventually lets time pass, as the station does, until something has come about.
func eventually(t *testing.T, what string, ok func() bool, all ...*outpost) {
	t.Helper()
	for end := time.Now().Add(45 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		for _, o := range all {
			now := time.Now()
			o.a.identify.Tick(now)
			o.member.tick(now)
		}
		if ok() {
			return
		}
	}
	t.Fatalf("after 45 s still not: %s", what)
}

func dhcpOf(mac packet.MAC, addr netip.Addr, host string, at time.Time) []observation.Observation {
	ask := observation.Observation{Kind: observation.DHCP, At: at, Realm: "default", MAC: mac,
		Client: netip.AddrPortFrom(netip.IPv4Unspecified(), 68), Server: netip.MustParseAddrPort("255.255.255.255:67"),
		DHCP: &observation.DHCPMessage{Version: 4, Type: "request", MAC: mac, Hostname: host, HasHostname: true, VendorClass: "android-dhcp-10",
			HasVendorClass: true, ParamList: []int{1, 3, 6, 15, 26, 28, 51, 58, 59, 43}, Requested: addr, XID: 7}}
	ack := observation.Observation{Kind: observation.DHCP, At: at.Add(time.Millisecond), Realm: "default", Answered: true,
		Client: netip.MustParseAddrPort("10.1.0.1:67"), Server: netip.AddrPortFrom(addr, 68),
		DHCP: &observation.DHCPMessage{Version: 4, Type: "ack", FromServer: true, MAC: mac, Given: addr, Lease: time.Hour, XID: 7}}
	return []observation.Observation{ask, ack}
}

// talk is what the edge sees of a phone: frames of a router in between.
func talk(addr netip.Addr, server, name string, sent uint64, id uint64, at time.Time) []observation.Observation {
	o := observation.Observation{At: at, Realm: "default", Client: netip.AddrPortFrom(addr, 40000+uint16(id)), Server: netip.MustParseAddrPort(server),
		ClientHome: true, MAC: packet.MAC{0x02, 0x5e, 0, 0, 0, 1}, ServerMAC: packet.MAC{0x02, 0x5e, 0, 0, 0, 2}, Answered: true}
	hello, flow := o, o
	hello.Kind, hello.Hello = observation.TLS, &observation.Hello{SNI: name, Version: "1.3", ECH: "none"}
	flow.Kind = observation.FlowReport
	flow.Flow = observation.Flow{ID: id, Proto: 6, Name: name, Visibility: observation.BySNI, Sent: sent, Handshake: 500, Received: 4000, Packets: 20,
		First: at, Last: at.Add(time.Millisecond), Final: true}
	flow.At = at.Add(time.Millisecond)
	return []observation.Observation{hello, flow}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// campusPair starts an access and an edge sensor; the edge joins by url.
func campusPair(t *testing.T, share ...string) (access, edge *outpost) {
	t.Helper()
	if os.Getenv("PICKET_E2E") == "" || testing.Short() {
		t.Skip("starts a cluster: set PICKET_E2E=1")
	}
	base, addr := t.TempDir(), freePort(t)
	dirs := []string{filepath.Join(base, "access"), filepath.Join(base, "edge")}
	key, err := siteKey(dirs[0])
	if err != nil {
		t.Fatal(err)
	}
	writeKey(t, dirs[1], key)
	access = newOutpost(t, fleet.Config{Mode: fleet.Embedded, Name: "access", Listen: addr, Share: share}, dirs[0])
	edge = newOutpost(t, fleet.Config{Mode: fleet.URL, Name: "edge", URLs: []string{"nats://" + addr}, Share: share}, dirs[1])
	t.Cleanup(edge.stop) // before the server that it talks to
	eventually(t, "they hear each other", func() bool {
		for _, o := range []*outpost{access, edge} {
			known := 0
			for _, s := range o.member.node.Sensors() {
				if s.Known {
					known++
				}
			}
			if known < 2 {
				return false
			}
		}
		return true
	}, access, edge)
	return access, edge
}

var (
	redmi     = packet.MAC{0x28, 0x6c, 0x07, 1, 2, 3}
	redmiAddr = netip.MustParseAddr("10.1.2.3")
)

// edgeTraffic shows a router to the edge, by another host behind it, then the
// phone's system traffic and what it sends to China.
func edgeTraffic(edge *outpost, at time.Time) {
	edge.see(talk(netip.MustParseAddr("10.1.2.99"), "142.250.185.67:443", "www.google.com", 900, 1, at)...)
	edge.see(talk(netip.MustParseAddr("10.1.2.98"), "142.250.185.68:443", "www.google.com", 900, 2, at)...)
	edge.see(talk(redmiAddr, "52.76.31.14:443", "update.intl.miui.com", 2000, 3, at.Add(10*time.Millisecond))...)
	edge.see(talk(redmiAddr, "52.76.31.16:443", "find.api.micloud.xiaomi.net", 2000, 6, at.Add(15*time.Millisecond))...)
	edge.see(talk(redmiAddr, "120.92.96.155:443", "data.mistat.xiaomi.com", 5000, 4, at.Add(20*time.Millisecond))...)
}

func TestTheEdgeNamesThePhoneThatTheAccessSensorSawAsking(t *testing.T) {
	access, edge := campusPair(t, "default")
	now := time.Now().UTC()
	access.see(dhcpOf(redmi, redmiAddr, "RedmiNote9Pro-Redmi", now)...)
	edgeTraffic(edge, now.Add(50*time.Millisecond))
	eventually(t, "the edge knows who it is", func() bool {
		v := edge.a.table.Holder("default", redmiAddr)
		return v != nil && len(v.MACs()) == 1 && v.MACs()[0] == redmi
	}, access, edge)
	v := edge.a.table.Holder("default", redmiAddr)
	if w := access.a.table.Holder("default", redmiAddr); w == nil || w.ID != v.ID {
		t.Fatalf("ids differ: %v at the edge, %v at the access", v, w)
	}
	eventually(t, "it is certain at both", func() bool {
		return edge.a.table.Holder("default", redmiAddr).Verdict.Confidence.String() == "certain" &&
			access.a.table.Holder("default", redmiAddr).Verdict.Confidence.String() == "certain"
	}, access, edge)
	edge.see(talk(redmiAddr, "120.92.96.155:443", "data.mistat.xiaomi.com", 7000, 5, time.Now().UTC())...)
	var page evidence.Episode
	eventually(t, "one page", func() bool {
		for _, o := range []*outpost{access, edge} {
			if n, e := o.count(alerts.Opened); n > 0 && e.AlertedAs == "page" {
				page = e
				return true
			}
		}
		return false
	}, access, edge)
	if page.Device != string(v.ID) || page.Maker != "xiaomi" {
		t.Errorf("page about %s %s, want %s xiaomi", page.Device, page.Maker, v.ID)
	}
	eventually(t, "the lines are on the stream of events", func() bool {
		return eventOn(t, access, "episode")["policy"] == page.Policy && eventOn(t, access, "device")["id"] == page.Device
	}, access, edge)
}

// eventOn is the latest line of a type on the stream of events; nil for none.
func eventOn(t *testing.T, o *outpost, kind string) map[string]any {
	t.Helper()
	nc, err := nats.Connect("nats://" + o.listen)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	s, err := js.Stream(ctx, fleet.EventStream)
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.GetLastMsgForSubject(ctx, "picket.v1.event."+kind+".>")
	if err != nil {
		return nil
	}
	var line struct{ Body map[string]any }
	if err := json.Unmarshal(m.Data, &line); err != nil {
		t.Fatal(err)
	}
	return line.Body
}

func TestUnsharedRealmsNeverMeet(t *testing.T) {
	access, edge := campusPair(t) // the same addresses, two networks
	now := time.Now().UTC()
	access.see(dhcpOf(redmi, redmiAddr, "RedmiNote9Pro-Redmi", now)...)
	edgeTraffic(edge, now.Add(50*time.Millisecond))
	passed := time.Now().Add(3 * time.Second)
	eventually(t, "time passes", func() bool { return time.Now().After(passed) }, access, edge)
	if v := edge.a.table.Holder("default", redmiAddr); v == nil || len(v.MACs()) > 0 {
		t.Errorf("the edge took over a phone of another network: %+v", v)
	}
}

func writeKey(t *testing.T, dir string, key []byte) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "site.key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
}
