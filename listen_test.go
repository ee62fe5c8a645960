package main

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestListenActivated starts a process the way systemd does for a socket
// unit: descriptor 3 is the listener, LISTEN_PID is the process.
func TestListenActivated(t *testing.T) {
	if os.Getenv("PICKET_TEST_ACTIVATED") != "" {
		listeners, err := listen([]string{"127.0.0.1:1"}) // would be refused: it must not be used
		if err != nil || len(listeners) != 1 {
			t.Fatalf("%d listeners, %v", len(listeners), err)
		}
		os.Stdout.WriteString("listening at " + listeners[0].Addr().String() + "\n")
		return
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	child := exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" -test.run='^TestListenActivated$' -test.v`, os.Args[0])
	child.Env = append(os.Environ(), "PICKET_TEST_ACTIVATED=1")
	child.ExtraFiles = []*os.File{f}
	out, err := child.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "listening at "+l.Addr().String()) {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestListenNamesAddress(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if _, err := listen([]string{"127.0.0.1:0", taken.Addr().String()}); err == nil || !strings.Contains(err.Error(), taken.Addr().String()) {
		t.Errorf("an address that is taken: %v", err)
	}
}
