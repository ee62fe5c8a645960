package systemd

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// bootScript starts systemd as process 1 of namespaces of its own.
//
//go:embed testdata/boot.sh
var bootScript string

// TestBoot runs the package under a systemd that is process 1, in namespaces:
//
//	systemd/package amd64 && PICKET_DEB=$PWD/dist/picket_VERSION_amd64.deb go test ./systemd -run Boot -v
//
// PICKET_BOOTROOT may name a Debian root that has systemd and curl; otherwise
// debootstrap makes one, which takes minutes and needs a mirror.
func TestBoot(t *testing.T) {
	deb := os.Getenv("PICKET_DEB")
	if deb == "" {
		t.Skip("PICKET_DEB names no package")
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root, for namespaces and a Debian of its own")
	}
	m := boot(t, deb)
	m.run("ip", "link", "add", "span0", "type", "veth", "peer", "name", "mirror0")
	m.run("ip", "link", "set", "span0", "up")
	m.run("ip", "link", "set", "mirror0", "up")
	for _, step := range []struct {
		name string
		run  func(*testing.T, machine)
	}{
		{"start", starts}, {"exposure", exposed}, {"reload", reloads}, {"quiet span", staysUp},
		{"stuck", restartsStuck}, {"interface", followsInterface}, {"unplugged", unplugged}, {"stop", stops}, {"socket", activates}, {"timer", timers},
	} {
		t.Run(step.name, func(t *testing.T) { m.t = t; step.run(t, m) })
	}
}

// machine is a booted systemd.
type machine struct {
	t   *testing.T
	pid string
}

func boot(t *testing.T, deb string) machine {
	dir := os.Getenv("PICKET_BOOTROOT")
	if dir == "" {
		if _, err := exec.LookPath("debootstrap"); err != nil {
			t.Skip("debootstrap is missing: apt-get install debootstrap")
		}
		dir = t.TempDir()
		out, err := exec.Command("debootstrap", "--variant=minbase", "--include=systemd,systemd-sysv,dbus,iproute2,procps,curl,libpcap0.8", "bookworm", dir).CombinedOutput()
		if err != nil {
			t.Skipf("debootstrap cannot fetch: %v\n%s", err, out[max(0, len(out)-500):])
		}
	}
	b, err := os.ReadFile(deb)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "picket.deb"), b, 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	c := exec.Command("unshare", "--fork", "--pid", "--mount", "--uts", "--ipc", "--cgroup", "--net", "--kill-child", "sh", "-c", bootScript, "boot", dir)
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill() // systemd with it
		_ = c.Wait()
		if t.Failed() {
			t.Logf("boot:\n%s", &out)
		}
	})
	m := machine{t: t}
	children := fmt.Sprintf("/proc/%d/task/%d/children", c.Process.Pid, c.Process.Pid)
	m.until("systemd to be up", func() bool {
		if b, err := os.ReadFile(children); err == nil && len(bytes.Fields(b)) == 1 {
			m.pid = string(bytes.Fields(b)[0])
		}
		if m.pid == "" {
			return false
		}
		state, _ := m.try("systemctl", "is-system-running")
		return state == "running" || state == "degraded"
	})
	_, _ = m.try("dpkg", "--purge", "picket") // of a run before
	m.run("dpkg", "-i", "/picket.deb")
	return m
}

// try runs a program on the machine.
func (m machine) try(args ...string) (string, error) {
	out, err := exec.Command("nsenter", append([]string{"-t", m.pid, "-p", "-m", "-u", "-i", "-n", "-C", "-r", "-w"}, args...)...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (m machine) run(args ...string) string {
	m.t.Helper()
	out, err := m.try(args...)
	if err != nil {
		log, _ := m.try("journalctl", "--no-pager", "-n", "30", "-o", "cat")
		m.t.Fatalf("%s: %v\n%s\n%s", strings.Join(args, " "), err, out, log)
	}
	return out
}

// show is one property of a unit.
func (m machine) show(unit, property string) string {
	return m.run("systemctl", "show", "-P", property, unit)
}

func (m machine) until(what string, is func() bool) {
	m.t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			log, _ := m.try("journalctl", "--no-pager", "-n", "30", "-o", "cat")
			m.t.Fatalf("waited for %s\n%s", what, log)
		}
	}
}

const instance = "picket@span0.service"

// starts: `systemctl start` returns when frames are being read; the process
// then holds no capability, and its system calls are filtered.
func starts(t *testing.T, m machine) {
	m.run("sh", "-c", "mkdir -p /etc/systemd/system/picket@.service.d && printf '[Service]\nWatchdogSec=3\nRestartSec=1\n' >/etc/systemd/system/picket@.service.d/fast.conf && systemctl daemon-reload")
	m.run("systemctl", "start", instance)
	if out := m.run("curl", "-s", "http://127.0.0.1:9710/-/ready"); out != "picket is capturing." {
		t.Errorf("when started: %s", out)
	}
	status := m.run("cat", "/proc/"+m.show(instance, "MainPID")+"/status")
	for _, want := range []string{"Name:\tpicket", "CapPrm:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"} {
		if !strings.Contains(status, want) {
			t.Errorf("no %q in\n%s", want, status)
		}
	}
	if text := m.show(instance, "StatusText"); !strings.HasPrefix(text, "capturing on span0: ") {
		t.Errorf("status %q", text)
	}
	m.run("sh", "-c", "ip addr add 10.9.9.1/24 dev mirror0; ping -c 3 -i 0.2 10.9.9.2 >/dev/null; true") // ARP is enough of a frame
	m.until("a status with frames", func() bool { return !strings.Contains(m.show(instance, "StatusText"), " 0 frames") })
	t.Log(m.show(instance, "StatusText"))
	if out := m.run("journalctl", "--no-pager", "-n", "50", "-o", "cat", "PICKET_INTERFACE=span0"); !strings.Contains(out, "capturing") {
		t.Errorf("the journal has nothing for PICKET_INTERFACE=span0: %s", out)
	}
}

func exposed(t *testing.T, m machine) {
	out := m.run("systemd-analyze", "security", "--no-pager", instance)
	found := regexp.MustCompile(`exposure level for [^:]*: ([0-9.]+)`).FindStringSubmatch(out)
	if found == nil {
		t.Fatal(out)
	}
	if level, err := strconv.ParseFloat(found[1], 64); err != nil || level > 1.5 {
		t.Errorf("exposure %s, want at most 1.5", found[1])
	}
	t.Log("exposure of the running unit:", found[1])
}

func reloads(t *testing.T, m machine) {
	pid := m.show(instance, "MainPID")
	m.run("systemctl", "reload", instance)
	m.until("the reload", func() bool {
		out := m.run("journalctl", "--no-pager", "-o", "cat", "-u", instance)
		return strings.Contains(out, "msg=reloaded")
	})
	if now := m.show(instance, "MainPID"); now != pid || m.show(instance, "ActiveState") != "active" {
		t.Errorf("process %s, then %s, %s", pid, now, m.show(instance, "ActiveState"))
	}
}

// staysUp: a quiet span feeds the watchdog, three times over.
func staysUp(t *testing.T, m machine) {
	m.run("sleep", "10")
	if n := m.show(instance, "NRestarts"); n != "0" {
		t.Errorf("%s restarts of a quiet sensor", n)
	}
}

// restartsStuck: a process that is stuck is killed and started again.
func restartsStuck(t *testing.T, m machine) {
	pid := m.show(instance, "MainPID")
	m.run("kill", "-STOP", pid)
	m.until("a restart", func() bool {
		return m.show(instance, "MainPID") != pid && m.show(instance, "ActiveState") == "active"
	})
	if out := m.run("journalctl", "--no-pager", "-o", "cat", "-u", instance); !strings.Contains(out, "Watchdog timeout") {
		t.Error("no watchdog in the journal")
	}
}

// followsInterface: without its interface the unit is started again until it
// is back.
func followsInterface(t *testing.T, m machine) {
	m.run("ip", "link", "del", "span0")
	m.until("the unit to fail", func() bool { return m.show(instance, "ActiveState") == "activating" })
	m.run("sh", "-c", "ip link add span0 type veth peer name mirror0 && ip link set span0 up && ip link set mirror0 up")
	m.until("the unit to be back", func() bool { return m.show(instance, "ActiveState") == "active" })
}

// unplugged: the machine has no way out of itself. The demonstration, the
// selftest and an upgrade under the running sensor work all the same.
func unplugged(t *testing.T, m machine) {
	if links := m.run("ip", "-br", "link"); strings.Count(links, "\n") != 2 {
		t.Fatalf("links: %s", links) // lo, span0, mirror0
	}
	if out := m.run("picket", "demo", "--once"); !strings.Contains(out, "CN") {
		t.Errorf("demo: %s", out)
	}
	m.run("picket", "selftest")
	m.run("sh", "-c", "echo kept >/var/lib/picket/kept")
	m.run("dpkg", "-i", "/picket.deb")
	m.until("the sensor to be up again", func() bool { return m.show(instance, "ActiveState") == "active" })
	if out := m.run("cat", "/var/lib/picket/kept"); out != "kept" {
		t.Errorf("state after the upgrade: %s", out)
	}
}

func stops(t *testing.T, m machine) {
	began := time.Now()
	m.run("systemctl", "stop", instance)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("stopped after %s", took)
	}
	if result := m.show(instance, "Result"); result != "success" {
		t.Errorf("result %s", result)
	}
}

// activates: systemd holds the port; a request made before the sensor runs is
// answered by it.
func activates(t *testing.T, m machine) {
	m.run("sh", "-c", "sed -i 's/^interfaces: .*/interfaces: [span0]/' /etc/picket/picket.yml")
	m.run("systemctl", "start", "picket.socket")
	if out := m.run("curl", "-s", "--max-time", "60", "http://127.0.0.1:9710/-/ready"); out != "picket is capturing." {
		t.Errorf("answer %q", out)
	}
	if state := m.show("picket.service", "ActiveState"); state != "active" {
		t.Errorf("service %s", state)
	}
	m.run("systemctl", "stop", "picket.service", "picket.socket")
}

func timers(t *testing.T, m machine) {
	m.run("sh", "-c", "echo PICKET_GEO_FILE=/var/lib/picket/country.mmdb >/etc/picket/geo-update.env")
	m.run("systemctl", "start", "picket-geo-update.timer")
	if next := m.run("systemctl", "list-timers", "--no-pager", "--no-legend"); !strings.Contains(next, "picket-geo-update.service") {
		t.Errorf("timers: %s", next)
	}
}
