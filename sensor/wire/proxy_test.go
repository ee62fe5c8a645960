package wire

import (
	"net/netip"
	"strings"
	"testing"
)

const tlsStub = "\x16\x03\x01\x00\x40\x01\x00\x00\x3c"

var upgrades = []struct {
	what  string
	in    string // what comes before the hello
	via   string
	host  string
	addr  string
	port  uint16
	proxy bool // complete without the hello
}{
	{what: "CONNECT", in: "CONNECT shop.example.com:443 HTTP/1.1\r\nHost: shop.example.com:443\r\nUser-Agent: x\r\n\r\n", via: "connect", host: "shop.example.com", port: 443, proxy: true},
	{what: "CONNECT, bare LF", in: "CONNECT 192.0.2.1:8443 HTTP/1.0\n\n", via: "connect", addr: "192.0.2.1", port: 8443, proxy: true},
	{what: "CONNECT, IPv6", in: "CONNECT [2001:db8::1]:443 HTTP/1.1\r\n\r\n", via: "connect", addr: "2001:db8::1", port: 443, proxy: true},
	{what: "SOCKS5 name", in: "\x05\x01\x00\x05\x01\x00\x03\x0bexample.com\x01\xbb", via: "socks5", host: "example.com", port: 443, proxy: true},
	{what: "SOCKS5 password", in: "\x05\x02\x00\x02\x01\x03bob\x02pw\x05\x01\x00\x01\xc0\x00\x02\x07\x01\xbb", via: "socks5", addr: "192.0.2.7", port: 443, proxy: true},
	{what: "SOCKS5 IPv6", in: "\x05\x01\x00\x05\x01\x00\x04\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x01\xbb", via: "socks5", addr: "2001:db8::1", port: 443, proxy: true},
	{what: "SOCKS4", in: "\x04\x01\x01\xbb\xc0\x00\x02\x07bob\x00", via: "socks4", addr: "192.0.2.7", port: 443, proxy: true},
	{what: "SOCKS4A", in: "\x04\x01\x01\xbb\x00\x00\x00\x01\x00example.com\x00", via: "socks4", host: "example.com", port: 443, proxy: true},
	{what: "PROXY 1", in: "PROXY TCP4 192.0.2.1 192.0.2.2 4711 443\r\n", via: "proxy", proxy: true},
	{what: "PROXY 2", in: "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c", via: "proxy", proxy: true},
	{what: "SMTP", in: "EHLO phone.example\r\nSTARTTLS\r\n", via: "starttls-smtp"},
	{what: "SMTP, lower case", in: "ehlo x\nstarttls\n", via: "starttls-smtp"},
	{what: "IMAP", in: "a1 CAPABILITY\r\na2 STARTTLS\r\n", via: "starttls-imap"},
	{what: "IMAP at once", in: ". STARTTLS\r\n", via: "starttls-imap"},
	{what: "POP3", in: "CAPA\r\nSTLS\r\n", via: "starttls-pop3"},
	{what: "FTP", in: "FEAT\r\nAUTH TLS\r\n", via: "starttls-ftp"},
	{what: "NNTP", in: "CAPABILITIES\r\nSTARTTLS\r\n", via: "starttls-nntp"},
	{what: "IRC", in: "CAP LS 302\r\nSTARTTLS\r\n", via: "starttls-irc"},
	{what: "ManageSieve, or a start that was missed", in: "STARTTLS\r\n", via: "starttls"},
	{what: "XMPP", in: "<?xml version='1.0'?><stream:stream to='example.com' xmlns='jabber:client'><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", via: "starttls-xmpp"},
	{what: "PostgreSQL", in: postgresSSL, via: "postgresql"},
	{what: "PostgreSQL after GSS", in: postgresGSS + postgresSSL, via: "postgresql"},
	{what: "MySQL", in: "\x20\x00\x00\x01\x85\xae\xff\x19\x00\x00\x00\x01\xff" + strings.Repeat("\x00", 23), via: "mysql"},
	{what: "LDAP", in: "\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037", via: "starttls-ldap"},
	{what: "RDP", in: "\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00", via: "rdp"},
}

func TestFindUpgrade(t *testing.T) {
	for _, c := range upgrades {
		whole := c.in + tlsStub
		u, st := FindUpgrade([]byte(whole))
		if st != Whole || u.Via != c.via || u.At != len(c.in) || string(u.Host) != c.host || u.Port != c.port {
			t.Errorf("%s: %v %+v", c.what, st, u)
			continue
		}
		var want netip.Addr
		if c.addr != "" {
			want = netip.MustParseAddr(c.addr)
		}
		if u.Addr != want {
			t.Errorf("%s: address %v, want %v", c.what, u.Addr, want)
		}
		for n := range len(c.in) {
			if u, st := FindUpgrade([]byte(whole[:n])); st != More {
				t.Errorf("%s: first %d bytes: %v %+v, want More", c.what, n, st, u)
			}
		}
		if _, st := FindUpgrade([]byte(c.in)); (st == Whole) != c.proxy || st != Whole && st != More {
			t.Errorf("%s: without the hello: %v", c.what, st)
		}
	}
}

func TestNoUpgrade(t *testing.T) {
	for _, in := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST /x", "SSH-2.0-OpenSSH_9.2\r\n", "HELP ME PLEASE\x00\x00\x00\n",
		"\x00\x00\x00\x08\x00\x03\x00\x00", "\x05\x00", "\x05\x01\x00\x05\x02\x00\x01\x01\x02\x03\x04\x05\x06", "\x05\x01\xff",
		"\x04\x02\x00\x50\x01\x02\x03\x04\x00", "\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00 and more", "\x03\x00\x00\x13\x02\xf0\x80",
		"<html><body>", "\x13BitTorrent protocol", "\x7fELF", "EHLO x\r\nMAIL FROM:<a@example.com>\r\n" + strings.Repeat("DATA\r\n", 2000),
		"<?xml version='1.0'?>" + strings.Repeat("<a/>", 2000), "PROXY " + strings.Repeat("x", 200), "\x10\x26\x00\x04MQTT\x04\x02",
		"STARTTLS\r\n\x01\x02\x03\n\x00",
	} {
		if u, st := FindUpgrade([]byte(in)); st != Other && st != Bad {
			t.Errorf("%.30q: %v %+v", in, st, u)
		}
	}
}

func TestUpgradeNested(t *testing.T) {
	in := []byte("\x05\x01\x00\x05\x01\x00\x03\x0bexample.com\x00\x19" + "EHLO x\r\nSTARTTLS\r\n" + tlsStub)
	u, st := FindUpgrade(in)
	if st != Whole || u.Via != "socks5" {
		t.Fatal(st, u)
	}
	if u, st = FindUpgrade(in[u.At:]); st != Whole || u.Via != "starttls-smtp" {
		t.Error(st, u)
	}
}

func TestTLSStart(t *testing.T) {
	for in, want := range map[string]int{
		"220 ready\r\n250 STARTTLS\r\n220 go\r\n\x16\x03\x03\x00\x40\x02\x00\x00\x3c": 33,
		"\x16\x16\x03\x03\x00\x40\x02":         1,
		"no TLS at all":                        -1,
		"":                                     -1,
		"\x16\x03\x03\x00":                     -1,
		"\x16\x03\x03\x00\x40\x0b\x00\x00\x3c": -1,
	} {
		if got := TLSStart([]byte(in)); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}
