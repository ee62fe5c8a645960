package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"picket/lab"
)

// TestSpanStaysSilent counts what leaves the span interface while a real
// picket starts, runs, reloads and stops on it: nothing may. It also shows
// that the process drains in time.
func TestSpanStaysSilent(t *testing.T) {
	if os.Getenv("PICKET_TEST_SILENT") != "" { // the child: picket itself
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		os.Exit(run(&app{ctx: ctx, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}, strings.Fields(os.Getenv("PICKET_TEST_SILENT"))))
	}
	n, err := lab.New()
	if err != nil {
		t.Skip(err)
	}
	defer n.Close()
	sensor, far := mustHost(t, n, "sensor"), mustHost(t, n, "switch")
	if err := n.Link(sensor, "span0", far, "mirror"); err != nil {
		t.Skip(err)
	}
	// As the shipped networkd file and docs/tap.md configure it.
	for _, c := range []string{"link set dev span0 down", "link set dev span0 arp off multicast off addrgenmode none", "link set dev span0 up"} {
		if err := sensor.IP("%s", c); err != nil {
			t.Fatal(err)
		}
	}
	before := sentFrames(t, sensor)
	state := t.TempDir()
	child := sensor.Command(t.Context(), os.Args[0], "-test.run=^TestSpanStaysSilent$")
	child.Env = append(os.Environ(), "PICKET_TEST_SILENT=run -i span0 --prohibit xiaomi --restrict CN --web.listen-address=127.0.0.1:9710 --state "+filepath.Join(state, "s"))
	log, err := os.Create(filepath.Join(state, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	child.Stderr = log
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DialContext: func(_ context.Context, network, addr string) (net.Conn, error) { return sensor.Dial(network, addr) }}}
	logged := func(words string) func() bool {
		return func() bool {
			b, _ := os.ReadFile(log.Name())
			return strings.Contains(string(b), words)
		}
	}
	ready := func() bool {
		r, err := client.Get("http://127.0.0.1:9710/-/ready")
		if err != nil {
			return false
		}
		defer r.Body.Close()
		_, _ = io.Copy(io.Discard, r.Body)
		return r.StatusCode == http.StatusOK
	}
	until(t, log.Name(), ready)
	if err := child.Process.Signal(syscall.SIGHUP); err != nil { // ip netns exec has become picket
		t.Fatal(err)
	}
	until(t, log.Name(), logged("reloaded"))
	if !ready() {
		t.Error("not ready after a reload")
	}
	stopped := time.Now()
	if err := child.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); err != nil || time.Since(stopped) > 5*time.Second || !logged("frames received")() {
		t.Errorf("stopped after %s: %v", time.Since(stopped), err)
	}
	if after := sentFrames(t, sensor); after != before {
		t.Errorf("%d frames left the span interface", after-before)
	}
}

func mustHost(t *testing.T, n *lab.Net, name string) *lab.Host {
	t.Helper()
	h, err := n.Host(name)
	if err != nil {
		t.Skip(err)
	}
	return h
}

// sentFrames is the kernel's own count of frames sent through span0.
func sentFrames(t *testing.T, h *lab.Host) (n int) {
	t.Helper()
	out, err := h.Command(t.Context(), "cat", "/sys/class/net/span0/statistics/tx_packets").Output()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(string(out), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// until waits for what a process does, and shows its log when it does not.
func until(t *testing.T, log string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			b, _ := os.ReadFile(log)
			t.Fatalf("it did not come to that:\n%s", b)
		}
	}
}
