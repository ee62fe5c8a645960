package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"picket/configs"
	"picket/sensor/capture"
)

// socketsVariable hands packet sockets on to the program executed in our place.
const socketsVariable = "PICKET_PACKET_SOCKETS"

// shed gives up an ambient CAP_NET_RAW, as a service manager grants it: it
// opens the packet sockets, empties the ambient set and executes picket anew,
// which inherits the sockets and no capability (capabilities(7), "Transformation
// of capabilities during execve()"). That needs no capset, which the shipped
// unit forbids. Root and file capabilities are left to confine.
//
// It returns in the new program, with the sockets in c, and where there is
// nothing to shed or libpcap will need the capability again.
func shed(c *configs.Config) error {
	if list := os.Getenv(socketsVariable); list != "" {
		return adopt(c, list)
	}
	ambient, err := unix.PrctlRetInt(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_IS_SET, unix.CAP_NET_RAW, 0, 0)
	if err != nil || ambient != 1 || os.Geteuid() == 0 {
		return nil
	}
	for _, name := range c.Interfaces {
		if !capture.RingServes(c.Capture, name) {
			return nil
		}
	}
	sockets, err := capture.OpenSockets(len(c.Interfaces) * max(c.Limits.Workers, 1))
	if err != nil {
		return err
	}
	defer sockets.Close()
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("ambient capabilities: %w", err)
	}
	var fds []string
	for _, fd := range sockets.Descriptors() {
		fds = append(fds, strconv.Itoa(fd))
	}
	env := append(os.Environ(), socketsVariable+"="+strings.Join(fds, ","))
	return fmt.Errorf("execute picket anew: %w", syscall.Exec("/proc/self/exe", os.Args, env))
}

// adopt takes the sockets that the program before us opened.
func adopt(c *configs.Config, list string) error {
	os.Unsetenv(socketsVariable)
	_ = os.WriteFile("/proc/self/comm", []byte("picket"), 0) // it was executed as "exe"; ps and the journal show this
	var fds []int
	for s := range strings.SplitSeq(list, ",") {
		fd, err := strconv.Atoi(s)
		if err != nil {
			return fmt.Errorf("%s: %w", socketsVariable, err)
		}
		fds = append(fds, fd)
	}
	sockets, err := capture.AdoptSockets(fds)
	if err != nil {
		return fmt.Errorf("%s: %w", socketsVariable, err)
	}
	c.Capture.Sockets = sockets
	return nil
}
