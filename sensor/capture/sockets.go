//go:build linux

package capture

import (
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// Sockets are packet sockets opened beforehand, by a process that was still
// allowed to, for rings opened by one that no longer is: only making a packet
// socket needs CAP_NET_RAW (packet(7)). Safe for concurrent use.
type Sockets struct {
	mu  sync.Mutex
	fds []int
}

// OpenSockets opens n packet sockets that receive nothing yet and that a
// program executed later inherits.
func OpenSockets(n int) (*Sockets, error) {
	s := &Sockets{}
	for range n {
		fd, err := packetSocket(0)
		if err != nil {
			s.Close()
			return nil, err
		}
		s.fds = append(s.fds, fd)
	}
	return s, nil
}

// AdoptSockets takes over inherited descriptors, and refuses what is no
// packet socket.
func AdoptSockets(fds []int) (*Sockets, error) {
	for _, fd := range fds {
		family, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
		if err != nil || family != unix.AF_PACKET {
			return nil, fmt.Errorf("descriptor %d is no packet socket", fd)
		}
	}
	for _, fd := range fds {
		unix.CloseOnExec(fd)
		if err := unix.SetNonblock(fd, true); err != nil {
			return nil, fmt.Errorf("descriptor %d: %w", fd, err)
		}
	}
	return &Sockets{fds: fds}, nil
}

// Descriptors returns the descriptors that are left.
func (s *Sockets) Descriptors() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]int(nil), s.fds...)
}

// Close closes what is left.
func (s *Sockets) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, fd := range s.fds {
		_ = unix.Close(fd)
	}
	s.fds = nil
}

// take returns the next socket, or a new one where there are none.
func (s *Sockets) take() (int, error) {
	if s == nil {
		return packetSocket(unix.SOCK_CLOEXEC)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.fds) == 0 {
		return packetSocket(unix.SOCK_CLOEXEC)
	}
	fd := s.fds[0]
	s.fds = s.fds[1:]
	return fd, nil
}

// packetSocket makes a socket that receives nothing until it is bound.
func packetSocket(flags int) (int, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|flags, 0)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return 0, ErrPermission
	}
	if err != nil {
		return 0, fmt.Errorf("packet socket: %w", err)
	}
	return fd, nil
}

// RingServes reports whether c reads the interface name by rings alone, so
// that nothing needs a privilege once they are open.
func RingServes(c Config, name string) bool {
	i, err := findInterface(name, 0)
	if err != nil {
		return false
	}
	return c.Driver == DriverRing || c.Driver == DriverAuto && ringServes(c, i)
}
