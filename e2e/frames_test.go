package e2e

import (
	"bytes"
	bin "encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// inject puts frames onto the span, a pause apart.
func (c *campus) inject(frames [][]byte, pause time.Duration) {
	c.t.Helper()
	ok(c.t, c.gw.Do(func() error {
		ifi, err := net.InterfaceByName("span0")
		if err != nil {
			return err
		}
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		next := time.Now()
		for n, frame := range frames {
			if err := unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: ifi.Index}); err != nil {
				return fmt.Errorf("frame %d: %w", n, err)
			}
			if next = next.Add(pause); time.Until(next) > time.Millisecond { // finer than a timer
				time.Sleep(time.Until(next))
			}
		}
		return nil
	}))
}

// record returns the frames on the span while do runs.
func (c *campus) record(do func()) (frames [][]byte) {
	c.t.Helper()
	spy, err := c.gw.Sniff(span)
	ok(c.t, err)
	defer spy.Close()
	do()
	for {
		frame, err := spy.Frame(time.Now().Add(300 * time.Millisecond))
		if err != nil {
			return frames
		}
		frames = append(frames, bytes.Clone(frame))
	}
}

// as returns the frames of p as those of another device.
func (p *phone) as(frames [][]byte, mac net.HardwareAddr, ip netip.Addr) [][]byte {
	old, err := net.ParseMAC(p.mac)
	ok(p.campus.t, err)
	was, is := netip.MustParseAddr(p.ip).As4(), ip.As4()
	out := make([][]byte, 0, len(frames))
	for _, f := range frames {
		f = bytes.ReplaceAll(f, old, mac)
		f = bytes.ReplaceAll(f, was[:], is[:])
		sumAnew(f)
		out = append(out, f)
	}
	return out
}

// sumAnew sets the checksums of an IPv4 frame with TCP or UDP.
func sumAnew(f []byte) {
	if len(f) < 34 || bin.BigEndian.Uint16(f[12:]) != 0x0800 {
		return
	}
	ip := f[14:]
	head, total := int(ip[0]&15)*4, int(bin.BigEndian.Uint16(ip[2:]))
	if head < 20 || total > len(ip) || total < head {
		return
	}
	copy(ip[10:], []byte{0, 0})
	bin.BigEndian.PutUint16(ip[10:], ^checksum(0, ip[:head]))
	l4, at := ip[head:total], 16
	if ip[9] == unix.IPPROTO_UDP {
		at = 6
	}
	if ip[9] != unix.IPPROTO_TCP && ip[9] != unix.IPPROTO_UDP || len(l4) < at+2 {
		return
	}
	copy(l4[at:], []byte{0, 0})
	sum := checksum(uint32(ip[9])+uint32(len(l4)), ip[12:20])
	bin.BigEndian.PutUint16(l4[at:], ^checksum(uint32(sum), l4))
}

// checksum is the sum of RFC 1071, not complemented.
func checksum(sum uint32, b []byte) uint16 {
	for ; len(b) > 1; b = b[2:] {
		sum += uint32(bin.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return uint16(sum)
}

// floods sends n DHCP discoveries, each from an address of its own.
func (c *campus) floods(n int) {
	c.t.Helper()
	frame := make([]byte, 14+20+8+240+4)
	copy(frame, []byte{255, 255, 255, 255, 255, 255})
	bin.BigEndian.PutUint16(frame[12:], 0x0800)
	ip := frame[14:]
	copy(ip, []byte{0x45, 0, 0, 0, 0, 0, 0, 0, 64, unix.IPPROTO_UDP, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255})
	bin.BigEndian.PutUint16(ip[2:], uint16(len(ip)))
	udp := ip[20:]
	bin.BigEndian.PutUint16(udp, 68)
	bin.BigEndian.PutUint16(udp[2:], 67)
	bin.BigEndian.PutUint16(udp[4:], uint16(len(udp)))
	bootp := udp[8:]
	copy(bootp, []byte{1, 1, 6, 0})
	copy(bootp[236:], []byte{0x63, 0x82, 0x53, 0x63, 53, 1, 1, 255})
	frames := make([][]byte, n)
	from := uint32(time.Now().UnixNano())
	for i := range frames {
		f := bytes.Clone(frame)
		mac := []byte{0x5a, 0x22, 0, 0, 0, 0}
		bin.BigEndian.PutUint32(mac[2:], from+uint32(i))
		copy(f[6:], mac)
		copy(f[14+20+8+4:], mac[2:])
		copy(f[14+20+8+28:], mac)
		sumAnew(f)
		frames[i] = f
	}
	c.inject(frames, 0)
}
