package wire

import (
	"bytes"
	"crypto/tls"
	"strings"
	"testing"
)

func protocols(h *Hello) (list []string) {
	for p, rest, ok := h.ALPN.Next(); ok; p, rest, ok = rest.Next() {
		list = append(list, string(p))
	}
	return list
}

func TestHelloOfGo(t *testing.T) {
	stream := goHello(t, &tls.Config{ServerName: "Shop.Example.NET", NextProtos: []string{"h2", "http/1.1"}, InsecureSkipVerify: true})
	if len(stream) < 1400 {
		t.Logf("hello of %d bytes: no ML-KEM key share", len(stream))
	}
	var h Hello
	if st := h.ParseStream(stream); st != Whole {
		t.Fatalf("status %v", st)
	}
	if string(h.Name) != "shop.example.net" || string(h.ServerName) != "Shop.Example.NET" {
		t.Errorf("name %q of %q", h.Name, h.ServerName)
	}
	if got := strings.Join(protocols(&h), " "); got != "h2 http/1.1" {
		t.Errorf("ALPN %q", got)
	}
	if h.Version != 0x0304 || h.Legacy != 0x0303 || len(h.SessionID) != 32 {
		t.Errorf("version %04x, legacy %04x, session id of %d", h.Version, h.Legacy, len(h.SessionID))
	}
	if h.ECHState(false) != ECHNone {
		t.Error("ECH seen where there is none")
	}
	if ja4 := h.JA4(); !strings.HasPrefix(ja4, "t13d") || ja4[8:10] != "h2" {
		t.Errorf("JA4 %s", ja4)
	}
}

// A post-quantum hello in every number of records, and whole in h.buf.
func TestHelloOverRecords(t *testing.T) {
	msg := parrot(t, parrots[0], "www.example.org")
	var want, h Hello
	if err := want.Parse(msg); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1, 3, 4, 5, 100, 517, 1460, len(msg) - 1, len(msg)} {
		stream := records(msg, size)
		for n := range stream {
			if st := h.ParseStream(stream[:n]); st != More {
				t.Fatalf("records of %d, first %d bytes: status %v, want More", size, n, st)
			}
		}
		if st := h.ParseStream(append(stream, "application data"...)); st != Whole || !bytes.Equal(h.Name, want.Name) || h.JA4() != want.JA4() {
			t.Errorf("records of %d: status %v, name %q", size, st, h.Name)
		}
	}
}

func TestHelloPrefixes(t *testing.T) {
	for _, id := range parrots {
		msg := parrot(t, id, "cdn.example.com")
		var h Hello
		for n := range msg {
			if err := h.Parse(msg[:n]); err != ErrTruncated {
				t.Fatalf("%s: first %d bytes: %v, want ErrTruncated", id.Str(), n, err)
			}
			if name, err := SNI(msg[:n]); err == nil && string(name) != "cdn.example.com" || err != nil && err != ErrTruncated {
				t.Fatalf("%s: SNI of the first %d bytes: %q, %v", id.Str(), n, name, err)
			}
		}
		if err := h.Parse(msg); err != nil || string(h.Name) != "cdn.example.com" {
			t.Errorf("%s: %q, %v", id.Str(), h.Name, err)
		}
		if name, err := SNI(msg); err != nil || string(name) != "cdn.example.com" {
			t.Errorf("%s: SNI %q, %v", id.Str(), name, err)
		}
	}
}

// A body cut short under a header that agrees with it is malformed or a hello
// without extensions, and never more than that.
func TestHelloShortBodies(t *testing.T) {
	body := spec{suites: []uint16{0x1301}, exts: []ext{sniExt("a.example")}}.body()
	for n := range body {
		var h Hello
		msg := append([]byte{1, 0, 0, byte(n)}, body[:n]...)
		if err := h.Parse(msg); err == nil && (h.Name != nil || h.Extensions.present()) {
			t.Errorf("body of %d: name %q", n, h.Name)
		} else if err != nil && err != ErrMalformed {
			t.Errorf("body of %d: %v", n, err)
		}
	}
}

func (e Extensions) present() bool { return len(e) > 0 }

func TestServerNames(t *testing.T) {
	long := strings.Repeat("a", 63)
	for _, c := range []struct {
		raw, name string
		why       NameReason
	}{
		{"example.com", "example.com", NameKept},
		{"EXAMPLE.com.", "example.com", NameKept},
		{"_svc.x-y.example", "_svc.x-y.example", NameKept},
		{"localhost", "localhost", NameKept},
		{"", "", NameEmpty},
		{".", "", NameEmpty},
		{"192.0.2.7", "", NameIPLiteral},
		{"2001:db8::7", "", NameIPLiteral},
		{"[2001:db8::7]", "", NameIPLiteral},
		{"1.2.3.4.example", "1.2.3.4.example", NameKept},
		{"1.2.3", "1.2.3", NameKept},
		{"a..example", "", NameNotAName},
		{".example", "", NameNotAName},
		{"host:443", "", NameNotAName},
		{"b\xc3\xbccher.example", "", NameNotAName},
		{"a\x00b.example", "", NameNotAName},
		{"*.example", "", NameNotAName},
		{long + ".example", long + ".example", NameKept},
		{long + "a.example", "", NameTooLong},
		{strings.Repeat(long+".", 4), "", NameTooLong},
		{strings.Repeat("x.", 3000), "", NameTooLong},
	} {
		var h Hello
		if err := h.Parse(spec{suites: []uint16{0x1301}, exts: []ext{sniExt(c.raw)}}.message()); err != nil {
			t.Fatal(err)
		}
		if string(h.Name) != c.name || h.NameReason != c.why || !h.HasServerName {
			t.Errorf("%.40q: %q, %q; want %q, %q", c.raw, h.Name, h.NameReason, c.name, c.why)
		}
	}
}

func TestHelloReuseForgets(t *testing.T) {
	var h Hello
	first := spec{suites: []uint16{0x1301}, exts: []ext{sniExt("a.example"), alpnExt("h2"), versionsExt(0x0304), {extECH, make([]byte, 12)}}}
	if err := h.Parse(first.message()); err != nil {
		t.Fatal(err)
	}
	if err := h.Parse(spec{suites: []uint16{0x002f}, noExts: true}.message()); err != nil {
		t.Fatal(err)
	}
	if h.Name != nil || h.HasServerName || h.ALPN != nil || h.Version != 0x0303 || h.ECH.Present || h.Extensions != nil {
		t.Errorf("the message before shows through: %+v", h)
	}
}

// An extension that overruns its block hides nothing that came before it.
func TestDamagedExtensions(t *testing.T) {
	msg := spec{suites: []uint16{0x1301}, exts: []ext{sniExt("a.example"), {0x002b, []byte{2, 3, 4}}}}.message()
	msg[len(msg)-4]++ // the length of the last extension
	var h Hello
	if err := h.Parse(msg); err != nil || !h.Damaged || string(h.Name) != "a.example" || h.Version != 0x0303 {
		t.Errorf("%v, damaged %v, name %q, version %04x", err, h.Damaged, h.Name, h.Version)
	}
}

func TestECH(t *testing.T) {
	outer := append([]byte{0, 0, 1, 0, 1, 0x2a}, append(vec16(make([]byte, 32)), vec16(make([]byte, 176))...)...)
	for _, c := range []struct {
		what      string
		exts      []ext
		announced bool
		want      ECHState
	}{
		{"none", []ext{sniExt("a.example")}, false, ECHNone},
		{"unknown name", []ext{sniExt("a.example"), {extECH, outer}}, false, ECHGrease},
		{"announced name", []ext{sniExt("a.example"), {extECH, outer}}, true, ECHReal},
		{"announced without the extension", []ext{sniExt("a.example")}, true, ECHNone},
		{"public name", []ext{sniExt("cloudflare-ech.com"), {extECH, outer}}, false, ECHReal},
		{"ESNI without a name", []ext{{extESNI, outer}}, false, ECHReal},
		{"ESNI beside a name", []ext{sniExt("a.example"), {extESNI, outer}}, false, ECHGrease},
	} {
		var h Hello
		if err := h.Parse(spec{suites: []uint16{0x1301}, exts: c.exts}.message()); err != nil {
			t.Fatal(err)
		}
		if got := h.ECHState(c.announced); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
		if h.ECH.Present && !h.ECH.Draft && (h.ECH.ConfigID != 0x2a || h.ECH.Enc != 32 || h.ECH.Payload != 176 || h.ECH.KDF != 1 || h.ECH.AEAD != 1) {
			t.Errorf("%s: %+v", c.what, h.ECH)
		}
	}
	msg := parrot(t, parrots[0], "a.example")
	var h Hello
	if err := h.Parse(msg); err != nil || h.ECHState(false) != ECHGrease || h.ECH.Enc != 32 {
		t.Errorf("Chrome's GREASE: %v, %s, %+v", err, h.ECHState(false), h.ECH)
	}
}

func TestSSL2Hello(t *testing.T) {
	// SSL 2.0 form, offering TLS 1.0: three specs, of which one is SSL 2.0's own.
	body := []byte{1, 3, 1, 0, 9, 0, 0, 0, 16, 0, 0, 0x2f, 1, 0, 0x80, 0, 0, 0x35}
	body = append(body, make([]byte, 16)...)
	b := append([]byte{0x80, byte(len(body))}, body...)
	var h Hello
	for n := range b {
		if st := h.ParseStream(b[:n]); st != More {
			t.Errorf("first %d bytes: status %v", n, st)
		}
	}
	if st := h.ParseStream(b); st != Whole || h.Version != 0x0301 || h.Ciphers.Len() != 2 || h.JA3() != "" {
		t.Errorf("status %v, version %04x, %d suites", st, h.Version, h.Ciphers.Len())
	}
	if got, want := h.JA4(), "t10i020000_"; !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "_000000000000") {
		t.Errorf("JA4 %s", got)
	}
	b[1]++
	if st := h.ParseStream(b); st != Other {
		t.Errorf("lengths that disagree: status %v", st)
	}
}

func TestStreamsThatAreNoHello(t *testing.T) {
	for _, c := range []struct {
		b    string
		want Status
	}{
		{"", More},
		{"GET / HTTP/1.1\r\n", Other},
		{"\x16\x03", More},
		{"\x16\x04\x01", Other},
		{"\x16\x03\x01\x00\x00", Bad},
		{"\x16\x03\x01\xff\xff", Bad},
		{"\x17\x03\x03\x00\x20", Other},
		{"\x16\x03\x03\x00\x04\x02\x00\x00\x00", Other}, // ServerHello
		{"\x16\x03\x01\x00\x04\x01\xff\xff\xff", Bad},   // 16 MiB
		{"\x16\x03\x01\x00\x04\x01\x00\x00\x20\x15\x03\x01\x00\x02\x02\x28", Bad}, // an alert in between
		{"\x80\x2e\x04", Other},
		{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", Other},
	} {
		var h Hello
		if st := h.ParseStream([]byte(c.b)); st != c.want {
			t.Errorf("%x: status %v, want %v", c.b, st, c.want)
		}
	}
}

func TestRecordsCount(t *testing.T) {
	rec := func(typ byte, n int) []byte {
		return append([]byte{typ, 3, 3, byte(n >> 8), byte(n)}, make([]byte, n)...)
	}
	stream := bytes.Join([][]byte{rec(22, 300), rec(20, 1), rec(23, 5000), rec(21, 2), rec(23, 1), rec(22, 40)}, nil)
	want := 305 + 6 + 7 + 45
	for _, size := range []int{1, 2, 3, 5, 7, 100, 1460, len(stream)} {
		var r Records
		got := 0
		for b := stream; len(b) > 0; b = b[min(size, len(b)):] {
			got += r.Count(b[:min(size, len(b))])
		}
		if got != want {
			t.Errorf("pieces of %d: %d handshake bytes, want %d", size, got, want)
		}
	}
	var r Records
	if n := r.Count([]byte("no record at all")); n != 0 {
		t.Errorf("%d bytes of text count as handshake", n)
	}
	r.Lost()
	if r.Resume([]byte("x")) || !r.Resume(rec(23, 1)) {
		t.Error("Resume")
	}
}

func TestECHConfig(t *testing.T) {
	contents := append([]byte{7, 0, 0x20}, vec16(make([]byte, 32))...)
	contents = append(contents, vec16(u16s(1, 1, 1, 3))...)
	contents = append(append(contents, 64), vec8([]byte("cover.example"))...)
	contents = append(contents, 0, 0)
	config := append(u16s(extECH), vec16(contents)...)
	list := vec16(append(append(u16s(0xfe0a), vec16([]byte("another version"))...), config...))
	if id, name := firstECHConfig(list); id != 7 || string(name) != "cover.example" {
		t.Errorf("%d %q", id, name)
	}
	for n := range list {
		if _, name := firstECHConfig(list[:n]); name != nil {
			t.Errorf("first %d bytes: %q", n, name)
		}
	}
	m := append([]byte{0, 0, 0x80, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 65, 0, 1, 0, 0, 0, 60}, u16s(uint16(7+len(list)))...)
	m = append(append(m, 0, 1, 0), append(u16s(svcECH), vec16(list)...)...)
	var d DNS
	if err := d.Parse(m, UnicastDNS); err != nil || len(d.Answers) != 1 || !d.Answers[0].ECH || string(d.Answers[0].Public) != "cover.example" || d.Answers[0].ConfigID != 7 {
		t.Errorf("%v %+v", err, d.Answers)
	}
}
