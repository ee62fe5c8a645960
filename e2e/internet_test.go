package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"net/http"
	"testing"
	"time"
)

// serve answers HTTP and TLS on every address of the internet. The TLS
// server reads everything and answers each connection's end with its own.
func (c *campus) serve() {
	c.t.Helper()
	plain, err := c.inet.Listen("tcp4", "0.0.0.0:80")
	ok(c.t, err)
	web := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusNoContent)
	})}
	go func() { _ = web.Serve(plain) }()
	secure, err := c.inet.Listen("tcp4", "0.0.0.0:443")
	ok(c.t, err)
	l := tls.NewListener(secure, &tls.Config{Certificates: []tls.Certificate{certificate(c.t)}})
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go echo(conn)
		}
	}()
	c.t.Cleanup(func() { web.Close(); l.Close() })
}

// echo confirms every read with a byte: who sends knows that it arrived.
func echo(conn net.Conn) {
	defer conn.Close()
	buf := make([]byte, 64<<10)
	for {
		if _, err := conn.Read(buf); err != nil {
			return
		}
		if _, err := conn.Write([]byte{'.'}); err != nil {
			return
		}
	}
}

func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ok(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "e2e.example"}, DNSNames: []string{"e2e.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	ok(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
