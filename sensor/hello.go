package sensor

import (
	"strings"
	"unicode/utf8"

	"picket/sensor/flow"
	"picket/sensor/observation"
	"picket/sensor/packet"
	"picket/sensor/wire"
)

// tlsHello takes the ClientHello in w.hello, complete on flow f.
func (w *Worker) tlsHello(f *flow.Flow, d flow.Dir, p *packet.Packet, via string) {
	f.App = appTLS
	w.table.Release(f, flow.Up)
	h := w.helloOf()
	h.Segments, h.Via = max(1, int(f.Aux)), via
	c := w.named(f, h, observation.BySNI, ProtocolTLS)
	if c == nil || !wantsCertificate(&w.hello) {
		w.table.Release(f, flow.Down)
	}
	w.hidden(f, d, p, h.SNI)
	o := w.about(observation.TLS, f, d, p)
	o.Hello = h
	w.whenAnswered(f, &o)
}

// wantsCertificate: without a server name, the server's certificate may tell
// it, which TLS 1.3 encrypts (RFC 8446, section 4.4.2).
func wantsCertificate(h *wire.Hello) bool { return len(h.Name) == 0 }

// named keeps what the hello says for the reports of the flow, and counts it.
func (w *Worker) named(f *flow.Flow, h *observation.Hello, by observation.Visibility, protocol Protocol) *conversation {
	c := w.convos.of(f)
	if c == nil {
		w.stats.ConversationsFull++
		return nil
	}
	if len(h.ALPN) > 0 {
		c.alpn = h.ALPN[0]
	}
	c.browser = c.browser || looksLikeBrowser(h)
	switch {
	case h.ECH == "real":
		c.call("", observation.HiddenECH)
		w.stats.Handshakes[protocol][Hidden]++
	case h.SNI != "" && h.SNIReason == "":
		c.call(h.SNI, by)
		w.stats.Handshakes[protocol][Named]++
	default:
		w.stats.Handshakes[protocol][Nameless]++
	}
	return c
}

// looksLikeBrowser: page loads offer h2 or h3 before anything else and send
// the ECH extension, GREASE or not; system services of phones do not. It is
// a hint only: see device.
func looksLikeBrowser(h *observation.Hello) bool {
	return h.ECH != "none" && len(h.ALPN) > 0 && (h.ALPN[0] == "h2" || h.ALPN[0] == "h3")
}

// helloOf copies w.hello into a value that owns its bytes.
func (w *Worker) helloOf() *observation.Hello {
	m := &w.hello
	sni := w.names.string(m.Name)
	h := &observation.Hello{
		SNI: sni, SNIReason: m.NameReason.String(),
		Version: wire.VersionName(m.Version), JA4: w.ja4(), ALPN: w.protocols(m.ALPN),
		ECH: m.ECHState(m.ECH.Present && sni != "" && w.announced.has(sni, m.ECH.ConfigID)).String(),
	}
	switch { // shown as sent, in lower case; it names nothing
	case m.NameReason == wire.NameIPLiteral:
		h.SNI = w.names.string(m.ServerName)
	case (m.NameReason == wire.NameNotAName || m.NameReason == wire.NameTooLong) && printable(m.ServerName):
		h.SNI = strings.ToLower(string(m.ServerName))
	}
	if !w.cfg.NoJA3 {
		h.JA3 = m.JA3()
	}
	return h
}

// printable reports whether b is text that can stand in an event.
func printable(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c == 0x7f {
			return false
		}
	}
	return len(b) <= 255 && utf8.Valid(b)
}

func (w *Worker) ja4() string {
	var b [36]byte
	return w.names.string(w.hello.AppendJA4(b[:0]))
}

// maxLists bounds the lists that are remembered: clients offer a handful.
const maxLists = 1024

// protocols returns the list p as strings, the same for equal lists.
func (w *Worker) protocols(p wire.Protocols) []string {
	if len(p) == 0 {
		return nil
	}
	if list, ok := w.alpns[string(p)]; ok {
		return list
	}
	var list []string
	for name, rest, ok := p.Next(); ok; name, rest, ok = rest.Next() {
		list = append(list, w.names.string(name))
	}
	if w.alpns == nil || len(w.alpns) >= maxLists {
		w.alpns = make(map[string][]string)
	}
	w.alpns[string(p)] = list
	return list
}

// encapKey is a list of layers as a flat value. Longer lists are made anew.
type encapKey struct {
	n      uint8
	layers [4]packet.Encap
}

// layers returns what p.Layers does, the same for equal lists.
func (w *Worker) layers(p *packet.Packet) []string {
	k := encapKey{n: p.NEncap}
	switch {
	case p.NEncap == 0:
		return nil
	case int(p.NEncap) > len(k.layers):
		return p.Layers()
	}
	copy(k.layers[:], p.Encap[:p.NEncap])
	if list, ok := w.encaps[k]; ok {
		return list
	}
	if w.encaps == nil || len(w.encaps) >= maxLists {
		w.encaps = make(map[encapKey][]string)
	}
	list := p.Layers()
	w.encaps[k] = list
	return list
}

// serverFlight reads a server's certificate for the names that a client did
// not send.
func (w *Worker) serverFlight(f *flow.Flow, d flow.Dir, p *packet.Packet, front []byte) {
	if d == flow.Up {
		w.table.Release(f, d)
		return
	}
	switch w.flight.ParseStream(front) {
	case wire.More:
		w.table.FollowRecords(f, d, front)
		w.table.Hold(f, d)
		return
	case wire.Whole:
		w.table.FollowRecords(f, d, front)
		c := w.convos.known(f)
		if c != nil && c.unnamed() && len(w.flight.Names) > 0 {
			c.call(w.certificateName(w.flight.Names), observation.ByCertificate)
		}
	}
	w.table.Release(f, d)
}

// certificateName picks the name to show: the first that stands for one
// host, else the first with its wildcard taken off.
func (w *Worker) certificateName(names []string) string {
	best := ""
	for _, n := range names {
		name := strings.ToLower(n)
		if !strings.HasPrefix(name, "*.") {
			return w.names.string([]byte(name))
		}
		if best == "" {
			best = name[2:]
		}
	}
	return best
}

// hidden looks whether the server is one that hides names, by its name.
func (w *Worker) hidden(f *flow.Flow, d flow.Dir, p *packet.Packet, name string) {
	if w.cfg.Hiders == nil {
		return
	}
	how := "name"
	hider, ok := wire.Hider{}, false
	if name != "" {
		hider, ok = w.cfg.Hiders.ByName(name)
	}
	if !ok {
		how = "address"
		hider, ok = w.cfg.Hiders.ByAddr(f.Server().Addr())
	}
	if !ok {
		return
	}
	if kind := hider.Seen(p.Proto == packet.ProtoUDP, f.ServerPort()); kind != wire.NotHidden {
		w.tunnel(f, d, p, kind.String(), how, hider.Name)
	}
}

// tunnel reports that f hides what it carries.
func (w *Worker) tunnel(f *flow.Flow, d flow.Dir, p *packet.Packet, kind, how, name string) {
	if c := w.convos.of(f); c != nil {
		w.open(c).tunnel = kind
		if c.unnamed() {
			c.call("", observation.HiddenTunnel)
		}
	}
	if f.App == appNew {
		f.App = appTunnel
	}
	o := w.about(observation.Tunnel, f, d, p)
	o.Tunnel = &observation.TunnelFound{Type: kind, How: how, Name: name}
	w.whenAnswered(f, &o)
}
