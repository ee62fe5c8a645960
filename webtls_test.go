package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"picket/configs"
)

// authority signs certificates for a test.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, pool: x509.NewCertPool()}
	der, key := a.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	a.cert, a.key = cert, key
	a.pool.AddCert(cert)
	return a
}

func (a *authority) sign(c *x509.Certificate) ([]byte, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	c.SerialNumber, c.NotBefore, c.NotAfter = big.NewInt(time.Now().UnixNano()), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, by := a.cert, a.key
	if parent == nil {
		parent, by = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, by)
	if err != nil {
		a.t.Fatal(err)
	}
	return der, key
}

// write puts a certificate and its key into files.
func (a *authority) write(dir, name string, der []byte, key *ecdsa.PrivateKey) {
	a.t.Helper()
	k, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{name + ".crt": {Type: "CERTIFICATE", Bytes: der}, name + ".key": {Type: "PRIVATE KEY", Bytes: k}} {
		if err := os.WriteFile(filepath.Join(dir, file), pem.EncodeToMemory(block), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
}

// secured serves with a web configuration and returns the address.
func secured(t *testing.T, dir, config string) string {
	t.Helper()
	path := filepath.Join(dir, "web.yml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	e := &endpoint{registry: prometheus.NewRegistry(), ready: func() bool { return true }}
	e.front.show(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), nil, "")
	ctx, cancel := context.WithCancel(context.Background())
	addrs, done := make(chan net.Addr, 1), make(chan error, 1)
	go func() {
		done <- e.serve(ctx, configs.Web{Listen: []string{"127.0.0.1:0"}, ConfigFile: path}, slog.New(slog.DiscardHandler), func(a []net.Addr) { addrs <- a[0] })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	select {
	case a := <-addrs:
		return a.String()
	case err := <-done:
		done <- nil
		t.Fatal(err)
	}
	return ""
}

// hash is "correct horse" by bcrypt, at the least cost.
const hash = "$2a$04$d.WWKIqKO2DUNI8WdUMC6uk83001eje07Z9wIOwzjF0dJv/.zgjlq"

// TestWebConfiguration: what exporter-toolkit's file asks for is asked of
// every client, on every path.
func TestWebConfiguration(t *testing.T) {
	dir := t.TempDir()
	ca := newAuthority(t)
	der, key := ca.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "sensor"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	ca.write(dir, "sensor", der, key)
	ca.write(dir, "ca", ca.cert.Raw, ca.key)
	der, key = ca.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "officer"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	officer := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	stranger := newAuthority(t)
	der, key = stranger.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "officer"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	forged := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	addr := secured(t, dir, "tls_server_config: {cert_file: sensor.crt, key_file: sensor.key, client_ca_file: ca.crt, client_auth_type: RequireAndVerifyClientCert}\nbasic_auth_users: {officer: '"+hash+"'}\n")
	ask := func(c *tls.Config, path, user, password string) int {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: true}, Timeout: 10 * time.Second}
		defer client.CloseIdleConnections()
		r, _ := http.NewRequest("GET", "https://"+addr+path, nil)
		if user != "" {
			r.SetBasicAuth(user, password)
		}
		resp, err := client.Do(r)
		if err != nil {
			return 0
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
	good := &tls.Config{RootCAs: ca.pool, Certificates: []tls.Certificate{officer}}
	for _, path := range []string{"/", "/metrics", "/config", "/-/ready"} {
		for _, c := range []struct {
			name, user, password string
			tls                  *tls.Config
			want                 int
		}{
			{"everything right", "officer", "correct horse", good, 200},
			{"no password", "", "", good, 401},
			{"a wrong password", "officer", "battery staple", good, 401},
			{"another's name", "root", "correct horse", good, 401},
			{"no certificate", "officer", "correct horse", &tls.Config{RootCAs: ca.pool}, 0},
			{"a forged certificate", "officer", "correct horse", &tls.Config{RootCAs: ca.pool, Certificates: []tls.Certificate{forged}}, 0},
			{"TLS of 2006", "officer", "correct horse", &tls.Config{RootCAs: ca.pool, Certificates: []tls.Certificate{officer}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, 0},
		} {
			if got := ask(c.tls, path, c.user, c.password); got != c.want && (path != "/config" || c.want != 200) {
				t.Errorf("%s with %s: %d, want %d", path, c.name, got, c.want)
			}
		}
	}
	if got := raw(t, addr, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); got != 400 {
		t.Errorf("without TLS: %d, want 400", got)
	}
}

// TestWebConfigurationMistakes are told before anything is served.
func TestWebConfigurationMistakes(t *testing.T) {
	for name, config := range map[string]string{
		"no certificate": "tls_server_config: {cert_file: missing.crt, key_file: missing.key}\n", "unknown key": "tls_sever_config: {}\n", "plain password": "basic_auth_users: {a: secret}\n",
	} {
		path := filepath.Join(t.TempDir(), "web.yml")
		if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		e := &endpoint{registry: prometheus.NewRegistry(), ready: func() bool { return true }}
		ctx, cancel := context.WithCancel(context.Background())
		err := e.serve(ctx, configs.Web{Listen: []string{"127.0.0.1:0"}, ConfigFile: path}, slog.New(slog.DiscardHandler), func([]net.Addr) { t.Errorf("%s: served", name) })
		cancel()
		if err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
