package sensor

import (
	"picket/sensor/flow"
	"picket/sensor/observation"
	"picket/sensor/packet"
	"picket/sensor/wire"
)

// Ports of protocols that are read by port and by bytes.
const (
	portNetBIOS     = 137 // names of its own, in a like format
	portDHCPServer  = 67
	portDHCPClient  = 68
	portDHCPv6      = 546
	portDHCPv6Relay = 547
	portSSDP        = 1900
	portRADIUS      = 1813
	portRADIUSOld   = 1646
)

// udp looks at the datagrams of a flow that still wants them.
func (w *Worker) udp(f *flow.Flow, d flow.Dir, p *packet.Packet) {
	if f.Worker&waiting != 0 && f.Answered() {
		w.answered(f, w.convos.known(f))
	}
	switch f.App {
	case appNew:
		w.datagram(f, d, p)
	case appDNS:
		w.dnsDatagram(f, d, p)
	case appQUIC:
		w.quicDatagram(f, d, p)
	case appDTLS:
		w.dtlsDatagram(f, d, p)
	}
}

// maxGuesses is after how many datagrams of a flow that nothing claimed the
// guessing ends.
const maxGuesses = 8

// datagram finds out what a flow of datagrams carries.
func (w *Worker) datagram(f *flow.Flow, d flow.Dir, p *packet.Packet) {
	b := p.Payload
	if len(b) == 0 {
		return
	}
	if w.byPort(f, d, p) {
		return
	}
	switch {
	case wire.IsQUICLong(b) || wire.IsQUICGoogle(b):
		f.App = appQUIC
		w.quicDatagram(f, d, p)
		return
	case isDTLS(b):
		f.App = appDTLS
		w.dtlsDatagram(f, d, p)
		return
	case p.SrcPort != portNetBIOS && p.DstPort != portNetBIOS && wire.LooksLikeDNS(b):
		f.App = appDNS
		w.dnsDatagram(f, d, p)
		return
	}
	if isSTUN(b) {
		return // as many as it takes to find a path: DTLS may follow (RFC 7983)
	}
	t := wire.NoTunnel
	if len(b) >= p.PayloadLen { // one that the snap length cut has no exact length to be judged by
		t = wire.TunnelUDP(b, p.SrcPort, p.DstPort)
	}
	if t != wire.NoTunnel {
		w.tunnel(f, d, p, t.String(), "bytes", "")
		w.release(f)
		return
	}
	if f.Aux++; f.Aux >= maxGuesses {
		f.App = appOther
		w.release(f)
	}
}

// byPort reads the protocols that live on ports of their own.
func (w *Worker) byPort(f *flow.Flow, d flow.Dir, p *packet.Packet) bool {
	server := f.ServerPort()
	either := func(port uint16) bool { return p.SrcPort == port || p.DstPort == port }
	switch {
	case either(portDNS), either(portMDNS), either(portLLMNR):
		if p.SrcPort == portDNS && p.DstPort != portDNS && d == flow.Up { // the answer came first
			f.SetOpener(flow.Down)
			d = flow.Down
		}
		return w.dnsDatagram(f, d, p)
	case either(portDHCPServer), either(portDHCPClient):
		return w.dhcpDatagram(f, p, 4)
	case either(portDHCPv6), either(portDHCPv6Relay):
		return w.dhcpDatagram(f, p, 6)
	case either(portSSDP):
		return w.ssdp(f, d, p)
	case server == portRADIUS, server == portRADIUSOld:
		return w.accounting(f, p)
	}
	return false
}

// release ends the inspection of a flow of datagrams.
func (w *Worker) release(f *flow.Flow) { f.Inspect = 0 }

// isSTUN knows a message of STUN by its magic cookie (RFC 8489, section 5).
func isSTUN(b []byte) bool {
	return len(b) >= 20 && b[0] < 4 && b[4] == 0x21 && b[5] == 0x12 && b[6] == 0xa4 && b[7] == 0x42
}

func isDTLS(b []byte) bool {
	_, ok := wire.IsDTLS(b)
	return ok
}

// quicDatagram counts handshake bytes of a QUIC flow, and puts its
// ClientHello together while that is not done.
func (w *Worker) quicDatagram(f *flow.Flow, d flow.Dir, p *packet.Packet) {
	if len(p.Payload) == 0 {
		return
	}
	long := p.Payload[0]&0x80 != 0
	if f.Inspect == 0 && !long {
		return // the common case: a known flow's data
	}
	if long {
		handshake, _ := wire.QUICLongBytes(p.Payload)
		f.CountHandshake(d, handshake)
	} else if d == flow.Up && !wire.IsQUICGoogle(p.Payload) && !f.Answered() {
		f.SetAnswered() // only a completed handshake gives the keys for a short header
	}
	if f.Inspect != 0 {
		w.initial(f, d, p)
	}
}

// initial hands a datagram to the assembly of the flow's ClientHello.
func (w *Worker) initial(f *flow.Flow, d flow.Dir, p *packet.Packet) {
	c := w.convos.of(f)
	if c == nil {
		w.stats.ConversationsFull++
		w.release(f)
		return
	}
	m := w.open(c)
	if m.quic == nil && w.budget > 0 {
		m.quic = w.quics.take()
	}
	if m.quic == nil || w.budget <= 0 {
		w.freeQUIC(c)
		w.stats.Handshakes[ProtocolQUIC][OverBudget]++
		w.release(f)
		return
	}
	before := m.quic.Decrypts
	s := m.quic.Add(p.Payload, d == flow.Down, &w.hello)
	w.budget -= m.quic.Decrypts - before
	switch s {
	case wire.Whole:
		w.quicHello(f, d, p, c)
	case wire.Bad:
		w.dropQUIC(c, Malformed)
		w.release(f)
	default:
		if f.Aux++; f.Aux >= maxInitials {
			w.dropQUIC(c, Incomplete)
			w.release(f)
		}
	}
}

// maxInitials is how many datagrams of a flow are looked through for the
// pieces of its hello: clients repeat their Initials a few times, and a
// joined flow has none.
const maxInitials = 64

func (w *Worker) quicHello(f *flow.Flow, d flow.Dir, p *packet.Packet, c *conversation) {
	assembly := c.more.quic
	if side, known := assembly.Client(); known && side != (d == flow.Down) {
		d = d.Other()
	}
	if d == flow.Down {
		f.SetOpener(flow.Down)
		d = flow.Up
	}
	h := w.helloOf()
	h.Segments, h.QUIC = assembly.Datagrams, assembly.Version.String()
	w.freeQUIC(c)
	w.named(f, h, observation.ByQUIC, ProtocolQUIC)
	w.release(f)
	w.hidden(f, d, p, h.SNI)
	o := w.about(observation.QUIC, f, d, p)
	o.Hello = h
	w.whenAnswered(f, &o)
}

// dtlsDatagram counts handshake bytes and puts the ClientHello together.
func (w *Worker) dtlsDatagram(f *flow.Flow, d flow.Dir, p *packet.Packet) {
	f.CountHandshake(d, wire.DTLSPlainBytes(p.Payload))
	if f.Inspect == 0 {
		return
	}
	c := w.convos.of(f)
	if c == nil {
		w.stats.ConversationsFull++
		w.release(f)
		return
	}
	m := w.open(c)
	if m.dtls == nil {
		if m.dtls = w.dtls.take(); m.dtls == nil {
			w.stats.Handshakes[ProtocolDTLS][OverBudget]++
			w.release(f)
			return
		}
	}
	switch m.dtls.Add(p.Payload, &w.hello) {
	case wire.Whole:
		if d == flow.Down {
			f.SetOpener(flow.Down)
			d = flow.Up
		}
		h := w.helloOf()
		h.Segments = m.dtls.Datagrams
		w.named(f, h, observation.BySNI, ProtocolDTLS)
		w.hidden(f, d, p, h.SNI)
		o := w.about(observation.DTLS, f, d, p)
		o.Hello = h
		w.whenAnswered(f, &o)
	case wire.Bad:
		w.dropDTLS(c, Malformed)
		w.release(f)
		return
	}
	if f.Aux++; f.Aux >= maxDTLSDatagrams {
		w.dropDTLS(c, Incomplete)
		w.release(f)
	}
}

// maxDTLSDatagrams is how many datagrams of a flow are looked through for its
// hello: some clients send one fragment in each, and a cookie asks for two hellos.
const maxDTLSDatagrams = 64
