package configs

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"

	"picket/alerts"
	"picket/fleet"
	"picket/geo"
	"picket/sensor"
	"picket/sensor/capture"
)

// Config is picket.yml.
type Config struct {
	Interfaces   []string                  `yaml:"interfaces"`
	Capture      capture.Config            `yaml:"capture"`
	HomeNetworks []Prefix                  `yaml:"home_networks"`
	NeverWatch   []Prefix                  `yaml:"never_watch"`
	Realms       map[string]sensor.Realm   `yaml:"realms"`
	Policies     []alerts.Policy           `yaml:"policies"`
	Groups       map[string][]string       `yaml:"maker_groups"`
	Countries    map[string][]geo.Country  `yaml:"country_groups"`
	Signatures   Signatures                `yaml:"signatures"`
	Geo          Geo                       `yaml:"geo"`
	Alertmanager alerts.AlertmanagerConfig `yaml:"alertmanager"`
	Web          Web                       `yaml:"web"`
	Leases       Leases                    `yaml:"leases"`
	Fleet        fleet.Config              `yaml:"fleet"`
	Canary       Canary                    `yaml:"canary"`
	Events       Events                    `yaml:"events"`
	Evidence     Evidence                  `yaml:"evidence"`
	Limits       Limits                    `yaml:"limits"`
	Log          Log                       `yaml:"log"`

	file    string // where it was read from, for messages
	source  []byte // as it was read
	written int    // policies that the file itself has
}

// Prefix is a network: 10.0.0.0/8.
type Prefix struct{ netip.Prefix }

// UnmarshalText reads a prefix, or an address as the prefix of itself.
func (p *Prefix) UnmarshalText(b []byte) error {
	q, err := alerts.ParsePrefix(string(b))
	p.Prefix = q.Prefix
	return err
}

// Signatures says where the site's own signature entries are.
type Signatures struct {
	Directory string `yaml:"directory"` // signatures.d, laid over the shipped ones
}

// Geo says what jurisdictions rest on.
type Geo struct {
	Databases []string           `yaml:"databases"` // mmdb files, cloud ranges, geofeeds; the first says the location
	Base      string             `yaml:"base"`      // stands in for the embedded database
	Overrides []geo.OverrideRule `yaml:"overrides"`
	NAT64     []Prefix           `yaml:"nat64"`
	UpdateURL string             `yaml:"update_url"` // of `picket geo update`
}

// Web is the endpoint for metrics and pages.
type Web struct {
	Listen      []string `yaml:"listen_addresses"`
	ConfigFile  string   `yaml:"config_file"`  // TLS and authentication, as exporter-toolkit reads it
	ExternalURL string   `yaml:"external_url"` // under which people reach it
	Reload      bool     `yaml:"reload"`       // POST /-/reload
	Map         string   `yaml:"map"`          // SVG with country codes as ids, drawn on the first page
	Pprof       bool     `yaml:"pprof"`        // profiles below /debug/pprof/
}

// Leases are what the network already knows of addresses.
type Leases struct {
	Dnsmasq []string `yaml:"dnsmasq"` // lease files
	Kea     []string `yaml:"kea"`     // memfile CSV
	Socket  string   `yaml:"socket"`  // unix socket for JSON lines
}

// Canary says how often a running sensor tests itself, alert included.
type Canary struct {
	Every alerts.Duration `yaml:"every"` // 0: never
}

// minCanary keeps the canary from being the load it watches for.
const minCanary = alerts.Duration(time.Minute)

// Limits bounds memory.
type Limits struct {
	Flows       int         `yaml:"flows"`
	Devices     int         `yaml:"devices"`
	StreamBytes alerts.Size `yaml:"stream_bytes"`
	Names       int         `yaml:"names"`
	Series      int         `yaml:"series"`
	Workers     int         `yaml:"workers"` // rings of each interface
}

// Log says what is logged.
type Log struct {
	Level  string `yaml:"level"`
	Format string `yaml:"format"`
}

// maxFile is more than any configuration has.
const maxFile = 4 << 20

// Load reads the configuration file at path over the defaults.
func Load(path string) (*Config, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("configuration: %s: more than %d bytes", path, maxFile)
	}
	return Parse(path, data)
}

// Parse reads the configuration in data; file names it in errors.
func Parse(file string, data []byte) (*Config, error) {
	c := Defaults()
	c.file, c.source = file, data
	if err := decode(file, data, c); err != nil {
		return nil, err
	}
	c.written = len(c.Policies)
	return c, c.validate(file, data)
}

// Defaults returns the configuration that is used where the file is silent:
// private networks are home, nobody is restricted.
func Defaults() *Config {
	c := &Config{Capture: capture.Default()}
	for _, p := range []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"} {
		c.HomeNetworks = append(c.HomeNetworks, Prefix{netip.MustParsePrefix(p)})
	}
	c.Web.Listen = []string{"127.0.0.1:9710"}
	c.Evidence = evidenceDefaults()
	c.Limits = Limits{Flows: 1 << 20, Devices: 200_000, StreamBytes: 64 << 20, Names: 1 << 18, Series: alerts.DefaultSeries, Workers: 1}
	c.Log = Log{Level: "info", Format: "text"}
	return c
}

// validate checks what single values cannot know.
func (c *Config) validate(file string, data []byte) error {
	at := func(path string, err error) error {
		return &Error{File: file, Line: lineOf(data, path), Key: strings.TrimPrefix(path, "$."), Err: err}
	}
	if err := c.Capture.Validate(); err != nil {
		return at("$.capture", err)
	}
	if _, err := sensor.NewRealms(c.Realms); err != nil {
		return at("$.realms", err)
	}
	if err := c.Alertmanager.Validate(); err != nil {
		return at("$.alertmanager", err)
	}
	if key, err := c.Evidence.check(); err != nil {
		return at("$.evidence."+key, err)
	}
	if err := c.Fleet.Validate(); err != nil {
		return at("$.fleet", err)
	}
	if c.Web.ExternalURL != "" {
		if u, err := url.Parse(c.Web.ExternalURL); err != nil || u.Host == "" {
			return at("$.web.external_url", fmt.Errorf("%q: want a URL, as https://picket.example/", c.Web.ExternalURL))
		}
	}
	names := map[string]bool{}
	for i := range c.Policies {
		p := &c.Policies[i]
		path := "$.policies[" + strconv.Itoa(i) + "]"
		if err := p.Validate(); err != nil {
			var f *alerts.FieldError
			if errors.As(err, &f) {
				return at(path+f.Path, f.Err)
			}
			return at(path, err)
		}
		if names[p.Name] {
			return at(path+".name", fmt.Errorf("two policies are called %q", p.Name))
		}
		names[p.Name] = true
	}
	for path, n := range map[string]int{"$.limits.flows": c.Limits.Flows, "$.limits.devices": c.Limits.Devices, "$.limits.names": c.Limits.Names} {
		if n < 1000 {
			return at(path, fmt.Errorf("%d: want at least 1000", n))
		}
	}
	if e := c.Canary.Every; e != 0 && e < minCanary {
		return at("$.canary.every", fmt.Errorf("%s: want 0 (never) or at least 1m", e))
	}
	if c.Limits.Workers < 1 || c.Limits.Workers > 256 {
		return at("$.limits.workers", fmt.Errorf("%d: want 1 to 256", c.Limits.Workers))
	}
	return nil
}

// Wrote reports that policy i stands in the file, and was not added by flags.
func (c *Config) Wrote(i int) bool { return i < c.written }

// At returns err with the place of path ("$.policies[0].name") in the file.
func (c *Config) At(path string, err error) error {
	return &Error{File: c.file, Line: lineOf(c.source, path), Key: strings.TrimPrefix(path, "$."), Err: err}
}

// File returns the name of the file that c was read from, empty for none.
func (c *Config) File() string { return c.file }

// lineOf finds the line of the value at path, or of the nearest level above
// it that is written down; 0 when there is none.
func lineOf(data []byte, path string) int {
	parsed, err := parser.ParseBytes(data, 0)
	if err != nil {
		return 0
	}
	for ; path != "$" && path != ""; path = parent(path) {
		p, err := yaml.PathString(path)
		if err != nil {
			continue
		}
		if node, err := p.FilterFile(parsed); err == nil && node != nil {
			return firstToken(node).Position.Line
		}
	}
	return 0
}

func parent(path string) string {
	if i := strings.LastIndexAny(path, ".["); i > 0 {
		return path[:i]
	}
	return ""
}

// Home returns the prefixes of the home networks.
func (c *Config) Home() []netip.Prefix { return plain(c.HomeNetworks) }

// Never returns the prefixes that are never watched.
func (c *Config) Never() []netip.Prefix { return plain(c.NeverWatch) }

// NAT64Prefixes returns the configured NAT64 prefixes.
func (c *Config) NAT64Prefixes() []netip.Prefix { return plain(c.Geo.NAT64) }

func plain(list []Prefix) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range list {
		out = append(out, p.Prefix)
	}
	return out
}

// secretKeys hold what must not be shown.
var secretKeys = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^(\s*-?\s*[\w-]*(?:password|credentials|bearer_token|secret|token)\s*:)[^\n]*$`)
})

// urlSecrets are user and password inside a URL.
var urlSecrets = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`://[^/@\s]+@`) })

// Redacted returns the file as it was read, secrets blanked; the defaults
// when there was none.
func (c *Config) Redacted() []byte {
	if c.source == nil {
		return Default()
	}
	out := secretKeys().ReplaceAll(c.source, []byte("$1 <secret>"))
	return urlSecrets().ReplaceAll(out, []byte("://<secret>@"))
}
