package alerts

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestClientCertificate: an Alertmanager that asks for a certificate gets the
// one of tls_config, and picket trusts the authority of tls_config alone.
func TestClientCertificate(t *testing.T) {
	dir := t.TempDir()
	cert, pool := keyPair(t, dir)
	subject := ""
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		subject = r.TLS.PeerCertificates[0].Subject.CommonName
	}))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
	s.StartTLS()
	defer s.Close()
	post := func(conf string) error {
		var c AlertmanagerConfig
		if err := decodeYAML(conf, &c); err != nil {
			t.Fatal(err)
		}
		c.URLs = []string{s.URL}
		n, err := NewNotifier(NotifierConfig{Alertmanager: c})
		if err != nil {
			t.Fatal(err)
		}
		return n.to.posters[0].post(context.Background(), []postable{{}})
	}
	ca := fmt.Sprintf("ca_file: %s/cert.pem", dir)
	if err := post("http_config: {tls_config: {" + ca + "}}"); err == nil {
		t.Error("taken without a certificate")
	}
	if err := post(fmt.Sprintf("http_config: {tls_config: {cert_file: %[1]s/cert.pem, key_file: %[1]s/key.pem}}", dir)); err == nil {
		t.Error("an authority that nobody named is trusted")
	}
	if err := post(fmt.Sprintf("http_config: {tls_config: {%s, cert_file: %[2]s/cert.pem, key_file: %[2]s/key.pem}}", ca, dir)); err != nil || subject != "picket.example" {
		t.Errorf("subject %q: %v", subject, err)
	}
}

// keyPair writes a certificate that signs itself, and its key.
func keyPair(t *testing.T, dir string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "picket.example"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret})
	for name, b := range map[string][]byte{"cert.pem": certPEM, "key.pem": keyPEM} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	return pair, pool
}
