package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"picket/lab"
	"picket/sensor/capture"
)

// TestPicketItself is picket, for tests that need it as a process of its own:
// its arguments are in PICKET_TEST_ARGS.
func TestPicketItself(t *testing.T) {
	args := os.Getenv("PICKET_TEST_ARGS")
	if args == "" {
		t.Skip("picket itself, for other tests")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	os.Exit(run(&app{ctx: ctx, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}, strings.Fields(args)))
}

// spanned is a client, a router and a server, with a span at the router.
type spanned struct {
	client, router, server *lab.Host
}

func newSpanned(t *testing.T) *spanned {
	t.Helper()
	n, err := lab.New()
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(n.Close)
	s := &spanned{mustHost(t, n, "client"), mustHost(t, n, "router"), mustHost(t, n, "server")}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Skip(err)
		}
	}
	must(n.Link(s.client, "eth0", s.router, "inside"))
	must(n.Link(s.server, "eth0", s.router, "outside"))
	must(n.Link(s.router, "mirror", s.router, "span0"))
	for _, c := range []struct {
		host *lab.Host
		line string
	}{
		{s.client, "addr add 10.20.0.5/24 dev eth0"}, {s.client, "route add default via 10.20.0.1"},
		{s.router, "addr add 10.20.0.1/24 dev inside"}, {s.router, "addr add 198.51.100.1/24 dev outside"},
		{s.server, "addr add 198.51.100.10/24 dev eth0"}, {s.server, "route add default via 198.51.100.1"},
	} {
		must(c.host.IP("%s", c.line))
	}
	if err := s.router.Command(t.Context(), "sysctl", "-qw", "net.ipv4.ip_forward=1").Run(); err != nil {
		t.Skip(err)
	}
	return s
}

// mirror copies what passes a port, ways of "ingress egress", to the span.
func (s *spanned) mirror(t *testing.T, port string, ways ...string) {
	t.Helper()
	lines := []string{"qdisc add dev " + port + " clsact"}
	for _, way := range ways {
		lines = append(lines, "filter add dev "+port+" "+way+" protocol all u32 match u32 0 0 action mirred egress mirror dev mirror")
	}
	for _, line := range lines {
		if out, err := s.router.Command(t.Context(), "tc", strings.Fields(line)...).CombinedOutput(); err != nil {
			t.Skipf("tc %s: %v %s", line, err, out)
		}
	}
}

// talk opens TLS connections from the client to the server and sends data, and
// asks the server for names.
func (s *spanned) talk(t *testing.T, stop <-chan struct{}) {
	secure := httptest.NewTLSServer(nil) // for its certificate alone
	certificates := secure.TLS.Certificates
	secure.Close()
	l, err := s.server.Listen("tcp", "198.51.100.10:443")
	if err != nil {
		t.Error(err)
		return
	}
	defer l.Close()
	go serveTLS(l, &tls.Config{Certificates: certificates})
	for {
		select {
		case <-stop:
			return
		default:
		}
		if c, err := s.client.Dial("tcp", "198.51.100.10:443"); err == nil {
			u := tls.Client(c, &tls.Config{ServerName: "www.example.com", InsecureSkipVerify: true})
			_, _ = u.Write(make([]byte, 40_000))
			_, _ = u.Read(make([]byte, 1))
			_ = u.Close()
		}
		if c, err := s.client.Dial("udp", "198.51.100.10:53"); err == nil {
			_, _ = c.Write(dnsMessage(1, "www.example.com", 1, netip.Addr{}))
			_ = c.Close()
		}
	}
}

func serveTLS(l net.Listener, c *tls.Config) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			u := tls.Server(conn, c)
			defer u.Close()
			_, _ = io.CopyN(io.Discard, u, 40_000)
			_, _ = u.Write([]byte("k"))
		}()
	}
}

// survey lets picket listen for a few seconds while the client talks.
func (s *spanned) survey(t *testing.T, flags string) surveyReport {
	t.Helper()
	stop, done := make(chan struct{}), make(chan struct{})
	go func() { defer close(done); s.talk(t, stop) }()
	defer func() { <-done }()
	defer close(stop)
	return s.listen(t, flags)
}

// listen is picket survey for a few seconds.
func (s *spanned) listen(t *testing.T, flags string) surveyReport {
	t.Helper()
	child := s.router.Command(t.Context(), os.Args[0], "-test.run=^TestPicketItself$")
	child.Env = append(os.Environ(), "PICKET_TEST_ARGS=survey -i span0 --for 4s --json "+flags)
	out, err := child.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var r surveyReport
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return r
}

func (p *surveyReport) mustSay(t *testing.T, grade, words string) {
	t.Helper()
	if !p.says(grade, words) {
		t.Errorf("not said: %s %q\n%+v", grade, words, p.Findings)
	}
}

func TestSurveyLive(t *testing.T) {
	t.Run("good", func(t *testing.T) {
		s := newSpanned(t)
		s.mirror(t, "inside", "ingress", "egress")
		r := s.survey(t, "")
		r.mustSay(t, "good", "both directions")
		r.mustSay(t, "good", "nothing was lost upstream")
		r.mustSay(t, "good", "the span is at the devices' own link")
		r.mustSay(t, "note", "no VLAN tags")
		if r.says("note", "frames come twice") || !strings.Contains(strings.Join(r.Cannot, "\n"), "devices by DHCP") {
			t.Errorf("%+v", r)
		}
		if !strings.Contains(strings.Join(r.Commands, "\n"), "ethtool -K span0") { // a veth has gro, gso and tso on
			t.Errorf("commands %q", r.Commands)
		}
	})
	t.Run("one direction", func(t *testing.T) {
		s := newSpanned(t)
		s.mirror(t, "inside", "ingress")
		r := s.survey(t, "")
		r.mustSay(t, "bad", "only one direction")
	})
	t.Run("doubles", func(t *testing.T) {
		s := newSpanned(t)
		s.mirror(t, "inside", "ingress", "egress")
		s.mirror(t, "outside", "ingress", "egress")
		r := s.survey(t, "")
		r.mustSay(t, "note", "frames come twice")
	})
	t.Run("loss", func(t *testing.T) {
		s := newSpanned(t)
		if out, err := s.router.Command(t.Context(), "tc", strings.Fields("qdisc add dev mirror root netem loss 20%")...).CombinedOutput(); err != nil {
			t.Skipf("netem: %v %s", err, out)
		}
		s.mirror(t, "inside", "ingress", "egress")
		r := s.survey(t, "")
		r.mustSay(t, "bad", "the span drops frames")
	})
	t.Run("truncated", func(t *testing.T) {
		s := newSpanned(t)
		s.mirror(t, "inside", "ingress", "egress")
		file := filepath.Join(t.TempDir(), "picket.yml")
		if err := os.WriteFile(file, []byte("capture: {snap_length: 256}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		r := s.survey(t, "-c "+file)
		r.mustSay(t, "bad", "of the frames were cut short")
	})
	t.Run("an ordinary port", func(t *testing.T) {
		s := newSpanned(t)
		r := s.crafted(t, func(w *script) {
			for range 20 {
				w.lease(deviceNumber(1), "phone")
				w.udp(deviceNumber(1), true, 5353, netip.MustParseAddrPort("224.0.0.251:5353"), dnsMessage(0, "_ipp._tcp.local", 12, netip.Addr{}))
			}
			for i := range w.frames { // a client that has no address yet asks everybody
				copy(w.frames[i].Data, "\xff\xff\xff\xff\xff\xff")
			}
		})
		r.mustSay(t, "bad", "as at any port that mirrors nothing")
		if r.says("good", "both directions") || r.says("good", "home_networks fit") {
			t.Errorf("%+v", r.Findings)
		}
	})
	t.Run("VLAN, DHCP, RADIUS", func(t *testing.T) {
		s := newSpanned(t)
		r := s.crafted(t, func(w *script) {
			for n := range byte(5) {
				d := deviceNumber(n)
				w.lease(d, "phone")
				w.accounts(d)
				w.resolve(d, "www.example.com", serverNoData)
				w.dial(d, 40000, serverInCN, true).say([]byte("hello"))
			}
			for i, f := range w.frames {
				w.frames[i].Data = append(append(append([]byte{}, f.Data[:12]...), 0x81, 0, 0, 110), f.Data[12:]...)
			}
		})
		r.mustSay(t, "good", "VLANs: 110")
		can := strings.Join(r.Can, "\n")
		for _, want := range []string{"devices by DHCP (10 messages, 5 leases)", "RADIUS accounting", "clients' own DNS (5 clients)"} {
			if !strings.Contains(can, want) {
				t.Errorf("no %q among %q", want, r.Can)
			}
		}
	})
	t.Run("silence", func(t *testing.T) {
		s := newSpanned(t)
		for _, end := range []string{"mirror", "span0"} { // no neighbour discovery of the port's own
			if err := s.router.IP("link set dev %s down", end); err != nil {
				t.Fatal(err)
			}
			if err := s.router.IP("link set dev %s addrgenmode none", end); err != nil {
				t.Skip(err)
			}
			if err := s.router.IP("link set dev %s up", end); err != nil {
				t.Fatal(err)
			}
		}
		child := s.router.Command(t.Context(), os.Args[0], "-test.run=^TestPicketItself$")
		child.Env = append(os.Environ(), "PICKET_TEST_ARGS=survey -i span0 --for 1s")
		out, _ := child.CombinedOutput()
		if !strings.Contains(string(out), "no frame arrived") {
			t.Errorf("%s", out)
		}
	})
}

// crafted sends crafted frames to the span while picket surveys it.
func (s *spanned) crafted(t *testing.T, write func(*script)) surveyReport {
	t.Helper()
	w := &script{}
	write(w)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		if err := s.router.Do(func() error { return sendFrames("mirror", w.frames, stop) }); err != nil {
			t.Error(err)
		}
	}()
	defer func() { <-done }()
	defer close(stop)
	return s.listen(t, "")
}

// sendFrames sends frames out of an interface, in the middle of a survey.
func sendFrames(name string, frames []capture.Frame, stop <-chan struct{}) error {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	select {
	case <-stop:
		return nil
	case <-time.After(2 * time.Second): // survey -i listens for 4
	}
	for _, f := range frames {
		if err := unix.Sendto(fd, f.Data, 0, &unix.SockaddrLinklayer{Ifindex: i.Index, Halen: 6}); err != nil {
			return err
		}
	}
	return nil
}
