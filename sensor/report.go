package sensor

import (
	"time"

	"picket/sensor/flow"
	"picket/sensor/observation"
	"picket/sensor/packet"
)

// Bits of flow.Flow.Worker.
const (
	waiting   uint32 = 1 << iota // observations wait for an answer
	snapped                      // a first byte of the stream was cut off by the snap length
	lostHead                     // the first bytes were lost by the capture
	cleartext                    // HTTP: the name was read from it
)

// report is called by the flow table with a flow whose counts rose or that
// is over. It returns false when there is no room: the increase is kept.
func (w *Worker) report(f *flow.Flow, final bool) bool {
	c := w.convos.known(f)
	if c != nil && c.more != nil {
		if len(c.more.waiting) > 0 && (final || f.Answered()) {
			w.answered(f, c)
		}
		if final && c.more != nil && c.more.partial != nil {
			if !w.closing || f.Closed() { // at the end of the input the rest may simply not have been captured yet
				w.tell(c.more.partial)
			}
			c.more.partial = nil
		}
	}
	up, down := f.Increase(flow.Up), f.Increase(flow.Down)
	o := w.slot()
	if o == nil {
		return false
	}
	o.Kind, o.At = observation.FlowReport, at(f.Last())
	w.ends(o, f)
	o.Flow = observation.Flow{
		ID: f.ID, Proto: f.Proto(), Visibility: w.visibility(f, c),
		Sent: up.Bytes, Handshake: up.Handshake, Received: down.Bytes,
		Packets: uint64(up.Packets) + uint64(down.Packets),
		First:   at(f.First), Last: at(f.Last()),
		Attempt: f.Attempt(), OneWay: f.OneWay(), Final: final,
		BothHome: f.ClientHome() && f.ServerHome(),
	}
	o.Flow.ReceivedHandshake = down.Handshake
	if c != nil {
		o.Flow.Name, o.Flow.ALPN, o.Flow.WebVisit = c.name, c.alpn, c.browser
		if c.more != nil {
			o.Flow.Tunnel = c.more.tunnel
		}
	}
	w.stats.MissedBytes += uint64(up.Missed) + uint64(down.Missed)
	if final {
		w.forget(f, c)
	}
	return true
}

// forget gives back what the worker held of a flow that is over.
func (w *Worker) forget(f *flow.Flow, c *conversation) {
	if c == nil {
		return
	}
	w.dropQUIC(c, Incomplete)
	w.dropDTLS(c, Incomplete)
	w.shut(c)
	w.convos.release(f)
}

func (w *Worker) dropQUIC(c *conversation, as Outcome) {
	if c.more != nil && c.more.quic != nil && c.more.quic.Decrypts > 0 {
		w.stats.Handshakes[ProtocolQUIC][as]++
	}
	w.freeQUIC(c)
}

// freeQUIC gives the assembly of c back, if it has one.
func (w *Worker) freeQUIC(c *conversation) {
	if m := c.more; m != nil && m.quic != nil {
		w.stats.Decrypts += uint64(m.quic.Decrypts)
		m.quic.Reset()
		w.quics.give(m.quic)
		m.quic = nil
	}
}

func (w *Worker) dropDTLS(c *conversation, as Outcome) {
	if m := c.more; m != nil && m.dtls != nil {
		if m.dtls.Hellos == 0 {
			w.stats.Handshakes[ProtocolDTLS][as]++
		}
		m.dtls.Reset()
		w.dtls.give(m.dtls)
		m.dtls = nil
	}
}

// visibility says how the flow was named, or why it was not.
func (w *Worker) visibility(f *flow.Flow, c *conversation) observation.Visibility {
	if c != nil && c.seen != 0 {
		return visibilities[c.seen-1]
	}
	switch {
	case f.Worker&(snapped|lostHead) != 0:
		return observation.Truncated
	case f.OneWay():
		return observation.OneWay
	case f.MissedStart():
		return observation.MissedStart
	}
	return observation.Unnamed
}

// ends fills in who talked to whom.
func (w *Worker) ends(o *observation.Observation, f *flow.Flow) {
	o.Realm = w.cfg.Realms.Name(f.Realm())
	o.Client, o.Server = f.Client(), f.Server()
	o.ClientHome, o.ServerHome = f.ClientHome(), f.ServerHome()
	o.MAC, o.ServerMAC = f.ClientMAC(), f.ServerMAC()
	o.VLAN = f.VLAN
	o.Answered = f.Answered()
}

// about is an observation of kind k of the conversation f, seen in p, whose
// sender is the client when d is Up.
func (w *Worker) about(k observation.Kind, f *flow.Flow, d flow.Dir, p *packet.Packet) observation.Observation {
	o := observation.Observation{Kind: k, At: at(p.At), Encap: w.layers(p), BSSID: p.BSSID}
	w.ends(&o, f)
	if d == flow.Down {
		o.Client, o.Server = o.Server, o.Client
		o.ClientHome, o.ServerHome = o.ServerHome, o.ClientHome
		o.MAC, o.ServerMAC = o.ServerMAC, o.MAC
	}
	return o
}

// maxWaiting bounds the observations of one flow that wait for an answer.
const maxWaiting = 8

// whenAnswered emits o, once the other side has taken part or the flow is
// over: what nobody answered proves nothing about a device.
func (w *Worker) whenAnswered(f *flow.Flow, o *observation.Observation) {
	if f.Answered() {
		f.SetIntroduced()
		w.tell(o)
		return
	}
	c := w.convos.of(f)
	if c == nil {
		w.tell(o)
		return
	}
	m := w.open(c)
	if len(m.waiting) >= maxWaiting {
		w.tell(o)
		return
	}
	m.waiting = append(m.waiting, *o)
	f.Worker |= waiting
}

// answered emits what waited.
func (w *Worker) answered(f *flow.Flow, c *conversation) {
	f.Worker &^= waiting
	f.SetIntroduced()
	if c == nil || c.more == nil {
		return
	}
	m := c.more
	for i := range m.waiting {
		m.waiting[i].Answered = f.Answered()
		w.tell(&m.waiting[i])
	}
	clear(m.waiting)
	m.waiting = m.waiting[:0]
	if f.App == appQUIC && m.quic == nil && m.tunnel == "" { // a hello was all there was to wait for
		w.shut(c)
	}
}

// tunnelKey is a pair of addresses that a tunnel was reported for.
type tunnelKey struct {
	a, b  packet.Addr
	proto uint8
}

const (
	maxTunnels  = 4096
	tunnelEvery = 60 * second // a tunnel without ports is reported again after this
)

// hiddenByProtocol reports ESP and AH, which have no ports and so no flow.
func (w *Worker) hiddenByProtocol(p *packet.Packet) {
	t := tunnelOf(p.Proto)
	if t == "" || p.Version == 0 {
		return
	}
	if w.never(p) {
		return
	}
	key := tunnelKey{p.Src, p.Dst, p.Proto}
	if last, ok := w.tunnels[key]; ok && p.At-last < tunnelEvery {
		return
	}
	if len(w.tunnels) >= maxTunnels {
		clear(w.tunnels)
	}
	w.tunnels[key] = p.At
	o := w.bare(observation.Tunnel, p)
	o.Tunnel = &observation.TunnelFound{Type: t, How: "protocol"}
	w.tell(&o)
}

// bare is an observation of a frame that belongs to no flow.
func (w *Worker) bare(k observation.Kind, p *packet.Packet) observation.Observation {
	return observation.Observation{
		Kind: k, At: at(p.At), Realm: w.cfg.Realms.Name(p.Realm), Encap: w.layers(p),
		Client: addrPort(p.Src, p.SrcPort), Server: addrPort(p.Dst, p.DstPort),
		ClientHome: w.home(p.Realm, p.Src), ServerHome: w.home(p.Realm, p.Dst),
		MAC: p.LinkSrc, ServerMAC: packet.MAC{}, VLAN: p.VLAN(), BSSID: p.BSSID,
	}
}

func (w *Worker) home(realm uint16, a packet.Addr) bool {
	return w.cfg.Home != nil && w.cfg.Home.Contains(realm, a)
}

func at(ns int64) time.Time { return time.Unix(0, ns).UTC() }
