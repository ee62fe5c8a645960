package web

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"picket/evidence"
)

// makersOfBusy are who is prohibited at the busy site, with models as long
// and as odd as they come.
var makersOfBusy = []struct {
	maker, owner string
	models       []string
	names        []string
}{
	{"xiaomi", "Xiaomi Corporation", []string{"Redmi Note 12", "23021RAAEG", "POCO X3 NFC", "Redmi Note 13 Pro+ 5G (Special Edition, Aurora Purple, 512 GB)"}, []string{"data.mistat.xiaomi.com", "api.sec.intl.miui.com", "resolver.msg.global.xiaomi.net", "update.intl.miui.com"}},
	{"vivo", "vivo Mobile Communication Co., Ltd.", []string{"V2130", "V2250", ""}, []string{"st-eden.vivoglobal.com", "vcs-asia-internal-telemetry-collector-0142.edge.vivoglobal.com"}},
	{"huawei-or-honor", "Huawei Technologies Co., Ltd.", []string{"", "NTH-NX9"}, []string{"query.hicloud.com", "connect-drcn.dbankcloud.cn"}},
	{"oppo-group", "Guangdong OPPO Mobile Telecommunications Corp.", []string{"CPH2269", "RMX3472"}, []string{"gslb-dn.push.heytapmobile.com"}},
}

var placesOfBusy = []string{
	"access point ap-14, SSID campus (radius, 2026-05-31 09:12:44Z)", "switch sw-edge-2, port Gi1/0/17 (configured)", "place unknown: no source",
	"access point library-north-reading-room-3f-ap-0042, SSID visitors-and-conference-guests (radius, 2026-05-31 10:55:01Z)", "VLAN 110",
}

// busy fills a store as a campus of a few thousand people would: hundreds of
// devices, episodes of every kind, a month of the ledger with a migration.
func busy(t testing.TB, s *evidence.Store, devices int) {
	t.Helper()
	r := rand.New(rand.NewPCG(7, 9))
	fill(t, s, 6)
	for d := range 30 {
		at := noon.AddDate(0, 0, d-29)
		if d == 20 {
			continue
		}
		for _, m := range []struct{ maker, country string }{{"xiaomi", "CN"}, {"xiaomi", "SG"}, {"xiaomi", "US"}, {"xiaomi", "IN"}, {"samsung", "KR"}, {"samsung", "US"}, {"apple", "US"}, {"apple", "IE"}, {"vivo", "CN"}, {"vivo", "SG"},
			{"oppo-group", "SG"}, {"", "DE"}, {"", "FR"}, {"huawei-or-honor", "CN"}, {"huawei-or-honor", "HK"}, {"google", "US"}, {"", ""}, {"nothing", "GB"}, {"motorola", "BR"}, {"tecno", "NG"}, {"tecno", "ZA"}} {
			for range 12 + r.IntN(20) {
				s.Count(evidence.Residence{Maker: m.maker, Class: "handset", Owner: "Example", Plane: "os", Location: m.country, Registration: m.country, OperatorHome: "US", OwnerHome: "CN", Operator: "Example Cloud", Epoch: "e1"},
					evidence.Flow{At: at, Device: r.Uint32N(90) * 0x9e3779b1, Sent: r.Uint64N(9 << 20), Flows: 3})
			}
		}
	}
	for i := 6; i < devices; i++ {
		busyDevice(s, r, i)
	}
	for i := 10; i < min(devices/8, 90); i++ {
		e := busyEpisode(r, i)
		if err := s.SaveEpisode(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
}

func busyDevice(s *evidence.Store, r *rand.Rand, i int) {
	m := makersOfBusy[i%len(makersOfBusy)]
	d := evidence.Device{
		ID: deviceID(i), Realm: "campus", Concern: evidence.Prohibited, Policies: []string{"maker-x-to-country-y"}, Maker: m.maker, Model: m.models[r.IntN(len(m.models))],
		Class: "handset", Handset: "yes", Confidence: "certain", Posterior: 0.99 + r.Float64()/101, RandomMAC: r.IntN(3) > 0, Leased: true, Place: placesOfBusy[r.IntN(len(placesOfBusy))],
		MACs:  []string{fmt.Sprintf("da:a1:19:%02x:%02x:%02x", i>>16&255, i>>8&255, i&255), fmt.Sprintf("5e:33:10:%02x:%02x:%02x", i>>16&255, i>>8&255, i&255)},
		Addrs: []string{fmt.Sprintf("10.21.%d.%d", i>>8&255, i&255), fmt.Sprintf("2001:db8:1:20:58a1:19ff:fe%02x:%04x", i>>16&255, i&0xffff)},
		First: noon.Add(-time.Duration(r.IntN(30*24*60)) * time.Minute), Last: noon.Add(-time.Duration(r.IntN(36*60)) * time.Minute),
		Reasons: []string{"asks the updater of its maker's system (" + m.names[0] + "), which only its firmware asks", "its DHCP option order is that of " + m.maker, "its model is one of " + m.owner},
		Against: []string{}, WouldChange: []string{"a connectivity check of another maker's firmware would speak against it", "a second identity at the same address would make it shared"}, Signatures: "7f3a91c2d4e5",
	}
	if i%6 == 5 {
		d.Concern, d.Confidence, d.Posterior = evidence.Review, "likely", 0.9+r.Float64()/12
		d.Reasons, d.Against = d.Reasons[:1], []string{"its hardware address is random: the prefix says nothing", "it also asked captive.apple.com, once, seconds after a web visit"}
		d.WouldChange = []string{"a DHCP request: its vendor class and option order would be a second, independent proof", "a push connection that names its model"}
	}
	s.SaveDevice(d)
}

func busyEpisode(r *rand.Rand, i int) evidence.Episode {
	m := makersOfBusy[i%len(makersOfBusy)]
	e := fakeEpisodes()[0]
	e.ID, e.Device, e.Maker, e.Model, e.Place = fmt.Sprintf("e-%016x", 0x51aa00+i), deviceID(i), m.maker, m.models[r.IntN(len(m.models))], placesOfBusy[r.IntN(len(placesOfBusy))]
	if i%9 == 0 {
		e.Sensor = "east north"
	}
	e.Severity = severities[[]int{0, 1, 2, 2}[r.IntN(4)]]
	e.AlertedAs = strings.ReplaceAll(e.Severity, "observe", "")
	e.Opened = noon.Add(-time.Duration(r.IntN(20*24*60)) * time.Minute)
	e.First, e.Last = e.Opened.Add(-time.Minute), e.Opened.Add(time.Duration(10+r.IntN(300))*time.Minute)
	e.Sent, e.Servers, e.Caveats = 0, nil, []string{}
	for k := range 1 + r.IntN(5) {
		first := e.First.Add(time.Duration(r.IntN(20*(k+1))) * time.Minute)
		sv := evidence.Server{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(r.IntN(250))}), 443), Name: m.names[k%len(m.names)], Location: []string{"CN", "SG", "US"}[k%3], LocationConfidence: "high",
			Registration: "CN", Operator: []string{"Beijing Kingsoft Cloud", "Alibaba (US) Technology Co., Ltd.", "Amazon.com, Inc."}[k%3], OperatorHome: []string{"CN", "CN", "US"}[k%3], ASN: 59019, Owner: m.owner, OwnerHome: "CN",
			Plane: "os", NameMaker: m.maker, Sent: r.Uint64N(40 << 20), Handshake: 1517, Flows: 4, First: first, Last: first.Add(time.Duration(1+r.IntN(90)) * time.Minute), Hits: []string{"owner"}}
		if k%3 == 0 {
			sv.Hits = []string{"location", "operator", "owner"}
		}
		if k == 3 {
			sv.Name, sv.Addr, sv.Tunnel, sv.Plane = "", netip.MustParseAddrPort("[2001:db8:ffff:1234:5678:9abc:def0:1234]:8443"), true, ""
		}
		if sv.Last.After(e.Last) {
			e.Last = sv.Last
		}
		e.Sent += sv.Sent
		e.Servers = append(e.Servers, sv)
	}
	if i%4 != 0 || e.Last.After(noon) {
		e.Closed, e.CloseReason, e.Firing = e.Last.Add(2*time.Hour), "quiet", false
		if e.Closed.After(noon) {
			e.Closed = noon
		}
		e.Last = e.Closed.Add(-time.Minute)
	}
	e.Sentence = fmt.Sprintf("A %s handset (%s%s) sent %d MiB to CN by location, operator and owner within 3 h.", title(m.maker), strings.Join([]string{e.Model, ""}, ", "), e.Confidence, e.Sent>>20)
	return e
}

func busyFleet() Fleet {
	return Fleet{On: true, Name: "north", Connected: true, Heard: noon.Add(-3 * time.Second), Waiting: 2, Oldest: noon.Add(-time.Second), Spool: 88 << 10, Published: 120_331, Applied: 88_012, Differences: []string{"signatures differ: 7f3a91c2d4e5 at north south; 9b0011aa22cc at east"}, Sensors: []Sensor{
		{Name: "east", State: "late", Heard: noon.Add(-9 * time.Second), Version: "1.0", Interfaces: []string{"eth1"}, Realms: []string{"campus"}, Frames: 88_000_123, Dropped: 4, Devices: 812, NoDevice: 0.12, Learning: 0.2, Waiting: 31, Skew: 0.113, Signatures: "9b0011aa22cc"},
		{Name: "north", State: "up", Heard: noon, Version: "1.0", Interfaces: []string{"eth1", "eth2"}, Realms: []string{"campus", "guest"}, Frames: 1_482_201_303, Devices: 5210, NoDevice: 0.004, Learning: 0.31, Open: 5, Signatures: "7f3a91c2d4e5"},
		{Name: "south", State: "lost", Heard: noon.Add(-11 * time.Minute), Version: "1.0", Interfaces: []string{"enp3s0f1np1"}, Realms: []string{"campus"}, Frames: 12_000, Devices: 3, Signatures: "7f3a91c2d4e5"},
	}}
}

// busyMap is a map of boxes: no border is drawn, here least of all.
const busyMap = `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 60" onload="alert(1)"><script>alert(2)</script><style>*{fill:red}</style>
<g transform="translate(0 0)" onclick="alert(3)"><rect id="US" x="2" y="10" width="30" height="30"/><rect id="DE" x="40" y="10" width="10" height="10"/><path id="cn" d="M60 10h30v20h-30z" style="fill:url(http://evil.example/)"/>
<image href="http://evil.example/x.png"/><circle id="SG" cx="80" cy="45" r="4"/></g></svg>`

// packetStore is a store that keeps packets of the first fake episode.
type packetStore struct{ *evidence.Store }

func (p packetStore) Packets(id string) (io.ReadCloser, int64, error) {
	if id != "e-0000000000000001" {
		return nil, 0, fs.ErrNotExist
	}
	b := []byte("packets of " + id)
	return io.NopCloser(bytes.NewReader(b)), int64(len(b)), nil
}

// busySite makes the handler over a busy store.
func busySite(t testing.TB, devices int) http.Handler {
	t.Helper()
	s, err := evidence.Open(evidence.Config{Dir: t.TempDir(), Limits: evidence.Limits{Waiting: 1 << 18}, Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	busy(t, s, devices)
	m, err := parseMap([]byte(busyMap))
	if err != nil {
		t.Fatal(err)
	}
	am, _ := url.Parse("http://alertmanager.example:9093/am")
	h, err := New(Config{Store: packetStore{s}, Status: fakeStatus, Fleet: busyFleet, Map: m, Site: "North campus", Alertmanager: am, Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	return h
}
