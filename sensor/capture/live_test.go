//go:build linux

package capture

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// inNamespace runs the calling test again, in a network namespace of its own
// with a pair of interfaces, wire and span, and reports whether this is that
// second run.
func inNamespace(t *testing.T) bool {
	t.Helper()
	if os.Getenv("CAPTURE_TEST_NAMESPACE") == t.Name() {
		return true
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root, for a network namespace")
	}
	const setUp = `mount -t sysfs sysfs /sys && echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6 &&
		echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6 &&
		ip link set lo up && ip link add wire type veth peer name span && ip link set wire up && ip link set span up &&
		exec "$0" "$@"`
	cmd := exec.Command("unshare", "--net", "--mount", "sh", "-c", setUp, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), "CAPTURE_TEST_NAMESPACE="+t.Name())
	out, err := cmd.CombinedOutput()
	switch {
	case err != nil && !strings.Contains(string(out), "=== RUN"):
		t.Skipf("cannot make a network namespace: %v\n%s", err, out)
	case err != nil:
		t.Errorf("%v\n%s", err, out)
	case testing.Verbose():
		t.Logf("%s", out)
	}
	return false
}

func command(t *testing.T, line string) {
	t.Helper()
	f := strings.Fields(line)
	if out, err := exec.Command(f[0], f[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", line, err, out)
	}
}

// sender sends frames out of wire, so that they arrive at span.
func sender(t *testing.T) func(frames ...string) {
	t.Helper()
	i, err := findInterface("wire", 0)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	to := &unix.SockaddrLinklayer{Ifindex: i.number, Halen: 6}
	return func(frames ...string) {
		for _, f := range frames {
			if err := unix.Sendto(fd, []byte(f), 0, to); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// drivers are those of this build.
func drivers() []Driver {
	if Libpcap {
		return []Driver{DriverRing, DriverLibpcap}
	}
	return []Driver{DriverRing}
}

func open(t *testing.T, driver Driver, workers int, change func(*Config)) []*Live {
	t.Helper()
	c := Default()
	c.Driver, c.RingSize, c.HomeNetworks = driver, 4<<20, home
	if change != nil {
		change(&c)
	}
	sources, err := Open(c, "span", 3, workers)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sources {
		t.Cleanup(s.Close)
	}
	return sources
}

// gather reads until want frames came, or nothing came for a while.
func gather(t *testing.T, l *Live, want int) (frames []Frame) {
	t.Helper()
	batch := make([]Frame, 64)
	for idle := 0; len(frames) < want && idle < 10; {
		n, err := l.Next(batch)
		if err != nil {
			t.Fatal(err)
		}
		if idle++; n > 0 {
			idle = 0
		}
		for _, f := range batch[:n] {
			f.Data = append([]byte(nil), f.Data...)
			frames = append(frames, f)
		}
	}
	return frames
}

func TestLive(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	for _, d := range drivers() {
		l := open(t, d, 1, nil)[0]
		send := sender(t)
		begin := time.Now()
		plain := ether(ip("10.1.2.3", "198.51.100.1", 6, ports(40000, 443)+strings.Repeat("p", 900)))
		tagged := ether(ip("10.1.2.3", "198.51.100.1", 6, ports(40000, 443)), etherVLAN, 42)
		for range 500 {
			send(plain)
		}
		send(tagged)
		frames := gather(t, l, 501)
		if len(frames) != 501 {
			t.Fatalf("%s: %d frames, want 501", d, len(frames))
		}
		f := frames[0]
		if at := time.Unix(0, f.At); string(f.Data) != plain || f.Wire != len(plain) || f.Link != LinkEthernet || f.Iface != 3 || at.Before(begin) || at.After(time.Now()) {
			t.Errorf("%s: first frame %d bytes, wire %d, link %d, interface %d, at %s", d, len(f.Data), f.Wire, f.Link, f.Iface, at)
		}
		f = frames[500]
		inData := string(f.Data) == tagged && f.TPID == 0
		inMeta := f.TPID == etherVLAN && f.TCI == 42 && string(f.Data) == tagged[:12]+tagged[16:]
		if d == DriverLibpcap && !inData || d == DriverRing && !inMeta {
			t.Errorf("%s: tagged frame: tag %#x %d, % x", d, f.TPID, f.TCI, f.Data[:18])
		}
		if s := l.Stats(); s.Frames != 501 || s.DroppedKernel != 0 || s.Gaps != 0 {
			t.Errorf("%s: %+v", d, s)
		}
		l.Close()
		l.Close()
		if _, err := l.Next(make([]Frame, 1)); err == nil {
			t.Errorf("%s: Next after Close gives no error", d)
		}
	}
}

// A batch smaller than what is there: the bytes stay until the next call.
func TestLiveLends(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	for _, d := range drivers() {
		l := open(t, d, 1, nil)[0]
		send := sender(t)
		for n := range 100 {
			send(ether(ip("10.1.2.3", "198.51.100.1", 6, fmt.Sprintf("%04d", n)+strings.Repeat("x", n*10))))
		}
		batch := make([]Frame, 7)
		for seen := 0; seen < 100; {
			n, err := l.Next(batch)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range batch[:n] {
				if got := string(f.Data[34:38]); got != fmt.Sprintf("%04d", seen) || len(f.Data) != 38+seen*10 {
					t.Fatalf("%s: frame %d is %q of %d bytes", d, seen, got, len(f.Data))
				}
				seen++
			}
		}
		l.Close()
	}
}

func TestInterfaceDownAndUp(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	for _, d := range drivers() {
		l := open(t, d, 1, nil)[0]
		frame := ether(ip("10.1.2.3", "198.51.100.1", 6, ports(40000, 443)))
		send := sender(t)
		send(frame)
		if n := len(gather(t, l, 1)); n != 1 {
			t.Fatalf("%s: %d frames at first", d, n)
		}
		command(t, "ip link set span down")
		until(t, l, func() bool { return l.Stats().Gaps == 1 })
		command(t, "ip link set span up")
		until(t, l, func() bool { return l.downAt.IsZero() })
		send(frame, frame)
		if n := len(gather(t, l, 2)); n != 2 {
			t.Errorf("%s: %d frames after it came up, want 2", d, n)
		}
		if s := l.Stats(); s.Gaps != 1 || s.Gap <= 0 {
			t.Errorf("%s: %+v", d, s)
		}
		l.Close()
	}
}

// Opened while it is down, it is read once it is up.
func TestInterfaceDownAtFirst(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	for _, d := range drivers() {
		command(t, "ip link set span down")
		l := open(t, d, 1, nil)[0]
		until(t, l, func() bool { return l.Stats().Gaps == 1 })
		command(t, "ip link set span up")
		until(t, l, func() bool { return l.downAt.IsZero() })
		sender(t)(ether(ip("10.1.2.3", "198.51.100.1", 6, ports(40000, 443))))
		if n := len(gather(t, l, 1)); n != 1 {
			t.Errorf("%s: %d frames after it came up, want 1", d, n)
		}
		l.Close()
	}
}

// until calls Next, which may wait, until done.
func until(t *testing.T, l *Live, done func() bool) {
	t.Helper()
	batch := make([]Frame, 8)
	for range 50 {
		if _, err := l.Next(batch); err != nil {
			t.Fatal(err)
		}
		if done() {
			return
		}
	}
	t.Fatalf("%s: no end; %+v", l.Driver(), l.Stats())
}

func TestInterfaceDeleted(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	for _, again := range []bool{false, true} {
		for _, d := range drivers() {
			l := open(t, d, 1, nil)[0]
			command(t, "ip link del wire")
			if again {
				command(t, "ip link add wire type veth peer name span")
				command(t, "ip link set wire up")
				command(t, "ip link set span up")
			}
			var err error
			batch := make([]Frame, 8)
			for n := 0; n < 50 && err == nil; n++ {
				_, err = l.Next(batch)
			}
			if !errors.Is(err, ErrInterfaceGone) || !strings.HasPrefix(err.Error(), "span: ") {
				t.Errorf("%s, made anew %v: %v", d, again, err)
			}
			if !again {
				command(t, "ip link add wire type veth peer name span")
				command(t, "ip link set wire up")
				command(t, "ip link set span up")
			}
		}
	}
}

func TestLoopbackIsSeenOnce(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	for _, d := range drivers() {
		c := Default()
		c.Driver, c.RingSize = d, 1<<20
		sources, err := Open(c, "lo", 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		to, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, err := to.WriteTo([]byte("hello"), to.LocalAddr()); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(gather(t, sources[0], 6)); n != 3 {
			t.Errorf("%s: %d frames of 3 datagrams", d, n)
		}
		sources[0].Close()
	}
}

// Privileges are dropped for this thread alone, which ends with the test.
func TestPrivileges(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	for _, d := range drivers() {
		for _, c := range []struct {
			keep uint32
			want error
		}{{1 << unix.CAP_NET_RAW, nil}, {0, ErrPermission}} {
			result := make(chan error)
			go func() {
				runtime.LockOSThread()
				header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
				data := [2]unix.CapUserData{{Effective: c.keep, Permitted: c.keep}}
				if err := unix.Capset(&header, &data[0]); err != nil {
					result <- err
					return
				}
				config := Default()
				config.Driver, config.RingSize = d, 1<<20
				sources, err := Open(config, "span", 0, 1)
				for _, s := range sources {
					s.Close()
				}
				result <- err
			}()
			if err := <-result; !errors.Is(err, c.want) {
				t.Errorf("%s with capabilities %#x: %v, want %v", d, c.keep, err, c.want)
			}
		}
	}
}
