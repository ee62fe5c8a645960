package fleet

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"
)

// authority issues certificates for loopback.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	a.cert, a.key = a.issue("ca", nil, nil)
	return a
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

// issue writes NAME.crt and NAME.key.
func (a *authority) issue(name string, by *x509.Certificate, with *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: by == nil, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if by == nil {
		by, with = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by, key.Public(), with)
	if err != nil {
		a.t.Fatal(err)
	}
	raw, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	for suffix, b := range map[string]*pem.Block{".crt": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "EC PRIVATE KEY", Bytes: raw}} {
		if err := os.WriteFile(a.file(name+suffix), pem.EncodeToMemory(b), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return parsed, key
}

func (a *authority) tls(name string) TLS {
	return TLS{Cert: a.file(name + ".crt"), Key: a.file(name + ".key"), CA: a.file("ca.crt")}
}

// runs starts a node and stops it with the test.
func runs(t *testing.T, c Config) *Node {
	t.Helper()
	n, err := NewNode(NodeConfig{Config: c, Dir: t.TempDir(), Key: siteKey})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	wait.Go(func() { _ = n.Run(ctx) })
	t.Cleanup(func() { cancel(); wait.Wait(); n.Close() })
	return n
}

// refused asserts that a sensor is kept out, and says why in one line.
func refused(t *testing.T, c Config, why string) {
	t.Helper()
	n := runs(t, c)
	var v View
	eventually(t, "trouble because of "+why, func() bool {
		v = n.View()
		return !v.Connected && strings.Contains(v.Trouble, why) && strings.Contains(v.Trouble, c.URLs[0])
	})
	if strings.Contains(v.Trouble, "\n") {
		t.Errorf("trouble %q", v.Trouble)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := Status(ctx, c, time.Now()); err == nil || !strings.Contains(err.Error(), why) {
		t.Errorf("status: %v", err)
	}
}

func TestTLSAndSecret(t *testing.T) {
	a := newAuthority(t)
	a.issue("sensor", a.cert, a.key)
	other := newAuthority(t)
	other.issue("sensor", other.cert, other.key)
	addr, secret := freeAddr(t), secretFile(t)
	inside := runs(t, Config{Mode: Embedded, Name: "inside", Listen: addr, SecretFile: secret, TLS: a.tls("sensor"), MaxStore: 64 << 20})
	eventually(t, "the embedded one has its streams", func() bool { return inside.View().Connected })
	good := Config{Mode: URL, Name: "good", URLs: []string{"tls://" + addr}, SecretFile: secret, TLS: a.tls("sensor")}
	n := runs(t, good)
	eventually(t, "the one with secret and certificate joins", func() bool { return n.View().Connected })
	if all, err := Status(t.Context(), good, time.Now()); err != nil {
		t.Errorf("status: %v, %v", all, err)
	}
	wrong := filepath.Join(t.TempDir(), "wrong")
	if err := os.WriteFile(wrong, []byte("another secret, as long\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	bad := good
	bad.Name, bad.SecretFile = "bad", wrong
	refused(t, bad, "Authorization Violation")
	bad = good
	bad.Name, bad.TLS = "stranger", TLS{CA: a.file("ca.crt")}
	refused(t, bad, "") // the server hangs up: with which word is a matter of timing
	bad.Name, bad.TLS = "elsewhere", other.tls("sensor")
	refused(t, bad, "certificate signed by unknown authority")
}

// TestCredentialsAndAccounts joins a NATS server of accounts: a sensor with
// the credentials of one of them gets in, and its streams are that account's.
func TestCredentialsAndAccounts(t *testing.T) {
	operator, system := newKey(t, nkeys.CreateOperator), newKey(t, nkeys.CreateAccount)
	sensors, guests := newKey(t, nkeys.CreateAccount), newKey(t, nkeys.CreateAccount)
	oc := jwt.NewOperatorClaims(operator.public)
	ojwt, err := oc.Encode(operator.KeyPair)
	if err != nil {
		t.Fatal(err)
	}
	trusted, err := jwt.DecodeOperatorClaims(ojwt)
	if err != nil {
		t.Fatal(err)
	}
	resolver := &server.MemAccResolver{}
	for _, acc := range []keyPair{system, sensors, guests} {
		ac := jwt.NewAccountClaims(acc.public)
		if acc == sensors {
			ac.Limits.JetStreamLimits = jwt.JetStreamLimits{MemoryStorage: -1, DiskStorage: -1, Streams: -1, Consumer: -1}
		}
		text, err := ac.Encode(operator.KeyPair)
		if err != nil {
			t.Fatal(err)
		}
		if err := resolver.Store(acc.public, text); err != nil {
			t.Fatal(err)
		}
	}
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir(),
		TrustedOperators: []*jwt.OperatorClaims{trusted}, AccountResolver: resolver, SystemAccount: system.public,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("no server")
	}
	c := Config{Mode: URL, Name: "sensor", URLs: []string{s.ClientURL()}, Credentials: credentials(t, sensors), MaxStore: 64 << 20}
	n := runs(t, c)
	eventually(t, "the sensor with credentials joins", func() bool { return n.View().Connected })
	c.Name, c.Credentials = "forger", credentials(t, newKey(t, nkeys.CreateAccount))
	refused(t, c, "Authorization Violation")
	c.Name, c.Credentials = "nobody", ""
	refused(t, c, "Authorization Violation")
	c.Name, c.Credentials = "guest", credentials(t, guests)
	g := runs(t, c)
	eventually(t, "an account without JetStream is told so", func() bool { return strings.Contains(g.View().Trouble, "JetStream not enabled for account") })
}

type keyPair struct {
	nkeys.KeyPair
	public string
}

func newKey(t *testing.T, of func() (nkeys.KeyPair, error)) keyPair {
	t.Helper()
	k, err := of()
	if err != nil {
		t.Fatal(err)
	}
	pub, err := k.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	return keyPair{k, pub}
}

// credentials writes those of a new user of an account.
func credentials(t *testing.T, account keyPair) string {
	t.Helper()
	user := newKey(t, nkeys.CreateUser)
	text, err := jwt.NewUserClaims(user.public).Encode(account.KeyPair)
	if err != nil {
		t.Fatal(err)
	}
	seed, err := user.Seed()
	if err != nil {
		t.Fatal(err)
	}
	b, err := jwt.FormatUserConfig(text, seed)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "nats.creds")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
