package lab

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Sniffer is a raw socket on one interface of a host.
type Sniffer struct{ f *os.File }

// Sniff opens a raw socket on the named interface of h.
func (h *Host) Sniff(name string) (*Sniffer, error) {
	var s *Sniffer
	err := h.Do(func() error {
		ifi, err := net.InterfaceByName(name)
		if err != nil {
			return fmt.Errorf("lab: %s: %w", name, err)
		}
		const all = unix.ETH_P_ALL<<8&0xff00 | unix.ETH_P_ALL>>8 // network byte order
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, all)
		if err != nil {
			return fmt.Errorf("lab: %s: %w", name, err)
		}
		if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: ifi.Index}); err != nil {
			unix.Close(fd)
			return fmt.Errorf("lab: %s: %w", name, err)
		}
		s = &Sniffer{os.NewFile(uintptr(fd), name)}
		return nil
	})
	return s, err
}

// Close releases the socket.
func (s *Sniffer) Close() error { return s.f.Close() }

// Frame returns the next frame, copied, or an error when none comes before
// the deadline.
func (s *Sniffer) Frame(deadline time.Time) ([]byte, error) {
	if err := s.f.SetReadDeadline(deadline); err != nil {
		return nil, err
	}
	buf := make([]byte, 1<<16)
	n, err := s.f.Read(buf)
	return buf[:n], err
}

// Failer is what Want needs of a test.
type Failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// Want fails t unless a frame that contains text comes within five seconds.
func (s *Sniffer) Want(t Failer, text string) {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	var seen []string
	for {
		frame, err := s.Frame(deadline)
		if err != nil {
			t.Fatalf("no frame with %q came (%v); saw %d frames: %s", text, err, len(seen), strings.Join(seen, " "))
			return
		}
		if bytes.Contains(frame, []byte(text)) {
			return
		}
		seen = append(seen, fmt.Sprintf("%x", frame[12:14]))
	}
}
