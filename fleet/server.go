package fleet

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// startServer starts the NATS server inside this sensor and returns once it
// listens. Its streams are below dir.
// token is what clients of it have to say.
func startServer(c Config, dir string, log *slog.Logger) (s *server.Server, token string, err error) {
	o, err := serverOptions(c, dir)
	if err != nil {
		return nil, "", err
	}
	if s, err = server.NewServer(o); err != nil {
		return nil, "", fmt.Errorf("fleet: embedded server: %w", err)
	}
	s.SetLoggerV2(serverLog{log}, false, false, false)
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		s.Shutdown()
		return nil, "", errors.New("fleet: the embedded server does not come up: is the address of listen or cluster in use?")
	}
	return s, o.Authorization, nil
}

func serverOptions(c Config, dir string) (*server.Options, error) {
	o := &server.Options{
		ServerName: c.Name, DontListen: c.Listen == "", NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: filepath.Join(dir, "jetstream"), JetStreamMaxStore: int64(c.MaxStore), JetStreamMaxMemory: 64 << 20,
		MaxPayload: maxMessage + 64<<10, MaxConn: 4096,
	}
	secret, err := readSecret(c.SecretFile)
	if err != nil {
		return nil, err
	}
	o.Authorization = secret
	if o.TLSConfig, err = c.TLS.server(); err != nil {
		return nil, err
	}
	o.TLS, o.TLSTimeout = o.TLSConfig != nil, 5
	listen := c.Listen
	if listen == "" && c.Cluster != "" {
		// The server opens its cluster port only once it listens for clients:
		// a port of loopback, for nobody but this process.
		o.DontListen, listen = false, "127.0.0.1:0"
		if o.Authorization == "" {
			o.Authorization = rand.Text()
		}
	}
	if listen != "" {
		if o.Host, o.Port, err = hostPort(listen); err != nil {
			return nil, err
		}
	}
	if c.Cluster == "" {
		return o, nil
	}
	o.Cluster.Name, o.Cluster.NoAdvertise, o.Cluster.PoolSize = "picket", true, -1
	if o.Cluster.Host, o.Cluster.Port, err = hostPort(c.Cluster); err != nil {
		return nil, err
	}
	if secret != "" {
		o.Cluster.Username, o.Cluster.Password = "picket", secret
	}
	if o.Cluster.TLSConfig, err = c.TLS.route(); err != nil {
		return nil, err
	}
	o.Cluster.TLSTimeout = 5
	for _, r := range c.Routes {
		u := &url.URL{Scheme: "nats-route", Host: r}
		if secret != "" {
			u.User = url.UserPassword("picket", secret)
		}
		o.Routes = append(o.Routes, u)
	}
	return o, nil
}

func hostPort(s string) (string, int, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return "", 0, fmt.Errorf("fleet: %q: want host:port", s)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("fleet: %q: want host:port", s)
	}
	if n == 0 {
		return host, server.RANDOM_PORT, nil
	}
	return host, int(n), nil
}

// readSecret reads the first line of a file; none for an empty path.
func readSecret(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("fleet: secret_file: %w", err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	if line = strings.TrimSpace(line); len(line) < 16 {
		return "", fmt.Errorf("fleet: secret_file: %s: want at least 16 characters on the first line", path)
	}
	return line, nil
}

// server is the configuration for those who connect to us; nil without files.
func (t TLS) server() (*tls.Config, error) {
	if t.Cert == "" {
		return nil, nil
	}
	c, err := t.client()
	if err != nil {
		return nil, err
	}
	if c.RootCAs != nil {
		c.ClientCAs, c.ClientAuth = c.RootCAs, tls.RequireAndVerifyClientCert
	}
	return c, nil
}

// route is the same for the other embedded servers, at both ends.
func (t TLS) route() (*tls.Config, error) { return t.server() }

// client is the configuration for those we connect to; nil without files.
func (t TLS) client() (*tls.Config, error) {
	if t == (TLS{}) {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.Cert != "" {
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, fmt.Errorf("fleet: tls: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, fmt.Errorf("fleet: tls: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("fleet: tls: %s: no certificate in it", t.CA)
		}
	}
	return c, nil
}

// serverLog hands what the server says to our log. Its notices are of no
// interest to an officer.
type serverLog struct{ log *slog.Logger }

func (l serverLog) Noticef(f string, v ...any) { l.log.Debug("nats: " + fmt.Sprintf(f, v...)) }
func (l serverLog) Warnf(f string, v ...any)   { l.log.Warn("nats: " + fmt.Sprintf(f, v...)) }
func (l serverLog) Errorf(f string, v ...any)  { l.log.Warn("nats: " + fmt.Sprintf(f, v...)) }
func (l serverLog) Fatalf(f string, v ...any)  { l.log.Error("nats: " + fmt.Sprintf(f, v...)) }
func (l serverLog) Debugf(string, ...any)      {}
func (l serverLog) Tracef(string, ...any)      {}
