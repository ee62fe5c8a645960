package traffic

import (
	"math/rand/v2"
	"net/netip"
)

// flow is a conversation under way: a script, then bulk, then an end.
type flow struct {
	device device
	truth  *Flow
	dns    *Flow // the exchange before it, nil when there was none
	script []segment
	bulk   bulk
	left   int // frames of bulk still to be sent
	ending bool
	frames int       // all of them
	seq    [2]uint32 // next sequence number: client's, server's
	ids    [2][]byte // QUIC connection IDs: that the client has chosen, and the server
}

// bulk is the kind of data that a flow is mostly made of.
type bulk uint8

const (
	noBulk bulk = iota
	tlsBulk
	rawBulk // TCP without records
	quicBulk
	udpBulk
)

const (
	client = 0
	srv    = 1
)

// kinds of conversation and their share in percent.
var kinds = [...]struct {
	percent float64
	open    func(*generator, *flow, server)
}{
	{50, (*generator).openTLS},
	{20, (*generator).openQUIC},
	{5, (*generator).openHTTP},
	{8, (*generator).openNamedByDNS},
	{4, (*generator).openMidStream},
	{8, (*generator).openUnanswered},
	{5, (*generator).openUDP},
}

// mostScript is more than any script is long.
const mostScript = 60

// newFlow opens a conversation of at most budget frames, and of all of them
// when little would be left.
func (g *generator) newFlow(budget int) *flow {
	d := g.device(g.opened % g.Devices)
	if g.opened >= g.Devices { // each speaks once, then whoever likes to
		d = g.device(g.rand.IntN(g.Devices))
	}
	g.opened++
	f := &flow{device: d, seq: [2]uint32{g.rand.Uint32(), g.rand.Uint32()}}
	s := serverNumber(g.popular())
	intro := 0
	if budget < mostScript {
		g.openUDP(f, s)
		f.left = budget
	} else {
		g.openAny(f, s)
		intro = g.introduce(f)
		budget -= intro
		mean := (float64(g.FramesPerFlow) - 12) / 0.85
		if f.bulk != noBulk && mean > 0 {
			f.left = min(int(g.rand.ExpFloat64()*mean), budget-len(f.script)-f.endFrames())
		}
		if rest := budget - len(f.script) - f.left - f.endFrames(); rest < mostScript && f.bulk != noBulk {
			f.left += rest
		}
	}
	if f.bulk == udpBulk {
		f.left = max(f.left, 2)
		f.left = min(f.left, budget)
		f.truth.Attempt = f.left == 1
	}
	f.frames = intro + len(f.script) + f.left + f.endFrames()
	return f
}

func (g *generator) openAny(f *flow, s server) {
	at := g.rand.Float64() * 100
	for _, k := range kinds {
		if at -= k.percent; at < 0 {
			k.open(g, f, s)
			return
		}
	}
	g.openTLS(f, s)
}

// popular draws a service: a few have most of the visits.
func (g *generator) popular() int {
	if g.zipf == nil {
		g.zipf = rand.NewZipf(g.rand, 1.1, 20, servers-1)
	}
	return int(g.zipf.Uint64())
}

// begin fills the truth.
func (g *generator) begin(f *flow, s server, proto string, port uint16, name, visibility string) {
	f.truth = &Flow{Proto: proto, ServerPort: port, Name: name, Visibility: visibility}
	f.truth.ClientPort = g.port(f.device.n)
	f.truth.Client, f.truth.Server = f.device.v4, s.v4
	if g.chance(40) {
		f.truth.Client, f.truth.Server = f.device.v6, s.v6
	}
	g.sum.Flows++
}

// port gives each conversation of a device another port.
func (g *generator) port(n int) uint16 {
	if g.ports == nil {
		g.ports = make([]uint16, g.Devices)
	}
	g.ports[n] = (g.ports[n] + 1) % 28000
	return 32768 + g.ports[n]
}

// add puts a segment at the end of the script.
func (f *flow) add(up bool, flags byte, payload []byte, handshake int) {
	who, other := srv, client
	if up {
		who, other = client, srv
	}
	f.script = append(f.script, segment{
		of: f.truth, up: up, flags: flags, seq: f.seq[who], ack: f.seq[other],
		payload: payload, fresh: len(payload), handshake: handshake,
	})
	f.seq[who] += uint32(len(payload))
	if flags&(syn|fin) != 0 {
		f.seq[who]++
	}
}

// again sends segment i of the script once more.
func (f *flow) again(i int) {
	s := f.script[i]
	s.fresh, s.handshake = 0, 0
	f.script = append(f.script, s)
}

// endFrames is how many frames the end takes.
func (f *flow) endFrames() int {
	if f.truth.Proto == "tcp" && f.bulk != noBulk && f.device.n%5 != 0 {
		return 3
	}
	return 0
}

// step sends the next frame, or ends the flow and returns false.
func (f *flow) step(g *generator) bool {
	if len(f.script) == 0 {
		f.script = f.script[:0]
		switch {
		case f.left > 0:
			f.burst(g)
		case !f.ending && f.endFrames() > 0:
			f.add(true, fin|ack, nil, 0)
			f.add(false, fin|ack, nil, 0)
			f.add(true, ack, nil, 0)
			f.ending = true
		default:
			if f.dns != nil {
				g.truth(f.dns)
			}
			g.truth(f.truth)
			return false
		}
	}
	g.send(f.device, &f.script[0])
	f.script = f.script[1:]
	return true
}

// resolve puts a DNS exchange before a conversation: over IPv4 or IPv6,
// whichever the conversation itself uses.
func (g *generator) resolve(f *flow, s server) {
	f.dns = &Flow{Proto: "udp", ClientPort: g.port(f.device.n), ServerPort: 53, Client: f.device.v4, Server: resolver4}
	if g.chance(40) {
		f.dns.Client, f.dns.Server = f.device.v6, resolver6
	}
	g.sum.Flows++
	query, answer := g.dnsExchange(s, f.truth.Server)
	f.script = append(f.script,
		segment{of: f.dns, up: true, payload: query, fresh: len(query), handshake: len(query)},
		segment{of: f.dns, payload: answer, fresh: len(answer)})
}

// dnsExchange writes a question and its answer, with or without an alias.
func (g *generator) dnsExchange(s server, addr netip.Addr) (query, answer []byte) {
	kind := byte(1)
	if addr.Is6() {
		kind = 28
	}
	id := uint16(g.rand.Uint32())
	question := append(labels(nil, s.name), 0, kind, 0, 1)
	query = be.AppendUint16(nil, id)
	query = append(append(query, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0), question...)
	answer = be.AppendUint16(nil, id)
	count, owner := byte(1), []byte{0xc0, 12}
	var alias []byte
	if g.chance(30) {
		count = 2
		edge := labels(nil, "edge."+s.name)
		alias = append([]byte{0xc0, 12, 0, 5, 0, 1, 0, 0, 1, 44, 0, byte(len(edge))}, edge...)
		at := 12 + len(question) + 12
		owner = []byte{0xc0 | byte(at>>8), byte(at)}
	}
	answer = append(append(answer, 0x81, 0x80, 0, 1, 0, count, 0, 0, 0, 0), question...)
	answer = append(append(answer, alias...), owner...)
	raw := addr.AsSlice()
	answer = append(answer, 0, kind, 0, 1, 0, 0, 1, 44, 0, byte(len(raw)))
	return query, append(answer, raw...)
}

func labels(b []byte, name string) []byte {
	for at := 0; at <= len(name); {
		end := at
		for end < len(name) && name[end] != '.' {
			end++
		}
		b = append(append(b, byte(end-at)), name[at:end]...)
		at = end + 1
	}
	return append(b, 0)
}
