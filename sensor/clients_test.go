package sensor

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"hash/adler32"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/quic-go/quic-go"
	utls "github.com/refraction-networking/utls"
)

// The bytes of real clients.

// helloOfChrome is the first flight of a browser, records and all: with a
// post-quantum key it exceeds one segment.
func helloOfChrome(t testing.TB, name string) []byte {
	t.Helper()
	here, there := net.Pipe()
	defer here.Close()
	defer there.Close()
	c := utls.UClient(here, &utls.Config{ServerName: name, InsecureSkipVerify: true}, utls.HelloChrome_Auto)
	if err := c.BuildHandshakeState(); err != nil {
		t.Fatal(err)
	}
	msg := c.HandshakeState.Hello.Raw
	return append([]byte{22, 3, 1, byte(len(msg) >> 8), byte(len(msg))}, msg...)
}

// turn is what one end wrote at once.
type turn struct {
	up bool
	b  []byte
}

// recorder writes down what both ends of a pipe write, in order.
type recorder struct {
	net.Conn
	up    bool
	mu    *sync.Mutex
	turns *[]turn
}

func (r recorder) Write(b []byte) (int, error) {
	r.mu.Lock()
	*r.turns = append(*r.turns, turn{r.up, append([]byte(nil), b...)})
	r.mu.Unlock()
	return r.Conn.Write(b)
}

// handshake is a whole TLS 1.2 handshake of crypto/tls with a certificate
// for names; the client sends no server name.
func handshake(t testing.TB, names ...string) []turn {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: names, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	var mu sync.Mutex
	var turns []turn
	server := tls.Server(recorder{b, false, &mu, &turns}, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MaxVersion: tls.VersionTLS12})
	done := make(chan error, 1)
	go func() { done <- server.Handshake() }()
	client := tls.Client(recorder{a, true, &mu, &turns}, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12})
	if err := client.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return turns
}

// drain is a packet connection that keeps what is written and hears nothing.
type drain struct {
	sent chan []byte
	done chan struct{}
	once sync.Once
}

func (d *drain) WriteTo(b []byte, _ net.Addr) (int, error) {
	select {
	case d.sent <- append([]byte(nil), b...):
	default:
	}
	return len(b), nil
}
func (d *drain) ReadFrom([]byte) (int, net.Addr, error) {
	<-d.done
	return 0, nil, net.ErrClosed
}
func (d *drain) Close() error                     { d.once.Do(func() { close(d.done) }); return nil }
func (d *drain) LocalAddr() net.Addr              { return &net.UDPAddr{IP: net.IPv4(192, 168, 1, 9), Port: 40000} }
func (d *drain) SetDeadline(time.Time) error      { return nil }
func (d *drain) SetReadDeadline(time.Time) error  { return d.Close() }
func (d *drain) SetWriteDeadline(time.Time) error { return nil }

// initials are the first n datagrams of a quic-go client.
func initials(t testing.TB, name string, n int) [][]byte {
	t.Helper()
	d := &drain{sent: make(chan []byte, n), done: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		c := &tls.Config{ServerName: name, NextProtos: []string{"h3"}, InsecureSkipVerify: true}
		_, _ = quic.Dial(ctx, d, &net.UDPAddr{IP: net.IPv4(203, 0, 113, 5), Port: 443}, c, nil) // ends with ctx
		d.Close()
	}()
	var out [][]byte
	for range n {
		select {
		case b := <-d.sent:
			out = append(out, b)
		case <-time.After(20 * time.Second):
			t.Fatalf("the client sent %d datagrams, want %d", len(out), n)
		}
	}
	return out
}

// query is a DNS question.
func query(t testing.TB, name string, kind uint16) []byte {
	t.Helper()
	m := new(dns.Msg).SetQuestion(dns.Fqdn(name), kind)
	m.Id = 0x1234
	return packed(t, m)
}

// answer is the response with these records, in zone file form.
func answer(t testing.TB, name string, kind uint16, records ...string) []byte {
	t.Helper()
	q := new(dns.Msg).SetQuestion(dns.Fqdn(name), kind)
	q.Id = 0x1234
	m := new(dns.Msg).SetReply(q)
	m.Compress = true
	for _, r := range records {
		rr, err := dns.NewRR(r)
		if err != nil {
			t.Fatal(err)
		}
		m.Answer = append(m.Answer, rr)
	}
	return packed(t, m)
}

func packed(t testing.TB, m *dns.Msg) []byte {
	t.Helper()
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// framed puts the length before a message, as over TCP.
func framed(m []byte) []byte { return append(be.AppendUint16(nil, uint16(len(m))), m...) }

// pushOpening is what a client of Xiaomi's push service sends first.
func pushOpening() []byte {
	field := func(number byte, text string) []byte {
		return append([]byte{number<<3 | 2, byte(len(text))}, text...)
	}
	header := append([]byte{0x08, 0}, field(5, "CONN")...)
	payload := append([]byte{0x08, 106}, field(2, "Redmi Note 9 Pro")...)
	payload = append(payload, field(3, "V12.0.3.0.QJZINXM")...)
	payload = append(payload, field(7, "app.chat.global.xiaomi.net:5222")...)
	blob := binary.BigEndian.AppendUint16(nil, 2)
	blob = binary.BigEndian.AppendUint16(blob, uint16(len(header)))
	blob = binary.BigEndian.AppendUint32(blob, uint32(len(payload)))
	blob = append(append(blob, header...), payload...)
	b := append([]byte{0xc2, 0xfe, 0, 5}, binary.BigEndian.AppendUint32(nil, uint32(len(blob)))...)
	b = append(b, blob...)
	return binary.BigEndian.AppendUint32(b, adler32.Checksum(b))
}
