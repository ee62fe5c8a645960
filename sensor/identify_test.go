package sensor

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"picket/sensor/device"
	"picket/sensor/handset"
	"picket/sensor/observation"
	"picket/sensor/packet"
)

// heard is a Sink that writes down what it is told.
type heard struct {
	lines     []string
	transfers []Transfer
}

func (h *heard) Transfer(t Transfer) {
	h.transfers = append(h.transfers, t)
	h.lines = append(h.lines, fmt.Sprintf("transfer %s→%s %q %s sent %d handshake %d received %d", t.Client.Addr(), t.Server.Addr(), t.Name, t.Visibility, t.Sent, t.Handshake, t.Received))
}
func (h *heard) Verdict(c VerdictChange) {
	h.lines = append(h.lines, fmt.Sprintf("verdict %s %s gone %v", c.Device.Verdict.Maker, c.Device.Verdict.Confidence, c.Gone))
}
func (h *heard) Identifier(i Identifier) {
	h.lines = append(h.lines, fmt.Sprintf("identifier %s to %s", i.Found.Kind, i.Server.Addr()))
}
func (h *heard) Question(q Question) {
	h.lines = append(h.lines, fmt.Sprintf("question %s answered %v plane %s maker %s", q.Name, q.Answered, q.Plane, q.NameMaker))
}
func (h *heard) Tick(time.Time) {}

// oneName is a Judge to whom one name is a maker's system, and enough.
type oneName struct{}

func (oneName) Name(n string) device.NameMatch {
	if n == "ota.maker.example" {
		return device.NameMatch{Known: true, Maker: "maker", Plane: handset.OS}
	}
	return device.NameMatch{}
}
func (oneName) New() device.Dossier                    { return new(seenIt) }
func (oneName) Restore([]byte) (device.Dossier, error) { return new(seenIt), nil }
func (s *seenIt) Enough() bool                         { return bool(*s) }
func (s *seenIt) Clone() device.Dossier                { c := *s; return &c }
func (s *seenIt) Save() ([]byte, error)                { return []byte("{}"), nil }
func (s *seenIt) Add(e handset.Evidence) (changed bool) {
	if e.Value == "ota.maker.example" && !bool(*s) {
		*s = true
		return true
	}
	return false
}
func (s *seenIt) Verdict(time.Time, device.Network) *handset.Verdict {
	if *s {
		return &handset.Verdict{Maker: "maker", Class: "handset", Confidence: handset.Likely, Handset: "yes"}
	}
	return &handset.Verdict{Class: "unknown", Handset: "unknown"}
}

type seenIt bool

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func newIdentify() (*Identify, *heard) {
	h := new(heard)
	return NewIdentify(device.New(device.Config{Judge: oneName{}}), h), h
}

func port(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func flowOf(client, server string, f observation.Flow) *observation.Observation {
	f.First, f.Last = noon, noon
	return &observation.Observation{Kind: observation.FlowReport, At: noon, Client: port(client), Server: port(server), ClientHome: true,
		MAC: packet.MAC{2, 0, 0, 0, 0, 1}, Flow: f}
}

func expect(t *testing.T, h *heard, want ...string) {
	t.Helper()
	got, wanted := strings.Join(h.lines, "\n"), strings.Join(want, "\n")
	if got != wanted {
		t.Errorf("got\n%s\nwant\n%s", got, wanted)
	}
	h.lines = nil
}

func TestVerdictIsToldBeforeTheTransfer(t *testing.T) {
	i, h := newIdentify()
	i.Observe(flowOf("10.0.0.5:4000", "203.0.113.7:443", observation.Flow{Name: "ota.maker.example", Visibility: observation.ByQUIC, Sent: 900, Handshake: 500, Received: 70}))
	expect(t, h, "verdict maker likely gone false",
		`transfer 10.0.0.5→203.0.113.7 "ota.maker.example" quic sent 900 handshake 500 received 70`)
	if tr := h.transfers[0]; tr.Plane != handset.OS || tr.NameMaker != "maker" || tr.Device.Verdict.Maker != "maker" {
		t.Errorf("%+v", tr)
	}
}

func TestOurEndIsTheClient(t *testing.T) {
	i, h := newIdentify()
	o := flowOf("203.0.113.7:5000", "10.0.0.5:22", observation.Flow{Visibility: observation.Unnamed, Sent: 10, Handshake: 4, Received: 9000})
	o.ClientHome, o.ServerHome = false, true
	i.Observe(o)
	expect(t, h, `transfer 10.0.0.5→203.0.113.7 "" none sent 9000 handshake 0 received 10`)
	o = flowOf("203.0.113.7:5000", "203.0.113.8:22", observation.Flow{Sent: 1})
	o.ClientHome = false
	i.Observe(o)
	expect(t, h)
	o = flowOf("10.0.0.6:5000", "10.0.0.5:22", observation.Flow{Sent: 1, BothHome: true})
	o.ServerHome = true
	i.Observe(o)
	expect(t, h, `transfer 10.0.0.6→10.0.0.5 ""  sent 1 handshake 0 received 0`)
}

func TestAnswerOverTheOtherFamilyNamesTheFlow(t *testing.T) {
	i, h := newIdentify()
	m := packet.MAC{2, 0, 0, 0, 0, 1}
	i.Observe(&observation.Observation{Kind: observation.ARP, At: noon, MAC: m, Neighbour: &observation.Neighbour{Addr: netip.MustParseAddr("10.0.0.5"), MAC: m, Op: "request"}})
	i.Observe(&observation.Observation{Kind: observation.DNS, At: noon, MAC: m, Client: port("[fd00::5]:5353"), Server: port("[fd00::1]:53"), ClientHome: true, Answered: true,
		DNS: &observation.DNSMessage{Response: true, QName: "api.example.org", Answers: []observation.Answer{{Name: "api.example.org", Type: 1, TTL: 60, Addr: netip.MustParseAddr("203.0.113.7")}}}})
	expect(t, h, "question api.example.org answered true plane web maker ")
	i.Observe(flowOf("10.0.0.5:4000", "203.0.113.7:443", observation.Flow{Visibility: observation.Unnamed, Sent: 1}))
	i.Observe(flowOf("10.0.0.5:4001", "203.0.113.7:443", observation.Flow{Visibility: observation.HiddenECH, Sent: 1}))
	i.Observe(flowOf("10.0.0.5:4002", "203.0.113.7:443", observation.Flow{Visibility: observation.HiddenTunnel, Sent: 1}))
	i.Observe(flowOf("10.0.0.5:4003", "203.0.113.8:443", observation.Flow{Visibility: observation.Unnamed, Sent: 1}))
	expect(t, h, `transfer 10.0.0.5→203.0.113.7 "api.example.org" dns sent 1 handshake 0 received 0`,
		`transfer 10.0.0.5→203.0.113.7 "api.example.org" ech sent 1 handshake 0 received 0`,
		`transfer 10.0.0.5→203.0.113.7 "" tunnel sent 1 handshake 0 received 0`,
		`transfer 10.0.0.5→203.0.113.8 "" none sent 1 handshake 0 received 0`)
}

func TestIdentifiersMatterBeyondTheSite(t *testing.T) {
	i, h := newIdentify()
	for _, server := range []string{"203.0.113.7:80", "10.0.0.9:80", "100.64.0.1:80", "[fd00::1]:80", "224.0.0.1:80"} {
		i.Observe(&observation.Observation{Kind: observation.Identifier, At: noon, Client: port("10.0.0.5:4000"), Server: port(server), ClientHome: true,
			Identifier: &observation.IdentifierFound{Kind: "imei"}})
	}
	expect(t, h, "identifier imei to 203.0.113.7")
}

func TestRunFlushes(t *testing.T) {
	i, h := newIdentify()
	in := make(chan []observation.Observation, 1)
	in <- []observation.Observation{{Kind: observation.TLS, At: noon, Client: port("10.0.0.5:4000"), Server: port("203.0.113.7:443"), ClientHome: true, Answered: true,
		Hello: &observation.Hello{SNI: "ota.maker.example"}}}
	close(in)
	if err := i.Run(context.Background(), in); err != nil {
		t.Fatal(err)
	}
	expect(t, h, "verdict maker likely gone false")
	if s := i.Stats(); s.Devices != 1 || s.Active != 1 {
		t.Errorf("stats %+v", s)
	}
	n := 0
	i.Devices(func(v *device.View) bool { n++; return v.Verdict.Maker == "maker" })
	if n != 1 {
		t.Errorf("%d devices, want 1", n)
	}
}

func TestBytesWithoutADeviceAreCounted(t *testing.T) {
	i, _ := newIdentify()
	i.Observe(flowOf("10.0.0.5:1", "203.0.113.7:443", observation.Flow{Sent: 300}))
	i.Observe(flowOf("0.0.0.0:1", "203.0.113.7:443", observation.Flow{Sent: 100}))
	i.Flush()
	if r := i.Stats().NoDeviceRatio(); r != 0.25 {
		t.Errorf("ratio %v, want 0.25", r)
	}
}

func TestKnownFlowAllocatesNothing(t *testing.T) {
	i := NewIdentify(device.New(device.Config{Judge: oneName{}}), nothing{})
	o := flowOf("10.0.0.5:4000", "203.0.113.7:443", observation.Flow{Name: "www.example.org", Visibility: observation.BySNI, Sent: 1})
	i.Observe(o)
	if n := testing.AllocsPerRun(1000, func() { i.Observe(o) }); n != 0 {
		t.Errorf("%v allocations a flow, want none", n)
	}
}

type nothing struct{}

func (nothing) Transfer(Transfer)     {}
func (nothing) Verdict(VerdictChange) {}
func (nothing) Identifier(Identifier) {}
func (nothing) Question(Question)     {}
func (nothing) Tick(time.Time)        {}

func BenchmarkIdentifyKnownFlow(b *testing.B) {
	i := NewIdentify(device.New(device.Config{Judge: oneName{}}), nothing{})
	o := flowOf("10.0.0.5:4000", "203.0.113.7:443", observation.Flow{Name: "www.example.org", Visibility: observation.BySNI, Sent: 1})
	i.Observe(o)
	b.ReportAllocs()
	for b.Loop() {
		i.Observe(o)
	}
}
