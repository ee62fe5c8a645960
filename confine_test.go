package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"picket/configs"
)

// childVariable holds the directory of a confined child process: the test
// binary, run again.
const childVariable = "PICKET_TEST_CONFINED"

// TestConfine confines a child process and lets it try what it must not be
// able to do any more. As root it shows most: root reads /etc/shadow and
// writes anywhere without the confinement.
func TestConfine(t *testing.T) {
	for _, driver := range []string{"ring", "libpcap"} {
		t.Run(driver, func(t *testing.T) {
			dir := t.TempDir()
			for _, sub := range []string{"etc", "state", "elsewhere", "data"} {
				if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			config := "geo: {databases: [" + filepath.Join(dir, "data", "site.csv") + "]}\nweb: {config_file: " + filepath.Join(dir, "etc", "web.yml") + "}\n"
			for name, text := range map[string]string{
				"etc/picket.yml": config, "etc/web.yml": "tls_server_config: {cert_file: web.crt, key_file: " + dir + "/data/web.key}\n",
				"etc/web.crt": "certificate", "data/web.key": "key", "data/site.csv": "203.0.113.0/24,NO,,,\n", "elsewhere/secret": "secret",
			} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			child := exec.Command(os.Args[0], "-test.run=^TestConfinedChild$", "-test.v")
			child.Env = append(os.Environ(), childVariable+"="+dir, "PICKET_TEST_DRIVER="+driver)
			out, err := child.CombinedOutput()
			if bytes.Contains(out, []byte("no Landlock here")) {
				t.Skip("the kernel has no Landlock: files are not confined")
			}
			if err != nil {
				t.Errorf("confined child: %v\n%s", err, out)
			}
		})
	}
}

// TestConfinedChild is the child of TestConfine.
func TestConfinedChild(t *testing.T) {
	dir := os.Getenv(childVariable)
	if dir == "" {
		t.Skip("the child of TestConfine")
	}
	c, err := configs.Load(filepath.Join(dir, "etc", "picket.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	libpcap := os.Getenv("PICKET_TEST_DRIVER") == "libpcap"
	confine(confinementOf(c, filepath.Join(dir, "state"), libpcap), slog.New(slog.NewTextHandler(&logged, nil)))
	if strings.Contains(logged.String(), "Landlock") {
		t.Skip("no Landlock here")
	}
	if logged.Len() > 0 {
		t.Errorf("logged: %s", &logged)
	}
	mustNot(t, dir)
	must(t, dir)
	wantThreads(t, libpcap, true)
}

// mustNot tries what a confined sensor must not be able to do.
func mustNot(t *testing.T, dir string) {
	for _, path := range []string{"/etc/shadow", "/etc/ssh/ssh_host_rsa_key", filepath.Join(dir, "elsewhere", "secret"), "/root/.bashrc"} {
		if b, err := os.ReadFile(path); err == nil {
			t.Errorf("%s can be read: %d bytes", path, len(b))
		}
	}
	for _, path := range []string{"/etc/picket-was-here", "/tmp/picket-was-here", filepath.Join(dir, "elsewhere", "new"), filepath.Join(dir, "etc", "picket.yml")} {
		if err := os.WriteFile(path, []byte("x"), 0o600); err == nil {
			os.Remove(path)
			t.Errorf("%s can be written", path)
		}
	}
	if err := exec.Command("/usr/bin/id").Run(); err == nil && os.Geteuid() != 0 {
		t.Log("programs of /usr can be executed, confined in turn") // Landlock's read right includes it
	}
	if l, err := net.Listen("tcp", "127.0.0.1:1"); err == nil && os.Geteuid() == 0 {
		l.Close()
		t.Error("a privileged port can be bound")
	}
}

// must tries what a running sensor goes on needing.
func must(t *testing.T, dir string) {
	for _, path := range []string{"etc/picket.yml", "etc/web.crt", "data/web.key", "data/site.csv"} {
		if _, err := os.ReadFile(filepath.Join(dir, path)); err != nil {
			t.Error(err)
		}
	}
	for _, path := range []string{"/proc/net/softnet_stat", "/proc/self/stat", "/sys/class/net/lo/statistics/rx_dropped"} {
		if _, err := os.ReadFile(path); err != nil {
			t.Error(err)
		}
	}
	state := filepath.Join(dir, "state")
	if err := os.WriteFile(filepath.Join(state, "new"), []byte("x"), 0o600); err != nil {
		t.Error(err)
	}
	if err := os.Rename(filepath.Join(state, "new"), filepath.Join(state, "renamed")); err != nil {
		t.Error(err)
	}
	if _, err := net.Interfaces(); err != nil {
		t.Error(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}

// wantThreads checks the capabilities of every thread of the process.
func wantThreads(t *testing.T, raw, confined bool) {
	threads, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil || len(threads) < 2 {
		t.Fatalf("%d threads, %v", len(threads), err)
	}
	want := fmt.Sprintf("%016x", 0)
	if raw && os.Geteuid() == 0 {
		want = fmt.Sprintf("%016x", 1<<13) // CAP_NET_RAW
	}
	for _, path := range threads {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // it ended
		}
		for line := range strings.Lines(string(b)) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), ":\t")
			switch {
			case (key == "CapPrm" || key == "CapEff") && value != want, confined && key == "NoNewPrivs" && value != "1":
				t.Errorf("%s: %s %s, want %s", path, key, value, want)
			}
		}
	}
}
