package device

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"picket/sensor/handset"
	"picket/sensor/observation"
	"picket/sensor/packet"
)

// counted is a Judge for tests that read what a device was given: its dossier
// keeps every piece as written, and its verdict is the maker with most system
// names, likely from one and certain from two.
type counted struct{}

var systemNames = map[string]string{
	"update.miui.example": "xiaomi", "find.miui.example": "xiaomi", "push.miui.example": "xiaomi",
	"ota.heytap.example": "oppo", "find.heytap.example": "oppo",
	"push.apple.example": "apple", "check.apple.example": "apple",
	"ota.hicloud.example": "huawei", "find.hicloud.example": "huawei",
	"ota.vivo.example": "vivo", "find.vivo.example": "vivo",
	"fota.samsung.example": "samsung", "find.samsung.example": "samsung",
}

func (counted) Name(name string) NameMatch {
	if m := systemNames[name]; m != "" {
		return NameMatch{Known: true, Maker: m, Plane: handset.OS}
	}
	return NameMatch{}
}
func (counted) New() Dossier { return &pieces{} }
func (counted) Restore(b []byte) (Dossier, error) {
	p := &pieces{}
	return p, json.Unmarshal(b, &p.Seen)
}

type pieces struct{ Seen []string }

func (p *pieces) Add(e handset.Evidence) bool {
	s := e.Family + "/" + e.Field + "=" + e.Value
	if e.Visit {
		s += " (visit)"
	}
	if slices.Contains(p.Seen, s) {
		return false
	}
	p.Seen = append(p.Seen, s)
	return true
}

func (p *pieces) Verdict(now time.Time, n Network) *handset.Verdict {
	v := &handset.Verdict{Class: "unknown", Handset: "unknown", Shared: n.Shared}
	by := map[string]int{}
	for _, s := range p.Seen {
		_, name, _ := strings.Cut(s, "=")
		if m := systemNames[name]; m != "" {
			by[m]++
			if by[m] > by[v.Maker] || v.Maker == "" {
				v.Maker = m
			}
		}
	}
	switch {
	case v.Maker == "":
	case by[v.Maker] > 1 && !n.Shared:
		v.Confidence, v.Handset = handset.Certain, "yes"
	default:
		v.Confidence = handset.Likely
	}
	return v
}
func (p *pieces) Enough() bool          { return len(p.Seen) > 2 }
func (p *pieces) Clone() Dossier        { return &pieces{slices.Clone(p.Seen)} }
func (p *pieces) Save() ([]byte, error) { return json.Marshal(p.Seen) }

// bench is a table with a clock, for tests written as a story.
type bench struct {
	*testing.T
	table *Table
	now   time.Time
}

var start = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

func newBench(t *testing.T, cfg Config) *bench {
	cfg.Judge = counted{}
	return &bench{t, New(cfg), start}
}

func (b *bench) wait(d time.Duration) *bench {
	b.now = b.now.Add(d)
	b.table.Tick(b.now)
	return b
}

func addrOf(s string) netip.Addr { return netip.MustParseAddr(s) }

func mac(s string) packet.MAC {
	if s == "" {
		return packet.MAC{}
	}
	m, ok := parseMAC(s)
	if !ok {
		panic("test: hardware address " + s)
	}
	return m
}

func ends(client, server string) (netip.AddrPort, netip.AddrPort) {
	return netip.AddrPortFrom(addrOf(client), 40000), netip.AddrPortFrom(addrOf(server), 443)
}

// hello has a device open an answered TLS conversation.
func (b *bench) hello(realm, client, m, sni string) *Device {
	return b.say(realm, client, m, sni, true)
}

func (b *bench) say(realm, client, m, sni string, answered bool) *Device {
	o := observation.Observation{Kind: observation.TLS, At: b.now, Realm: realm, ClientHome: true, MAC: mac(m), Answered: answered,
		Hello: &observation.Hello{SNI: sni}}
	o.Client, o.Server = ends(client, "203.0.113.7")
	return b.table.Observe(&o)
}

// flowTo reports a conversation that began at a given time.
func (b *bench) flowTo(realm, client, m, server, serverMAC string, began time.Time) *Device {
	o := observation.Observation{Kind: observation.FlowReport, At: b.now, Realm: realm, ClientHome: true, MAC: mac(m), ServerMAC: mac(serverMAC),
		Flow: observation.Flow{Proto: 6, Sent: 100, Received: 100, First: began, Last: b.now, Visibility: observation.Unnamed}}
	o.Client, o.Server = ends(client, server)
	return b.table.Observe(&o)
}

func (b *bench) arp(realm, addr, m string) {
	b.table.Observe(&observation.Observation{Kind: observation.ARP, At: b.now, Realm: realm, MAC: mac(m),
		Neighbour: &observation.Neighbour{Addr: addrOf(addr), MAC: mac(m), Op: "request"}})
}

// dhcpAsk and dhcpAck are the two halves that matter of a DHCP exchange.
func (b *bench) dhcpAsk(realm, m string, msg observation.DHCPMessage) {
	msg.Version, msg.Type, msg.MAC = 4, "request", mac(m)
	b.table.Observe(&observation.Observation{Kind: observation.DHCP, At: b.now, Realm: realm, MAC: mac(m), DHCP: &msg})
}

func (b *bench) dhcpAck(realm, m, given string, lease time.Duration) {
	b.table.Observe(&observation.Observation{Kind: observation.DHCP, At: b.now, Realm: realm, Answered: true,
		DHCP: &observation.DHCPMessage{Version: 4, Type: "ack", FromServer: true, MAC: mac(m), Given: addrOf(given), Lease: lease}})
}

func (b *bench) lease(realm, m, given string, msg observation.DHCPMessage) {
	b.dhcpAsk(realm, m, msg)
	b.dhcpAck(realm, m, given, 8*time.Hour)
}

// seen is what the device was given as evidence.
func (b *bench) seen(d *Device) string {
	if d == nil || d.root().dossier == nil {
		return ""
	}
	return strings.Join(d.root().dossier.(*pieces).Seen, "; ")
}

func (b *bench) mustDiffer(x, y *Device, why string) {
	b.Helper()
	if x == nil || y == nil || x.ID() == y.ID() {
		b.Errorf("%s: got one device, want two", why)
	}
}

func (b *bench) mustBe(x, y *Device, why string) {
	b.Helper()
	if x == nil || y == nil || x.ID() != y.ID() {
		b.Errorf("%s: got two devices, want one", why)
	}
}

func (b *bench) has(d *Device, name string, want bool) {
	b.Helper()
	if strings.Contains(b.seen(d), name) != want {
		b.Errorf("evidence %q: %q there is %v, want %v", b.seen(d), name, !want, want)
	}
}
