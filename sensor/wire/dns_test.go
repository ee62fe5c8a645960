package wire

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// dnsAnswerOf builds a message with miekg/dns from records in zone-file form.
func dnsAnswerOf(t testing.TB, name string, qtype uint16, records ...string) []byte {
	t.Helper()
	m := new(dns.Msg)
	m.SetQuestion(name, qtype)
	m.Id = 0x1234
	m.Compress = true
	if len(records) > 0 {
		m.Response = true
	}
	for _, text := range records {
		rr, err := dns.NewRR(text)
		if err != nil {
			t.Fatal(err)
		}
		m.Answer = append(m.Answer, rr)
	}
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func chainAnswer(t testing.TB) []byte {
	return dnsAnswerOf(t, "WWW.Example.COM.", dns.TypeA,
		"www.example.com. 60 IN CNAME edge.example.net.",
		"edge.example.net. 20 IN CNAME a.cdn.example.org.",
		"a.cdn.example.org. 5 IN A 192.0.2.1",
		"a.cdn.example.org. 5 IN A 192.0.2.2",
		"a.cdn.example.org. 5 IN AAAA 2001:db8::1")
}

func TestDNSAnswer(t *testing.T) {
	var d DNS
	if err := d.Parse(chainAnswer(t), UnicastDNS); err != nil {
		t.Fatal(err)
	}
	if d.ID != 0x1234 || !d.Response || len(d.Questions) != 1 || string(d.Questions[0].Name) != "www.example.com" || d.Questions[0].Type != DNSTypeA {
		t.Errorf("question: %+v", d)
	}
	var got []string
	for _, r := range d.Answers {
		got = append(got, strings.TrimSpace(string(r.Name)+" "+string(r.Data)+" "+addrText(r.Addr)))
	}
	want := []string{
		"www.example.com edge.example.net", "edge.example.net a.cdn.example.org", "a.cdn.example.org  192.0.2.1",
		"a.cdn.example.org  192.0.2.2", "a.cdn.example.org  2001:db8::1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("answers: %q\nwant %q", got, want)
	}
	if d.Answers[0].TTL != 60 || d.Answers[2].TTL != 5 {
		t.Errorf("lifetimes: %d, %d", d.Answers[0].TTL, d.Answers[2].TTL)
	}
}

func addrText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func TestDNSServiceBinding(t *testing.T) {
	var d DNS
	b := dnsAnswerOf(t, "example.com.", dns.TypeHTTPS,
		`example.com. 300 IN HTTPS 1 . alpn="h3,h2" ipv4hint="192.0.2.1,192.0.2.2" ech="AEX+DQ==" ipv6hint="2001:db8::1"`,
		`example.com. 300 IN HTTPS 0 svc.example.net.`)
	if err := d.Parse(b, UnicastDNS); err != nil {
		t.Fatal(err)
	}
	r := d.Answers[0]
	if len(r.ALPN) != 2 || string(r.ALPN[0]) != "h3" || string(r.ALPN[1]) != "h2" || !r.ECH || len(r.Data) != 0 {
		t.Errorf("first record: %+v", r)
	}
	want := []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("2001:db8::1")}
	if !slices.Equal(r.Hints, want) {
		t.Errorf("hints: %v, want %v", r.Hints, want)
	}
	if r := d.Answers[1]; string(r.Data) != "svc.example.net" || r.ECH || len(r.ALPN)+len(r.Hints) != 0 {
		t.Errorf("alias: %+v", r)
	}
}

func TestDNSOtherTypes(t *testing.T) {
	var d DNS
	b := dnsAnswerOf(t, "x.example.", dns.TypeANY,
		"x.example. 1 IN NS ns.example.", "x.example. 1 IN MX 10 mail.example.", `x.example. 1 IN TXT "first" "second"`,
		"x.example. 1 IN SRV 1 2 8443 host.example.", "x.example. 1 IN PTR ptr.example.", "x.example. 1 IN DNAME d.example.",
		"x.example. 1 IN SOA a. b. 1 2 3 4 5", `x.example. 1 IN CAA 0 issue "ca.example"`)
	if err := d.Parse(b, UnicastDNS); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"ns.example", "mail.example", "first", "host.example", "ptr.example", "d.example", "", ""} {
		if got := string(d.Answers[i].Data); got != want {
			t.Errorf("record %d: %q, want %q", i, got, want)
		}
	}
	if d.Answers[3].Port != 8443 {
		t.Errorf("port %d", d.Answers[3].Port)
	}
}

func TestDNSExtendedRCode(t *testing.T) {
	m := new(dns.Msg)
	m.SetQuestion("a.example.", dns.TypeA)
	m.Response, m.Truncated = true, true
	m.SetEdns0(1232, false)
	m.Rcode = dns.RcodeBadVers
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	var d DNS
	if err := d.Parse(b, UnicastDNS); err != nil || d.RCode != dns.RcodeBadVers || !d.EDNS || !d.Truncated {
		t.Errorf("%v: rcode %d, edns %v, truncated %v", err, d.RCode, d.EDNS, d.Truncated)
	}
}

func TestDNSNames(t *testing.T) {
	message := func(name ...byte) []byte {
		return append(append([]byte{0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}, name...), 0, 1, 0, 1)
	}
	label := func(n int) []byte { return append([]byte{byte(n)}, bytes.Repeat([]byte{'a'}, n)...) }
	longName := func(last int) []byte { return append(append(bytes.Repeat(label(63), 3), label(last)...), 0) }
	for _, c := range []struct {
		what string
		b    []byte
		kind DNSKind
		want string
		err  error
	}{
		{"root", message(0), UnicastDNS, "", nil},
		{"upper case", message(2, 'A', 'z', 0), UnicastDNS, "az", nil},
		{"odd bytes", message(4, 'a', '.', '\\', 0xff, 0), UnicastDNS, `a\046\092\255`, nil},
		{"blank", message(3, 'a', ' ', 'b', 0), UnicastDNS, `a\032b`, nil},
		{"blank in a local name", message(3, 'a', ' ', 'b', 0), MulticastDNS, `a b`, nil},
		{"text in a local name", message(2, 0xc3, 0xa9, 0), LinkLocalDNS, "é", nil},
		{"pointer to itself", message(0xc0, 12), UnicastDNS, "", ErrMalformed},
		{"pointer forwards", message(0xc0, 14, 0), UnicastDNS, "", ErrMalformed},
		{"pointer into the header", message(0xc0, 4), UnicastDNS, "", ErrMalformed},
		{"loop through a label", message(1, 'a', 0xc0, 12), UnicastDNS, "", ErrMalformed},
		{"label type 01", message(0x41, 'a', 0), UnicastDNS, "", ErrMalformed},
		{"255 bytes", message(longName(61)...), UnicastDNS, strings.Repeat(strings.Repeat("a", 63)+".", 3) + strings.Repeat("a", 61), nil},
		{"256 bytes", message(longName(62)...), UnicastDNS, "", ErrMalformed},
	} {
		var d DNS
		err := d.Parse(c.b, c.kind)
		if !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", c.what, err, c.err)
			continue
		}
		if err == nil && string(d.Questions[0].Name) != c.want {
			t.Errorf("%s: %q, want %q", c.what, d.Questions[0].Name, c.want)
		}
	}
}

func TestDNSMulticast(t *testing.T) {
	m := new(dns.Msg)
	m.Response = true
	for _, text := range []string{
		"_miio._udp.local. 120 IN PTR lumi-gateway_miio1._miio._udp.local.",
	} {
		rr, _ := dns.NewRR(text)
		m.Answer = append(m.Answer, rr)
	}
	for _, text := range []string{
		"lumi-gateway_miio1._miio._udp.local. 120 IN SRV 0 0 54321 gw.local.",
		"gw.local. 120 IN A 192.0.2.7",
	} {
		rr, _ := dns.NewRR(text)
		rr.Header().Class |= 0x8000
		m.Extra = append(m.Extra, rr)
	}
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	var d DNS
	if err := d.Parse(b, MulticastDNS); err != nil || len(d.Answers) != 3 {
		t.Fatalf("%v: %d records", err, len(d.Answers))
	}
	if r := d.Answers[0]; string(r.Data) != "lumi-gateway_miio1._miio._udp.local" || r.Flush {
		t.Errorf("PTR: %+v", r)
	}
	if r := d.Answers[2]; !r.Flush || r.Class != 1 || r.Addr != netip.MustParseAddr("192.0.2.7") {
		t.Errorf("A: %+v", r)
	}

	q := new(dns.Msg)
	q.Question = []dns.Question{{Name: "_mi-connect._udp.local.", Qtype: dns.TypePTR, Qclass: 0x8001}, {Name: "_miio._udp.local.", Qtype: dns.TypePTR, Qclass: 1}}
	b, _ = q.Pack()
	if err := d.Parse(b, MulticastDNS); err != nil || len(d.Questions) != 2 || !d.Questions[0].Unicast || d.Questions[1].Unicast || d.Questions[0].Class != 1 {
		t.Errorf("%v: %+v", err, d.Questions)
	}
}

func TestDNSUpdateIsNoAnswer(t *testing.T) {
	m := new(dns.Msg)
	m.SetUpdate("example.com.")
	rr, _ := dns.NewRR("host.example.com. 60 IN A 192.0.2.1")
	m.Insert([]dns.RR{rr})
	m.Used([]dns.RR{rr})
	b, _ := m.Pack()
	var d DNS
	if err := d.Parse(b, UnicastDNS); err != nil || len(d.Answers) != 0 || string(d.Questions[0].Name) != "example.com" || d.Opcode != 5 {
		t.Errorf("%v: %+v", err, d)
	}
}

func TestDNSBounds(t *testing.T) {
	m := new(dns.Msg)
	m.SetQuestion("a.example.", dns.TypeA)
	m.Response = true
	for range 1000 {
		rr, _ := dns.NewRR("a.example. 1 IN A 192.0.2.1")
		m.Answer = append(m.Answer, rr)
	}
	m.Compress = true
	b, _ := m.Pack()
	var d DNS
	if err := d.Parse(b, UnicastDNS); err != nil || len(d.Answers) != dnsMaxRecords || d.Dropped != 1000-dnsMaxRecords {
		t.Errorf("%v: %d kept, %d dropped", err, len(d.Answers), d.Dropped)
	}
}

func TestDNSPrefixes(t *testing.T) {
	whole := chainAnswer(t)
	var d DNS
	for n := range whole {
		if err := d.Parse(whole[:n], UnicastDNS); err != ErrTruncated {
			t.Errorf("first %d bytes: %v, want ErrTruncated", n, err)
		}
		if n > 33 && (len(d.Questions) != 1 || string(d.Questions[0].Name) != "www.example.com") {
			t.Errorf("first %d bytes: the question is lost", n)
		}
	}
}

func TestDNSStream(t *testing.T) {
	one, two := dnsAnswerOf(t, "a.example.", dns.TypeA), chainAnswer(t)
	stream := append([]byte{0, byte(len(one))}, one...)
	first := len(stream)
	stream = append(append(stream, 0, byte(len(two))), two...)
	var d DNS
	for n := range stream {
		got, s := d.ParseStream(stream[:n], UnicastDNS)
		if n < first && (s != More || got != 0) || n >= first && (s != Whole || got != first) {
			t.Errorf("first %d bytes: %d, %v", n, got, s)
		}
		if n < first && LooksLikeDNSStream(stream[:n]) != More {
			t.Errorf("first %d bytes do not look like a beginning", n)
		}
	}
	if LooksLikeDNSStream(stream) != Whole {
		t.Error("the stream does not look like DNS")
	}
	n, s := d.ParseStream(stream[first:], UnicastDNS)
	if n != len(two)+2 || s != Whole || len(d.Answers) != 5 {
		t.Errorf("second message: %d, %v, %d answers", n, s, len(d.Answers))
	}
	for _, other := range []string{"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03aaaaaaaaaaaa", "SSH-2.0-OpenSSH_9.2\r\n", "\x00\x05abcde"} {
		if s := LooksLikeDNSStream([]byte(other)); s != Other {
			t.Errorf("%q: %v, want Other", other, s)
		}
	}
}

func TestLooksLikeDNS(t *testing.T) {
	edns := new(dns.Msg)
	edns.SetQuestion("api.example.com.", dns.TypeAAAA)
	edns.SetEdns0(4096, true)
	b, _ := edns.Pack()
	for name, b := range map[string][]byte{"answer": chainAnswer(t), "question": dnsAnswerOf(t, "a.example.", dns.TypeHTTPS), "edns": b} {
		if !LooksLikeDNS(b) {
			t.Errorf("%s: not recognised", name)
		}
		if LooksLikeDNS(append(slices.Clone(b), 0)) {
			t.Errorf("%s: recognised with a byte more", name)
		}
		for n := range b {
			if LooksLikeDNS(b[:n]) {
				t.Errorf("%s: recognised when cut to %d bytes", name, n)
			}
		}
	}
	netbios := dnsAnswerOf(t, "FHFAEBEECACACACACACACACACACACAAA.", 32)
	for name, b := range map[string][]byte{
		"zeros": make([]byte, 64), "netbios": netbios, "stun": append([]byte{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42}, make([]byte, 40)...),
		"text": []byte("the quick brown fox jumps over the lazy dog, again and again"),
		"rtp":  append([]byte{0x80, 0x60, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0}, make([]byte, 160)...),
	} {
		if LooksLikeDNS(b) {
			t.Errorf("%s looks like DNS", name)
		}
	}
}

func TestDNSAllocatesNothing(t *testing.T) {
	b := chainAnswer(t)
	var d DNS
	if n := testing.AllocsPerRun(100, func() { d.Parse(b, UnicastDNS); LooksLikeDNS(b) }); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func FuzzDNS(f *testing.F) {
	f.Add(chainAnswer(f))
	f.Add(dnsAnswerOf(f, "example.com.", dns.TypeHTTPS, `example.com. 300 IN HTTPS 1 . alpn="h3,h2" ipv4hint="192.0.2.1" ech="AEX+DQ=="`))
	f.Add(dnsAnswerOf(f, "x.local.", dns.TypeTXT, `x.local. 1 IN TXT "a"`, "x.local. 1 IN SRV 1 2 3 h.local."))
	f.Add([]byte{0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0xc0, 12, 0, 1, 0, 1})
	empty := dnsAnswerOf(f, "a.example.", dns.TypeA, "a.example. 1 IN CNAME b.example.")
	empty[bytes.LastIndex(empty, []byte("\x01b"))-1] = 0 // says that it holds no data, and has some after it
	f.Add(empty)
	f.Fuzz(func(t *testing.T, b []byte) {
		var d DNS
		for kind := UnicastDNS; kind <= LinkLocalDNS; kind++ {
			d.Parse(b, kind)
			d.ParseStream(b, kind)
		}
		if len(d.Questions) > dnsMaxQuestions || len(d.Answers) > dnsMaxRecords {
			t.Error("over the bounds")
		}
		likely := LooksLikeDNS(b)
		LooksLikeDNSStream(b)
		err := d.Parse(b, UnicastDNS)
		if likely && err != nil && err != ErrMalformed {
			t.Errorf("looks like DNS but: %v", err)
		}
		againstMiekg(t, b, &d, err)
	})
}

// againstMiekg: what miekg's parser accepts as a query or answer, ours
// accepts, with the same question, addresses and aliases. It is the reference
// because it holds data to its stated length, as we do; x/net's dnsmessage
// reads a name past it.
func againstMiekg(t *testing.T, b []byte, d *DNS, err error) {
	var m dns.Msg
	if m.Unpack(b) != nil || m.Opcode != dns.OpcodeQuery {
		return
	}
	if err != nil { // stricter: counts that lie, pointers forwards, odd service parameters
		if packed, failed := m.Pack(); failed == nil && d.Parse(packed, UnicastDNS) == ErrTruncated {
			t.Error("miekg packs it, we call it cut short")
		}
		return
	}
	for i, q := range m.Question[:min(len(m.Question), len(d.Questions))] {
		want := strings.ToLower(strings.TrimSuffix(q.Name, "."))
		if plainName(want) && string(d.Questions[i].Name) != want || d.Questions[i].Type != q.Qtype {
			t.Errorf("question %d: %q %d, want %q %d", i, d.Questions[i].Name, d.Questions[i].Type, want, q.Qtype)
		}
	}
	for i, r := range m.Answer[:min(len(m.Answer), len(d.Answers))] {
		if r.Header().Rrtype == dns.TypeOPT {
			break // kept apart: from here on the places differ
		}
		got := d.Answers[i]
		switch r := r.(type) {
		case *dns.A:
			if got.Addr.IsValid() != (r.A != nil) || got.Addr.IsValid() && !net.IP(got.Addr.AsSlice()).Equal(r.A) {
				t.Errorf("answer %d: %v, want %v", i, got.Addr, r.A)
			}
		case *dns.CNAME:
			want := strings.ToLower(strings.TrimSuffix(r.Target, "."))
			if plainName(want) && string(got.Data) != want {
				t.Errorf("answer %d: %q, want %q", i, got.Data, want)
			}
		}
	}
}

func plainName(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '\\' }) < 0
}
