package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestInterfaceDownAndUp: capture resumes by itself, and the gap is told.
func TestInterfaceDownAndUp(t *testing.T) {
	c := newCampus(t)
	p := c.listen()
	phone := c.plug("phone", "5a:11:22:33:44:02")
	phone.address("10.20.0.50")
	phone.ask("tracking.miui.com")
	c.reaches(1, "picket_capture_frames_total")
	c.ip(c.gw, "link set %s down", span)
	p.said("interface is down")
	c.ip(c.gw, "link set %s up", span)
	p.said("interface is up again")
	before := c.sum("picket_capture_frames_total")
	until(t, "frames after the interface came up", func() bool {
		phone.ask("tracking.miui.com")
		return c.sum("picket_capture_frames_total") > before
	})
	p.signal(syscall.SIGTERM)
	p.ends(t, 0, 5*time.Second)
	if !strings.Contains(p.log.String(), "1 gaps of") {
		t.Errorf("no word of the gap:\n%s", p.log)
	}
}

// TestInterfaceMadeAnew: another interface under the same name is not the
// one that was opened; the sensor ends with 1, and is started again.
func TestInterfaceMadeAnew(t *testing.T) {
	c := newCampus(t)
	p := c.listen()
	c.ip(c.gw, "link del %s", span)
	c.ip(c.gw, "link add %s type veth peer name span0", span)
	p.ends(t, 1, 10*time.Second)
	if last := lastLine(p.log.String()); !strings.HasPrefix(last, "picket: ") || !strings.Contains(last, span) {
		t.Errorf("last words: %q", last)
	}
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

// TestNoPermission: nobody may not capture, and is told what to do.
func TestNoPermission(t *testing.T) {
	need(t, "setpriv")
	c := newCampus(t)
	bin, state := publicCopy(t), publicDir(t)
	for _, driver := range []string{"ring", "libpcap", "auto"} {
		conf := filepath.Join(publicDir(t), "picket.yml")
		ok(t, os.WriteFile(conf, []byte("capture: {driver: "+driver+"}\n"), 0o644))
		p := c.start(c.gw, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", bin, "run", "-i", span, "-c", conf, "--state", state)
		if status := p.wait(patience); status != 1 && status != 2 {
			t.Errorf("%s: status %d", driver, status)
		}
		out := p.log.String()
		if strings.Count(out, "\n") != 1 || !strings.Contains(out, "setcap") || !strings.Contains(out, "sudo") || !strings.Contains(out, span) {
			t.Errorf("%s: want one line that says setcap and sudo, got %q", driver, out)
		}
	}
}

// publicDir is a directory that everybody may use.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "picket-nobody")
	ok(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	ok(t, os.Chmod(dir, 0o777))
	return dir
}

// publicCopy is the binary where everybody may run it.
func publicCopy(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(binary(t))
	ok(t, err)
	path := filepath.Join(publicDir(t), "picket")
	ok(t, os.WriteFile(path, b, 0o755))
	return path
}

const policyFile = `
interfaces: [span1]
policies:
  - name: %s
    severity: page
    devices: {makers: [xiaomi]}
    restricted: {countries: [CN]}
`

// TestReload: a good configuration takes effect; after a bad one the sensor
// runs on with what it had, and says so in the log and in a metric.
func TestReload(t *testing.T) {
	c := newCampus(t)
	conf := c.write("picket.yml", policyFile, "first")
	p := c.listen("-c", conf)
	policies := func() string { return c.get(sensorURL + "/api/v1/status") }
	if !strings.Contains(policies(), `"first: `) {
		t.Errorf("no first policy: %s", policies())
	}
	c.write("picket.yml", policyFile, "second")
	p.signal(syscall.SIGHUP)
	until(t, "second policy", func() bool { return strings.Contains(policies(), `"second: `) })
	if n := c.sum("picket_config_last_reload_successful"); n != 1 {
		t.Errorf("picket_config_last_reload_successful %v", n)
	}
	c.write("picket.yml", "polices: []\n")
	p.signal(syscall.SIGHUP)
	until(t, "failed reload", func() bool { return c.sum("picket_config_last_reload_successful") == 0 })
	if !strings.Contains(policies(), `"second: `) || !strings.Contains(p.log.String(), "picket.yml:1: polices: unknown key") {
		t.Errorf("after a bad reload:\n%s\n%s", policies(), p.log)
	}
	phone := c.plug("phone", "5a:11:22:33:44:02")
	phone.address("10.20.0.50")
	phone.ask("tracking.miui.com")
	c.reaches(1, "picket_capture_frames_total") // it still listens
	c.write("picket.yml", policyFile, "third")
	p.signal(syscall.SIGHUP)
	until(t, "third policy", func() bool { return strings.Contains(policies(), `"third: `) })
	until(t, "successful reload", func() bool { return c.sum("picket_config_last_reload_successful") == 1 })
	p.signal(syscall.SIGTERM)
	p.ends(t, 0, 5*time.Second)
	if last := lastLine(p.log.String()); !strings.HasPrefix(last, span+": ") || !strings.Contains(last, "frames received, 0 dropped by kernel") {
		t.Errorf("last words: %q", last)
	}
}

// TestTerminationUnderLoad: SIGTERM in the middle of traffic ends the sensor
// with 0 within five seconds, all that it captured counted.
func TestTerminationUnderLoad(t *testing.T) {
	c := newCampus(t)
	p := c.listen("--prohibit", "xiaomi", "--restrict", "CN")
	phone := c.redmi()
	u := phone.connect("data.mistat.xiaomi.com")
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		b := make([]byte, 64<<10)
		for range 200 {
			if _, err := u.tls.Write(b); err != nil {
				return
			}
		}
	}()
	c.reaches(1, "picket_episodes_total")
	begun := time.Now()
	p.signal(syscall.SIGTERM)
	p.ends(t, 0, 5*time.Second)
	t.Logf("ended after %s: %s", time.Since(begun).Round(time.Millisecond), lastLine(p.log.String()))
	<-sent
	u.close()
	if last := lastLine(p.log.String()); !strings.HasPrefix(last, span+": ") {
		t.Errorf("last words: %q", last)
	}
}

// TestTheSensorIsSilent: not one frame leaves the capture interface while
// the sensor starts, runs, reloads and ends; with either driver.
func TestTheSensorIsSilent(t *testing.T) {
	for _, driver := range []string{"ring", "libpcap"} {
		t.Run(driver, func(t *testing.T) {
			c := newCampus(t)
			before := c.transmitted()
			conf := c.write("picket.yml", policyFile+"capture: {driver: "+driver+"}\n", "p")
			p := c.listen("-c", conf)
			phone := c.redmi()
			phone.upload("data.mistat.xiaomi.com", 10_000)
			c.reaches(1, "picket_episodes_total")
			p.signal(syscall.SIGHUP)
			p.said("reloaded")
			p.signal(syscall.SIGTERM)
			p.ends(t, 0, 5*time.Second)
			if after := c.transmitted(); after != before {
				t.Errorf("%d frames left %s", after-before, span)
			}
		})
	}
}

// transmitted is how many frames have left the capture interface.
func (c *campus) transmitted() int {
	c.t.Helper()
	out, err := c.gw.Command(context.Background(), "cat", "/sys/class/net/"+span+"/statistics/tx_packets").Output()
	ok(c.t, err)
	n, err := strconv.Atoi(strings.TrimSpace(string(out)))
	ok(c.t, err)
	return n
}
