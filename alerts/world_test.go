package alerts

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"picket/evidence"
	"picket/geo"
	"picket/sensor"
	"picket/sensor/device"
	"picket/sensor/handset"
	"picket/sensor/observation"
)

var (
	start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) // a Monday
	inCN  = netip.MustParseAddrPort("203.0.113.7:443")
	inNO  = netip.MustParseAddrPort("198.51.100.9:443")
	inSG  = netip.MustParseAddrPort("192.0.2.80:443")
)

// atlas is a geography of documentation addresses.
type atlas map[netip.Addr]geo.Jurisdiction

func (a atlas) Judge(q geo.Query) geo.Jurisdiction {
	j, ok := a[q.Addr]
	if !ok {
		j = geo.Jurisdiction{Addr: q.Addr, LocationConfidence: geo.NoIdea}
	}
	if q.Name == "owned.example" {
		j.Owner = geo.Party{Name: "Xiaomi", Home: "CN"}
	}
	return j
}

func newAtlas() atlas {
	return atlas{
		inCN.Addr(): {Addr: inCN.Addr(), Location: "CN", LocationConfidence: geo.High, Operator: geo.Party{ASN: 64500, Name: "Example Cloud", Home: "CN"}},
		inNO.Addr(): {Addr: inNO.Addr(), Location: "NO", LocationConfidence: geo.High, Operator: geo.Party{ASN: 64501, Name: "Norsk", Home: "NO"}},
		inSG.Addr(): {Addr: inSG.Addr(), Location: "SG", LocationConfidence: geo.Medium, Operator: geo.Party{ASN: 64502, Name: "Example Cloud", Home: "CN"}},
	}
}

// recorder notes what somebody would be told, one line a notice, changes of
// text left out.
type recorder struct {
	lines  []string
	latest map[string]evidence.Episode
	all    []Notice
}

func (r *recorder) Announce(n Notice) {
	r.all = append(r.all, n)
	if r.latest == nil {
		r.latest = map[string]evidence.Episode{}
	}
	r.latest[n.Episode.Policy+"/"+n.Episode.Device] = n.Episode
	switch n.Kind {
	case Changed:
		return
	case Resolved:
		r.lines = append(r.lines, fmt.Sprintf("resolved %s %s %s %d: %s", n.Episode.AlertedAs, n.Episode.Policy, n.Episode.Device, n.Episode.Sent, n.Episode.CloseReason))
	default:
		r.lines = append(r.lines, fmt.Sprintf("%s %s %s %s %d", n.Kind, n.Episode.AlertedAs, n.Episode.Policy, n.Episode.Device, n.Episode.Sent))
	}
}

type world struct {
	t     testing.TB
	judge *Judge
	told  *recorder
	store Store
	geo   atlas
}

type worldConfig struct {
	policies []Policy
	store    Store
	metrics  *Metrics
	limits   Limits
	now      time.Time
	told     *recorder
}

func newWorld(t testing.TB, c worldConfig) *world {
	t.Helper()
	if c.policies == nil {
		c.policies = []Policy{xiaomiToCN()}
	}
	if c.store == nil {
		c.store = &Memory{}
	}
	if c.told == nil {
		c.told = &recorder{}
	}
	w := &world{t: t, told: c.told, store: c.store, geo: newAtlas()}
	var err error
	w.judge, err = NewJudge(JudgeConfig{Rules: compile(t, c.policies...), Geo: w.geo, Store: c.store, Announce: w.told, Metrics: c.metrics, Limits: c.limits, Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func known() Known {
	return Known{
		Makers:    []string{"xiaomi", "apple", "huawei", "honor", "oppo", "realme", "oneplus", "oppo-group", "huawei-or-honor", "samsung"},
		Groups:    map[string][]string{"oppo-group": {"oppo", "realme", "oneplus"}, "huawei-or-honor": {"huawei", "honor"}},
		Countries: geo.Groups{"eu": {"SE", "DE", "FR"}},
	}
}

func compile(t testing.TB, ps ...Policy) []*Rule {
	t.Helper()
	rules, err := CompileAll(ps, known())
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func countries(t testing.TB, words ...string) geo.CountrySet {
	t.Helper()
	s, err := lateCountries(words)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func xiaomiToCN() Policy {
	s, _ := lateCountries([]string{"CN"})
	return Policy{
		Name: "xiaomi-to-cn", Severity: Page,
		Devices:    Devices{Makers: OneOrMore[string]{"xiaomi"}, Class: OneOrMore[Class]{"handset"}, Confidence: Confidence(handset.Certain)},
		Restricted: Restricted{Countries: s},
		Threshold:  Threshold{Sent: 1 << 10, Within: Duration(10 * time.Minute)},
		Quiet:      Duration(2 * time.Hour),
	}
}

func phone(id device.ID, maker string, c handset.Confidence) *device.View {
	return device.View{
		ID: id, Realm: "default",
		Verdict: &handset.Verdict{Maker: maker, Class: "handset", Handset: "yes", Confidence: c, Reasons: []handset.Reason{{Said: &handset.Said{Family: "dhcp", Maker: maker, Text: "DHCP says so"}}}},
	}.With(device.Details{
		Addrs: []netip.Addr{netip.MustParseAddr("10.0.0.5")}, First: start, Last: start,
		Place: observation.Place{AccessPoint: "ap-7", SSID: "campus", Source: "radius"},
	})
}

var flowID uint64

// transfer is n bytes of payload to a server at a time.
func transfer(v *device.View, server netip.AddrPort, at time.Time, n uint64) sensor.Transfer {
	flowID++
	return sensor.Transfer{
		Device: v, Client: netip.AddrPortFrom(netip.MustParseAddr("10.0.0.5"), 40000), Server: server, Proto: 6, Flow: flowID,
		Visibility: observation.BySNI, Name: "api.example.com", Sent: n, Packets: 3, First: at, Last: at,
	}
}

func (w *world) send(v *device.View, server netip.AddrPort, at time.Time, n uint64) {
	w.judge.Transfer(transfer(v, server, at, n))
}

func (w *world) verdict(v *device.View, at time.Time) {
	w.judge.Verdict(sensor.VerdictChange{At: at, Device: v})
}

// pass lets packet time pass in ticks of a minute.
func (w *world) pass(from time.Time, d time.Duration) time.Time {
	for at := from; at.Before(from.Add(d)); at = at.Add(time.Minute) {
		w.judge.Tick(at)
	}
	w.judge.Tick(from.Add(d))
	return from.Add(d)
}

func (w *world) wantTold(lines ...string) {
	w.t.Helper()
	if !slices.Equal(w.told.lines, lines) {
		w.t.Errorf("told:\n%s\nwant:\n%s", indent(w.told.lines), indent(lines))
	}
}

func indent(lines []string) string {
	out := ""
	for _, l := range lines {
		out += "\t" + l + "\n"
	}
	return out
}

// episodes are all that the store has.
func (w *world) episodes() []evidence.Episode {
	w.t.Helper()
	w.judge.Flush()
	list, err := w.store.Episodes(time.Time{})
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}
