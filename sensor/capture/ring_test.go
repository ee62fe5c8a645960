//go:build linux

package capture

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// Both directions of one address at home meet in one ring, tagged or not.
func TestFanoutByHome(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	rings := open(t, DriverRing, 2, nil)
	send := sender(t)
	const devices = 64
	for n := range devices {
		a, a6 := fmt.Sprintf("10.1.2.%d", n), fmt.Sprintf("2001:db8:1::%x", n)
		send(ether(ip(a, fmt.Sprintf("198.51.100.%d", n*3), 6, ports(40000, 443))),
			ether(ip(fmt.Sprintf("203.0.113.%d", n), a, 17, ports(443, 40000)), etherVLAN, 5),
			ether(ip(a, "10.0.0.53", 17, ports(40000, 53))), ether(ip("10.0.0.53", a, 17, ports(53, 40000))),
			ether(ip(a, "198.51.100.9", 6, ports(40000, 443)), etherQinQ, 5, etherVLAN, 6),
			ether(ip(a6, "2600::1", 6, ports(40000, 443))), ether(ip("2600::2", a6, 6, ports(443, 40000)), etherVLAN, 5))
	}
	where, total := map[string]int{}, 0
	resolver := netip.MustParseAddr("10.0.0.53")
	for r, l := range rings {
		frames := gather(t, l, devices*7)
		total += len(frames)
		if len(frames) < devices {
			t.Errorf("ring %d has %d frames", r, len(frames))
		}
		for _, f := range frames {
			at, size, first := 14, 4, 12
			for be.Uint16(f.Data[at-2:]) == etherVLAN {
				at += 4
			}
			if f.Data[at]>>4 == 6 {
				size, first = 16, 8
			}
			for _, raw := range [...][]byte{f.Data[at+first:][:size], f.Data[at+first+size:][:size]} {
				a, _ := netip.AddrFromSlice(raw)
				if a == resolver || !within(a) {
					continue
				}
				if before, ok := where[a.String()]; ok && before != r {
					t.Errorf("%s is in both rings", a)
				}
				where[a.String()] = r
			}
		}
	}
	if total != devices*7 || len(where) != devices*2 {
		t.Errorf("%d frames of %d addresses, want %d of %d", total, len(where), devices*7, devices*2)
	}
}

func within(a netip.Addr) bool {
	for _, h := range home {
		if h.Contains(a) {
			return true
		}
	}
	return false
}

func TestFanoutByHash(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	rings := open(t, DriverRing, 2, func(c *Config) { c.Fanout = FanoutHash })
	send := sender(t)
	for n := range 100 {
		send(ether(ip("10.1.2.3", "198.51.100.1", 6, ports(uint16(40000+n), 443)+strings.Repeat("x", 16))))
	}
	if a, b := len(gather(t, rings[0], 100)), len(gather(t, rings[1], 100)); a+b != 100 || a == 0 || b == 0 {
		t.Errorf("%d and %d frames of 100", a, b)
	}
}

// With a ring that is too small every frame is still accounted for.
func TestDropsAreCounted(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	for _, d := range drivers() {
		l := open(t, d, 1, func(c *Config) { c.RingSize = 256 << 10 })[0]
		send := sender(t)
		frame := ether(ip("10.1.2.3", "198.51.100.1", 6, ports(40000, 443)+strings.Repeat("x", 1400)))
		const sent = 5000
		for range sent {
			send(frame)
		}
		gather(t, l, sent)
		s := l.Stats()
		if got := s.Frames + s.DroppedKernel; got != sent || s.DroppedKernel == 0 || s.Frames == 0 {
			t.Errorf("%s: %d frames, %d dropped, together %d of %d (%+v)", d, s.Frames, s.DroppedKernel, got, sent, s)
		}
		l.Close()
	}
}

func TestRestraintInTheKernel(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	long := strings.Repeat("x", 1200)
	segment := ports(443, 40000) + "seqnackn\x50\x10wwccuu\x17\x03\x03" + long
	frames := []string{
		ether(ip("198.51.100.1", "10.1.2.3", 6, segment)),
		ether(ip("198.51.100.1", "10.1.2.3", 6, segment), etherVLAN, 5),
		ether(ip("2600::1", "2001:db8:1::1", 6, segment), etherQinQ, 5, etherVLAN, 6),
		ether(ip("10.1.2.3", "198.51.100.1", 6, segment)),
	}
	for _, on := range []bool{true, false} {
		l := open(t, DriverRing, 1, func(c *Config) { c.Restraint = on })[0]
		sender(t)(frames...)
		got := gather(t, l, len(frames))
		if len(got) != len(frames) {
			t.Fatalf("%d frames", len(got))
		}
		wire := []int{len(frames[0]), len(frames[1]) - 4, len(frames[2]) - 4, len(frames[3])} // the kernel takes one tag
		want := []int{54, 54, 14 + 4 + 40 + 20, wire[3]}
		for n, f := range got {
			if !on {
				want[n] = wire[n]
			}
			if len(f.Data) != want[n] || f.Wire != wire[n] {
				t.Errorf("restraint %v, frame %d: %d bytes, wire %d; want %d, %d", on, n, len(f.Data), f.Wire, want[n], wire[n])
			}
		}
		l.Close()
	}
}

func TestFilter(t *testing.T) {
	if !Libpcap {
		t.Skip("needs libpcap")
	}
	if !inNamespace(t) {
		return
	}
	for _, d := range []Driver{DriverAuto, DriverRing, DriverLibpcap} {
		l := open(t, d, 1, func(c *Config) { c.Filter = "tcp port 443" })[0]
		if want := map[Driver]Driver{DriverAuto: DriverRing, DriverRing: DriverRing, DriverLibpcap: DriverLibpcap}[d]; l.Driver() != want {
			t.Errorf("driver %s: reads by %s", d, l.Driver())
		}
		sender(t)(ether(ip("10.1.2.3", "198.51.100.1", 6, ports(40000, 443)+strings.Repeat("x", 16))),
			ether(ip("10.1.2.3", "198.51.100.1", 6, ports(40000, 80)+strings.Repeat("x", 16))))
		if n := len(gather(t, l, 2)); n != 1 {
			t.Errorf("%s: %d frames, want 1", d, n)
		}
		l.Close()
	}
	tagged := open(t, DriverAuto, 1, func(c *Config) { c.Filter = "vlan 42 and tcp" })[0]
	if tagged.Driver() != DriverLibpcap {
		t.Errorf("a filter with vlan is read by %s", tagged.Driver())
	}
	sender(t)(ether(ip("10.1.2.3", "198.51.100.1", 6, strings.Repeat("x", 20)), etherVLAN, 42),
		ether(ip("10.1.2.3", "198.51.100.1", 6, strings.Repeat("x", 20)), etherVLAN, 43))
	if n := len(gather(t, tagged, 2)); n != 1 {
		t.Errorf("vlan 42: %d frames, want 1", n)
	}
	c := Default()
	c.Driver, c.Filter = DriverRing, "vlan 5 and tcp"
	if _, err := Open(c, "span", 0, 1); !errors.Is(err, errNoVLAN) {
		t.Errorf("vlan in the ring's filter: %v", err)
	}
}

// A ring that fills within a millisecond at 10 Gbit/s leaves no time to rest.
func TestRestIsShorterThanTheRing(t *testing.T) {
	for _, c := range []struct {
		size int
		want time.Duration
	}{
		{1 << 20, 0}, {4 << 20, 0}, {8 << 20, 8 << 20 * time.Second / 4 / restRate}, {64 << 20, restMost}, {1 << 30, restMost},
	} {
		if got := restFor(c.size); got != c.want {
			t.Errorf("ring of %d bytes: %v, want %v", c.size, got, c.want)
		}
	}
}
