package wire

import (
	"slices"
	"testing"
)

// dtlsRecord wraps handshake fragments.
func dtlsRecord(epoch byte, frags ...[]byte) []byte {
	body := slices.Concat(frags...)
	b := []byte{tlsHandshake, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 0, byte(len(body) >> 8), byte(len(body))}
	return append(b, body...)
}

// dtlsFragment cuts body[from:to] out as a fragment.
func dtlsFragment(typ byte, seq int, body []byte, from, to int) []byte {
	b := []byte{typ, 0, byte(len(body) >> 8), byte(len(body)), 0, byte(seq), 0, byte(from >> 8), byte(from), 0, byte((to - from) >> 8), byte(to - from)}
	return append(b, body[from:to]...)
}

func dtlsSpec(cookie string) spec {
	return spec{legacy: 0xfefd, cookie: []byte(cookie), suites: []uint16{0xc02b, 0xc02f}, exts: []ext{
		sniExt("turn.example.com"), {10, vec16(u16s(29, 23))}, {11, vec8([]byte{0})}, {13, vec16(u16s(0x0403, 0x0804))}}}
}

func TestDTLSHello(t *testing.T) {
	body := dtlsSpec("").body()
	d := dtlsRecord(0, dtlsFragment(1, 0, body, 0, len(body)))
	var s DTLSHello
	var h Hello
	for n := range d {
		if st := s.Add(d[:n], &h); st == Whole || st == Bad {
			t.Fatalf("first %d bytes: %v", n, st)
		}
	}
	s.Reset()
	if st := s.Add(d, &h); st != Whole || string(h.Name) != "turn.example.com" || h.Version != 0xfefd || s.Datagrams != 1 {
		t.Fatalf("%v, %q, %04x", st, h.Name, h.Version)
	}
	if got := h.JA4(); got[:10] != "dd2d020400" {
		t.Errorf("JA4 %s", got)
	}
	if got, want := string(h.AppendJA3(nil)), "65277,49195-49199,0-10-11-13,29-23,0"; got != want {
		t.Errorf("JA3 %s, want %s", got, want)
	}
	if VersionName(h.Version) != "dtls1.2" {
		t.Errorf("version %s", VersionName(h.Version))
	}
	if n := DTLSPlainBytes(append(d, 23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 9)); n != len(d) {
		t.Errorf("%d plain bytes of %d", n, len(d))
	}
	s.Reset()
	if st := s.Add(append([]byte{1, 0, 0, 0}, d...), &h); st != Whole || s.Via != "capwap" {
		t.Errorf("inside CAPWAP control: %v, %q", st, s.Via)
	}
}

// Fragments of the first hello and of the one with the cookie, in any order.
func TestDTLSFragments(t *testing.T) {
	one, two := dtlsSpec("").body(), dtlsSpec("a cookie of some length").body()
	var s DTLSHello
	var h Hello
	verify := []byte{0xfe, 0xff, 4, 1, 2, 3, 4}
	for _, c := range []struct {
		what string
		d    []byte
		want Status
	}{
		{"end of the first", dtlsRecord(0, dtlsFragment(1, 0, one, 60, len(one))), More},
		{"middle, overlapping", dtlsRecord(0, dtlsFragment(1, 0, one, 30, 70)), More},
		{"the same again", dtlsRecord(0, dtlsFragment(1, 0, one, 30, 70)), More},
		{"encrypted", dtlsRecord(1, dtlsFragment(1, 0, one, 0, 30)), More},
		{"start", dtlsRecord(0, dtlsFragment(1, 0, one, 0, 30)), Whole},
		{"cookie asked for", dtlsRecord(0, dtlsFragment(3, 0, verify, 0, len(verify))), More},
		{"second hello, two fragments in a record", dtlsRecord(0, dtlsFragment(1, 1, two, 50, len(two)), dtlsFragment(1, 1, two, 0, 20)), More},
		{"a late piece of the first", dtlsRecord(0, dtlsFragment(1, 0, one, 0, 30)), More},
		{"its middle, in a second record", append(dtlsRecord(0, dtlsFragment(20, 9, []byte{1}, 0, 1)), dtlsRecord(0, dtlsFragment(1, 1, two, 20, 50))...), Whole},
		{"no DTLS", []byte("some text that is long enough"), Other},
	} {
		if st := s.Add(c.d, &h); st != c.want {
			t.Errorf("%s: %v, want %v", c.what, st, c.want)
		}
	}
	if s.Hellos != 2 || !s.Verify || string(h.Name) != "turn.example.com" || s.Datagrams != 2 {
		t.Errorf("%d hellos, verify %v, name %q, %d datagrams", s.Hellos, s.Verify, h.Name, s.Datagrams)
	}
}

func TestDTLSBounds(t *testing.T) {
	var s DTLSHello
	var h Hello
	big := make([]byte, 200)
	frag := dtlsFragment(1, 0, big, 0, 100)
	frag[1] = 0xff // a message of 16 MiB
	if st := s.Add(dtlsRecord(0, frag), &h); st != Bad {
		t.Errorf("a huge message: %v", st)
	}
	s.Reset()
	st := More
	for i := 0; i < 99 && st == More; i++ {
		st = s.Add(dtlsRecord(0, dtlsFragment(1, 0, big, 2*i, 2*i+1)), &h)
	}
	if st != Bad {
		t.Errorf("fragments without end: %v", st)
	}
}
