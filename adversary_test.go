package main

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"
	"time"

	"picket/evidence"
	"picket/sensor/device"
)

// adversary is one case of somebody on the campus who frames another, or who
// hides. The policy is that of --prohibit xiaomi --restrict CN: it pages at
// certain, and writes a ticket at likely.
type adversary struct {
	name   string
	write  func(s *script, victim scriptDevice)
	paged  bool // may anybody be paged for
	ticket bool // may it come to a ticket
}

var adversaries = []adversary{
	{"frames by a host name", func(s *script, v scriptDevice) {
		s.lease(v, "Redmi-Note-12")
		s.sendsToCN(v, 42000)
	}, false, true},
	{"frames by pages of the maker in the victim's browser", func(s *script, v scriptDevice) {
		s.lease(v, "laptop")
		for range 20 {
			for _, name := range []string{"www.mi.com", "www.xiaomi.com", "shop.mi.com", "account.xiaomi.com"} {
				s.resolve(v, name, serverNoData)
			}
		}
		s.sendsToCN(v, 42000)
	}, false, false},
	{"frames by questions that nobody answers", func(s *script, v scriptDevice) {
		for n := range uint16(50) {
			for _, name := range []string{"update.intl.miui.com", "find.api.micloud.xiaomi.net", "sec.intl.miui.com"} {
				s.udp(v, true, 31000+n, netip.AddrPortFrom(scriptResolver, 53), dnsMessage(n, name, 1, netip.Addr{}))
			}
			s.dial(v, 42000+n, serverInCN, false)
		}
	}, false, true},
	{"frames by frames with the victim's IP address", func(s *script, v scriptDevice) {
		s.lease(v, "laptop")
		s.resolve(v, "www.example.com", serverNoData)
		forger := scriptDevice{[6]byte{0x02, 0x66, 0, 0, 0, 1}, v.addr}
		for _, name := range []string{"update.intl.miui.com", "find.api.micloud.xiaomi.net", "sec.intl.miui.com"} {
			s.resolve(forger, name, serverNoData)
		}
		s.dial(forger, 42100, netip.AddrPortFrom(serverNoData, 80), true).say([]byte("GET / HTTP/1.1\r\nHost: a.example.com\r\n" +
			"User-Agent: Dalvik/2.1.0 (Linux; U; Android 13; Redmi Note 12 Build/TKQ1.221114.001)\r\n\r\n"))
		s.sendsToCN(v, 42000)
	}, false, false},
	{"frames by SYNs with the victim's address", func(s *script, v scriptDevice) {
		s.lease(v, "laptop")
		for n := range uint16(200) {
			s.dial(v, 42000+n, serverInCN, false)
		}
	}, false, false},
	{"hides behind a random address, another name and no contact with the maker", func(s *script, v scriptDevice) {
		s.lease(v, "laptop")
		s.sendsToCN(v, 42000)
	}, false, false},
	{"does not hide", func(s *script, v scriptDevice) {
		s.certain(v)
		s.sendsToCN(v, 42000)
	}, true, true},
}

func (s *script) sendsToCN(d scriptDevice, port uint16) {
	c := s.dial(d, port, serverInCN, true)
	for range 8 {
		c.say(bytes.Repeat([]byte{0x17}, 1000))
	}
}

// TestAdversaries plays them all. What can succeed all the same is in
// SECURITY.md.
func TestAdversaries(t *testing.T) {
	for _, c := range adversaries {
		t.Run(c.name, func(t *testing.T) {
			s := faultSession(t)
			w := &script{at: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC).UnixNano()}
			victim := deviceNumber(60)
			c.write(w, victim)
			w.at += int64(time.Hour)
			w.udp(deviceNumber(61), true, 40000, netip.MustParseAddrPort("203.0.113.9:9"), []byte("time passes"))
			if err := s.run(&played{w.frames}); err != nil {
				t.Fatal(err)
			}
			paged, ticket := 0, 0
			for _, e := range s.episodes() {
				switch {
				case e.Severity == "page":
					paged++
				case e.Severity == "ticket":
					ticket++
				}
			}
			if paged > 0 != c.paged || ticket > 0 && !c.ticket {
				t.Errorf("%d pages, %d tickets: %s", paged, ticket, sentences(s.episodes()))
			}
			s.devices(func(v *device.View) bool {
				if !c.paged && slices.Contains(v.Addrs(), victim.addr) && v.Verdict.Confidence.String() == "certain" && v.Verdict.Maker == "xiaomi" {
					t.Errorf("the victim is certain to be one: %v", v.Verdict.Reasons)
				}
				return true
			})
		})
	}
}

func sentences(list []evidence.Episode) (out []string) {
	for _, e := range list {
		out = append(out, e.Sentence)
	}
	return out
}
