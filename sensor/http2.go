package sensor

import (
	"net/netip"
	"strings"

	"picket/sensor/flow"
	"picket/sensor/observation"
	"picket/sensor/packet"
	"picket/sensor/wire"
)

const (
	maxHTTP2     = 1024    // connections read at once: two header tables each
	maxFrames    = 1 << 14 // frames read of one direction
	maxDoHOpen   = 32      // DNS messages arriving at once in one connection
	maxDoHLength = 4 << 10 // RFC 8484 allows 64 KiB; answers are some hundred bytes
)

// http2Talk is an HTTP/2 connection in clear.
type http2Talk struct {
	sides   [2]*wire.HTTP2 // by flow.Dir
	preface bool           // the client's preface is still to come
	answer  bool           // the server's 101 is still to come
	heads   int            // requests observed
	doh     [maxDoHOpen]dohOpen
	next    int // the entry of doh to be used next
}

// dohOpen is a DNS message that arrives in DATA frames.
type dohOpen struct {
	stream uint32 // 0: free
	d      flow.Dir
	b      []byte
}

// tryHTTP2 recognises HTTP/2 with prior knowledge by its preface.
func (w *Worker) tryHTTP2(f *flow.Flow, d flow.Dir, p *packet.Packet, front []byte) wire.Status {
	_, s := wire.HTTP2Preface(front)
	if s != wire.Whole {
		return s
	}
	if d == flow.Down {
		f.SetOpener(d)
		d = flow.Up
	}
	c := w.convos.of(f)
	if c == nil || !w.beginHTTP2(f, c, false) {
		w.stats.ConversationsFull++
		return wire.Other
	}
	w.http2Stream(f, d, p, front)
	return wire.Whole
}

// upgraded goes on with HTTP/2 behind a request for h2c.
func (w *Worker) upgraded(f *flow.Flow, c *conversation, taken int) {
	if !w.beginHTTP2(f, c, true) {
		w.stats.ConversationsFull++
		w.table.Release(f, flow.Up)
		w.table.Release(f, flow.Down)
		return
	}
	w.table.Consume(f, flow.Up, taken)
}

func (w *Worker) beginHTTP2(f *flow.Flow, c *conversation, upgrade bool) bool {
	if w.http2s >= maxHTTP2 {
		return false
	}
	w.http2s++
	w.open(c).http2 = &http2Talk{sides: [2]*wire.HTTP2{wire.NewHTTP2(), wire.NewHTTP2()}, preface: true, answer: upgrade}
	f.App = appHTTP2
	return true
}

// http2Stream reads the frames of one direction.
func (w *Worker) http2Stream(f *flow.Flow, d flow.Dir, p *packet.Packet, front []byte) {
	c := w.convos.known(f)
	if c == nil || c.more == nil || c.more.http2 == nil {
		w.table.Release(f, d)
		return
	}
	t := c.more.http2
	taken, s := w.http2Begin(t, d, front)
	for s == wire.Whole {
		n := 0
		if n, s = t.sides[d].Parse(front[taken:]); s != wire.Whole {
			break
		}
		taken += n
		w.http2Event(f, d, p, c, &t.sides[d].Event)
	}
	if s != wire.More || t.sides[d].Frames > maxFrames {
		w.table.Release(f, d)
		return
	}
	w.table.Consume(f, d, taken)
}

// http2Begin passes over what stands before the first frame.
func (w *Worker) http2Begin(t *http2Talk, d flow.Dir, front []byte) (n int, s wire.Status) {
	switch {
	case d == flow.Up && t.preface:
		if n, s = wire.HTTP2Preface(front); s == wire.Whole {
			t.preface = false
		}
		return n, s
	case d == flow.Down && t.answer:
		n, s = w.http.Parse(front)
		if s == wire.Whole && (!w.http.Response || w.http.Code != 101) {
			return 0, wire.Other
		}
		t.answer = s != wire.Whole
		return n, s
	}
	return 0, wire.Whole
}

// http2Event takes what one frame told.
func (w *Worker) http2Event(f *flow.Flow, d flow.Dir, p *packet.Packet, c *conversation, e *wire.HTTP2Event) {
	t := c.more.http2
	switch {
	case e.Stream == 0:
	case e.Head:
		if d == flow.Up && e.Method != "" {
			w.http2Request(f, p, c, e)
		}
		if !e.End && strings.HasPrefix(e.ContentType, wire.DoHMessage) {
			o := &t.doh[t.next]
			t.next = (t.next + 1) % maxDoHOpen
			o.stream, o.d, o.b = e.Stream, d, o.b[:0]
		}
	default:
		for i := range t.doh {
			if o := &t.doh[i]; o.stream == e.Stream && o.d == d {
				w.dohData(f, d, p, o, e)
			}
		}
	}
}

// http2Request observes one request, as HTTP/1.1 ones are.
func (w *Worker) http2Request(f *flow.Flow, p *packet.Packet, c *conversation, e *wire.HTTP2Event) {
	t := c.more.http2
	if t.heads++; t.heads > maxRequests {
		return
	}
	if c.name == "" && e.Host != "" {
		if _, err := netip.ParseAddr(e.Host); err != nil {
			c.call(e.Host, observation.ByHTTP)
		}
	}
	o := w.about(observation.HTTP, f, flow.Up, p)
	o.HTTP = &observation.HTTPRequest{Method: e.Method, Host: e.Host, UserAgent: e.UserAgent, Connect: e.Method == "CONNECT"}
	w.whenAnswered(f, &o)
	if b := e.DoHQuestion(); b != nil {
		w.dohMessage(f, flow.Up, p, b)
	}
	if t.heads == 1 {
		w.hidden(f, flow.Up, p, "")
	}
	if q := e.Query(); q != "" && public(f.Server().Addr()) {
		w.ids.Reset()
		w.ids.Find(wire.InURL, []byte(q))
		w.identifiers(f, p, e.Host)
	}
}

// dohData takes part of a DNS message over HTTP (RFC 8484).
func (w *Worker) dohData(f *flow.Flow, d flow.Dir, p *packet.Packet, o *dohOpen, e *wire.HTTP2Event) {
	if len(o.b)+len(e.Data) > maxDoHLength {
		o.stream = 0
		return
	}
	o.b = append(o.b, e.Data...)
	if e.End {
		o.stream = 0
		w.dohMessage(f, d, p, o.b)
	}
}

func (w *Worker) dohMessage(f *flow.Flow, d flow.Dir, p *packet.Packet, b []byte) {
	err := w.dns.Parse(b, wire.UnicastDNS)
	if err != wire.ErrOther && len(w.dns.Questions)+len(w.dns.Answers) > 0 {
		w.dnsMessage(f, d, p, observation.DNS, "https")
	}
}
