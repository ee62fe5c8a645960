package traffic

import "net/netip"

// burst puts the next frames of bulk into the script: two with data and one
// that acknowledges them, now and then with a segment lost or overtaken.
func (f *flow) burst(g *generator) {
	at := len(f.script)
	up := f.device.n%10 == 3 // one in ten rather uploads
	switch f.bulk {
	case tlsBulk, rawBulk:
		f.tcpBurst(g, up)
	case quicBulk:
		f.quicBurst(g, up)
	case udpBulk:
		f.udpBurst(g)
	}
	if len(f.script)-at > f.left {
		f.cut(at + f.left)
	}
	for i := at; i < len(f.script); i++ {
		f.script[i].bulk = true
	}
	f.left -= len(f.script) - at
}

// cut takes back what is beyond the budget.
func (f *flow) cut(n int) {
	for _, s := range f.script[n:] {
		who := srv
		if s.up {
			who = client
		}
		f.seq[who] -= uint32(s.fresh)
	}
	f.script = f.script[:n]
}

func (f *flow) tcpBurst(g *generator, up bool) {
	if f.left >= 8 && g.chance(1) {
		f.trouble(g, up)
		return
	}
	f.piece(g, up)
	f.piece(g, up)
	f.add(!up, ack, nil, 0)
}

// piece adds a segment of data, one TLS record where there are records.
func (f *flow) piece(g *generator, up bool) {
	n := mss
	if g.chance(10) {
		n = 100 + g.rand.IntN(1200)
	}
	body := g.random(n)
	if f.bulk == tlsBulk {
		f.add(up, ack, tlsRecord(23, body[:n-5]), 0)
		return
	}
	f.add(up, ack, body, 0)
}

// trouble adds segments that come twice, late, again with other boundaries, or
// probe whether the other side is there.
func (f *flow) trouble(g *generator, up bool) {
	at := len(f.script)
	f.piece(g, up)
	f.piece(g, up)
	switch g.rand.IntN(4) {
	case 0:
		f.again(at)
	case 1:
		f.script[at], f.script[at+1] = f.script[at+1], f.script[at]
	case 2: // the second half of the last segment, and new data in one segment
		last := f.script[at+1]
		half := len(last.payload) / 2
		f.piece(g, up)
		next := &f.script[at+2]
		fresh := min(len(next.payload), mss-half)
		joined := append(append([]byte(nil), last.payload[len(last.payload)-half:]...), next.payload[:fresh]...)
		f.seq[side(up)] -= uint32(len(next.payload) - fresh)
		next.payload, next.seq, next.fresh = joined, next.seq-uint32(half), fresh
		if rest := f.script[at+2]; f.bulk == tlsBulk { // the record that was begun is finished
			whole := int(be.Uint16(rest.payload[half+3:])) + 5
			if whole > fresh {
				f.add(up, ack, g.random(whole-fresh), 0)
			}
		}
	case 3: // RFC 9293, section 3.8.4: a keep-alive has the byte before
		f.add(up, ack, nil, 0)
		probe := &f.script[len(f.script)-1]
		probe.payload, probe.seq = []byte{0}, probe.seq-1
	}
	f.add(!up, ack, nil, 0)
}

func side(up bool) int {
	if up {
		return client
	}
	return srv
}

func (f *flow) quicBurst(g *generator, up bool) {
	to, back := f.ids[client], f.ids[srv]
	if up {
		to, back = back, to
	}
	f.add(up, 0, g.shortHeader(to, 1200+g.rand.IntN(50)), 0)
	f.add(up, 0, g.shortHeader(to, 1200+g.rand.IntN(50)), 0)
	f.add(!up, 0, g.shortHeader(back, 30+g.rand.IntN(30)), 0)
}

// udpBurst: both sides speak in turn.
func (f *flow) udpBurst(g *generator) {
	for _, up := range [...]bool{true, false} {
		body := append([]byte{0x20}, g.random(60+g.rand.IntN(140))...)
		f.add(up, 0, body, 0)
	}
}

// strayAddress is the address of nobody who has a name.
func strayAddress(n int, v6 bool) netip.Addr {
	if v6 {
		b := [16]byte{0x2a, 0x03, 0x28, 0x80}
		b[13], b[14], b[15] = byte(n>>16), byte(n>>8), byte(n)
		return netip.AddrFrom16(b)
	}
	return netip.AddrFrom4([4]byte{157, byte(n >> 16), byte(n >> 8), byte(n)})
}
