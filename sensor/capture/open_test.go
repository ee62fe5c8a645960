package capture

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/goccy/go-yaml"
)

func TestUnknownInterface(t *testing.T) {
	for _, name := range []string{"eth99", "../../etc", "", strings.Repeat("x", 40)} {
		_, err := Open(Default(), name, 0, 1)
		if err == nil || !strings.Contains(err.Error(), "no interface ") || !strings.Contains(err.Error(), "there are ") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestFilterMistake(t *testing.T) {
	err := CheckFilter("prot 80")
	switch {
	case Libpcap && (err == nil || !strings.HasPrefix(err.Error(), `filter "prot 80": `) || strings.Contains(err.Error(), "\n")):
		t.Errorf("%v", err)
	case !Libpcap && !errors.Is(err, ErrNoLibpcap):
		t.Errorf("%v", err)
	}
	if err := CheckFilter(""); err != nil {
		t.Error(err)
	}
	if err := CheckFilter("tcp port 443"); Libpcap && err != nil {
		t.Error(err)
	}
}

func TestConfig(t *testing.T) {
	c := Default()
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	text := "driver: ring\nring_size: 128MiB\nsnap_length: 96\nfilter: tcp\npromiscuous: false\nignore_outgoing: true\nfanout: hash\ntunnel: capwap\nrestraint: false\n"
	if err := yaml.UnmarshalWithOptions([]byte(text), &c, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	if c.Driver != DriverRing || c.RingSize != 128<<20 || c.SnapLength != 96 || c.Filter != "tcp" || c.Promiscuous || !c.IgnoreOutgoing || c.Fanout != FanoutHash || c.Tunnel != TunnelCAPWAP || c.Restraint {
		t.Errorf("%+v", c)
	}
	for _, bad := range []string{"driver: dpdk", "ring_size: lots", "ring_size: -1MiB", "ring_size: 99999999999GiB", "fanout: cpu", "tunnel: mpls"} {
		c := Default()
		if err := yaml.Unmarshal([]byte(bad), &c); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
	for _, change := range []func(*Config){
		func(c *Config) { c.RingSize = 1 }, func(c *Config) { c.SnapLength = 10 }, func(c *Config) { c.SnapLength = 1 << 20 },
	} {
		c := Default()
		if change(&c); c.Validate() == nil {
			t.Errorf("%+v: no error", c)
		}
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]Size{"0": 0, "1500": 1500, "1500B": 1500, "64MiB": 64 << 20, "2 GiB": 2 << 30, "500kB": 500000} {
		var s Size
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%q: %d, %v", text, s, err)
		}
	}
	for s, want := range map[Size]string{64 << 20: "64MiB", 1 << 30: "1GiB", 1500: "1500B", 0: "0B", 1536: "1536B"} {
		if s.String() != want {
			t.Errorf("%d: %s, want %s", int64(s), s, want)
		}
	}
}

func TestInterfaceDrops(t *testing.T) {
	i := &iface{name: "eth1",
		sys: fstest.MapFS{
			"eth1/statistics/rx_dropped":       {Data: []byte("5\n")},
			"eth1/statistics/rx_missed_errors": {Data: []byte("70\n")},
		},
		proc: fstest.MapFS{"softnet_stat": {Data: []byte("0000aaaa 00000010 00000000\n0000bbbb 00000001 00000003\n")}},
	}
	if d := i.drops(); d.device != 75 || d.softnet != 17 {
		t.Errorf("%+v", d)
	}
	none := &iface{name: "eth1", sys: fstest.MapFS{}, proc: fstest.MapFS{}}
	if d := none.drops(); d != (interfaceDrops{}) {
		t.Errorf("%+v", d)
	}
}

func TestFamily(t *testing.T) {
	mixed := []netip.Prefix{netip.MustParsePrefix("::ffff:10.0.0.0/104"), netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00::/8")}
	if v4, v6 := family(mixed, true), family(mixed, false); len(v4) != 2 || v4[0].String() != "10.0.0.0/8" || len(v6) != 1 {
		t.Errorf("%v %v", v4, v6)
	}
}
