package main

import (
	"net/netip"
	"time"

	"picket/sensor/observation"
	"picket/sensor/packet"
)

// lineHead is what every event line begins with (contract): the innermost
// addresses, client → server, and the layers outside them.
type lineHead struct {
	Type  string   `json:"type"`
	TS    string   `json:"ts"`
	Src   string   `json:"src"`
	SPort uint16   `json:"sport"`
	Dst   string   `json:"dst"`
	DPort uint16   `json:"dport"`
	Encap []string `json:"encap"`
}

type helloLine struct {
	lineHead
	SNI       string   `json:"sni"`
	SNIReason string   `json:"sni_reason,omitempty"`
	ALPN      []string `json:"alpn"`
	Version   string   `json:"version"`
	JA3       string   `json:"ja3"`
	JA4       string   `json:"ja4"`
	ECH       string   `json:"ech"`
	Segments  int      `json:"segments"`
	Via       string   `json:"via"`
	QUIC      string   `json:"quic_version,omitempty"`
}

type dnsLine struct {
	lineHead
	Transport string       `json:"transport"`
	Response  bool         `json:"response"`
	QName     string       `json:"qname"`
	QType     string       `json:"qtype"`
	RCode     uint8        `json:"rcode"`
	Answers   []answerLine `json:"answers"`
}

type answerLine struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Data string `json:"data"`
	TTL  uint32 `json:"ttl"`
}

type dhcpLine struct {
	lineHead
	Version     uint8  `json:"version"`
	Message     string `json:"message"`
	MAC         string `json:"mac"`
	Hostname    string `json:"hostname"`
	FQDN        string `json:"fqdn"`
	VendorClass string `json:"vendor_class"`
	ParamList   []int  `json:"param_list"`
	ClientID    string `json:"client_id"`
	RequestedIP string `json:"requested_ip"`
	GivenIP     string `json:"given_ip"`
}

type httpLine struct {
	lineHead
	Method    string `json:"method"`
	Host      string `json:"host"`
	UserAgent string `json:"user_agent"`
	Server    string `json:"server,omitempty"`
	ST        string `json:"st,omitempty"`
}

type neighbourLine struct {
	lineHead
	Op     string `json:"op"`
	Addr   string `json:"addr"`
	MAC    string `json:"mac"`
	Prefix string `json:"prefix,omitempty"`
}

type pushLine struct {
	lineHead
	Vendor  string `json:"vendor"`
	Model   string `json:"model"`
	Version string `json:"version"`
	Host    string `json:"host"`
}

type identifierLine struct {
	lineHead
	Kind  string `json:"kind"`
	Where string `json:"where"`
	Field string `json:"field"`
	Hash  string `json:"hash"`
	Host  string `json:"host"`
}

type tunnelLine struct {
	lineHead
	Tunnel string `json:"tunnel"`
	How    string `json:"how"`
	Name   string `json:"name"`
}

// eventLines returns the lines for o: one, or one for each question of a
// message that asks several; none for kinds that have no line.
func eventLines(o *observation.Observation) []any {
	if o.Kind == observation.FlowReport || o.Kind == observation.Binding {
		return nil
	}
	if o.DNS == nil {
		return []any{eventLine(o)}
	}
	first := eventLine(o).(dnsLine)
	if first.QName == "" && len(o.DNS.Answers) > 0 && len(o.DNS.Questions) == 0 && first.QType == typeName(0) {
		first.QName, first.QType = o.DNS.Answers[0].Name, typeName(o.DNS.Answers[0].Type) // an announcement
	}
	lines := []any{first}
	for _, q := range o.DNS.Questions[min(1, len(o.DNS.Questions)):] {
		l := first
		l.QName, l.QType = q.Name, typeName(q.Type)
		lines = append(lines, l)
	}
	return lines
}

// eventLine returns the line for o, nil for kinds that have none.
func eventLine(o *observation.Observation) any {
	head := lineHead{
		Type: o.Kind.String(), TS: timestamp(o.At),
		Src: text(o.Client.Addr()), SPort: o.Client.Port(),
		Dst: text(o.Server.Addr()), DPort: o.Server.Port(),
		Encap: list(o.Encap),
	}
	switch o.Kind {
	case observation.TLS, observation.QUIC, observation.DTLS:
		h := o.Hello
		return helloLine{head, h.SNI, h.SNIReason, list(h.ALPN), h.Version, h.JA3, h.JA4, h.ECH, h.Segments, h.Via, h.QUIC}
	case observation.DNS, observation.MDNS, observation.LLMNR:
		return dnsEvent(head, o.DNS)
	case observation.DHCP:
		d := o.DHCP
		return dhcpLine{head, d.Version, d.Type, macText(d.MAC), d.Hostname, d.FQDN, d.VendorClass, list(d.ParamList), d.ClientID, text(d.Requested), text(d.Given)}
	case observation.HTTP, observation.SSDP:
		h := o.HTTP
		return httpLine{head, h.Method, h.Host, h.UserAgent, h.Server, h.ST}
	case observation.ARP, observation.ND:
		n := o.Neighbour
		l := neighbourLine{lineHead: head, Op: n.Op, Addr: text(n.Addr), MAC: macText(n.MAC)}
		if n.Prefix.IsValid() {
			l.Prefix = n.Prefix.String()
		}
		return l
	case observation.Push:
		p := o.Push
		return pushLine{head, p.Vendor, p.Model, p.Version, p.Host}
	case observation.Identifier:
		i := o.Identifier
		return identifierLine{head, i.Kind, i.Where, i.Field, i.Hash, i.Host}
	case observation.Tunnel:
		t := o.Tunnel
		return tunnelLine{head, t.Type, t.How, t.Name}
	}
	return nil
}

func dnsEvent(head lineHead, d *observation.DNSMessage) dnsLine {
	l := dnsLine{lineHead: head, Transport: d.Transport, Response: d.Response, QName: d.QName, QType: typeName(d.QType), RCode: d.RCode, Answers: []answerLine{}}
	for _, a := range d.Answers {
		data := a.Data
		if a.Addr.IsValid() {
			data = a.Addr.String()
		}
		l.Answers = append(l.Answers, answerLine{a.Name, typeName(a.Type), data, a.TTL})
	}
	return l
}

// timestamp is RFC 3339 in UTC with nanoseconds (contract).
func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000000Z")
}

// list keeps empty lists from being written as null (contract).
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

func text(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func macText(m packet.MAC) string {
	if m == (packet.MAC{}) {
		return ""
	}
	const hex = "0123456789abcdef"
	b := make([]byte, 0, 17)
	for i, x := range m {
		if i > 0 {
			b = append(b, ':')
		}
		b = append(b, hex[x>>4], hex[x&15])
	}
	return string(b)
}
