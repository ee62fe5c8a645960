package main

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"picket/configs"
	"picket/sensor/capture"
)

// TestShed starts a process as the unit does: an ordinary user with an ambient
// CAP_NET_RAW and no right to call capset. It must end up capturing without
// any capability.
func TestShed(t *testing.T) {
	if os.Getenv("PICKET_TEST_SHED") != "" {
		shedChild(t)
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root, to start a process with an ambient capability")
	}
	child := exec.Command("/proc/self/exe", "-test.run=^TestShed$", "-test.v")
	child.Env = append(os.Environ(), "PICKET_TEST_SHED=1", "TMPDIR=/tmp")
	child.Dir = "/"
	child.SysProcAttr = &syscall.SysProcAttr{
		Credential:  &syscall.Credential{Uid: 65534, Gid: 65534},
		AmbientCaps: []uintptr{unix.CAP_NET_RAW},
	}
	out, err := child.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "captured without a capability") {
		t.Errorf("%v\n%s", err, out)
	}
}

func shedChild(t *testing.T) {
	c := configs.Defaults()
	c.Interfaces = []string{"lo"}
	c.Capture.RingSize = 1 << 20
	c.Limits.Workers = 2
	if err := shed(c); err != nil {
		t.Fatal(err)
	}
	if c.Capture.Sockets == nil {
		t.Fatal("nothing was shed")
	}
	wantThreads(t, false, false)
	live, err := capture.Open(c.Capture, "lo", 0, c.Limits.Workers)
	if err != nil {
		t.Fatal(err)
	}
	to, err := net.Dial("udp", "127.0.0.1:9")
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	batch := make([]capture.Frame, 16)
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		_, _ = to.Write([]byte("seen")) // refused by nobody listening, seen all the same
		for _, l := range live {
			if n, err := l.Next(batch); err != nil {
				t.Fatal(err)
			} else if n > 0 {
				os.Stdout.WriteString("captured without a capability\n")
				return
			}
		}
	}
	t.Error("no frame was captured")
}

func TestAdoptRefuses(t *testing.T) {
	for _, list := range []string{"0", "x", "99999", "1,,2"} {
		if err := adopt(configs.Defaults(), list); err == nil {
			t.Errorf("%s=%s was taken", socketsVariable, list)
		}
	}
}
