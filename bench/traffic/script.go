package traffic

import "fmt"

// mss is the largest payload of a segment.
const mss = 1400

func (f *flow) handshake3() {
	f.add(true, syn, nil, 0)
	f.add(false, syn|ack, nil, 0)
	f.add(true, ack, nil, 0)
}

// data adds payload in segments of at most size bytes; handshake of it is that.
func (f *flow) data(up bool, payload []byte, size, handshake int) (segments int) {
	for len(payload) > 0 {
		n := min(size, len(payload))
		h := min(n, handshake)
		f.add(up, ack|psh, payload[:n], h)
		handshake -= h
		payload = payload[n:]
		segments++
	}
	return segments
}

func (g *generator) openTLS(f *flow, s server) {
	g.begin(f, s, "tcp", 443, s.name, "sni")
	g.sum.TLS++
	if g.chance(60) {
		g.resolve(f, s)
	}
	f.bulk = tlsBulk
	f.handshake3()
	hello := tlsRecord(22, g.clientHello(s.name, false, g.chance(75)))
	hello[2] = 1 // the record says TLS 1.0, as RFC 8446, section 5.1, allows
	size := mss
	if g.chance(5) {
		size = 90 + g.rand.IntN(200)
	}
	first := len(f.script)
	n := f.data(true, hello, size, len(hello))
	switch {
	case n > 1 && g.chance(15):
		f.script[first], f.script[first+1] = f.script[first+1], f.script[first]
	case g.chance(3):
		f.again(first)
	}
	f.add(false, ack, nil, 0)
	f.data(false, g.serverFlight(), mss, 0)
	f.add(true, ack, nil, 0)
	finished := append(tlsRecord(20, []byte{1}), tlsRecord(23, g.random(53))...)
	finished = append(finished, tlsRecord(23, g.random(200+g.rand.IntN(700)))...)
	f.data(true, finished, mss, 6)
}

func (g *generator) openHTTP(f *flow, s server) {
	g.begin(f, s, "tcp", 80, s.name, "http")
	if g.chance(60) {
		g.resolve(f, s)
	}
	f.bulk = rawBulk
	f.handshake3()
	f.data(true, []byte(fmt.Sprintf("GET /item/%d HTTP/1.1\r\nHost: %s\r\nUser-Agent: Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36\r\nAccept: */*\r\n\r\n", g.opened, s.name)), mss, 0)
	f.data(false, []byte("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 100000000\r\n\r\n"), mss, 0)
}

// openNamedByDNS: a protocol of its own, over an address that DNS gave.
func (g *generator) openNamedByDNS(f *flow, s server) {
	g.begin(f, s, "tcp", 8883, s.name, "dns")
	g.resolve(f, s)
	f.bulk = rawBulk
	f.handshake3()
	f.data(true, append([]byte("\x10\x40\x00\x04MQTT\x04\x02\x00\x3c\x00\x34"), g.random(52)...), mss, 0)
	f.data(false, []byte("\x20\x02\x00\x00"), mss, 0)
}

// openMidStream: a connection that was there before the capture began.
func (g *generator) openMidStream(f *flow, s server) {
	g.begin(f, s, "tcp", 443, "", "missed-start")
	f.truth.Server = strayAddress(g.opened, f.truth.Server.Is6())
	f.bulk = tlsBulk
	f.data(true, tlsRecord(23, g.random(300)), mss, 0)
	f.data(false, tlsRecord(23, g.random(900)), mss, 0)
}

// openUnanswered: one to three SYNs to nobody.
func (g *generator) openUnanswered(f *flow, s server) {
	g.begin(f, s, "tcp", 443, "", "")
	f.truth.Server = strayAddress(g.opened, f.truth.Server.Is6())
	f.truth.Attempt = true
	f.add(true, syn, nil, 0)
	for range g.rand.IntN(3) {
		f.again(0)
	}
}

// openUDP: a game or a call, without a name.
func (g *generator) openUDP(f *flow, s server) {
	g.begin(f, s, "udp", 27015, "", "none")
	f.truth.Server = strayAddress(g.opened, f.truth.Server.Is6())
	f.bulk = udpBulk
}

func (g *generator) openQUIC(f *flow, s server) {
	g.begin(f, s, "udp", 443, s.name, "quic")
	g.sum.QUIC++
	if g.chance(60) {
		g.resolve(f, s)
	}
	f.bulk = quicBulk
	original := g.unique(8)
	f.ids = [2][]byte{g.unique(4), g.unique(8)}
	hello := g.clientHello(s.name, true, g.chance(75))
	datagrams := g.clientInitials(original, f.ids[client], hello)
	for _, d := range datagrams {
		f.add(true, 0, d, len(d))
	}
	if g.chance(3) {
		f.add(true, 0, datagrams[0], initialSize) // UDP knows no retransmission: the bytes count again
	}
	keys := newInitialKeys(original, "server in")
	f.add(false, 0, keys.initial(f.ids[client], f.ids[srv], 0, append([]byte{2, 0, 0, 0, 0}, cryptoFrame(nil, 0, g.random(90))...), 1200), 0)
	for range 2 {
		f.add(false, 0, g.longHeader(f.ids[client], f.ids[srv], 1100), 0)
	}
	up := newInitialKeys(original, "client in").initial(f.ids[srv], f.ids[client], byte(len(datagrams)), []byte{2, 0, 0, 0, 0}, initialSize)
	f.add(true, 0, up, len(up))
	up = g.longHeader(f.ids[srv], f.ids[client], 60)
	f.add(true, 0, up, len(up))
	f.add(true, 0, g.shortHeader(f.ids[srv], 200+g.rand.IntN(500)), 0)
}
