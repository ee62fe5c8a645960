package web

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"picket/evidence"
)

var noon = time.Date(2026, 5, 31, 12, 0, 0, 0, time.UTC)

// fill puts a made-up month into a store: a maker that moves from CN to SG
// and US on the 12th, with a day on which nobody watched.
func fill(t testing.TB, s *evidence.Store, devices int) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	for d := range 30 {
		at := noon.AddDate(0, 0, d-29)
		if d == 20 {
			continue
		}
		s.Watch(at, evidence.Watched{Seconds: 86000, Named: 90 << 20, Unnamed: 11 << 20})
		for _, m := range []struct {
			maker, country string
			mib            int
		}{{"xiaomi", "CN", 300}, {"xiaomi", "SG", 60}, {"xiaomi", "US", 20}, {"samsung", "KR", 120}, {"samsung", "US", 90}, {"apple", "US", 240}, {"apple", "DE", 60},
			{"vivo", "CN", 40}, {"oppo-group", "SG", 70}, {"", "DE", 50}, {"", "NL", 30}, {"google", "US", 80}, {"honor", "HK", 12}, {"huawei", "CN", 35}, {"xiaomi", "RU", 4}} {
			n := uint64(m.mib) << 20 * uint64(80+r.IntN(40)) / 100
			if m.maker == "xiaomi" && d >= 12 {
				if m.country == "CN" {
					n /= 6
				} else {
					n *= 3
				}
			}
			s.Count(evidence.Residence{Maker: m.maker, Class: "handset", Owner: "Example", Plane: "os", Location: m.country, Registration: m.country, OperatorHome: "US", OwnerHome: "CN", Operator: "Example Cloud", Epoch: "e1"},
				evidence.Flow{At: at, Device: r.Uint32() % 40, Sent: n, Flows: 20})
		}
	}
	for i := range devices {
		concern, confidence := evidence.Prohibited, "certain"
		if i%5 == 4 {
			concern, confidence = evidence.Review, "likely"
		}
		maker := []string{"xiaomi", "vivo", "huawei"}[i%3]
		s.SaveDevice(evidence.Device{
			ID: deviceID(i), Realm: "campus", Concern: concern, Policies: []string{"maker-x-to-country-y"}, Maker: maker, Model: []string{"Redmi Note 12", "V2130", ""}[i%3],
			Class: "handset", Handset: "yes", Confidence: confidence, Posterior: 0.9986, RandomMAC: true, Leased: true, Place: "access point ap-14, SSID campus (radius, 2026-05-31 09:12:44Z)",
			MACs: []string{fmt.Sprintf("5a:11:22:%02x:%02x:%02x", i>>16&255, i>>8&255, i&255)}, Addrs: []string{fmt.Sprintf("10.20.%d.%d", i>>8&255, i&255)},
			First: noon.Add(-time.Duration(i) * time.Hour), Last: noon.Add(-time.Duration(i) * time.Minute),
			Reasons: []string{"asked for connect.rom.miui.com, which only its firmware asks for", "its DHCP vendor class is android-dhcp-13 with Xiaomi’s order of options"},
			Against: []string{"its hardware address is random"}, WouldChange: []string{"a push connection that names its model"}, Signatures: "7f3a91c2d4e5",
		})
	}
	for _, v := range []evidence.Verdict{{At: noon.Add(-3 * time.Hour), Confidence: "weak", Posterior: 0.71}, {At: noon.Add(-2 * time.Hour), Confidence: "likely", Posterior: 0.94}, {At: noon.Add(-100 * time.Minute), Confidence: "certain", Posterior: 0.9986}} {
		v.Device, v.Maker, v.Model, v.Class, v.Why, v.Signatures, v.Reasons, v.Against = deviceID(0), "xiaomi", "Redmi Note 12", "handset", "evidence", "7f3a91c2d4e5", []string{"a"}, []string{}
		s.AddVerdict(v)
	}
	for i, e := range fakeEpisodes() {
		if err := s.SaveEpisode(e); err != nil {
			t.Fatal(i, err)
		}
	}
	for i, c := range []struct {
		maker, class string
		n            int
	}{{"apple", "handset", 9211}, {"samsung", "handset", 8120}, {"", "laptop", 6400}, {"xiaomi", "handset", 2204}, {"google", "handset", 611}, {"", "iot", 340}} {
		_ = i
		s.Crowd(noon, c.maker, c.class, c.n)
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Rule("e-0000000000000003", evidence.Ruling{Verdict: evidence.Confirmed, By: "J. Officer", Reason: "seen on the desk of the visitor", At: noon.Add(-time.Hour)}); err != nil {
		t.Fatal(err)
	}
}

func deviceID(i int) string { return fmt.Sprintf("d-%012x", 0x4fc1a2b30000+i) }

func fakeEpisodes() []evidence.Episode {
	server := func(addr, name, at, reg, op, opHome string, asn uint32, sent uint64, hits ...string) evidence.Server {
		return evidence.Server{Addr: netip.MustParseAddrPort(addr), Name: name, Location: at, LocationConfidence: "high", Registration: reg, Operator: op, OperatorHome: opHome, ASN: asn,
			Owner: "Xiaomi Corporation", OwnerHome: "CN", Plane: "os", NameMaker: "xiaomi", Sent: sent, Handshake: 1517, Flows: 3, First: noon.Add(-100 * time.Minute), Last: noon.Add(-2 * time.Minute), Hits: hits}
	}
	base := evidence.Episode{
		ID: "e-0000000000000001", Policy: "maker-x-to-country-y", Severity: "page", Condition: evidence.Sent, Device: deviceID(0), Realm: "campus",
		Place: "access point ap-14, SSID campus (radius, 2026-05-31 09:12:44Z)", Maker: "xiaomi", Model: "Redmi Note 12", Class: "handset", Confidence: "certain", Posterior: 0.9986,
		Countries: []string{"CN"}, Basis: []string{"location", "operator", "owner"}, Sent: 4_812_331, Handshake: 3034,
		First: noon.Add(-100 * time.Minute), Last: noon.Add(-2 * time.Minute), Opened: noon.Add(-99 * time.Minute), Announced: true, AlertedAs: "page", Firing: true,
		Names: []string{"data.mistat.xiaomi.com", "api.sec.intl.miui.com"}, Reasons: []string{"asked for connect.rom.miui.com, which only its firmware asks for", "its DHCP vendor class is android-dhcp-13 with Xiaomi’s order of options"},
		Against: []string{"its hardware address is random"}, Sentence: "A Xiaomi handset (Redmi Note 12, certain) sent 4.6 MiB to CN by location, operator and owner within 1 h 38 min.",
		Caveats: []string{"1.2 KiB of it was sent before the device was identified"}, Identifiers: []string{}, Signatures: "7f3a91c2d4e5", PolicyHash: "0c11d2", Databases: []string{"DB-IP Country Lite 2026-06-01", "RouteViews ASN 2026-06-17"},
		Servers: []evidence.Server{
			server("120.92.96.155:443", "data.mistat.xiaomi.com", "CN", "CN", "Beijing Kingsoft Cloud", "CN", 59019, 4_700_100, "location", "operator", "owner"),
			server("52.76.31.15:443", "api.sec.intl.miui.com", "SG", "US", "Amazon.com", "US", 16509, 112_231, "owner"),
		},
	}
	ticket := base
	ticket.ID, ticket.Device, ticket.Severity, ticket.AlertedAs, ticket.Confidence, ticket.Posterior, ticket.Maker, ticket.Model = "e-0000000000000002", deviceID(4), "ticket", "ticket", "likely", 0.942, "vivo", "V2130"
	ticket.Sentence, ticket.Sent, ticket.Countries, ticket.Basis, ticket.Caveats = "A Vivo handset (V2130, likely) sent 112 KiB to CN by owner.", 112_231, []string{"CN"}, []string{"owner"}, []string{}
	ticket.Servers = base.Servers[1:]
	done := base
	done.ID, done.Device, done.Opened, done.Closed, done.CloseReason, done.Firing = "e-0000000000000003", deviceID(3), noon.Add(-30*time.Hour), noon.Add(-26*time.Hour), "quiet", false
	observe := base
	observe.ID, observe.Device, observe.Severity, observe.AlertedAs, observe.Firing, observe.Announced, observe.Condition = "e-0000000000000004", deviceID(5), "observe", "", false, false, evidence.Connected
	observe.Sentence, observe.Sent = "A Huawei handset connected to CN; nothing was sent but handshakes.", 1517
	return []evidence.Episode{base, ticket, done, observe}
}

func fakeStatus() Status {
	return Status{Up: true, Since: noon.Add(-76 * time.Hour), Version: "picket 1.0",
		Interfaces: []Interface{{"eth1", "ring", 1_482_113_090, 911 << 30, 0}, {"eth2", "ring", 88_213, 41 << 20, 12}},
		Policies:   []string{"maker-x-to-country-y: page when a handset of xiaomi, vivo or huawei, at least certain, sends at least 1 KiB (handshakes apart) within 10m to CN by location, operator or owner."},
		Blind:      []Blind{{"Bytes of handsets to servers without a name", 0.108, "Encrypted ClientHello, tunnels, or the conversation began before the sensor."}, {"Devices not identified yet", 0.31, "Too little seen of them."}, {"Traffic over the mobile network", -1, "It never crosses this span."}},
		Databases:  []Database{{"DB-IP Country Lite", noon.AddDate(0, 0, -40)}, {"RouteViews ASN", noon.AddDate(0, 0, -33)}}, Signatures: "7f3a91c2d4e5"}
}

// site makes the handler over a filled store.
func site(t testing.TB, devices int) http.Handler {
	t.Helper()
	s, err := evidence.Open(evidence.Config{Dir: t.TempDir(), Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	fill(t, s, devices)
	am, _ := url.Parse("http://alertmanager.example:9093/am")
	h, err := New(Config{Store: s, Status: fakeStatus, Site: "North campus", Alertmanager: am, Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	return h
}
