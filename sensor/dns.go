package sensor

import (
	"net/netip"
	"strings"

	"picket/sensor/flow"
	"picket/sensor/observation"
	"picket/sensor/packet"
	"picket/sensor/wire"
)

// dnsDatagram reads one DNS message over UDP, in any of its forms.
func (w *Worker) dnsDatagram(f *flow.Flow, d flow.Dir, p *packet.Packet) bool {
	kind, what := dnsKind(p)
	err := w.dns.Parse(p.Payload, kind)
	if err == wire.ErrOther || (len(w.dns.Questions) == 0 && len(w.dns.Answers) == 0) {
		return false
	}
	f.App = appDNS
	f.SetPatient()
	f.CountHandshake(d, p.PayloadLen)
	if w.dns.Response && kind == wire.UnicastDNS {
		f.SetAnswered()
	}
	w.dnsMessage(f, d, p, what, "udp")
	return true
}

// dnsKind tells by the port whose rules a message follows.
func dnsKind(p *packet.Packet) (wire.DNSKind, observation.Kind) {
	switch {
	case p.SrcPort == portDNS || p.DstPort == portDNS: // also from an ephemeral port 5353
		return wire.UnicastDNS, observation.DNS
	case p.SrcPort == portMDNS || p.DstPort == portMDNS:
		return wire.MulticastDNS, observation.MDNS
	case p.SrcPort == portLLMNR || p.DstPort == portLLMNR:
		return wire.LinkLocalDNS, observation.LLMNR
	}
	return wire.UnicastDNS, observation.DNS
}

// tryDNS recognises DNS over TCP by port or by bytes.
func (w *Worker) tryDNS(f *flow.Flow, d flow.Dir, p *packet.Packet, front []byte) wire.Status {
	port := f.ServerPort()
	if port != portDNS && port != portLLMNR && f.ClientPort() != portDNS {
		if s := wire.LooksLikeDNSStream(front); s != wire.Whole {
			return s
		}
	}
	kind, _ := dnsKind(p)
	_, s := w.dns.ParseStream(front, kind)
	if s == wire.Whole || s == wire.Bad && len(w.dns.Questions) > 0 {
		f.App = appDNS
		w.dnsStream(f, d, p, front)
		return wire.Whole
	}
	if s == wire.Bad {
		return wire.Other
	}
	return s
}

// maxDNSMessages bounds the messages read of one connection.
const maxDNSMessages = 4096

// dnsStream reads the messages of a TCP connection, several a segment or
// one over several.
func (w *Worker) dnsStream(f *flow.Flow, d flow.Dir, p *packet.Packet, front []byte) {
	kind, what := dnsKind(p)
	taken := 0
	for {
		n, s := w.dns.ParseStream(front[taken:], kind)
		if n == 0 || s == wire.More || s == wire.Other {
			if s == wire.Other {
				w.table.Release(f, d)
				return
			}
			break
		}
		taken += n
		f.CountHandshake(d, n)
		if len(w.dns.Questions) > 0 || len(w.dns.Answers) > 0 {
			w.dnsMessage(f, d, p, what, "tcp")
		}
		if f.Aux++; f.Aux > maxDNSMessages {
			w.table.Release(f, d)
			return
		}
	}
	w.table.Consume(f, d, taken)
}

// fragmentKey tells the datagrams apart whose first fragment was read.
type fragmentKey struct {
	src, dst     packet.Addr
	sport, dport uint16
}

// maxFirsts bounds the first fragments that are remembered.
const maxFirsts = 1024

// firstFragment reads what the first fragment of a DNS message says: kept
// until the rest comes, and told if it never does.
func (w *Worker) firstFragment(p *packet.Packet) {
	if p.FragOffset != 0 || p.Proto != packet.ProtoUDP || p.SrcPort != portDNS && p.DstPort != portDNS || len(w.firsts) >= maxFirsts {
		return
	}
	err := w.dns.Parse(p.Payload, wire.UnicastDNS)
	if err == wire.ErrOther || len(w.dns.Questions) == 0 {
		return
	}
	o := w.bare(observation.DNS, p)
	w.fillDNS(&o, "udp")
	w.firsts[fragmentKey{p.Src, p.Dst, p.SrcPort, p.DstPort}] = &o
}

// dnsMessage observes w.dns.
func (w *Worker) dnsMessage(f *flow.Flow, d flow.Dir, p *packet.Packet, what observation.Kind, transport string) {
	o := w.about(what, f, d, p)
	w.fillDNS(&o, transport)
	w.tell(&o)
}

// fillDNS copies w.dns into o.
func (w *Worker) fillDNS(o *observation.Observation, transport string) {
	m := &w.dns
	what := o.Kind
	if m.Response && what != observation.MDNS { // client → server: the asker is the client
		o.Client, o.Server = o.Server, o.Client
		o.ClientHome, o.ServerHome = o.ServerHome, o.ClientHome
		o.MAC, o.ServerMAC = o.ServerMAC, o.MAC
	}
	o.Answered = m.Response
	q := &observation.DNSMessage{Transport: transport, Response: m.Response, RCode: uint8(m.RCode), Truncated: m.Truncated}
	for i, x := range m.Questions {
		name := w.names.string(x.Name)
		if i == 0 {
			q.QName, q.QType = name, x.Type
		}
		if len(m.Questions) > 1 {
			q.Questions = append(q.Questions, observation.Question{Name: name, Type: x.Type})
		}
	}
	if len(m.Answers) > 0 {
		q.Answers = make([]observation.Answer, 0, len(m.Answers))
	}
	for i := range m.Answers {
		q.Answers = append(q.Answers, w.answer(&m.Answers[i]))
	}
	o.DNS = q
}

func (w *Worker) answer(r *wire.DNSRecord) observation.Answer {
	if len(r.Public) > 0 {
		w.announced.add(strings.ToLower(string(r.Public)), r.ConfigID)
	}
	a := observation.Answer{Name: w.names.string(r.Name), Type: r.Type, TTL: r.TTL, Addr: r.Addr, Data: w.names.string(r.Data), ECH: r.ECH}
	for _, p := range r.ALPN {
		a.ALPN = append(a.ALPN, w.names.string(p))
	}
	if len(r.Hints) > 0 {
		a.Hints = append([]netip.Addr(nil), r.Hints...)
	}
	return a
}
