package lab

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Tester is what the programs below need of a test.
type Tester interface {
	Failer
	Cleanup(func())
	Failed() bool
	Logf(format string, args ...any)
	Skipf(format string, args ...any)
	TempDir() string
}

// patience is how long a program may take to start, or to answer.
const patience = 60 * time.Second

// Program runs a program of a Debian package until the test ends, and logs
// what it wrote if the test failed. It skips the test where there is none.
func Program(t Tester, pkg, name string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("no %s: apt install %s", name, pkg)
		return
	}
	cmd := exec.Command(path, args...)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatalf("%s: %v", name, err)
		return
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s wrote:\n%s", name, log.String())
		}
	})
}

// Prometheus starts Prometheus with the given files, prometheus.yml among
// them, and returns its address.
func Prometheus(t Tester, files map[string]string) string {
	t.Helper()
	dir, address := write(t, files), freeAddress(t)
	Program(t, "prometheus", "prometheus", "--config.file="+filepath.Join(dir, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	ready(t, "http://"+address)
	return "http://" + address
}

// Alertmanager starts Alertmanager with the given files, alertmanager.yml
// among them, and returns its address.
func Alertmanager(t Tester, files map[string]string) string {
	t.Helper()
	dir, address := write(t, files), freeAddress(t)
	Program(t, "prometheus-alertmanager", "prometheus-alertmanager", "--config.file="+filepath.Join(dir, "alertmanager.yml"),
		"--storage.path="+filepath.Join(dir, "data"), "--web.listen-address="+address, "--cluster.listen-address=")
	ready(t, "http://"+address)
	return "http://" + address
}

func write(t Tester, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatalf("%v", err)
		}
	}
	return dir
}

func freeAddress(t Tester) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("%v", err)
		return ""
	}
	defer l.Close()
	return l.Addr().String()
}

// ready waits until a program answers.
func ready(t Tester, base string) {
	t.Helper()
	Until(t, base+" is ready", func() bool {
		resp, err := http.Get(base + "/-/ready")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// Until asks again and again until is true; it fails the test after a minute.
func Until(t Failer, what string, is func() bool) {
	t.Helper()
	deadline, tick := time.After(patience), time.NewTicker(50*time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-deadline:
			t.Fatalf("not within %s: %s", patience, what)
			return
		case <-tick.C:
		}
	}
}

// Series returns how many series an expression has now, of the Prometheus at
// an address.
func Series(client *http.Client, base, expr string) (int, error) {
	resp, err := client.Get(base + "/api/v1/query?query=" + url.QueryEscape(expr))
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var answer struct {
		Status, Error string
		Data          struct{ Result []json.RawMessage }
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return 0, fmt.Errorf("lab: %s: %w", expr, err)
	}
	if answer.Status != "success" {
		return 0, fmt.Errorf("lab: %s: %s", expr, answer.Error)
	}
	return len(answer.Data.Result), nil
}
