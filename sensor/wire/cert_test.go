package wire

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"slices"
	"testing"
	"time"
)

// makeCert makes a self-signed certificate.
func makeCert(t testing.TB, cn string, names ...string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{Organization: []string{"Example"}, CommonName: cn}, DNSNames: names,
		NotAfter: time.Unix(4e9, 0), IPAddresses: []net.IP{net.IPv4(192, 0, 2, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if len(names) == 0 {
		c.IPAddresses = nil
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// serverFlight returns what a crypto/tls server sends to a client of at most
// the given version before it needs an answer.
func serverFlight(t testing.TB, cert tls.Certificate, version uint16) []byte {
	t.Helper()
	client, back := net.Pipe()
	server, front := net.Pipe()
	go func() {
		_ = tls.Client(client, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: version}).Handshake()
	}()
	go func() {
		_ = tls.Server(server, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS10}).Handshake()
	}()
	defer client.Close()
	defer server.Close()
	b := make([]byte, 64<<10)
	n, err := back.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := front.Write(b[:n]); err != nil {
		t.Fatal(err)
	}
	n, err = front.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return b[:n]
}

func TestServerFlight(t *testing.T) {
	many := make([]string, 100)
	for i := range many {
		many[i] = fmt.Sprintf("h%d.example.com", i)
	}
	for _, c := range []struct {
		what    string
		cert    tls.Certificate
		version uint16
		names   []string
	}{
		{"names", makeCert(t, "ignored.example", "A.example.com", "*.example.com", "not a name"), tls.VersionTLS12, []string{"a.example.com", "*.example.com"}},
		{"common name", makeCert(t, "Host.example.com"), tls.VersionTLS12, []string{"host.example.com"}},
		{"common name of an authority", makeCert(t, "Example Root"), tls.VersionTLS12, nil},
		{"TLS 1.0", makeCert(t, "", "old.example.com"), tls.VersionTLS10, []string{"old.example.com"}},
		{"TLS 1.3 hides it", makeCert(t, "", "a.example.com"), tls.VersionTLS13, nil},
		{"a hundred", makeCert(t, "", many...), tls.VersionTLS12, many[:maxCertNames]},
	} {
		stream := serverFlight(t, c.cert, c.version)
		var s ServerFlight
		if st := s.ParseStream(stream); st != Whole || !slices.Equal(s.Names, c.names) || s.Version != c.version || s.Cipher == 0 {
			t.Errorf("%s: %v, %04x, %q", c.what, st, s.Version, s.Names)
		}
		for n := range stream {
			if st := s.ParseStream(stream[:n]); st == Other || st == Bad {
				t.Fatalf("%s: first %d bytes: %v", c.what, n, st)
			}
		}
		// the same messages in records of 100 octets
		if c.version == tls.VersionTLS12 {
			var msgs []byte
			for b := stream; len(b) > 0; {
				frag, rest, st := tlsFragment(b)
				if st != Whole {
					break
				}
				msgs, b = append(msgs, frag...), rest
			}
			if st := s.ParseStream(records(msgs, 100)); st != Whole || !slices.Equal(s.Names, c.names) {
				t.Errorf("%s over records: %v, %q", c.what, st, s.Names)
			}
		}
	}
	var s ServerFlight
	if st := s.ParseStream([]byte{21, 3, 3, 0, 2, 2, 40}); st != Whole || !s.Alert {
		t.Errorf("alert: %v", st)
	}
	if st := s.ParseStream([]byte("HTTP/1.1 400 Bad Request\r\n")); st != Other {
		t.Errorf("no TLS: %v", st)
	}
}

func TestCertificateDamaged(t *testing.T) {
	der := makeCert(t, "a.example.com", "b.example.com").Certificate[0]
	var buf [maxName]byte
	for n := range der {
		if got := appendCertNames(nil, &buf, der[:n]); got != nil {
			t.Fatalf("first %d bytes give %q", n, got)
		}
	}
	for i := range der {
		bad := slices.Clone(der)
		bad[i] ^= 0xff
		appendCertNames(nil, &buf, bad) // must not panic
	}
}
