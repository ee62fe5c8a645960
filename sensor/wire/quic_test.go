package wire

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

var firstCID = []byte{0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08} // of RFC 9001, appendix A

func TestQUICVectors(t *testing.T) {
	for name, v := range map[string]QUICVersion{"quic-v1-client-initial.hex": quicV1, "quic-v2-client-initial.hex": quicV2} {
		d := readHex(t, name)
		if !IsQUICLong(d) {
			t.Errorf("%s: not known as QUIC", name)
		}
		p, rest, st := ParseQUICLong(d)
		if st != Whole || p.Type != QUICInitial || p.Version != v || !bytes.Equal(p.DCID, firstCID) || len(rest) != 0 {
			t.Errorf("%s: %v %+v", name, st, p)
		}
		var s Initials
		var h Hello
		if st := s.Add(d, true, &h); st != Whole || string(h.Name) != "example.com" || s.Decrypts != 1 || s.Failed != 0 || s.Datagrams != 1 {
			t.Errorf("%s: status %v, name %q, %d decryptions", name, st, h.Name, s.Decrypts)
		}
		if side, known := s.Client(); !side || !known {
			t.Error("client not known")
		}
		if got := h.JA4(); got[0] != 'q' || got[1:4] != "13d" {
			t.Errorf("JA4 %s", got)
		}
		d[700] ^= 1
		s.Reset()
		if st := s.Add(d, true, &h); st != More || s.Failed != 1 {
			t.Errorf("%s: a forged packet: status %v, %d failed", name, st, s.Failed)
		}
	}
	var k quicKeys
	if !k.derive(quicV1, firstCID) || !bytes.Equal(k.iv[:], unhex(t, "fa044b2f42a3fd3b46fb255c")) {
		t.Errorf("iv %x", k.iv)
	}
	if !k.derive(quicV2, firstCID) || !bytes.Equal(k.iv[:], unhex(t, "91f73e2351d8fa91660e909f")) {
		t.Errorf("iv of version 2 %x", k.iv)
	}
}

func TestQUICPrefixes(t *testing.T) {
	d := readHex(t, "quic-v1-client-initial.hex")
	var s Initials
	var h Hello
	for n := range d {
		s.Reset()
		if st := s.Add(d[:n], true, &h); st != Other && st != More || st == More && n > 0 && s.Cut != 1 {
			t.Fatalf("first %d bytes: status %v", n, st)
		}
		if s.Decrypts != 0 {
			t.Fatalf("first %d bytes: a packet that is not whole was decrypted", n)
		}
	}
}

// Every version with its own salt or numbering, and every length of packet number.
func TestQUICVersions(t *testing.T) {
	msg := parrot(t, parrots[0], "v.example")
	half := len(msg) / 2
	for name, v := range map[string]QUICVersion{
		"v1": quicV1, "v2": quicV2, "v2-draft": quicV2Draft, "draft-22": 0xff000016, "draft-23": 0xff000017, "draft-24": 0xff000018,
		"draft-27": 0xff00001b, "draft-28": 0xff00001c, "draft-29": 0xff00001d, "draft-32": 0xff000020, "draft-33": 0xff000021,
		"draft-34": 0xff000022, "mvfst-1": quicMvfst1, "mvfst-2": quicMvfst2, "mvfst-e": quicMvfstE, "T050": quicGoogleTLS50, "T051": quicGoogleTLS51,
	} {
		seal := newSealer(t, v, firstCID, "client")
		for n := 1; n <= 4; n++ {
			var s Initials
			var h Hello
			first := seal.seal(initial{version: v, dcid: firstCID, scid: []byte{1, 2, 3}, token: make([]byte, 40), number: 0, numberLen: n, payload: cryptoFrame(msg, 0, half), pad: 1100})
			second := seal.seal(initial{version: v, dcid: []byte{9}, scid: []byte{1, 2, 3}, number: 7, numberLen: n, payload: cryptoFrame(msg, half, len(msg)), pad: 1100})
			if st := s.Add(first, false, &h); st != More {
				t.Errorf("%s: first half: %v", name, st)
			}
			if st := s.Add(second, false, &h); st != Whole || string(h.Name) != "v.example" || s.Datagrams != 2 {
				t.Errorf("%s, number of %d: second half, id changed: %v, %q", name, n, st, h.Name)
			}
			if s.Version.String() != name {
				t.Errorf("%s is named %s", name, s.Version)
			}
		}
	}
}

// Chromium's way: many frames in mixed order, PING and PADDING between, over
// two datagrams that arrive in the wrong order, a Handshake packet coalesced.
func TestQUICChaos(t *testing.T) {
	msg := parrot(t, parrots[2], "chaos.example")
	seal := newSealer(t, quicV1, firstCID, "client")
	var frames [2][]byte
	const piece = 37
	n := (len(msg) + piece - 1) / piece
	for i := range n {
		j := (i*7 + 3) % n // mixed; n is no multiple of 7
		if n%7 == 0 {
			j = n - 1 - i
		}
		f := cryptoFrame(msg, j*piece, min(len(msg), (j+1)*piece))
		frames[j%2] = append(append(frames[j%2], f...), 1, 0, 0, 0, 2, 0, 0, 0, 0)
	}
	one := seal.seal(initial{version: quicV1, dcid: firstCID, number: 1, payload: frames[0]})
	two := seal.seal(initial{version: quicV1, dcid: firstCID, number: 2, payload: frames[1]})
	extra := seal.seal(initial{version: quicV1, dcid: firstCID, number: 0, kind: QUICHandshake})
	var s Initials
	var h Hello
	if st := s.Add(two, true, &h); st != More {
		t.Fatalf("second datagram first: %v", st)
	}
	server := newSealer(t, quicV1, firstCID, "server")
	if st := s.Add(server.seal(initial{version: quicV1, dcid: []byte{1}, scid: []byte{5, 6}, payload: []byte{2, 0, 0, 0, 0}}), false, &h); st != More || s.Failed != 0 {
		t.Errorf("server's Initial: %v, %d failed", st, s.Failed)
	}
	if st := s.Add(append(extra, one...), true, &h); st != Whole || string(h.Name) != "chaos.example" {
		t.Fatalf("first datagram last: %v, %q", st, h.Name)
	}
}

func TestQUICRetryAndZeroRTT(t *testing.T) {
	msg := spec{suites: []uint16{0x1301}, exts: []ext{sniExt("retry.example")}}.message()
	other := []byte{7, 7, 7, 7, 7, 7, 7, 7, 7}
	before, after := newSealer(t, quicV1, firstCID, "client"), newSealer(t, quicV1, other, "client")
	var s Initials
	var h Hello
	if st := s.Add(before.seal(initial{version: quicV1, dcid: firstCID, kind: QUICZeroRTT}), true, &h); st != More || s.Decrypts != 0 {
		t.Errorf("0-RTT first: %v, %d decryptions", st, s.Decrypts)
	}
	if st := s.Add(before.seal(initial{version: quicV1, dcid: firstCID, payload: cryptoFrame(msg, 0, 40)}), true, &h); st != More {
		t.Errorf("half a hello: %v", st)
	}
	retry := append([]byte{0xf0, 0, 0, 0, 1, 0, byte(len(other))}, other...)
	if st := s.Add(append(retry, make([]byte, 30)...), false, &h); st != More || !s.Retried {
		t.Errorf("Retry: %v", st)
	}
	d := after.seal(initial{version: quicV1, dcid: other, token: make([]byte, 20), number: 1, payload: cryptoFrame(msg, 0, len(msg))})
	if st := s.Add(d, true, &h); st != Whole || string(h.Name) != "retry.example" {
		t.Errorf("after Retry: %v, %q", st, h.Name)
	}
}

// A forged packet between the halves of a hello does no harm, nor does a
// server's Initial before them.
func TestQUICForged(t *testing.T) {
	msg := parrot(t, parrots[0], "forged.example")
	seal := newSealer(t, quicV1, firstCID, "client")
	server := newSealer(t, quicV1, firstCID, "server")
	var s Initials
	var h Hello
	answer := server.seal(initial{version: quicV1, dcid: []byte("client's"), payload: []byte{2, 0, 0, 0, 0}})
	if st := s.Add(answer, false, &h); st != More || s.Failed != 1 {
		t.Errorf("server first: %v, %d failed", st, s.Failed)
	}
	if st := s.Add(seal.seal(initial{version: quicV1, dcid: firstCID, payload: cryptoFrame(msg, 0, 900)}), true, &h); st != More {
		t.Errorf("first half: %v", st)
	}
	for _, v := range []QUICVersion{quicV1, quicV2} {
		forged := seal.seal(initial{version: v, dcid: []byte("another one"), payload: cryptoFrame(msg, 0, 10)})
		forged[len(forged)-1] ^= 1
		if st := s.Add(forged, true, &h); st != More {
			t.Errorf("forged: %v", st)
		}
	}
	d := seal.seal(initial{version: quicV1, dcid: []byte{2, 2}, number: 1, payload: cryptoFrame(msg, 900, len(msg))})
	if st := s.Add(d, true, &h); st != Whole || string(h.Name) != "forged.example" || s.Failed != 6 {
		t.Errorf("second half: %v, %q, %d failed", st, h.Name, s.Failed)
	}
}

// The client moves from version 1 to 2 within one connection, whose first id
// goes on giving the keys, and its hello goes on where it was.
func TestQUICCompatibleNegotiation(t *testing.T) {
	msg := spec{suites: []uint16{0x1301}, exts: []ext{sniExt("two.example")}}.message()
	v1, v2 := newSealer(t, quicV1, firstCID, "client"), newSealer(t, quicV2, firstCID, "client")
	var s Initials
	var h Hello
	if st := s.Add(v1.seal(initial{version: quicV1, dcid: firstCID, payload: cryptoFrame(msg, 0, 40)}), true, &h); st != More {
		t.Error(st)
	}
	if st := s.Add(v2.seal(initial{version: quicV2, dcid: []byte{4, 4}, payload: cryptoFrame(msg, 40, len(msg))}), true, &h); st != Whole || string(h.Name) != "two.example" || s.Version != quicV2 {
		t.Errorf("%v, %q", st, h.Name)
	}
}

func TestQUICBounds(t *testing.T) {
	seal := newSealer(t, quicV1, firstCID, "client")
	var h Hello
	for what, frame := range map[string][]byte{
		"offset over the bound": {6, 0xc0, 0, 0, 0, 0xff, 0, 0, 0, 1, 0xaa},
		"offset of 2^62-1":      {6, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0xaa},
		"claimed length":        {6, 0, 4, 1, 0xff, 0xff, 0xff},
		"not a hello":           {6, 0, 4, 2, 0, 0, 0},
	} {
		var s Initials
		if st := s.Add(seal.seal(initial{version: quicV1, dcid: firstCID, payload: frame}), true, &h); st != Bad {
			t.Errorf("%s: %v", what, st)
		}
	}
	var s Initials
	st := More
	for i := 0; i < 200 && st == More; i++ {
		frame := []byte{6, 0x80, 0, byte(i * 8 >> 8), byte(i * 8), 1, 1}
		st = s.Add(seal.seal(initial{version: quicV1, dcid: firstCID, number: uint32(i), payload: frame}), true, &h)
	}
	if st != Bad || s.Decrypts > maxQUICDecrypts || len(s.crypto.buf) > maxCrypto {
		t.Errorf("pieces without end: %v after %d decryptions", st, s.Decrypts)
	}
	s.Reset()
	for i := range 200 { // packets nobody can open
		d := seal.seal(initial{version: quicV1, dcid: firstCID, number: uint32(i)})
		d[6] ^= byte(i + 1)
		st = s.Add(d, true, &h)
	}
	if st != Bad || s.Decrypts != maxQUICDecrypts {
		t.Errorf("forged packets: %v after %d decryptions", st, s.Decrypts)
	}
	if s.Reset(); s.Decrypts != 0 || s.keyed {
		t.Error("Reset keeps the conversation")
	}
}

func TestQUICHeaders(t *testing.T) {
	seal := newSealer(t, quicV1, firstCID, "client")
	a := seal.seal(initial{version: quicV1, dcid: firstCID})
	b := seal.seal(initial{version: quicV1, dcid: firstCID, kind: QUICHandshake})
	z := seal.seal(initial{version: quicV1, dcid: firstCID, kind: QUICZeroRTT, pad: 300})
	short := append([]byte{0x41}, make([]byte, 99)...)
	for _, c := range []struct {
		d            []byte
		long, zeroed int
	}{
		{a, len(a), 0},
		{bytes.Join([][]byte{a, b}, nil), len(a) + len(b), 0},
		{bytes.Join([][]byte{a, b, short}, nil), len(a) + len(b), 0},
		{bytes.Join([][]byte{a, z, b}, nil), len(a) + len(b), len(z)},
		{short, 0, 0},
		{a[:len(a)-1], len(a) - 1, 0},
		{[]byte("GET / HTTP/1.1"), 0, 0},
	} {
		if n, zero := QUICLongBytes(c.d); n != c.long || zero != c.zeroed {
			t.Errorf("%x…: %d and %d, want %d and %d", c.d[:5], n, zero, c.long, c.zeroed)
		}
	}
	if !IsQUICShort(short) || IsQUICShort(a) || IsQUICShort(short[:10]) {
		t.Error("IsQUICShort")
	}
	negotiation := append([]byte{0x8a, 0, 0, 0, 0, 1, 9, 1, 8}, 0, 0, 0, 1, 0x1a, 0x2a, 0x3a, 0x4a)
	if !IsQUICLong(negotiation) {
		t.Error("version negotiation not known")
	}
	if p, _, st := ParseQUICLong(negotiation); st != Whole || p.Type != QUICVersionNegotiation {
		t.Errorf("version negotiation: %v, %v", st, p.Type)
	}
	for _, d := range [][]byte{nil, {0xc0}, make([]byte, 100), append([]byte{0xc0, 0, 0, 0, 0, 0, 0}, 1, 2, 3, 4), []byte("\xc0\x12\x34\x56\x78 some other protocol")} {
		if IsQUICLong(d) {
			t.Errorf("%x passes for QUIC", d)
		}
	}
}

// sink is a connection that keeps what is written and answers nothing.
type sink struct {
	net.PacketConn
	out chan []byte
}

func (s *sink) WriteTo(b []byte, _ net.Addr) (int, error) {
	select {
	case s.out <- bytes.Clone(b):
	default:
	}
	return len(b), nil
}

// quicGo returns the client's first datagrams of quic-go.
func quicGo(t testing.TB, v quic.Version, name string) (d [][]byte) {
	t.Helper()
	t.Setenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING", "true")
	loop, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Skipf("no loopback: %v", err)
	}
	defer loop.Close()
	s := &sink{loop, make(chan []byte, 16)}
	tr := quic.Transport{Conn: s}
	defer tr.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = tr.Dial(ctx, loop.LocalAddr(), &tls.Config{ServerName: name, NextProtos: []string{"h3"}, InsecureSkipVerify: true},
			&quic.Config{Versions: []quic.Version{v}})
	}()
	for len(d) < 2 { // a hello with ML-KEM spans two
		d = append(d, <-s.out)
	}
	cancel()
	<-done
	return d
}

func TestQUICGo(t *testing.T) {
	for _, v := range []quic.Version{quic.Version1, quic.Version2} {
		ds := quicGo(t, v, "quic.example.org")
		var s Initials
		var h Hello
		st := More
		for i := len(ds) - 1; i >= 0 && st == More; i-- { // the last first
			st = s.Add(ds[i], true, &h)
		}
		if st != Whole || string(h.Name) != "quic.example.org" {
			t.Errorf("%v: %v, %q after %d datagrams", v, st, h.Name, s.Datagrams)
		}
	}
}

// chlo builds a gQUIC CHLO.
func chlo(tags ...string) []byte {
	var index, values []byte
	for i := 0; i < len(tags); i += 2 {
		values = append(values, tags[i+1]...)
		index = append(append(index, tags[i]...), byte(len(values)), byte(len(values)>>8), 0, 0)
	}
	b := append([]byte("CHLO"), byte(len(tags)/2), 0, 0, 0)
	return append(append(b, index...), values...)
}

func TestQUICGoogle(t *testing.T) {
	hello := chlo("PAD\x00", string(make([]byte, 300)), "SNI\x00", "g.example.com", "VER\x00", "Q043", "UAID", "Chrome/60 Android")
	stream := append([]byte{0xa0, 1, 0, 0}, hello...)
	hash := make([]byte, 12)
	cid := make([]byte, 8)
	public := bytes.Join([][]byte{{0x09}, cid, []byte("Q043"), {1}, hash, stream}, nil)
	long := bytes.Join([][]byte{{0xc3}, []byte("Q046"), {0x50}, cid, {0, 0, 0, 1}, hash, stream}, nil)
	seal := newSealer(t, quicGoogle50, firstCID, "client")
	sealed := seal.seal(initial{version: quicGoogle50, dcid: firstCID, payload: append([]byte{8, 0, 0x40 | byte(len(hello)>>8), byte(len(hello))}, hello...)})
	for name, d := range map[string][]byte{"Q043": public, "Q046": long, "Q050": sealed} {
		var s Initials
		var h Hello
		if !IsQUICGoogle(d) {
			t.Errorf("%s: not known", name)
		}
		if st := s.Add(d, true, &h); st != Whole || string(h.Name) != "g.example.com" || string(h.UserAgent) != "Chrome/60 Android" || s.Version.String() != name || !h.Google {
			t.Errorf("%s: %v, %q, %q, %s", name, st, h.Name, h.UserAgent, s.Version)
		}
		if h.JA3() != "" || h.JA4() != "" {
			t.Errorf("%s: fingerprints of a hello that is not TLS", name)
		}
		for n := range d {
			s.Reset()
			if st := s.Add(d[:n], true, &h); st == Whole && string(h.Name) != "g.example.com" {
				t.Fatalf("%s: first %d bytes: %v", name, n, st)
			}
		}
	}
}
