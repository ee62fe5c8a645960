package capture

import "golang.org/x/sys/unix"

// hardware asks for the hardware type of an interface, -1 when it is not told.
func hardware(name string) int {
	req, err := unix.NewIfreq(name)
	if err != nil {
		return -1
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1
	}
	defer unix.Close(fd)
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFHWADDR, req); err != nil {
		return -1
	}
	return int(req.Uint16()) // sa_family of ifr_hwaddr
}
