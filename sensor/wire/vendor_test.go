package wire

import (
	"encoding/binary"
	"fmt"
	"hash/adler32"
	"strings"
	"testing"
)

// pbBytes is a length-delimited field of a protocol-buffer message.
func pbBytes(number byte, text string) []byte {
	return append([]byte{number<<3 | 2, byte(len(text))}, text...)
}

func pushPacket(header, payload []byte) []byte {
	blob := binary.BigEndian.AppendUint16(nil, 2)
	blob = binary.BigEndian.AppendUint16(blob, uint16(len(header)))
	blob = binary.BigEndian.AppendUint32(blob, uint32(len(payload)))
	blob = append(append(blob, header...), payload...)
	b := append([]byte{0xc2, 0xfe, 0, 5}, binary.BigEndian.AppendUint32(nil, uint32(len(blob)))...)
	b = append(b, blob...)
	return binary.BigEndian.AppendUint32(b, adler32.Checksum(b))
}

// pushOpening is what a client sends first, as its published source builds it.
func pushOpening() []byte {
	header := []byte{0x08, 0}
	header = append(header, pbBytes(3, "xiaomi.com")...)
	header = append(append(header, pbBytes(5, "CONN")...), 0x48, 0)
	payload := []byte{0x08, 106}
	payload = append(payload, pbBytes(2, "Redmi Note 9 Pro")...)
	payload = append(payload, pbBytes(3, "V12.0.3.0.QJZINXM")...)
	payload = append(payload, pbBytes(4, "0123456789abcdef")...)
	payload = append(payload, 0x28, 48)
	payload = append(payload, pbBytes(6, "wifi")...)
	payload = append(payload, pbBytes(7, "app.chat.global.xiaomi.net:5222")...)
	payload = append(payload, pbBytes(8, "en_IN")...)
	return pushPacket(header, append(payload, 0x50, 29))
}

func TestMiPush(t *testing.T) {
	whole := pushOpening()
	var m MiPush
	n, s := m.Parse(append(whole, 0xc2))
	if n != len(whole) || s != Whole || !m.Open || string(m.Model) != "Redmi Note 9 Pro" || string(m.Version) != "V12.0.3.0.QJZINXM" ||
		string(m.Host) != "app.chat.global.xiaomi.net" || string(m.Network) != "wifi" || string(m.Locale) != "en_IN" || m.API != 29 {
		t.Errorf("%d %v %+v", n, s, m)
	}
	for i := range whole {
		if n, s := m.Parse(whole[:i]); n != 0 || s != More || m.Open {
			t.Errorf("first %d bytes: %d %v", i, n, s)
		}
	}
	encrypted := pushPacket(nil, nil)
	copy(encrypted[8:], []byte{9, 9, 9, 9, 9, 9, 9, 9})
	server := pushPacket(append([]byte{0x08, 0}, pbBytes(5, "CONN")...), append(pbBytes(1, "challenge"), pbBytes(2, "host")...))
	for what, b := range map[string][]byte{"encrypted": encrypted, "server": server} {
		if n, s := m.Parse(b); n != len(b) || s != Whole || m.Open || m.Model != nil {
			t.Errorf("%s: %d %v %+v", what, n, s, m)
		}
	}
	if _, s := m.Parse([]byte{0xc2, 0xfe, 0, 5, 0xff, 0, 0, 0}); s != Bad {
		t.Errorf("an absurd length: %v", s)
	}
	if _, s := m.Parse([]byte("<?xml")); s != Other {
		t.Errorf("XMPP: %v", s)
	}
	if a := testing.AllocsPerRun(100, func() { m.Parse(whole) }); a != 0 {
		t.Errorf("%v allocations, want none", a)
	}
}

func FuzzMiPush(f *testing.F) {
	f.Add(pushOpening())
	f.Add(pushPacket(pbBytes(5, "CONN"), []byte{0x08, 1, 0x12, 200}))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m MiPush
		if n, s := m.Parse(b); n > len(b) || (s == Whole) != (n > 0) || len(m.Model) > miPushText {
			t.Errorf("%d of %d, %v", n, len(b), s)
		}
	})
}

func TestHTTPDNS(t *testing.T) {
	for _, c := range []struct{ target, provider, names, body, answers string }{
		{
			"/gslb/?ver=4.0&type=wifi&uuid=0&list=app.chat.xiaomi.net%2CAPI.xmpush.xiaomi.com&countrycode=IN", "xiaomi",
			"app.chat.xiaomi.net api.xmpush.xiaomi.com",
			`{"S":"Ok","R":{"country":"IN","ip":"203.0.113.9","ttl":3600,"wifi":{"app.chat.xiaomi.net":["192.0.2.1:5222","192.0.2.2:443"],"api.xmpush.xiaomi.com":["[2001:db8::1]:80"]}}}`,
			"app.chat.xiaomi.net 192.0.2.1 3600, app.chat.xiaomi.net 192.0.2.2 3600, api.xmpush.xiaomi.com 2001:db8::1 3600",
		},
		{
			"/100000/d?host=www.example.com", "alibaba", "www.example.com",
			`{"ips":["192.0.2.1","192.0.2.2"],"host":"www.example.com","ipsv6":[],"ttl":57,"origin_ttl":120,"client_ip":"203.0.113.9"}`,
			"www.example.com 192.0.2.1 57, www.example.com 192.0.2.2 57",
		},
		{
			"/100000/sign_resolve?host=a.example.com,b.example.com&t=1&s=2", "alibaba", "a.example.com b.example.com",
			`{"dns":[{"host":"a.example.com","ips":["192.0.2.1"],"ttl":10},{"host":"b.example.com","ips":[],"ipsv6":["2001:db8::2"],"ttl":20}]}`,
			"a.example.com 192.0.2.1 10, b.example.com 2001:db8::2 20",
		},
		{
			"/resolve?name=www.example.com&type=A&uid=1", "alibaba", "www.example.com",
			`{"Status":0,"Question":{"name":"www.example.com.","type":1},"Answer":[{"name":"www.example.com.","TTL":60,"type":1,"data":"192.0.2.1"}]}`,
			"www.example.com 192.0.2.1 60",
		},
		{"/d?dn=www.example.com&ttl=1", "tencent", "www.example.com", "192.0.2.1;192.0.2.2,190", "www.example.com 192.0.2.1 190, www.example.com 192.0.2.2 190"},
		{"/d?dn=aabbccdd00112233&id=1", "tencent", "", "00ff", ""},
		{"/d?dn=5", "", "", "", ""},
		{"/d?host=www.example.com", "", "", "", ""}, // no account
		{"/abc/d?host=www.example.com", "", "", "", ""},
		{"/2024/d?host=192.0.2.1", "alibaba", "", "", ""},
		{"/resolve?name=x.example", "", "", "", ""},
		{"/index.html?list=a.b", "", "", "", ""},
	} {
		var h HTTP
		if _, s := h.Parse([]byte("GET " + c.target + " HTTP/1.1\r\n\r\n")); s != Whole {
			t.Fatal(c.target)
		}
		var d HTTPDNS
		if ok := d.ParseRequest(&h); ok != (c.provider != "") || d.Provider != c.provider {
			t.Errorf("%s: %v %q, want %q", c.target, ok, d.Provider, c.provider)
		}
		var names []string
		for _, n := range d.Names {
			names = append(names, string(n))
		}
		if got := strings.Join(names, " "); got != c.names {
			t.Errorf("%s: names %s, want %s", c.target, got, c.names)
		}
		d.ParseAnswer([]byte(c.body))
		if got := answersText(&d); got != c.answers {
			t.Errorf("%s: answers %s\nwant %s", c.target, got, c.answers)
		}
		for i := range c.body {
			d.ParseAnswer([]byte(c.body[:i])) // cut short: no panic, nothing invented
			for _, a := range d.Answers {
				if !strings.Contains(c.body[:i], strings.TrimSuffix(a.Addr.String(), "x")) {
					t.Errorf("%s cut to %d: %v", c.target, i, a)
				}
			}
		}
	}
}

func answersText(d *HTTPDNS) string {
	var s []string
	for _, a := range d.Answers {
		s = append(s, fmt.Sprintf("%s %v %d", a.Name, a.Addr, a.TTL))
	}
	return strings.Join(s, ", ")
}

func FuzzHTTPDNS(f *testing.F) {
	f.Add("/gslb/?list=a.b%2Cc.d", `{"R":{"ttl":1,"wifi":{"a.b":["192.0.2.1:1"]}}}`)
	f.Add("/100000/resolve?host=a.b", `{"dns":[{"host":"a.b","ips":["192.0.2.1"]}]}`)
	f.Add("/d?dn=a.b", "192.0.2.1;::1,5\n")
	f.Fuzz(func(t *testing.T, target, body string) {
		var h HTTP
		h.Parse([]byte("GET " + target + " HTTP/1.1\r\n\r\n"))
		var d HTTPDNS
		d.ParseRequest(&h)
		d.ParseAnswer([]byte(body))
		if len(d.Names) > httpdnsMaxNames || len(d.Answers) > httpdnsMaxAnswers {
			t.Error("over a bound")
		}
		for _, a := range d.Answers {
			if !a.Addr.IsValid() || len(a.Name) == 0 {
				t.Errorf("%+v", a)
			}
		}
	})
}
