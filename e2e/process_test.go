package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"picket/lab"
)

// process is a program that runs in a host until the test ends.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	log  *syncBuffer
	done chan struct{} // closed when it has ended
	err  error         // how, once done
}

// syncBuffer is what a program wrote so far.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// start starts a program in a host.
func (c *campus) start(h *lab.Host, name string, args ...string) *process {
	c.t.Helper()
	p := &process{t: c.t, cmd: h.Command(context.Background(), name, args...), log: &syncBuffer{}, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	ok(c.t, p.cmd.Start())
	go func() { p.err = p.cmd.Wait(); close(p.done) }()
	c.t.Cleanup(func() {
		p.stop(syscall.SIGKILL)
		if c.t.Failed() {
			c.t.Logf("%s wrote:\n%s", filepath.Base(name), p.log)
		}
	})
	return p
}

// signal sends a signal.
func (p *process) signal(s os.Signal) { _ = p.cmd.Process.Signal(s) }

// stop sends a signal and waits for the end.
func (p *process) stop(s os.Signal) {
	p.signal(s)
	p.wait(30 * time.Second)
}

// wait waits for the end and returns the exit status.
func (p *process) wait(most time.Duration) int {
	p.t.Helper()
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(most):
		p.t.Fatalf("%s still runs after %s:\n%s", p.cmd.Path, most, p.log)
		return -1
	}
}

// patience bounds every wait of the tests.
const patience = 90 * time.Second

// until asks again and again until is true.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	within(t, patience, what, is)
}

func within(t *testing.T, most time.Duration, what string, is func() bool) {
	t.Helper()
	deadline, tick := time.After(most), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-deadline:
			t.Fatalf("no %s within %s", what, most)
		case <-tick.C:
		}
	}
}

// said waits until a program has written text.
func (p *process) said(text string) {
	p.t.Helper()
	until(p.t, fmt.Sprintf("%q in the log", text), func() bool { return strings.Contains(p.log.String(), text) })
}

// http is a client that stands in the gateway.
func (c *campus) http() *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(_ context.Context, network, addr string) (net.Conn, error) { return c.gw.Dial(network, addr) },
	}}
}

// get fetches from the gateway; empty when there is no good answer.
func (c *campus) get(url string) string {
	resp, err := c.http().Get(url)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode/100 != 2 {
		return ""
	}
	return string(b)
}

var built struct {
	once sync.Once
	path string
	err  error
}

// binary is the picket under test.
func binary(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		if built.path = os.Getenv("PICKET_BINARY"); built.path != "" {
			return
		}
		var dir string
		if dir, built.err = os.MkdirTemp("", "picket-e2e"); built.err != nil {
			return
		}
		built.path = filepath.Join(dir, "picket")
		out, err := exec.Command("go", "build", "-o", built.path, "..").CombinedOutput()
		if err != nil {
			built.err = fmt.Errorf("%w: %s", err, out)
		}
	})
	ok(t, built.err)
	return built.path
}

func TestMain(m *testing.M) {
	status := m.Run()
	if built.path != "" && built.path != os.Getenv("PICKET_BINARY") {
		os.RemoveAll(filepath.Dir(built.path))
	}
	os.Exit(status)
}
