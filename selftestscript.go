package main

import (
	"net/netip"
	"strings"
)

// Servers of the crafted capture. The one in CN is an address that every
// edition of the shipped databases places there.
var (
	serverInCN   = netip.MustParseAddrPort("114.114.114.114:443")
	serverNoData = netip.MustParseAddr("203.0.113.21") // documentation range: nowhere
)

// protocols writes one message of each protocol that the embedded capture lacks.
func (s *script) protocols() {
	d := deviceNumber(1)
	s.udp(d, true, 40001, netip.AddrPortFrom(serverNoData, 443), dtlsHello("turn.example.com"))
	s.udp(d, false, 40001, netip.AddrPortFrom(serverNoData, 443), []byte{21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 40})
	s.udp(d, true, 5353, netip.MustParseAddrPort("224.0.0.251:5353"), dnsMessage(0, "_googlecast._tcp.local", 12, netip.Addr{}))
	s.udp(d, true, 40002, netip.MustParseAddrPort("224.0.0.252:5355"), dnsMessage(7, "printer", 1, netip.Addr{}))
	s.udp(d, true, 40003, netip.MustParseAddrPort("239.255.255.250:1900"),
		[]byte("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nST: ssdp:all\r\nUSER-AGENT: Linux/4.9 UPnP/1.0\r\n\r\n"))
	six := scriptDevice{d.mac, netip.MustParseAddr("fe80::70:6bff:fe00:1")}
	target := netip.MustParseAddr("fe80::1").As16()
	solicit := append([]byte{135, 0, 0, 0, 0, 0, 0, 0}, target[:]...)
	s.packet(six, true, netip.MustParseAddr("ff02::1:ff00:1"), 58, append(append(solicit, 1, 1), d.mac[:]...))
	s.leases6(d)
	s.accounts(d)
	named := netip.MustParseAddr("203.0.113.22")
	s.resolve(d, "mqtt.example.com", named)
	s.dial(d, 40006, netip.AddrPortFrom(named, 8883), true).say([]byte("a protocol of its own"))
	push := s.dial(d, 40004, netip.AddrPortFrom(serverNoData, 5222), true)
	push.say(miPush("2201117TG"))
}

// bands writes devices of which little is known.
func (s *script) bands() {
	likely := deviceNumber(2) // one family, and a loud one
	for _, name := range []string{"update.intl.miui.com", "find.api.micloud.xiaomi.net"} {
		s.resolve(likely, name, serverNoData)
	}
	s.resolve(deviceNumber(3), "update.intl.miui.com", serverNoData) // asked once
	s.resolve(deviceNumber(4), "www.mi.com", serverNoData)           // as anyone's browser may
}

// conditions writes a handset for each condition that the embedded capture
// does not come to.
func (s *script) conditions() {
	present := deviceNumber(11)
	s.lease(present, "Redmi-Note-12")
	s.dial(present, 41100, netip.AddrPortFrom(serverNoData, 80), true).say([]byte("GET / HTTP/1.1\r\nHost: www.example.com\r\n" +
		"User-Agent: Dalvik/2.1.0 (Linux; U; Android 13; Redmi Note 12 Build/TKQ1.221114.001)\r\n\r\n"))
	tried := deviceNumber(12)
	s.certain(tried)
	for port := range uint16(3) {
		s.dial(tried, 41000+port, serverInCN, false)
	}
	connected := deviceNumber(13)
	s.certain(connected)
	s.dial(connected, 41010, serverInCN, true).say([]byte("hello"))
	hidden := deviceNumber(14)
	s.certain(hidden)
	s.wireguard(hidden, netip.AddrPortFrom(serverNoData, 51820))
}

// wireguard writes a handshake and data of a WireGuard tunnel.
func (s *script) wireguard(d scriptDevice, far netip.AddrPort) {
	initiation := append([]byte{1, 0, 0, 0}, strings.Repeat("i", 144)...)
	response := append([]byte{2, 0, 0, 0}, strings.Repeat("r", 88)...)
	s.udp(d, true, 51820, far, initiation)
	s.udp(d, false, 51820, far, response)
	data := append([]byte{4, 0, 0, 0, 'r', 'r', 'r', 'r'}, make([]byte, 8+256)...)
	for n := range byte(16) {
		data[8] = n
		s.udp(d, true, 51820, far, append([]byte{}, data...))
		s.udp(d, false, 51820, far, append([]byte{}, data...))
	}
}
