package alerts

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"picket/evidence"
	"picket/geo"
	"picket/sensor"
	"picket/sensor/device"
	"picket/sensor/handset"
	"picket/sensor/observation"
	"picket/sensor/packet"
)

// Example is one case that a policy's author wrote down, with what is to
// come of it. `picket policy test` runs it.
type Example struct {
	Name     string        `yaml:"name,omitempty"`
	Device   ExampleDevice `yaml:"device"`
	Server   ExampleServer `yaml:"server"`
	Sent     Size          `yaml:"sent"`                // payload and handshake; default the threshold
	Of       Size          `yaml:"handshake,omitempty"` // of Sent
	Attempt  bool          `yaml:"attempt,omitempty"`
	Leak     string        `yaml:"identifier,omitempty"` // kind of an identifier sent in clear
	At       string        `yaml:"at,omitempty"`         // RFC 3339; default a Monday at noon, UTC
	Expected string        `yaml:"want"`                 // page, ticket, observe, nothing
}

// ExampleDevice is the device of an example.
type ExampleDevice struct {
	Maker      string            `yaml:"maker"`
	Model      string            `yaml:"model,omitempty"`
	Class      Class             `yaml:"class,omitempty"`      // default handset
	Confidence Confidence        `yaml:"confidence,omitempty"` // default certain
	Families   OneOrMore[Family] `yaml:"families,omitempty"`
	ID         string            `yaml:"id,omitempty"`
	MAC        string            `yaml:"mac,omitempty"`
	Address    string            `yaml:"address,omitempty"` // default 192.0.2.10
	VLAN       uint16            `yaml:"vlan,omitempty"`
	Realm      string            `yaml:"realm,omitempty"`
}

// ExampleServer is the server of an example, with its four answers.
type ExampleServer struct {
	Address            string      `yaml:"address,omitempty"` // default 198.51.100.10
	Name               string      `yaml:"name,omitempty"`
	Maker              string      `yaml:"maker,omitempty"` // whose signature the name matches
	Plane              Plane       `yaml:"plane,omitempty"` // default web
	Location           geo.Country `yaml:"location,omitempty"`
	LocationConfidence string      `yaml:"location_confidence,omitempty"` // default high
	Registration       geo.Country `yaml:"registration,omitempty"`
	Operator           geo.Country `yaml:"operator,omitempty"` // home
	Owner              geo.Country `yaml:"owner,omitempty"`    // home
}

// exampleNoon is a Monday.
var exampleNoon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

var outcomes = []string{"nothing", "observe", "ticket", "page"}

func (e *Example) validate() error {
	if !contains(outcomes, e.Expected) {
		return fmt.Errorf("want: %w", unknownWord("outcome", e.Expected, outcomes))
	}
	for _, a := range []string{e.Device.Address, e.Server.Address} {
		if _, err := netip.ParseAddr(or(a, "192.0.2.1")); err != nil {
			return err
		}
	}
	if e.Device.MAC != "" {
		if _, err := parseMAC(e.Device.MAC); err != nil {
			return err
		}
	}
	if _, err := time.Parse(time.RFC3339, or(e.At, "2026-03-02T12:00:00Z")); err != nil {
		return fmt.Errorf("at %q: want an RFC 3339 time", e.At)
	}
	return nil
}

func contains(list []string, s string) bool {
	for _, w := range list {
		if w == s {
			return true
		}
	}
	return false
}

// ExampleResult is what came of an example.
type ExampleResult struct {
	Policy, Name string
	Want, Got    string
	Why          string // the ruling's reason
}

// OK reports whether the example came out as its author wrote.
func (r ExampleResult) OK() bool { return r.Want == r.Got }

// RunExamples runs the policy's own examples through a judge of their own.
func (r *Rule) RunExamples() ([]ExampleResult, error) {
	var out []ExampleResult
	for i := range r.Policy.Examples {
		e := &r.Policy.Examples[i]
		got, why, err := r.try(e)
		if err != nil {
			return nil, err
		}
		out = append(out, ExampleResult{r.Policy.Name, or(e.Name, fmt.Sprintf("example %d", i+1)), e.Expected, got, why})
	}
	return out, nil
}

func (r *Rule) try(e *Example) (got, why string, err error) {
	t, answer := e.transfer(r), e.Server.jurisdiction()
	store := NewMemory()
	j, err := NewJudge(JudgeConfig{Rules: []*Rule{r}, Geo: fixedPlace(answer), Store: store, Now: t.Last})
	if err != nil {
		return "", "", err
	}
	j.Transfer(t)
	if e.Leak != "" {
		j.Identifier(sensor.Identifier{At: t.Last, Device: t.Device, Server: t.Server, Name: t.Name, Plane: t.Plane, NameMaker: t.NameMaker, Found: observation.IdentifierFound{Kind: e.Leak}})
	}
	list, err := store.Episodes(time.Time{})
	why = r.Judge(Case{t, answer}).Why
	if len(list) == 0 {
		return "nothing", why, err
	}
	return list[0].Severity, string(list[0].Condition) + "; " + why, err
}

// fixedPlace answers every question alike.
type fixedPlace geo.Jurisdiction

func (f fixedPlace) Judge(geo.Query) geo.Jurisdiction { return geo.Jurisdiction(f) }

func (s *ExampleServer) jurisdiction() geo.Jurisdiction {
	j := geo.Jurisdiction{
		Location: s.Location, LocationConfidence: geo.Confidence(or(s.LocationConfidence, "high")),
		Registration: s.Registration, Operator: geo.Party{Home: s.Operator}, Owner: geo.Party{Home: s.Owner},
	}
	if s.Location == "" {
		j.LocationConfidence = geo.NoIdea
	}
	return j
}

// transfer makes the example's conversation. Values were checked.
func (e *Example) transfer(r *Rule) sensor.Transfer {
	at := exampleNoon
	if e.At != "" {
		at, _ = time.Parse(time.RFC3339, e.At)
	}
	client, _ := netip.ParseAddr(or(e.Device.Address, "192.0.2.10"))
	server, _ := netip.ParseAddr(or(e.Server.Address, "198.51.100.10"))
	n := e.Sent
	if n == 0 && !e.Attempt && e.Leak == "" {
		n = r.Policy.Threshold.Sent + e.Of
	}
	return sensor.Transfer{
		Device: e.Device.view(client, at), Client: netip.AddrPortFrom(client, 40000), Server: netip.AddrPortFrom(server, 443),
		Proto: 6, Name: e.Server.Name, Plane: handset.Plane(e.Server.Plane), NameMaker: e.Server.Maker, Visibility: observation.BySNI,
		Sent: uint64(n), Handshake: uint64(min(e.Of, n)), Packets: 4, First: at, Last: at, Attempt: e.Attempt, VLAN: e.Device.VLAN,
	}
}

func (d *ExampleDevice) view(client netip.Addr, at time.Time) *device.View {
	v := &handset.Verdict{
		Maker: strings.ToLower(d.Maker), Model: d.Model, Class: string(or(d.Class, "handset")), Handset: "no",
		Confidence: handset.Confidence(or(d.Confidence, Confidence(handset.Certain))),
	}
	if v.Class == "handset" {
		v.Handset = "yes"
	}
	for _, f := range d.Families {
		v.Reasons = append(v.Reasons, handset.Reason{Said: &handset.Said{Family: string(f), Maker: v.Maker}})
	}
	known := device.Details{Addrs: []netip.Addr{client}, First: at, Last: at}
	if mac, err := parseMAC(d.MAC); err == nil {
		known.MACs = []packet.MAC{mac}
	}
	return device.View{ID: device.ID(or(d.ID, "d-000000000000")), Realm: or(d.Realm, "default"), VLAN: d.VLAN, Verdict: v}.With(known)
}

// Outlook is what policies would have told of, from the episodes they made.
type Outlook struct {
	Policy                string
	Pages, Tickets, Notes []evidence.Episode // worst first
}

// Look sorts episodes by policy and severity, those that sent most first.
func Look(rules []*Rule, episodes []evidence.Episode) []Outlook {
	out := make([]Outlook, len(rules))
	for i, r := range rules {
		out[i].Policy = r.Policy.Name
		for _, e := range episodes {
			if e.Policy != r.Policy.Name || e.MergedInto != "" {
				continue
			}
			switch Severity(e.Severity) {
			case Page:
				out[i].Pages = append(out[i].Pages, e)
			case Ticket:
				out[i].Tickets = append(out[i].Tickets, e)
			default:
				out[i].Notes = append(out[i].Notes, e)
			}
		}
		for _, l := range [][]evidence.Episode{out[i].Pages, out[i].Tickets, out[i].Notes} {
			sortBySent(l)
		}
	}
	return out
}

// Words says the outlook in English, with at most n devices to begin with.
func (o Outlook) Words(n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s would have paged %s, written tickets for %s and noted %s", o.Policy, devices(o.Pages), devices(o.Tickets), devices(o.Notes))
	first := append(append([]evidence.Episode{}, o.Pages...), o.Tickets...)
	if len(first) == 0 {
		return b.String() + "."
	}
	b.WriteString("; these first:")
	for _, e := range first[:min(len(first), n)] {
		fmt.Fprintf(&b, "\n  %-6s %s", e.Severity, e.Sentence)
	}
	return b.String()
}

func devices(list []evidence.Episode) string {
	seen := map[string]bool{}
	for _, e := range list {
		seen[e.Device] = true
	}
	if len(seen) == 1 {
		return "1 device"
	}
	return fmt.Sprintf("%d devices", len(seen))
}
