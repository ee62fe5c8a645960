package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"picket/lab"
)

// TestSmallRing gives a whole sensor a ring that is far too small for its
// load. Every frame that was sent is either received or counted as dropped; a
// handset among them is still found; and memory does not grow with the load.
func TestSmallRing(t *testing.T) {
	n, err := lab.New()
	if err != nil {
		t.Skip(err)
	}
	defer n.Close()
	host, far := mustHost(t, n, "sensor"), mustHost(t, n, "switch")
	if err := n.Link(host, "span0", far, "mirror"); err != nil {
		t.Skip(err)
	}
	for _, end := range []struct {
		host *lab.Host
		name string
	}{{host, "span0"}, {far, "mirror"}} { // no frame but ours
		if err := end.host.Command(t.Context(), "sysctl", "-qw", "net.ipv6.conf."+end.name+".disable_ipv6=1").Run(); err != nil {
			t.Skip(err)
		}
		if err := end.host.IP("link set dev %s arp off multicast off", end.name); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "picket.yml")
	text := "interfaces: [span0]\ncapture: {driver: ring, ring_size: 256KiB}\nlimits: {flows: 8192, devices: 2000, names: 4096, stream_bytes: 8MiB}\n" +
		"policies: [{name: p, severity: page, devices: {makers: [xiaomi]}, restricted: {countries: [CN]}}]\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	child := host.Command(t.Context(), os.Args[0], "-test.run=^TestPicketItself$")
	child.Env = append(os.Environ(), "PICKET_TEST_ARGS=run -c "+config+" --web.listen-address=127.0.0.1:9710 --state "+filepath.Join(dir, "state"))
	child.Stderr = log
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Process.Kill()
	page := metricsOf(host)
	until(t, log.Name(), func() bool { return page.sum("picket_capture_frames_total") == 0 })

	sent, half := 0, 0.0
	if err := far.Do(func() (err error) {
		sent, err = overload("mirror", 6*time.Second, func() { half = page.sum("process_resident_memory_bytes") })
		return err
	}); err != nil {
		t.Fatal(err)
	}
	until(t, log.Name(), func() bool { return page.sum("picket_episodes_total") > 0 })
	var received, dropped, lost float64
	count := func() bool { // drops are read from the kernel now and then
		received = page.sum("picket_capture_frames_total")
		dropped = page.sum(`picket_capture_dropped_frames_total{interface="span0",where="kernel"}`)
		lost = page.sum(`picket_capture_dropped_frames_total{interface="span0",where="interface"}`)
		return received+dropped+lost >= float64(sent)
	}
	for deadline := time.Now().Add(10 * time.Second); !count() && time.Now().Before(deadline); {
		time.Sleep(50 * time.Millisecond)
	}
	rss := page.sum("process_resident_memory_bytes")
	t.Logf("%d frames sent: %.0f received, %.0f dropped by the ring, %.0f by the interface; %.0f MiB resident, %.0f half way", sent, received, dropped, lost, rss/(1<<20), half/(1<<20))
	if received+dropped+lost != float64(sent) || dropped == 0 {
		t.Errorf("%.0f of %d frames are accounted for", received+dropped+lost, sent)
	}
	if rss > 1.2*half+16<<20 {
		t.Errorf("%.0f MiB half way, %.0f MiB at the end", half/(1<<20), rss/(1<<20))
	}
	if err := child.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); err != nil {
		t.Error(err)
	}
}

// overload sends as fast as it can: a new conversation with each frame, and a
// prohibited handset's traffic again and again between them.
func overload(name string, lasts time.Duration, half func()) (sent int, err error) {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return 0, err
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	to := &unix.SockaddrLinklayer{Ifindex: i.Index, Halen: 6}
	began, r, halved := time.Now(), rand.New(rand.NewPCG(1, 2)), false
	for port := uint16(20000); time.Since(began) < lasts; port++ {
		s := &script{}
		for range 2000 {
			var b [4]byte
			binary.BigEndian.PutUint32(b[:], r.Uint32())
			d := scriptDevice{[6]byte{2, 9, b[0], b[1], b[2], b[3]}, netip.AddrFrom4([4]byte{10, b[1], b[2], b[3]})}
			s.dial(d, 40000, netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, b[0]}), 443), false)
		}
		phone := deviceNumber(50)
		s.certain(phone)
		s.dial(phone, port, serverInCN, true).say(make([]byte, 1000))
		for _, f := range s.frames {
			if err := unix.Sendto(fd, f.Data, 0, to); err != nil {
				return sent, err
			}
			sent++
		}
		if !halved && time.Since(began) > lasts/2 {
			halved = true
			half()
		}
	}
	return sent, nil
}

// scraped reads the metrics page of a sensor in a namespace.
type scraped struct{ client http.Client }

func metricsOf(h *lab.Host) *scraped {
	dial := func(_ context.Context, network, addr string) (net.Conn, error) { return h.Dial(network, addr) }
	return &scraped{http.Client{Transport: &http.Transport{DialContext: dial}}}
}

// sum adds up the series that begin with prefix; -1 when there is no page.
func (s *scraped) sum(prefix string) (sum float64) {
	r, err := s.client.Get("http://127.0.0.1:9710/metrics")
	if err != nil {
		return -1
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return -1
	}
	for _, m := range regexp.MustCompile("(?m)^"+regexp.QuoteMeta(prefix)+`\S* (\S+)$`).FindAllSubmatch(b, -1) {
		v, err := strconv.ParseFloat(string(m[1]), 64)
		if err != nil {
			panic(fmt.Sprintf("%s: %v", m[0], err))
		}
		sum += v
	}
	return sum
}
