package alerts

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"picket/evidence"
	"picket/geo"
	"picket/sensor/device"
	"picket/sensor/handset"
)

// othersName stands in for the servers beyond maxServers.
const othersName = "(other servers)"

// serverOf is a server as evidence keeps it.
func serverOf(k serverKey, s *server) evidence.Server {
	at := s.geo
	if at == nil {
		at = &geo.Jurisdiction{}
	}
	out := evidence.Server{
		Addr: k.addr, Name: k.name, CNAME: k.cname, Tunnel: k.tunnel,
		Location: string(at.Location), LocationConfidence: string(at.LocationConfidence),
		Registration: string(at.Registration),
		Operator:     at.Operator.Name, OperatorHome: string(at.Operator.Home), ASN: at.Operator.ASN,
		Owner: at.Owner.Name, OwnerHome: string(at.Owner.Home),
		Plane: s.plane.String(), NameMaker: s.maker,
		Sent: s.sent, Handshake: s.hands, Flows: s.flows, First: s.first, Last: s.last,
		Hits: []string{},
	}
	for _, h := range s.hits {
		out.Hits = append(out.Hits, string(h))
	}
	return out
}

// fromEvidence is the way back.
func fromEvidence(e evidence.Server) (serverKey, *server) {
	s := &server{
		geo: &geo.Jurisdiction{
			Addr: e.Addr.Addr(), Location: geo.Country(e.Location), LocationConfidence: geo.Confidence(e.LocationConfidence),
			Registration: geo.Country(e.Registration),
			Operator:     geo.Party{ASN: e.ASN, Name: e.Operator, Home: geo.Country(e.OperatorHome)},
			Owner:        geo.Party{Name: e.Owner, Home: geo.Country(e.OwnerHome)},
		},
		plane: handset.Plane(max(0, slices.Index(planes, e.Plane))), maker: e.NameMaker,
		sent: e.Sent, hands: e.Handshake, flows: e.Flows, first: e.First, last: e.Last,
	}
	for _, h := range e.Hits {
		s.hits = append(s.hits, geo.Basis(h))
	}
	return serverKey{e.Addr, e.Name, e.CNAME, e.Tunnel}, s
}

// placeWords says where a device is, and who says so.
func placeWords(v *device.View) string {
	p := v.Place()
	var parts []string
	add := func(format, what string) {
		if what != "" {
			parts = append(parts, fmt.Sprintf(format, what))
		}
	}
	add("access point %s", p.AccessPoint)
	add("SSID %s", p.SSID)
	add("switch %s", p.Switch)
	add("port %s", p.Port)
	if vlan := or(p.VLAN, v.VLAN); vlan != 0 {
		parts = append(parts, fmt.Sprintf("VLAN %d", vlan))
	}
	if len(parts) == 0 {
		return "place unknown: no source"
	}
	s := strings.Join(parts, ", ")
	if p.Source != "" && p.Source != "vlan" {
		s += " (" + p.Source
		if !p.At.IsZero() {
			s += " at " + p.At.UTC().Format(time.RFC3339)
		}
		s += ")"
	}
	return s
}

// Sentence is the joined sentence: who, how sure, what, how much, to whom,
// under whose law, since when, where.
func Sentence(e evidence.Episode) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s", title(or(e.Maker, "unknown")), or(e.Class, "device"), e.Device)
	if e.Model != "" {
		fmt.Fprintf(&b, " (model %s)", e.Model)
	}
	fmt.Fprintf(&b, ", %s, %s", or(e.Confidence, "none"), deed(e))
	if len(e.Countries) > 0 && e.Condition != evidence.Seen && e.Condition != evidence.Hidden {
		fmt.Fprintf(&b, " %s by %s", strings.Join(e.Countries, ", "), andList(e.Basis))
	}
	if len(e.Servers) > 0 && e.Condition != evidence.Seen {
		fmt.Fprintf(&b, ", most of it to %s", endWords(&e.Servers[0]))
	}
	fmt.Fprintf(&b, ", since %s", e.First.UTC().Format(time.RFC3339))
	if len(e.SumOf) > 1 {
		fmt.Fprintf(&b, "; above the threshold of the policy as the sum of %d sensors (%s)", len(e.SumOf), strings.Join(e.SumOf, ", "))
	}
	if e.Place != "" {
		fmt.Fprintf(&b, "; %s", e.Place)
	}
	b.WriteByte('.')
	return b.String()
}

func deed(e evidence.Episode) string {
	switch e.Condition {
	case evidence.Seen:
		return "is present"
	case evidence.Tried:
		return "tried to reach"
	case evidence.Connected:
		return "connected to"
	case evidence.Hidden:
		return fmt.Sprintf("hid where %s went, within an hour", Size(e.Hidden))
	case evidence.Identifier:
		if e.Sent == 0 { // its bytes are counted a little later
			return fmt.Sprintf("sent %s in clear to", andList(e.Identifiers))
		}
		return fmt.Sprintf("sent %s in clear and %s to", andList(e.Identifiers), Size(e.Sent))
	}
	return fmt.Sprintf("sent %s (%s without handshakes) to", Size(e.Sent), Size(e.Sent-min(e.Sent, e.Handshake)))
}

// endWords names one server with its answers.
func endWords(s *evidence.Server) string {
	name := or(s.Name, "an unnamed server")
	if s.Addr != (netip.AddrPort{}) && s.Addr.Addr().IsValid() {
		name += " " + s.Addr.String()
	}
	var parts []string
	if s.Location != "" {
		parts = append(parts, "located in "+s.Location+" at "+or(s.LocationConfidence, "unknown")+" confidence")
	}
	if s.Operator != "" {
		parts = append(parts, "operated by "+s.Operator+homeWords(s.OperatorHome))
	}
	if s.Owner != "" {
		parts = append(parts, "owned by "+s.Owner+homeWords(s.OwnerHome))
	}
	if len(parts) == 0 {
		return name
	}
	return name + " (" + strings.Join(parts, ", ") + ")"
}

func homeWords(home string) string {
	if home == "" {
		return ""
	}
	return " of " + home
}
