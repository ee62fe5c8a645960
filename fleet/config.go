package fleet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"sync"
	"time"

	"picket/alerts"
)

// The ways to be part of a fleet.
const (
	Off      = "off"      // a sensor alone; the default
	Embedded = "embedded" // the sensor runs a NATS server inside itself
	URL      = "url"      // it joins an existing NATS cluster
)

// Config is the key fleet of picket.yml.
type Config struct {
	Mode        string          `yaml:"mode"`        // off, embedded, url
	Name        string          `yaml:"name"`        // of this sensor, unique in the fleet: letters, digits, - and _
	Listen      string          `yaml:"listen"`      // embedded: host:port for other sensors that join by url, and for `picket fleet status`
	Cluster     string          `yaml:"cluster"`     // embedded: host:port for the other embedded servers
	Routes      []string        `yaml:"routes"`      // embedded: cluster addresses of the others, host:port
	URLs        []string        `yaml:"urls"`        // url: nats:// or tls:// addresses of the cluster
	Credentials string          `yaml:"credentials"` // url: NATS credentials file
	SecretFile  string          `yaml:"secret_file"` // one line that all sensors of the fleet share; needed where a port is open to others
	TLS         TLS             `yaml:"tls"`
	Replicas    int             `yaml:"replicas"`     // copies of each stream: 1, 3 or 5; default 3 with two routes or more, else 1
	Share       []string        `yaml:"share_realms"` // realms that mean the same network here and at every sensor that lists them too
	MaxStore    alerts.Size     `yaml:"max_store"`    // of the embedded server's disk; default 1 GiB
	MaxQueue    int             `yaml:"max_queue"`    // things that wait on disk for the cluster; default 1,000,000
	MaxSkew     alerts.Duration `yaml:"max_skew"`     // how far another sensor's clock may be off for its leases to count; default 2s, at most that
}

// TLS names the files for connections between sensors. With a CA file, both
// sides prove who they are.
type TLS struct {
	Cert string `yaml:"cert_file"`
	Key  string `yaml:"key_file"`
	CA   string `yaml:"ca_file"`
}

const (
	defaultStore = alerts.Size(1 << 30)
	minStore     = alerts.Size(64 << 20)
	defaultQueue = 1_000_000
	// maxSkew is the moment within which package device lets the stronger of
	// two claims of an address win: clocks further apart would give a lease
	// to whoever's clock is ahead.
	maxSkew = alerts.Duration(2 * time.Second)
)

// Directory is below the state directory: the streams of an embedded server.
const Directory = "fleet"

// Files names what is read while the sensor runs: at every connection.
func (c *Config) Files() []string {
	out := []string{}
	for _, f := range [...]string{c.Credentials, c.SecretFile, c.TLS.Cert, c.TLS.Key, c.TLS.CA} {
		if f != "" {
			out = append(out, f)
		}
	}
	return out
}

// Enabled reports that this sensor is part of a fleet.
func (c *Config) Enabled() bool { return c.Mode != "" && c.Mode != Off }

// filled is c with the defaults where it is silent.
func (c Config) filled() Config {
	if c.Replicas == 0 {
		c.Replicas = 1
		if c.Mode == Embedded && len(c.Routes) >= 2 || c.Mode == URL && len(c.URLs) >= 3 {
			c.Replicas = 3
		}
	}
	c.MaxStore, c.MaxQueue, c.MaxSkew = or(c.MaxStore, defaultStore), or(c.MaxQueue, defaultQueue), or(c.MaxSkew, maxSkew)
	return c
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// goodName: what may be one token of a subject and a key of a bucket.
var goodName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`) })

// Validate says what is wrong with c, in the words of the file.
func (c *Config) Validate() error {
	if !c.Enabled() {
		return nil
	}
	if !goodName().MatchString(c.Name) {
		return fmt.Errorf("name %q: want 1 to 64 letters, digits, - or _, unique in the fleet", c.Name)
	}
	if !slices.Contains([]int{0, 1, 3, 5}, c.Replicas) {
		return fmt.Errorf("replicas: %d: want 1, 3 or 5", c.Replicas)
	}
	if c.MaxStore != 0 && c.MaxStore < minStore {
		return fmt.Errorf("max_store: %d: want at least %s", c.MaxStore, minStore)
	}
	if c.MaxQueue < 0 || c.MaxQueue > 0 && c.MaxQueue < 1000 {
		return fmt.Errorf("max_queue: %d: want at least 1000", c.MaxQueue)
	}
	if c.MaxSkew < 0 || c.MaxSkew > maxSkew {
		return fmt.Errorf("max_skew: %s: want at most %s: within it the stronger of two claims of an address wins", c.MaxSkew, maxSkew)
	}
	for _, r := range c.Share {
		if !goodName().MatchString(r) {
			return fmt.Errorf("share_realms: %q: want 1 to 64 letters, digits, - or _", r)
		}
	}
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		return errors.New("tls: cert_file and key_file go together")
	}
	switch c.Mode {
	case Embedded:
		return c.validateEmbedded()
	case URL:
		return c.validateURL()
	}
	return fmt.Errorf("mode %q: want off, embedded or url", c.Mode)
}

func (c *Config) validateEmbedded() error {
	if len(c.URLs) > 0 || c.Credentials != "" {
		return errors.New("urls and credentials belong to mode url")
	}
	if len(c.Routes) > 0 && c.Cluster == "" {
		return errors.New("routes need cluster: where the others reach this sensor")
	}
	for _, r := range c.Routes {
		if _, _, err := net.SplitHostPort(r); err != nil {
			return fmt.Errorf("routes: %q: want host:port", r)
		}
	}
	for key, addr := range map[string]string{"listen": c.Listen, "cluster": c.Cluster} {
		if addr == "" {
			continue
		}
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return fmt.Errorf("%s: %q: want host:port", key, addr)
		}
		if a, err := netip.ParseAddr(host); (err != nil || !a.IsLoopback()) && c.SecretFile == "" {
			return fmt.Errorf("%s: %s is open to others: secret_file is needed", key, addr)
		}
	}
	if c.Replicas > 1 && len(c.Routes)+1 < c.Replicas {
		return fmt.Errorf("replicas: %d copies need as many sensors: name the others in routes", c.Replicas)
	}
	return nil
}

func (c *Config) validateURL() error {
	if len(c.URLs) == 0 {
		return errors.New("urls: where is the cluster? nats://host:4222")
	}
	if c.Listen != "" || c.Cluster != "" || len(c.Routes) > 0 {
		return errors.New("listen, cluster and routes belong to mode embedded")
	}
	for _, raw := range c.URLs {
		if u, err := url.Parse(raw); err != nil || u.Host == "" || u.Scheme != "nats" && u.Scheme != "tls" {
			return fmt.Errorf("urls: %q: want nats://host:port or tls://host:port", raw)
		} else if u.User != nil {
			return errors.New("urls: no password in a URL: use credentials or secret_file")
		}
	}
	return nil
}
