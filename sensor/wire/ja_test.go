package wire

import (
	"strings"
	"testing"
)

// The examples that JA3's authors published, rebuilt as messages.
func TestJA3Published(t *testing.T) {
	for _, c := range []struct {
		s    spec
		text string
		hash string
	}{
		{
			spec{legacy: 769, suites: []uint16{47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4}, exts: []ext{
				sniExt("a.example"), {10, vec16(u16s(23, 24, 25))}, {11, vec8([]byte{0})}}},
			"769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0", "ada70206e40642a3e4461f35503241d5",
		},
		{
			spec{legacy: 769, suites: []uint16{4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99}, noExts: true},
			"769,4-5-10-9-100-98-3-6-19-18-99,,,", "de350869b8c85de67a350c8d186f11e6",
		},
		{ // GREASE leaves no trace
			spec{legacy: 769, suites: []uint16{0x2a2a, 47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4}, exts: []ext{
				{0x1a1a, nil}, sniExt("b.example"), {10, vec16(u16s(0xfafa, 23, 24, 25))}, {11, vec8([]byte{0})}, {0xcaca, []byte{0}}}},
			"769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0", "ada70206e40642a3e4461f35503241d5",
		},
	} {
		var h Hello
		if err := h.Parse(c.s.message()); err != nil {
			t.Fatal(err)
		}
		if got := string(h.AppendJA3(nil)); got != c.text {
			t.Errorf("string %s, want %s", got, c.text)
		}
		if got := h.JA3(); got != c.hash {
			t.Errorf("hash %s, want %s", got, c.hash)
		}
	}
}

// published is the hello that the description of JA4 takes as its example.
func published(exts ...ext) spec {
	s := spec{suites: []uint16{0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035}}
	for _, typ := range []uint16{0x001b, 0x0033, 0x4469, 0x0017, 0x002d, 0x0005, 0x0023, 0x0012, 0xff01, 0x000b, 0x000a, 0x0015} {
		s.exts = append(s.exts, ext{typ, nil})
	}
	s.exts = append(s.exts, ext{extSignatureAlgorithms, vec16(u16s(0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601))})
	s.exts = append(s.exts, exts...)
	return s
}

func TestJA4Published(t *testing.T) {
	var h Hello
	s := published(sniExt("a.example"), alpnExt("h2", "http/1.1"), versionsExt(0x0304, 0x0303))
	if err := h.Parse(s.message()); err != nil {
		t.Fatal(err)
	}
	const want = "t13d1516h2_8daaf6152771_e5627efa2ab1"
	if got := h.JA4(); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	h.Transport = OverQUIC
	if got := h.JA4(); got != "q"+want[1:] {
		t.Errorf("over QUIC: %s", got)
	}
	// order and GREASE change nothing
	s.suites = append([]uint16{0x8a8a}, s.suites...)
	s.suites[1], s.suites[9] = s.suites[9], s.suites[1]
	s.exts = append([]ext{s.exts[len(s.exts)-1], {0x4a4a, nil}}, s.exts[:len(s.exts)-1]...)
	s.exts[0] = versionsExt(0xdada, 0x0304, 0x0303)
	if err := h.Parse(s.message()); err != nil {
		t.Fatal(err)
	}
	if got := h.JA4(); got != want {
		t.Errorf("shuffled, with GREASE: %s, want %s", got, want)
	}
}

func TestJA4Edges(t *testing.T) {
	many := make([]uint16, 120)
	for i := range many {
		many[i] = uint16(0xc000 + i)
	}
	one := []uint16{0x1301}
	const dash = "_0f2cb44170f4_" // SHA-256 of "1301"
	for _, c := range []struct {
		what    string
		s       spec
		prefix  string // up to the second underscore
		nothing bool   // third part is zeros
	}{
		{"no extensions", spec{suites: one, noExts: true}, "t12i010000" + dash, true},
		{"empty block", spec{suites: one}, "t12i010000" + dash, true},
		{"no suites", spec{noExts: true}, "t12i000000_000000000000_", true},
		{"name and ALPN alone", spec{suites: one, exts: []ext{sniExt("a.example"), alpnExt("h2")}}, "t12d0102h2" + dash, true},
		{"GREASE alone", spec{suites: []uint16{0x0a0a}, exts: []ext{{0x0a0a, nil}}}, "t12i000000_000000000000_", true},
		{"99 at most", spec{suites: many, noExts: true}, "t12i990000_", true},
		{"SSL 3.0", spec{legacy: 0x0300, suites: one, noExts: true}, "ts3i010000" + dash, true},
		{"TLS 1.0", spec{legacy: 0x0301, suites: one, noExts: true}, "t10i010000" + dash, true},
		{"TLS 1.1", spec{legacy: 0x0302, suites: one, noExts: true}, "t11i010000" + dash, true},
		{"unknown version", spec{legacy: 0x0505, suites: one, noExts: true}, "t00i010000" + dash, true},
		{"draft of 1.3", spec{suites: one, exts: []ext{versionsExt(0x7f1c, 0x0303)}}, "t00i010100" + dash, false},
		{"versions in any order", spec{suites: one, exts: []ext{versionsExt(0x0302, 0x0304, 0x0303)}}, "t13i010100" + dash, false},
		{"ALPN h3", spec{suites: one, exts: []ext{alpnExt("h3")}}, "t12i0101h3" + dash, true},
		{"ALPN http/1.1", spec{suites: one, exts: []ext{alpnExt("http/1.1")}}, "t12i0101h1" + dash, true},
		{"ALPN of one letter", spec{suites: one, exts: []ext{alpnExt("h")}}, "t12i0101hh" + dash, true},
		{"ALPN of one odd octet", spec{suites: one, exts: []ext{alpnExt("\xab")}}, "t12i0101ab" + dash, true},
		{"ALPN with odd ends", spec{suites: one, exts: []ext{alpnExt("\xab\xcd")}}, "t12i0101ad" + dash, true},
		{"ALPN odd at one end", spec{suites: one, exts: []ext{alpnExt("0\xab")}}, "t12i01013b" + dash, true},
		{"ALPN odd in the middle", spec{suites: one, exts: []ext{alpnExt("h\xff2")}}, "t12i0101h2" + dash, true},
		{"ALPN GREASE", spec{suites: one, exts: []ext{alpnExt("\x0a\x0a", "h2")}}, "t12i01010a" + dash, true},
		{"ALPN empty list", spec{suites: one, exts: []ext{{extALPN, []byte{0, 0}}}}, "t12i010100" + dash, true},
	} {
		var h Hello
		if err := h.Parse(c.s.message()); err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		got := h.JA4()
		if !strings.HasPrefix(got, c.prefix) || strings.HasSuffix(got, "_000000000000") != c.nothing {
			t.Errorf("%s: %s, want %s…", c.what, got, c.prefix)
		}
	}
}

// A list whose length is odd, as broken stacks send it, has the codes that fit.
func TestHalfACode(t *testing.T) {
	var h Hello
	body := spec{suites: []uint16{0x1301}, exts: []ext{{10, []byte{0, 3, 0, 29, 0}}, {13, []byte{0, 2, 4, 3}}}}
	if err := h.Parse(body.message()); err != nil || h.Groups.Len() != 1 || h.Groups.At(0) != 29 {
		t.Fatalf("%v, groups %x", err, []byte(h.Groups))
	}
	if got, want := string(h.AppendJA3(nil)), "771,4865,10-13,29,"; got != want {
		t.Errorf("JA3 %s, want %s", got, want)
	}
}
