package wire

import (
	"encoding/binary"
	"testing"

	"github.com/quic-go/quic-go"
)

// FuzzQUIC feeds datagrams, split by length octets of two bytes.
func FuzzQUIC(f *testing.F) {
	seed := func(ds ...[]byte) {
		var b []byte
		for _, d := range ds {
			b = append(append(b, byte(len(d)>>8), byte(len(d))), d...)
		}
		f.Add(b)
	}
	seed(readHex(f, "quic-v1-client-initial.hex"), readHex(f, "quic-v2-client-initial.hex"))
	seed(quicGo(f, quic.Version1, "a.example.com")...)
	seed(append([]byte("\x09\x01\x02\x03\x04\x05\x06\x07\x08Q043\x01............\xa0\x01\x00\x00"), chlo("SNI\x00", "g.example.com")...))
	seed([]byte("\x8a\x00\x00\x00\x00\x01\x09\x01\x08\x00\x00\x00\x01\x1a\x2a\x3a\x4a"))
	var s Initials
	var h Hello
	f.Fuzz(func(t *testing.T, b []byte) {
		s.Reset()
		for len(b) > 2 {
			n := min(2+int(b[0])<<8+int(b[1]), len(b))
			d := b[2:n]
			s.Add(d, n%2 == 0, &h)
			if p, rest, st := ParseQUICLong(d); st == Whole && len(p.Packet)+len(rest) != len(d) || st == Other && IsQUICLong(d) && !isReserved(d) {
				t.Errorf("%v: %d and %d of %d", st, len(p.Packet), len(rest), len(d))
			}
			if a, z := QUICLongBytes(d); a+z > len(d) {
				t.Errorf("%d and %d of %d", a, z, len(d))
			}
			b = b[n:]
		}
		if s.Decrypts > maxQUICDecrypts || len(s.crypto.buf) > maxCrypto {
			t.Errorf("%d decryptions, %d bytes held", s.Decrypts, len(s.crypto.buf))
		}
	})
}

func isReserved(d []byte) bool {
	return QUICVersion(binary.BigEndian.Uint32(d[1:])).reserved()
}

// FuzzQUICFrames reads payloads as if they had been opened.
func FuzzQUICFrames(f *testing.F) {
	msg := spec{suites: []uint16{0x1301}, exts: []ext{sniExt("a.example.com")}}.message()
	f.Add(append(append(cryptoFrame(msg, 50, len(msg)), 0, 0, 1, 2, 0, 0, 1, 0, 0, 0), cryptoFrame(msg, 0, 50)...), false)
	f.Add(append([]byte{8, 0, 0x40, 50}, chlo("SNI\x00", "g.example.com")...), true)
	f.Add([]byte{3, 5, 0, 2, 1, 1, 1, 1, 1, 9, 9, 9, 6, 0, 1, 1}, false)
	var h Hello
	var s Initials
	f.Fuzz(func(t *testing.T, b []byte, google bool) {
		s.Reset()
		s.Version = quicV1
		if google {
			s.Version = quicGoogle50
		}
		for range 2 {
			h.plain = b
			st := s.frames(&h)
			if st == Whole && !h.Google && len(h.JA4()) != 36 {
				t.Errorf("JA4 %s", h.JA4())
			}
		}
		if len(s.crypto.buf) > maxCrypto || s.crypto.n > maxCryptoGaps {
			t.Errorf("%d bytes in %d pieces", len(s.crypto.buf), s.crypto.n)
		}
	})
}
