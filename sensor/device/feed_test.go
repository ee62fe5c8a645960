package device

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"picket/sensor/observation"
)

func TestParseDnsmasqLine(t *testing.T) {
	for line, want := range map[string]struct {
		err       error
		addr, mac string
		to        int64
	}{
		"1772438400 f4:8b:32:00:00:01 192.168.1.20 Redmi-Note-12 01:f4:8b:32:00:00:01": {nil, "192.168.1.20", "f4:8b:32:00:00:01", 1772438400},
		"0 5a:11:22:33:44:01 10.0.0.9 * *":                                             {nil, "10.0.0.9", "5a:11:22:33:44:01", 0},
		"1772438400 20-5a:11:22:33:44:01 10.0.0.9 * *":                                 {nil, "10.0.0.9", "5a:11:22:33:44:01", 1772438400},
		"duid 00:01:00:01:2a:3b:4c:5d:0a:1b:2c:3d:4e:5f":                               {err: ErrNoLease},
		"1772438400 1683424 fd00::20 phone 00:01:00:01:2a:3b":                          {err: ErrNoLease},
		"":                                   {err: ErrNoLease},
		"1772438400":                         {err: ErrLine},
		"x f4:8b:32:00:00:01 10.0.0.1 * *":   {err: ErrLine},
		"-1 f4:8b:32:00:00:01 10.0.0.1 * *":  {err: ErrLine},
		"1 f4:8b:32:00:00:0g 10.0.0.1 * *":   {err: ErrLine},
		"1 f4:8b:32:00:00:01 10.0.0.256 * *": {err: ErrLine},
		"9999999999999 f4:8b:32:00:00:01 10.0.0.1 * *":    {err: ErrLine},
		"1772438400 00:00:00:00:00:00 10.0.0.1 * *":       {err: ErrLine},
		"1772438400 f4:8b:32:00:00:01 fe80::1%eth0 a b":   {err: ErrLine},
		"1772438400 f4:8b:32:00:00:01 10.0.0.1 * * extra": {err: ErrLine},
	} {
		b, err := ParseDnsmasqLine(line)
		if !errors.Is(err, want.err) {
			t.Errorf("%q: %v, want %v", line, err, want.err)
			continue
		}
		if err == nil && (b.Addr != addrOf(want.addr) || b.MAC != mac(want.mac) || b.Source != "lease-file" || nanos(b.To) != want.to*1e9) {
			t.Errorf("%q: %+v", line, b)
		}
	}
}

const keaFile = `address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id
10.0.0.5,f4:8b:32:00:00:01,01:f4:8b:32:00:00:01,3600,1772442000,1,0,0,redmi,0,,0
10.0.0.6,5c:0a:5b:00:00:02,,3600,1772442000,1,0,0,,0,,0
10.0.0.6,5c:0a:5b:00:00:02,,3600,1772442000,1,0,0,,3,,0
10.0.0.7,,,3600,1772442000,1,0,0,,1,,0
not an address,5c:0a:5b:00:00:02,,3600,1772442000,1,0,0,,0,,0
10.0.0.8,5c:0a:5b:00:00:02,,3600
`

func TestKeaLeases(t *testing.T) {
	var k KeaLeases
	var got []string
	for _, line := range strings.Split(keaFile, "\n") {
		b, err := k.ParseLine(line)
		switch {
		case errors.Is(err, ErrNoLease):
			got = append(got, "none")
		case err != nil:
			got = append(got, "bad")
		default:
			got = append(got, b.Addr.String()+" "+macText(b.MAC)+map[bool]string{true: " stop"}[b.Stop])
		}
	}
	want := "none|10.0.0.5 f4:8b:32:00:00:01|10.0.0.6 5c:0a:5b:00:00:02|10.0.0.6 5c:0a:5b:00:00:02 stop|none|bad|bad|none"
	if s := strings.Join(got, "|"); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	b, _ := k.ParseLine("10.0.0.5,f4:8b:32:00:00:01,,3600,1772442000,1,0,0,x,0,,0")
	if b.From.Unix() != 1772438400 || b.To.Unix() != 1772442000 {
		t.Errorf("lease from %v to %v", b.From, b.To)
	}
	var headless KeaLeases
	if _, err := headless.ParseLine("10.0.0.5,f4:8b:32:00:00:01,,3600,1772442000,1,0,0,x,0,,0"); !errors.Is(err, ErrLine) {
		t.Errorf("without a header: %v", err)
	}
}

func TestParseFeedLine(t *testing.T) {
	realm, b, err := ParseFeedLine([]byte(`{"realm":"guests","addr":"10.0.0.5","mac":"F4-8B-32-00-00-01","from":"2026-03-02T08:00:00Z","to":1772442000,"place":{"ap":"ap-12","ssid":"eduroam","switch":"sw2","port":"7","vlan":30}}`))
	if err != nil || realm != "guests" || b.MAC != mac(phone) || !b.From.Equal(start) || b.To.Unix() != 1772442000 {
		t.Fatalf("%q %+v %v", realm, b, err)
	}
	if want := (observation.Place{AccessPoint: "ap-12", SSID: "eduroam", Switch: "sw2", Port: "7", VLAN: 30, Source: "feed"}); b.Place != want {
		t.Errorf("place %+v, want %+v", b.Place, want)
	}
	if _, b, err = ParseFeedLine([]byte(`{"addr":"fd00::5","place":"library, 2nd floor"}`)); err != nil || b.Place.AccessPoint != "library, 2nd floor" {
		t.Errorf("a place in words: %+v %v", b, err)
	}
	good := `{"addr":"10.0.0.5","mac":"f4:8b:32:00:00:01"}`
	for n := range good {
		if _, _, err := ParseFeedLine([]byte(good[:n])); !errors.Is(err, ErrLine) {
			t.Errorf("first %d bytes: %v, want ErrLine", n, err)
		}
	}
	for _, bad := range []string{`[]`, `{}`, `{"addr":"10.0.0.5"}`, `{"addr":"10.0.0.5","mac":"x"}`, `{"addr":"10.0.0.5","mac":"f4:8b:32:00:00:01","from":-1}`,
		`{"addr":"10.0.0.5","mac":"f4:8b:32:00:00:01","from":"yesterday"}`, `{"addr":"10.0.0.5","mac":"f4:8b:32:00:00:01","from":true}`,
		`{"addr":"10.0.0.5","mac":"f4:8b:32:00:00:01","from":200,"to":100}`, `{"addr":"10.0.0.5","place":"` + strings.Repeat("x", 65) + `"}`,
		`{"addr":"10.0.0.5","place":{"vlan":70000}}`, `{"addr":"10.0.0.5","place":{"ap":"` + strings.Repeat("x", 65) + `"}}`} {
		if _, _, err := ParseFeedLine([]byte(bad)); !errors.Is(err, ErrLine) {
			t.Errorf("%.60s: %v, want ErrLine", bad, err)
		}
	}
}

func FuzzParseDnsmasqLine(f *testing.F) {
	f.Add("1772438400 f4:8b:32:00:00:01 192.168.1.20 Redmi-Note-12 01:f4:8b:32:00:00:01")
	f.Add("duid 00:01")
	f.Add("1772438400 T1683424 fd00::20 phone 00:01")
	f.Fuzz(func(t *testing.T, line string) {
		if b, err := ParseDnsmasqLine(line); err == nil && (!b.Addr.IsValid() || b.MAC == zeroMAC) {
			t.Errorf("%q: %+v", line, b)
		}
	})
}

func FuzzKeaLeases(f *testing.F) {
	f.Add(keaFile)
	f.Add("address,hwaddr,expire\n10.0.0.1,00:00:00:00:00:01,1\n")
	f.Fuzz(func(t *testing.T, file string) {
		var k KeaLeases
		for _, line := range strings.Split(file, "\n") {
			if b, err := k.ParseLine(line); err == nil && (!b.Addr.IsValid() || b.MAC == zeroMAC) {
				t.Errorf("%q: %+v", line, b)
			}
		}
	})
}

func FuzzParseFeedLine(f *testing.F) {
	f.Add([]byte(`{"realm":"guests","addr":"10.0.0.5","mac":"f4:8b:32:00:00:01","from":"2026-03-02T08:00:00Z","to":1772442000,"place":{"ap":"ap-12"}}`))
	f.Add([]byte(`{"addr":"fd00::5","place":"library"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		if _, b, err := ParseFeedLine(line); err == nil && (!b.Addr.IsValid() || !b.To.IsZero() && b.To.Before(b.From)) {
			t.Errorf("%q: %+v", line, b)
		}
	})
}

func TestFeedReadsFilesAndTheSocket(t *testing.T) {
	dir := t.TempDir()
	leases := filepath.Join(dir, "dnsmasq.leases")
	if err := os.WriteFile(leases, []byte("1772438400 f4:8b:32:00:00:01 192.168.1.20 * *\nrubbish\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	kea := filepath.Join(dir, "kea.csv")
	if err := os.WriteFile(kea, []byte(keaFile), 0o600); err != nil {
		t.Fatal(err)
	}
	out := make(chan []observation.Observation)
	socket := filepath.Join(dir, "feed")
	f := &Feed{
		Leases: []LeaseFile{{Path: leases, Realm: "lab"}, {Path: kea, Kea: true}, {Path: filepath.Join(dir, "absent")}},
		Socket: socket, Realm: "default", Now: func() time.Time { return start }, Out: out, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()

	if b := <-out; len(b) != 1 || b[0].Realm != "lab" || b[0].Binding.MAC != mac(phone) {
		t.Errorf("from dnsmasq: %+v", b)
	}
	if b := <-out; len(b) != 3 || !b[2].Binding.Stop {
		t.Errorf("from Kea: %+v", b)
	}
	c, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "nonsense\n"+`{"addr":"10.0.0.5","place":"library"}`+"\n"); err != nil {
		t.Fatal(err)
	}
	b := <-out
	if o := b[0]; o.Kind != observation.Binding || o.Realm != "default" || o.Binding.Place.AccessPoint != "library" || !o.Binding.Place.At.Equal(start) {
		t.Errorf("from the socket: %+v", o)
	}
	if _, refused := f.Counts(); refused != 4 {
		t.Errorf("%d lines refused, want 4", refused)
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
	c.Close()
}

func TestStatedBindings(t *testing.T) {
	b := newBench(t, Config{})
	tell := func(s observation.BindingSeen) {
		b.table.Observe(&observation.Observation{Kind: observation.Binding, At: b.now, Binding: &s})
	}
	x := b.hello("", "10.0.0.5", "", "update.miui.example") // beyond a router
	b.wait(time.Minute)
	tell(observation.BindingSeen{Source: "radius", Addr: addrOf("10.0.0.5"), MAC: mac(phone), From: b.now,
		Place: observation.Place{AccessPoint: "ap-3", SSID: "eduroam", Source: "radius", At: b.now}})
	y := b.hello("", "10.0.0.5", "", "")
	b.mustDiffer(x, y, "frames beyond a router do not say that it was this one before")
	if w := b.table.View(y).Where(); !strings.HasPrefix(w, "access point ap-3, SSID eduroam (radius, ") {
		t.Errorf("place %q", w)
	}
	b.wait(time.Minute)
	tell(observation.BindingSeen{Source: "lease-file", Addr: addrOf("10.0.0.5"), MAC: mac(other), From: start}) // older than what is known
	b.mustBe(b.hello("", "10.0.0.5", "", ""), y, "a statement from before")
	tell(observation.BindingSeen{Source: "radius", Addr: addrOf("10.0.0.5"), MAC: mac(phone), Stop: true})
	b.wait(time.Hour)
	tell(observation.BindingSeen{Source: "feed", Addr: addrOf("10.0.0.5"), MAC: mac(other), From: b.now})
	b.mustDiffer(b.hello("", "10.0.0.5", "", ""), y, "the next holder")
}
