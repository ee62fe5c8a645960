package sensor

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"picket/sensor/capture"
	"picket/sensor/flow"
	"picket/sensor/observation"
	"picket/sensor/packet"
)

var be = binary.BigEndian

// millisecond is the time between two frames of a test.
const millisecond = int64(1e6)

// talk builds the frames of conversations between two ends.
type talk struct {
	client, server netip.AddrPort
	cseq, sseq     uint32
	at             int64
	vlan           uint16
	frames         []capture.Frame
}

var phone = netip.MustParseAddrPort("192.168.1.9:40000")

func newTalk(server string) *talk {
	return &talk{client: phone, server: netip.MustParseAddrPort(server), cseq: 1000, sseq: 9000, at: 1_700_000_000e9}
}

// tcp begins a conversation with its handshake.
func tcpTalk(server string) *talk {
	t := newTalk(server)
	t.segment(true, packet.SYN, t.cseq, nil)
	t.cseq++
	t.segment(false, packet.SYN|packet.ACK, t.sseq, nil)
	t.sseq++
	t.segment(true, packet.ACK, t.cseq, nil)
	return t
}

// up sends each part as one segment of the client, in order.
func (t *talk) up(parts ...[]byte) *talk {
	for _, p := range parts {
		t.segment(true, packet.ACK|packet.PSH, t.cseq, p)
		t.cseq += uint32(len(p))
	}
	return t
}

// down is up for the server.
func (t *talk) down(parts ...[]byte) *talk {
	for _, p := range parts {
		t.segment(false, packet.ACK|packet.PSH, t.sseq, p)
		t.sseq += uint32(len(p))
	}
	return t
}

// reordered sends the parts of the client with the last one first.
func (t *talk) reordered(parts ...[]byte) *talk {
	from := len(t.frames)
	t.up(parts...)
	sent := t.frames[from:]
	for i, j := 0, len(sent)-1; i < j; i, j = i+1, j-1 {
		sent[i].Data, sent[j].Data = sent[j].Data, sent[i].Data
		sent[i].Wire, sent[j].Wire = len(sent[i].Data), len(sent[j].Data)
	}
	return t
}

func (t *talk) segment(up bool, flags uint8, seq uint32, payload []byte) {
	ack := t.sseq
	if !up {
		ack = t.cseq
	}
	if flags&packet.ACK == 0 {
		ack = 0
	}
	h := make([]byte, 20)
	from, to := t.ports(up)
	be.PutUint16(h, from)
	be.PutUint16(h[2:], to)
	be.PutUint32(h[4:], seq)
	be.PutUint32(h[8:], ack)
	h[12], h[13] = 0x50, flags
	be.PutUint16(h[14:], 512)
	t.ip(up, packet.ProtoTCP, append(h, payload...))
}

// datagram sends one datagram.
func (t *talk) datagram(up bool, payload []byte) *talk {
	t.ip(up, packet.ProtoUDP, udpOf(t, up, payload))
	return t
}

func udpOf(t *talk, up bool, payload []byte) []byte {
	h := make([]byte, 8)
	from, to := t.ports(up)
	be.PutUint16(h, from)
	be.PutUint16(h[2:], to)
	be.PutUint16(h[4:], uint16(8+len(payload)))
	return append(h, payload...)
}

func (t *talk) ports(up bool) (from, to uint16) {
	if up {
		return t.client.Port(), t.server.Port()
	}
	return t.server.Port(), t.client.Port()
}

func (t *talk) ip(up bool, proto uint8, body []byte) { t.frame(up, ipOf(t, up, proto, 0, body)) }

// ipOf builds an IP packet; fragment is the third word of an IPv4 header
// (identification, flags, offset).
func ipOf(t *talk, up bool, proto uint8, fragment uint32, body []byte) []byte {
	src, dst := t.client.Addr(), t.server.Addr()
	if !up {
		src, dst = dst, src
	}
	if src.Is6() {
		h := make([]byte, 40)
		h[0], h[6], h[7] = 0x60, proto, 64
		be.PutUint16(h[4:], uint16(len(body)))
		copy(h[8:], src.AsSlice())
		copy(h[24:], dst.AsSlice())
		return append(h, body...)
	}
	h := make([]byte, 20)
	h[0], h[8], h[9] = 0x45, 64, proto
	be.PutUint16(h[2:], uint16(20+len(body)))
	be.PutUint32(h[4:], fragment)
	copy(h[12:], src.AsSlice())
	copy(h[16:], dst.AsSlice())
	return append(h, body...)
}

// frame puts an IP packet on the wire.
func (t *talk) frame(up bool, ip []byte) {
	t.at += millisecond
	b := []byte{2, 0, 0, 0, 0, 0xbb, 2, 0, 0, 0, 0, 0xaa}
	if !up {
		b[5], b[11] = b[11], b[5]
	}
	if t.vlan != 0 {
		b = be.AppendUint16(append(b, 0x81, 0), t.vlan)
	}
	kind := uint16(0x0800)
	if ip[0]>>4 == 6 {
		kind = 0x86dd
	}
	b = append(be.AppendUint16(b, kind), ip...)
	t.frames = append(t.frames, capture.Frame{Data: b, At: t.at, Wire: len(b), Link: capture.LinkType(1)})
}

// bench is a worker under test with all that it observes.
type bench struct {
	t    testing.TB
	w    *Worker
	out  chan []observation.Observation
	seen []observation.Observation
}

var homeOfTests = []netip.Prefix{netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:1::/48")}

func newBench(t testing.TB, c WorkerConfig) *bench {
	t.Helper()
	if c.Home == nil {
		c.Home = flow.NewHome(homeOfTests)
	}
	if c.Realms == nil {
		c.Realms, _ = NewRealms(nil)
	}
	c.HashKey = []byte("key of a test")
	b := &bench{t: t, out: make(chan []observation.Observation, 64)}
	b.w = NewWorker(context.Background(), c, b.out, nil)
	return b
}

// play runs the frames, batch by batch as a source lends them.
func (b *bench) play(frames []capture.Frame) *bench {
	for len(frames) > 0 {
		n := min(len(frames), 7)
		b.w.Frames(frames[:n])
		b.drain()
		frames = frames[n:]
	}
	return b
}

func (b *bench) drain() {
	for {
		select {
		case batch := <-b.out:
			b.seen = append(b.seen, batch...)
		default:
			return
		}
	}
}

// end closes the worker and returns all it observed.
func (b *bench) end() []observation.Observation {
	b.w.Close()
	b.drain()
	return b.seen
}

// observe runs frames through a worker of its own.
func observe(t testing.TB, c WorkerConfig, frames []capture.Frame) []observation.Observation {
	t.Helper()
	return newBench(t, c).play(frames).end()
}

// words says in one line what an observation tells.
func words(o *observation.Observation) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s ", o.Kind)
	if !o.Answered && o.Kind != observation.DNS {
		s.WriteString("unanswered ")
	}
	switch o.Kind {
	case observation.TLS, observation.QUIC, observation.DTLS:
		h := o.Hello
		fmt.Fprintf(&s, "sni=%s alpn=%v segments=%d via=%s", h.SNI, h.ALPN, h.Segments, h.Via)
		if h.ECH == "real" {
			s.WriteString(" ech")
		}
	case observation.DNS, observation.MDNS, observation.LLMNR:
		m := o.DNS
		fmt.Fprintf(&s, "%s %s %d response=%v", m.Transport, m.QName, m.QType, m.Response)
		for _, a := range m.Answers {
			fmt.Fprintf(&s, " %s=%v%s", a.Name, a.Addr, a.Data)
		}
	case observation.HTTP, observation.SSDP:
		fmt.Fprintf(&s, "%s host=%s ua=%q", o.HTTP.Method, o.HTTP.Host, o.HTTP.UserAgent)
	case observation.Push:
		fmt.Fprintf(&s, "%s %s", o.Push.Model, o.Push.Host)
	case observation.Identifier:
		fmt.Fprintf(&s, "%s %s %s", o.Identifier.Kind, o.Identifier.Where, o.Identifier.Field)
	case observation.Tunnel:
		fmt.Fprintf(&s, "%s by %s %s", o.Tunnel.Type, o.Tunnel.How, o.Tunnel.Name)
	case observation.FlowReport:
		f := &o.Flow
		fmt.Fprintf(&s, "name=%s by %s sent=%d-%d received=%d", f.Name, f.Visibility, f.Sent, f.Handshake, f.Received)
		if f.Tunnel != "" {
			fmt.Fprintf(&s, " tunnel=%s", f.Tunnel)
		}
	}
	return s.String()
}

// told is all but the flow reports, and then those of flows that ended.
func told(seen []observation.Observation) (events, flows []string) {
	for i := range seen {
		if seen[i].Kind == observation.FlowReport {
			flows = append(flows, words(&seen[i]))
		} else {
			events = append(events, words(&seen[i]))
		}
	}
	return events, flows
}
