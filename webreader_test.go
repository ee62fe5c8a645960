package main

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

// TestProvenReader: nobody gets onto the chain under a name that no password
// and no certificate stands for.
func TestProvenReader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web.yml")
	if err := os.WriteFile(path, []byte("basic_auth_users: {officer: '$2y$10$x'}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	named := httptest.NewRequest(http.MethodGet, "/", nil)
	named.SetBasicAuth("officer", "secret")
	stranger := httptest.NewRequest(http.MethodGet, "/", nil)
	stranger.SetBasicAuth("director", "")
	shown := httptest.NewRequest(http.MethodGet, "/", nil)
	cert := &x509.Certificate{Subject: pkix.Name{CommonName: "auditor"}}
	shown.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}}
	verified := httptest.NewRequest(http.MethodGet, "/", nil)
	verified.TLS = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{cert}}}
	for _, c := range []struct {
		name, path string
		r          *http.Request
		want       string
	}{
		{"user of the configuration", path, named, "officer"},
		{"no configuration: no password was checked", "", named, ""},
		{"configuration that is gone", path + ".gone", named, ""},
		{"user it does not know", path, stranger, ""},
		{"certificate that was verified", path, verified, "CN=auditor"},
		{"certificate that was shown", path, shown, ""},
	} {
		if got := provenReader(c.path)(c.r); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
