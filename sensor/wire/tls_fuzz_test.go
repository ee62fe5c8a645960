package wire

import (
	"bytes"
	"crypto/tls"
	"testing"
)

// FuzzHello: no input makes the readers of a ClientHello panic or disagree.
func FuzzHello(f *testing.F) {
	f.Add(goHello(f, &tls.Config{ServerName: "a.example.com", NextProtos: []string{"h2"}}))
	for _, id := range parrots {
		f.Add(records(parrot(f, id, "www.example.com"), 700))
	}
	f.Add(parrot(f, parrots[0], "www.example.com"))
	f.Add(records(spec{suites: []uint16{0x0a0a, 0x1301}, exts: []ext{sniExt("a.example."), {0xfafa, nil}, {0x002b, []byte{9}}}}.message(), 9))
	f.Add([]byte("\x80\x22\x01\x03\x01\x00\x09\x00\x00\x00\x10\x00\x00\x2f\x01\x00\x80\x00\x00\x350123456789abcdef"))
	var h, again Hello
	f.Fuzz(func(t *testing.T, b []byte) {
		sameName(t, b, &again)
		st := h.ParseStream(b)
		if st != Whole {
			return
		}
		if len(h.buf) > maxHelloMessage+maxTLSRecord {
			t.Errorf("%d bytes held", len(h.buf))
		}
		if h.Name != nil && h.NameReason != NameKept || len(h.Name) > maxName {
			t.Errorf("name %q, %s", h.Name, h.NameReason)
		}
		first, ja3 := h.JA4(), h.JA3()
		if again := h.JA4(); again != first || len(first) != 36 || h.JA3() != ja3 {
			t.Errorf("fingerprints %s then %s, %s", first, again, ja3)
		}
		_, _ = h.ECHState(true), VersionName(h.Version)
	})
}

// sameName checks that SNI and Parse give the same name of a message.
func sameName(t *testing.T, b []byte, h *Hello) {
	t.Helper()
	name, err := SNI(b)
	if h.Parse(b) != nil || h.Damaged {
		return
	}
	if countExt(h.Extensions, extServerName) == 1 && (err != nil || !bytes.Equal(name, h.ServerName)) {
		t.Errorf("SNI %q, %v; Parse %q", name, err, h.ServerName)
	}
}

func countExt(e Extensions, want uint16) (n int) {
	for typ, _, rest, ok := e.Next(); ok; typ, _, rest, ok = rest.Next() {
		if typ == want {
			n++
		}
	}
	return n
}

// FuzzRecords: however a stream is cut, the same bytes count.
func FuzzRecords(f *testing.F) {
	f.Add([]byte("\x16\x03\x01\x00\x02ab\x17\x03\x03\x00\x01x\x15\x03\x03\x00\x02\x01\x00"), 3)
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		var r Records
		n := r.Count(b)
		if n > len(b) {
			t.Errorf("%d of %d", n, len(b))
		}
		if cut < 0 || cut > len(b) {
			return
		}
		var halves Records
		got := halves.Count(b[:cut]) + halves.Count(b[cut:])
		if d := got - n; d < -tlsRecordHeader || d > tlsRecordHeader { // a header cut in two may be judged by its first octet
			t.Errorf("cut at %d: %d, whole: %d", cut, got, n)
		}
	})
}

// FuzzServerFlight: certificates and what carries them.
func FuzzServerFlight(f *testing.F) {
	f.Add(serverFlight(f, makeCert(f, "cn.example.com", "a.example.com", "*.b.example"), tls.VersionTLS12))
	f.Add(serverFlight(f, makeCert(f, "cn.example.com"), tls.VersionTLS13))
	var s ServerFlight
	f.Fuzz(func(t *testing.T, b []byte) {
		s.ParseStream(b)
		if len(s.Names) > maxCertNames || cap(s.buf) > 4*maxServerFlight {
			t.Errorf("%d names, %d bytes held", len(s.Names), cap(s.buf))
		}
		var buf [maxName]byte
		appendCertNames(nil, &buf, b)
		TLSStart(b)
	})
}

// FuzzUpgrade: where the inner stream starts is inside what was given.
func FuzzUpgrade(f *testing.F) {
	for _, c := range upgrades {
		f.Add([]byte(c.in + tlsStub))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		u, st := FindUpgrade(b)
		if st == Whole && (u.Via == "" || u.At <= 0 || u.At > len(b)) {
			t.Errorf("%+v of %d bytes", u, len(b))
		}
		if st == More && len(b) > maxPreamble+1024 {
			t.Errorf("more than %d bytes wanted", len(b))
		}
	})
}

// FuzzDTLS feeds a conversation, cut into datagrams by a length octet each.
func FuzzDTLS(f *testing.F) {
	body := dtlsSpec("cookie").body()
	one := dtlsRecord(0, dtlsFragment(1, 0, body, 40, len(body)))
	two := dtlsRecord(0, dtlsFragment(1, 0, body, 0, 40))
	f.Add(append(append([]byte{byte(len(one))}, one...), append([]byte{byte(len(two))}, two...)...))
	var s DTLSHello
	var h Hello
	f.Fuzz(func(t *testing.T, b []byte) {
		s.Reset()
		for len(b) > 1 {
			n := min(int(b[0])+1, len(b))
			if s.Add(b[1:n], &h) == Whole && (h.Transport != OverDTLS || len(h.JA4()) != 36) {
				t.Error("hello")
			}
			DTLSPlainBytes(b[1:n])
			b = b[n:]
		}
		if len(s.crypto.buf) > maxCrypto {
			t.Errorf("%d bytes held", len(s.crypto.buf))
		}
	})
}
