package sensor

import (
	"picket/sensor/flow"
	"picket/sensor/observation"
	"picket/sensor/packet"
	"picket/sensor/wire"
)

// What a flow turned out to carry (flow.Flow.App).
const (
	appNew uint8 = iota
	appTLS
	appHTTP
	appDNS
	appPush
	appQUIC
	appDTLS
	appTunnel
	appHTTP2
	appOther
)

// tlsHandshake is the content type of a record with a ClientHello (RFC 8446,
// section 5.1).
const tlsHandshake = 22

// Ports whose protocol is tried first, or at all.
const (
	portDNS   = 53
	portMDNS  = 5353
	portLLMNR = 5355
)

// tcp looks at the first bytes of a flow that still wants them.
func (w *Worker) tcp(f *flow.Flow, d flow.Dir, p *packet.Packet) {
	if f.Worker&waiting != 0 && f.Answered() {
		w.answered(f, w.convos.known(f))
	}
	if p.PayloadLen == 0 || f.Inspect == 0 {
		return
	}
	if f.Inspect&lateHello != 0 && w.late(f, d, p) || f.Inspect&(flow.InspectUp<<d) == 0 {
		return
	}
	if len(p.Payload) < p.PayloadLen {
		f.Worker |= snapped
	}
	if f.App == appNew && d == flow.Up {
		f.Aux++ // segments of the client's first message
	}
	front := w.table.Collect(f, d, p)
	if front == nil {
		if w.table.Stream(f, d) != flow.Broken {
			return
		}
		f.Worker |= lostHead
		if front = w.table.Resync(f, d); front == nil {
			return
		}
	}
	w.stream(f, d, p, front)
}

// stream reads the contiguous first bytes of one direction.
func (w *Worker) stream(f *flow.Flow, d flow.Dir, p *packet.Packet, front []byte) {
	switch f.App {
	case appNew:
		w.unknown(f, d, p, front)
	case appTLS:
		w.serverFlight(f, d, p, front)
	case appHTTP:
		w.httpStream(f, d, p, front)
	case appDNS:
		w.dnsStream(f, d, p, front)
	case appHTTP2:
		w.http2Stream(f, d, p, front)
	case appPush:
		w.pushStream(f, d, p, front)
	default:
		w.table.Release(f, d)
	}
}

// unknown finds out what a stream carries. Several protocols may want more
// bytes before they can tell; the stream is held as long as one does.
func (w *Worker) unknown(f *flow.Flow, d flow.Dir, p *packet.Packet, front []byte) {
	more := false
	try := func(s wire.Status) bool {
		more = more || s == wire.More
		return s == wire.Whole || s == wire.Bad
	}
	switch {
	case try(w.tryTLS(f, d, p, front)):
	case try(w.tryHTTP2(f, d, p, front)):
	case try(w.tryHTTP(f, d, p, front)):
	case try(w.tryDNS(f, d, p, front)):
	case try(w.tryPush(f, d, p, front)):
	case d == flow.Up && try(w.tryUpgrade(f, d, p, front)):
	case d == flow.Up && try(w.tryTunnel(f, d, p, front)):
	case more:
		if !w.table.Hold(f, d) {
			f.Worker |= snapped
		}
	case d == flow.Up:
		f.App = appOther
		w.table.Release(f, flow.Up)
		w.table.Release(f, flow.Down)
		f.Inspect |= lateHello
		f.Aux = 0
		w.late(f, d, p)
	default:
		w.table.Release(f, flow.Down) // a banner: the client may still turn to TLS
	}
}

// tryTLS reads a ClientHello, in whichever direction it goes: where the
// start was missed, the guess who is the client may be wrong.
func (w *Worker) tryTLS(f *flow.Flow, d flow.Dir, p *packet.Packet, front []byte) wire.Status {
	s := w.hello.ParseStream(front)
	switch s {
	case wire.Whole:
		if d == flow.Down {
			f.SetOpener(d)
			d = flow.Up
		}
		w.table.FollowRecords(f, d, front)
		w.tlsHello(f, d, p, "")
	case wire.Bad:
		if front[0] != tlsHandshake { // an SSL 2.0 length that only looked like one
			return wire.Other
		}
		w.stats.Handshakes[ProtocolTLS][Malformed]++
		f.App = appOther
		w.table.Release(f, flow.Up)
		w.table.Release(f, flow.Down)
	case wire.Other:
		if typ, ok := wire.IsTLSRecord(front); ok {
			w.table.FollowRecords(f, d, front)
			if w.table.Stream(f, d) != flow.MissedStart {
				return s
			}
			if typ == tlsHandshake && d == flow.Down && f.Total(flow.Up).Bytes == 0 {
				return s // the answer came in first: the hello may follow
			}
			f.App = appTLS // its start was missed: no name will come
			w.table.Release(f, flow.Up)
			w.table.Release(f, flow.Down)
			return wire.Whole
		}
	}
	return s
}

// tryUpgrade looks for a proxy's handshake or STARTTLS before the hello.
func (w *Worker) tryUpgrade(f *flow.Flow, d flow.Dir, p *packet.Packet, front []byte) wire.Status {
	at, via := 0, ""
	for range 3 { // a proxy within a proxy, and STARTTLS through it
		u, s := wire.FindUpgrade(front[at:])
		if s != wire.Whole {
			if via == "" {
				return s
			}
			break
		}
		at += u.At
		via = u.Via
		if len(u.Host) > 0 {
			w.proxied(f, u)
		}
	}
	if at == len(front) {
		return wire.More
	}
	s := w.hello.ParseStream(front[at:])
	switch s {
	case wire.Whole:
		w.table.FollowRecords(f, d, front[at:])
		w.tlsHello(f, d, p, via)
	case wire.Other:
		return w.insideHTTP(f, p, front, at)
	}
	return s
}

// insideHTTP reads requests in clear behind a proxy's handshake.
func (w *Worker) insideHTTP(f *flow.Flow, p *packet.Packet, front []byte, at int) wire.Status {
	_, s := w.http.Parse(front[at:])
	if s != wire.Whole || w.http.Response {
		return s
	}
	if c := w.convos.of(f); c != nil {
		f.App = appHTTP
		w.open(c)
		w.requests(f, p, c, front, at)
	}
	return s
}

// lateHello says that the first bytes of a flow told nothing, but that a
// ClientHello may still begin one of the next segments: behind a handshake
// that nobody knows, or where the start was missed.
const lateHello flow.Inspect = 1 << 2

// maxLate is in how many segments it is looked for.
const maxLate = 16

// late looks for a ClientHello, or a request in clear, that fits one segment.
func (w *Worker) late(f *flow.Flow, d flow.Dir, p *packet.Packet) bool {
	if f.Aux++; f.Aux > maxLate {
		f.Inspect &^= lateHello
		return false
	}
	if !wire.IsClientHello(p.Payload) {
		return w.lateRequest(f, d, p)
	}
	if w.hello.ParseStream(p.Payload) != wire.Whole {
		return false
	}
	f.Inspect &^= lateHello
	if d == flow.Down {
		f.SetOpener(d)
		d = flow.Up
	}
	w.table.FollowRecords(f, d, p.Payload)
	f.Aux = 1
	w.tlsHello(f, d, p, "")
	return true
}

// lateRequest looks for a request in clear at the start of a segment, where
// the capture began in the middle of what the client sent before.
func (w *Worker) lateRequest(f *flow.Flow, d flow.Dir, p *packet.Packet) bool {
	if !f.MissedStart() {
		return false
	}
	if _, s := w.http.Parse(p.Payload); s != wire.Whole || w.http.Response {
		return false
	}
	c := w.convos.of(f)
	if c == nil {
		return false
	}
	if d == flow.Down {
		f.SetOpener(d)
	}
	w.open(c)
	w.observeRequest(f, p, c, nil)
	return true
}

// proxied keeps the name that was asked of a proxy.
func (w *Worker) proxied(f *flow.Flow, u wire.Upgrade) {
	c := w.convos.of(f)
	if c == nil {
		w.stats.ConversationsFull++
		return
	}
	c.call(w.names.string(u.Host), observation.ByHTTP)
}

// tryTunnel tells OpenVPN over TCP.
func (w *Worker) tryTunnel(f *flow.Flow, d flow.Dir, p *packet.Packet, front []byte) wire.Status {
	t, s := wire.TunnelTCP(front)
	if s == wire.Whole {
		w.tunnel(f, d, p, t.String(), "bytes", "")
		w.table.Release(f, flow.Up)
		w.table.Release(f, flow.Down)
	}
	return s
}

func tunnelOf(proto uint8) string { return wire.TunnelProto(proto).String() }
