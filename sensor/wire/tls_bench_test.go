package wire

import (
	"testing"
)

// Nothing here may allocate but the making of QUIC keys, whose ciphers the
// standard library allocates.
func TestHelloAllocations(t *testing.T) {
	msg := parrot(t, parrots[0], "www.example.com")
	stream := records(msg, 500)
	quicSealed := newSealer(t, quicV1, firstCID, "client")
	other := quicSealed.seal(initial{version: quicV1, dcid: firstCID, kind: QUICHandshake})
	short := append([]byte{0x41}, make([]byte, 1200)...)
	text := []byte("EHLO phone.example\r\nSTARTTLS\r\n" + tlsStub)
	d := dtlsSpec("").body()
	d = dtlsRecord(0, dtlsFragment(1, 0, d, 0, len(d)))
	var h Hello
	var s Initials
	var ds DTLSHello
	var r Records
	ja3 := make([]byte, 0, 1024)
	h.ParseStream(stream)
	h.JA4()
	for what, f := range map[string]func(){
		"Parse":        func() { _ = h.Parse(msg) },
		"SNI":          func() { _, _ = SNI(msg) },
		"ParseStream":  func() { h.ParseStream(stream) },
		"AppendJA3":    func() { ja3 = h.AppendJA3(ja3[:0]) },
		"FindUpgrade":  func() { FindUpgrade(text) },
		"DTLS":         func() { ds.Add(d, &h) },
		"IsQUICLong":   func() { IsQUICLong(other); IsQUICLong(short) },
		"long bytes":   func() { QUICLongBytes(other) },
		"no Initial":   func() { s.Add(other, true, &h); s.Add(short, true, &h) },
		"records":      func() { r.Count(stream) },
		"client hello": func() { IsClientHello(stream) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", what, n)
		}
	}
}

func BenchmarkHelloSNI(b *testing.B) {
	msg := parrot(b, parrots[0], "www.example.com")
	b.ReportAllocs()
	for b.Loop() {
		if name, err := SNI(msg); err != nil || len(name) == 0 {
			b.Fatal(name, err)
		}
	}
}

func BenchmarkHelloParse(b *testing.B) {
	msg := parrot(b, parrots[0], "www.example.com")
	var h Hello
	b.ReportAllocs()
	for b.Loop() {
		if h.Parse(msg) != nil || len(h.Name) == 0 {
			b.Fatal(h.Name)
		}
	}
}

func BenchmarkHelloStream(b *testing.B) {
	stream := records(parrot(b, parrots[0], "www.example.com"), 1<<14)
	var h Hello
	b.ReportAllocs()
	for b.Loop() {
		if h.ParseStream(stream) != Whole {
			b.Fatal()
		}
	}
}

func BenchmarkJA3(b *testing.B) {
	var h Hello
	if err := h.Parse(parrot(b, parrots[0], "www.example.com")); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		h.JA3()
	}
}

func BenchmarkJA4(b *testing.B) {
	var h Hello
	if err := h.Parse(parrot(b, parrots[0], "www.example.com")); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		h.JA4()
	}
}

// One Initial of 1200 octets with the whole hello, keys made anew each time.
func BenchmarkQUICInitialSNI(b *testing.B) {
	d := readHex(b, "quic-v1-client-initial.hex")
	var s Initials
	var h Hello
	b.ReportAllocs()
	for b.Loop() {
		s.Reset()
		if s.Add(d, true, &h) != Whole || len(h.Name) == 0 {
			b.Fatal(h.Name)
		}
	}
}

func BenchmarkQUICKeys(b *testing.B) {
	var k quicKeys
	b.ReportAllocs()
	for b.Loop() {
		k.derive(quicV1, firstCID)
	}
}

func BenchmarkQUICShortHeader(b *testing.B) {
	d := append([]byte{0x41}, make([]byte, 1200)...)
	b.ReportAllocs()
	for b.Loop() {
		if IsQUICLong(d) {
			b.Fatal()
		}
	}
}

func BenchmarkDTLSHello(b *testing.B) {
	d := dtlsSpec("").body()
	d = dtlsRecord(0, dtlsFragment(1, 0, d, 0, len(d)))
	var s DTLSHello
	var h Hello
	b.ReportAllocs()
	for b.Loop() {
		if s.Add(d, &h) != Whole {
			b.Fatal()
		}
	}
}

func BenchmarkFindUpgrade(b *testing.B) {
	text := []byte("EHLO phone.example\r\nSTARTTLS\r\n" + tlsStub)
	b.ReportAllocs()
	for b.Loop() {
		if _, st := FindUpgrade(text); st != Whole {
			b.Fatal()
		}
	}
}
