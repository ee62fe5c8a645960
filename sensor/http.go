package sensor

import (
	"bytes"
	"net/netip"

	"picket/sensor/flow"
	"picket/sensor/observation"
	"picket/sensor/packet"
	"picket/sensor/wire"
)

const (
	maxRequests   = 256     // heads read of one connection
	maxRequestLen = 4 << 20 // bytes of request bodies passed over in one connection
	maxBodyHeld   = 4 << 10 // of a body, searched for identifiers (wire.Identifiers.Find)
)

// tryHTTP recognises HTTP/1.x by its first line.
func (w *Worker) tryHTTP(f *flow.Flow, d flow.Dir, p *packet.Packet, front []byte) wire.Status {
	_, s := w.http.Parse(front)
	switch {
	case s == wire.Bad && w.http.Partial: // an endless head: what came first was read
	case s == wire.More:
		if w.http.PartialHead(front) != wire.Whole || w.http.Response {
			return wire.More
		}
	case s != wire.Whole:
		return wire.Other
	}
	if w.http.Response {
		return wire.Other
	}
	if d == flow.Down {
		f.SetOpener(d)
		d = flow.Up
	}
	if bytes.Equal(w.http.Method, methodConnect) {
		return w.connect(f, d, p, s)
	}
	f.App = appHTTP
	w.httpStream(f, d, p, front)
	return wire.Whole
}

var methodConnect = []byte("CONNECT")

// connect observes the request for a tunnel through a proxy once; what is
// inside is for tryUpgrade to find.
func (w *Worker) connect(f *flow.Flow, d flow.Dir, p *packet.Packet, s wire.Status) wire.Status {
	if s == wire.Whole && f.Worker&cleartext == 0 {
		f.Worker |= cleartext
		o := w.request(f, d, p)
		w.whenAnswered(f, &o)
	}
	if s == wire.More {
		return wire.More
	}
	return wire.Other
}

// httpStream reads the requests of a kept-alive connection, and the answer
// to a name resolution.
func (w *Worker) httpStream(f *flow.Flow, d flow.Dir, p *packet.Packet, front []byte) {
	c := w.convos.of(f)
	if c == nil {
		w.stats.ConversationsFull++
		w.table.Release(f, flow.Up)
		w.table.Release(f, flow.Down)
		return
	}
	w.open(c)
	if d == flow.Down {
		w.resolution(f, p, c, front)
		return
	}
	w.requests(f, p, c, front, 0)
}

// requests reads the request heads in front from taken on.
func (w *Worker) requests(f *flow.Flow, p *packet.Packet, c *conversation, front []byte, taken int) {
	for taken < len(front) {
		n, done, ok := c.more.body.Skip(front[taken:])
		c.more.passed += int64(n)
		taken += n
		if !ok || c.more.body.Unbounded() || c.more.passed > maxRequestLen {
			w.table.Release(f, flow.Up)
			return
		}
		if !done && n > 0 || taken == len(front) {
			break
		}
		n, s := w.head(f, p, c, front[taken:])
		taken += n
		if s == wire.More {
			break
		}
		if s != wire.Whole {
			if n > 0 && w.http.H2C {
				w.upgraded(f, c, taken)
				return
			}
			w.table.Release(f, flow.Up)
			return
		}
	}
	w.table.Consume(f, flow.Up, taken)
}

// head reads one request head from the start of b, with as much of its body
// as is searched, and returns how many bytes it took.
func (w *Worker) head(f *flow.Flow, p *packet.Packet, c *conversation, b []byte) (int, wire.Status) {
	n, s := w.http.Parse(b)
	switch s {
	case wire.More:
		if w.http.PartialHead(b) == wire.Whole && !w.http.Response {
			o := w.request(f, flow.Up, p)
			c.more.partial = &o
			w.keepHost(c)
		}
		return 0, wire.More
	case wire.Bad:
		if w.http.Partial {
			w.observeRequest(f, p, c, nil)
		}
		return 0, wire.Bad
	case wire.Other:
		return 0, wire.Other
	}
	if w.http.Response {
		return 0, wire.Other
	}
	want := 0
	if w.searchable(f) {
		want = int(min(w.http.Length, maxBodyHeld))
	}
	if len(b)-n < want && c.more.passed == 0 {
		o := w.request(f, flow.Up, p)
		c.more.partial = &o
		w.keepHost(c)
		return 0, wire.More
	}
	w.observeRequest(f, p, c, b[n:min(len(b), n+max(want, 0))])
	c.more.body = wire.NewHTTPBody(&w.http)
	if c.more.heads++; c.more.heads >= maxRequests || w.http.Upgrade {
		return n, wire.Other
	}
	return n, wire.Whole
}

// searchable: only what leaves for a public address is searched for
// identifiers, and only bodies that can be read as text.
func (w *Worker) searchable(f *flow.Flow) bool {
	return public(f.Server().Addr()) && w.http.Length > 0 && bodyText(w.http.ContentType) != noText
}

const noText = wire.IdentifierText(255)

// bodyText says how a body is read, by its content type; without one as a
// form, which is what the firmware of old sent.
func bodyText(contentType []byte) wire.IdentifierText {
	switch {
	case len(contentType) == 0, bytes.Contains(contentType, []byte("form-urlencoded")), bytes.HasPrefix(contentType, []byte("text/plain")):
		return wire.InForm
	case bytes.Contains(contentType, []byte("json")):
		return wire.InJSON
	}
	return noText
}

// observeRequest observes the request in w.http and what its texts give away.
func (w *Worker) observeRequest(f *flow.Flow, p *packet.Packet, c *conversation, body []byte) {
	c.more.partial = nil
	w.keepHost(c)
	o := w.request(f, flow.Up, p)
	w.whenAnswered(f, &o)
	if c.more.heads == 0 {
		w.askedOverHTTP(f, p, c)
	}
	w.hidden(f, flow.Up, p, "")
	if !public(f.Server().Addr()) {
		return
	}
	w.ids.Reset()
	w.ids.Find(wire.InURL, w.http.Query)
	w.ids.Find(wire.InHeader, w.http.Headers())
	if t := bodyText(w.http.ContentType); t != noText && len(body) > 0 {
		w.ids.Find(t, body)
	}
	w.identifiers(f, p, o.HTTP.Host)
}

// keepHost names the flow by its first request.
func (w *Worker) keepHost(c *conversation) {
	c.browser = c.browser || w.http.Referer
	if c.name == "" && len(w.http.Host) > 0 {
		if _, err := netip.ParseAddr(string(w.http.Host)); err != nil {
			c.call(w.names.string(w.http.Host), observation.ByHTTP)
		}
	}
}

func (w *Worker) request(f *flow.Flow, d flow.Dir, p *packet.Packet) observation.Observation {
	o := w.about(observation.HTTP, f, d, p)
	o.HTTP = &observation.HTTPRequest{
		Method: w.names.string(w.http.Method), Host: w.names.string(w.http.Host),
		UserAgent: w.names.string(w.http.UserAgent), Connect: w.http.Proxy,
	}
	return o
}

// identifiers reports what was found, by kind and keyed hash: the value
// itself goes no further.
func (w *Worker) identifiers(f *flow.Flow, p *packet.Packet, host string) {
	for i := range w.ids.Found {
		found := &w.ids.Found[i]
		o := w.about(observation.Identifier, f, flow.Up, p)
		o.Identifier = &observation.IdentifierFound{
			Kind: found.Kind, Where: found.Where.String(), Field: w.names.string(found.Field),
			Hash: w.hasher.sum(found.Kind, found.Value), Host: host,
		}
		w.whenAnswered(f, &o)
	}
}

// askedOverHTTP observes the names that a resolution over HTTP asks for, as
// DNS questions, and waits for the answer.
func (w *Worker) askedOverHTTP(f *flow.Flow, p *packet.Packet, c *conversation) {
	if w.http.H2C { // the answer comes in another form
		return
	}
	if !w.resolve.ParseRequest(&w.http) {
		w.table.Release(f, flow.Down)
		return
	}
	r := &wire.HTTPDNS{} // resolutions are few: each keeps what it asked until the answer
	r.ParseRequest(&w.http)
	for _, name := range r.Names {
		c.more.asked = append(c.more.asked, w.names.string(name))
		w.resolved(f, p, r.Provider, w.names.string(name), nil)
	}
	c.more.resolve = r
}

// resolution reads the answer to a resolution over HTTP; its addresses are
// learnt as those of a DNS answer are.
func (w *Worker) resolution(f *flow.Flow, p *packet.Packet, c *conversation, front []byte) {
	if c.more.resolve == nil {
		w.table.Release(f, flow.Down)
		return
	}
	n, s := w.http.Parse(front)
	if s == wire.More || s == wire.Whole && w.http.Length > int64(len(front)-n) {
		w.table.Hold(f, flow.Down)
		return
	}
	if s == wire.Whole && c.more.resolve.ParseAnswer(front[n:]) {
		answers := map[string][]observation.Answer{}
		for _, a := range c.more.resolve.Answers {
			name, kind := w.names.string(a.Name), uint16(wire.DNSTypeA)
			if a.Addr.Is6() {
				kind = wire.DNSTypeAAAA
			}
			answers[name] = append(answers[name], observation.Answer{Name: name, Type: kind, TTL: a.TTL, Addr: a.Addr})
		}
		for _, name := range c.more.asked {
			if len(answers[name]) > 0 {
				w.resolved(f, p, c.more.resolve.Provider, name, answers[name])
			}
		}
	}
	w.table.Release(f, flow.Down)
	c.more.resolve = nil
}

func (w *Worker) resolved(f *flow.Flow, p *packet.Packet, provider, name string, answers []observation.Answer) {
	o := w.about(observation.DNS, f, flow.Up, p)
	o.DNS = &observation.DNSMessage{
		Transport: "httpdns-" + provider, Response: answers != nil,
		QName: name, QType: wire.DNSTypeA, Answers: answers,
	}
	o.Answered = f.Answered()
	w.tell(&o)
}

// tryPush recognises Xiaomi's push protocol, which runs on any port.
func (w *Worker) tryPush(f *flow.Flow, d flow.Dir, p *packet.Packet, front []byte) wire.Status {
	if d == flow.Down {
		return wire.Other
	}
	_, s := w.push.Parse(front)
	if s == wire.Whole {
		f.App = appPush
		w.pushStream(f, d, p, front)
	}
	return s
}

func (w *Worker) pushStream(f *flow.Flow, d flow.Dir, p *packet.Packet, front []byte) {
	_, s := w.push.Parse(front)
	if s == wire.Whole && w.push.Open {
		o := w.about(observation.Push, f, d, p)
		o.Push = &observation.PushMessage{
			Vendor: "xiaomi", Model: string(w.push.Model),
			Version: w.names.string(w.push.Version), Host: w.names.string(w.push.Host),
		}
		if c := w.convos.of(f); c != nil && c.name == "" && o.Push.Host != "" {
			c.call(o.Push.Host, observation.ByHTTP)
		}
		w.whenAnswered(f, &o)
	}
	w.table.Release(f, flow.Up)
	w.table.Release(f, flow.Down)
}
