package systemd

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestDeb installs, runs, upgrades, removes and purges the package in a
// Debian of its own:
//
//	systemd/package amd64 && PICKET_DEB=$PWD/dist/picket_VERSION_amd64.deb go test ./systemd -run Deb -v
//
// PICKET_DEBROOT may name a root that debootstrap made before.
func TestDeb(t *testing.T) {
	deb := os.Getenv("PICKET_DEB")
	if deb == "" {
		t.Skip("PICKET_DEB names no package")
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root, for a Debian of its own")
	}
	r := newRoot(t)
	b, err := os.ReadFile(deb)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(string(r), "picket.deb"), b, 0o644); err != nil {
		t.Fatal(err)
	}
	r.run(t, "dpkg", "--purge", "picket")
	r.run(t, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-qq", "-y", "--no-install-recommends", "/picket.deb")
	if out := r.run(t, "picket", "check", "-c", "/etc/picket/picket.yml"); !strings.Contains(out, "good") {
		t.Errorf("picket check: %s", out)
	}
	if out := r.run(t, "stat", "-c", "%U:%G %a", "/etc/picket", "/var/lib/picket", "/etc/picket/picket.yml"); out != "root:picket 750\npicket:picket 750\nroot:picket 640\n" {
		t.Errorf("owners and modes:\n%s", out)
	}
	r.starts(t)
	// An upgrade keeps what was configured and what was kept.
	r.run(t, "sh", "-c", "echo '# ours' >>/etc/picket/picket.yml; echo kept >/var/lib/picket/kept")
	r.run(t, "env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "-i", "/picket.deb")
	if out := r.run(t, "sh", "-c", "tail -n 1 /etc/picket/picket.yml; cat /var/lib/picket/kept"); out != "# ours\nkept\n" {
		t.Errorf("after the upgrade: %q", out)
	}
	r.run(t, "dpkg", "--remove", "picket")
	if out := r.run(t, "sh", "-c", "ls /usr/bin/picket 2>/dev/null; cat /var/lib/picket/kept; tail -n 1 /etc/picket/picket.yml"); out != "kept\n# ours\n" {
		t.Errorf("after removal: %q", out)
	}
	r.run(t, "dpkg", "--purge", "picket")
	if out := r.run(t, "sh", "-c", "ls -d /var/lib/picket /etc/picket 2>/dev/null; find / -xdev -name '*picket*' -not -path '/proc/*' -not -path '/picket.deb' | grep -v -e ^/var/lib/apt -e ^/var/log -e ^/var/cache; true"); out != "" {
		t.Errorf("left after the purge:\n%s", out)
	}
}

// root is the directory of a Debian.
type root string

func newRoot(t *testing.T) root {
	dir := os.Getenv("PICKET_DEBROOT")
	if dir == "" {
		if _, err := exec.LookPath("debootstrap"); err != nil {
			t.Skip("debootstrap is missing: apt-get install debootstrap")
		}
		dir = t.TempDir()
		if out, err := exec.Command("debootstrap", "--variant=minbase", "bookworm", dir).CombinedOutput(); err != nil {
			t.Skipf("debootstrap cannot fetch: %v\n%s", err, out[max(0, len(out)-500):])
		}
	}
	if err := unix.Mount("proc", filepath.Join(dir, "proc"), "proc", 0, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(filepath.Join(dir, "proc"), unix.MNT_DETACH) })
	return root(dir)
}

// run runs a program in the root and returns what it printed.
func (r root) run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("chroot", append([]string{string(r)}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// starts runs the ExecStart of the unit as systemd would: as the unit's user,
// with its one capability, and a notification socket. It must become ready,
// hold no capability then, reload, and stop in time.
func (r root) starts(t *testing.T) {
	path := filepath.Join(string(r), "run", "notify")
	_ = os.Remove(path)
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer notify.Close()
	if err := os.Chmod(path, 0o777); err != nil {
		t.Fatal(err)
	}
	uid, gid := r.number(t, "-u"), r.number(t, "-g")
	var output bytes.Buffer
	p := exec.Command("/usr/bin/picket", "run", "-i", "lo", "--web.listen-address=127.0.0.1:0", "-c", "/etc/picket/picket.yml")
	p.Env = []string{"PATH=/usr/bin:/bin", "NOTIFY_SOCKET=/run/notify", "STATE_DIRECTORY=/var/lib/picket", "WATCHDOG_USEC=3000000"}
	p.Dir, p.Stdout, p.Stderr = "/", &output, &output
	p.SysProcAttr = &syscall.SysProcAttr{Chroot: string(r), Credential: &syscall.Credential{Uid: uid, Gid: gid}, AmbientCaps: []uintptr{unix.CAP_NET_RAW}}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	defer p.Process.Kill()
	expect := func(word string) {
		t.Helper()
		var seen []string
		for buf := make([]byte, 4096); ; {
			_ = notify.SetReadDeadline(time.Now().Add(30 * time.Second))
			n, err := notify.Read(buf)
			if err != nil {
				t.Fatalf("no %s but %q: %v\n%s", word, seen, err, &output)
			}
			if seen = append(seen, string(buf[:n])); strings.Contains(string(buf[:n]), word) {
				return
			}
		}
	}
	expect("READY=1")
	status, err := os.ReadFile("/proc/" + strconv.Itoa(p.Process.Pid) + "/status")
	if err != nil || !strings.Contains(string(status), "CapPrm:\t0000000000000000") {
		t.Errorf("capabilities are left when READY: %v\n%s", err, status)
	}
	expect("WATCHDOG=1")
	if err := p.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	expect("RELOADING=1")
	expect("READY=1")
	stopped := time.Now()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	expect("STOPPING=1")
	if err := p.Wait(); err != nil || time.Since(stopped) > 5*time.Second {
		t.Errorf("stopped after %s: %v\n%s", time.Since(stopped), err, &output)
	}
}

func (r root) number(t *testing.T, which string) uint32 {
	n, err := strconv.ParseUint(strings.TrimSpace(r.run(t, "id", which, "picket")), 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(n)
}
