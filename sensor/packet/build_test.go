package packet

import "encoding/binary"

// Builders of the headers the tests are made of: each returns its header
// with lengths filled in, and what it carries behind.

func join(parts ...[]byte) (b []byte) {
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

func u16(v int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(v)) }
func u32(v int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(v)) }

var (
	macA = []byte{2, 0, 0, 0, 0, 0xaa}
	macB = []byte{2, 0, 0, 0, 0, 0xbb}
	macC = []byte{2, 0, 0, 0, 0, 0xcc}
	ip6A = []byte{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}
	ip6B = []byte{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}
)

func eth(t int, body []byte) []byte { return join(macB, macA, u16(t), body) }

func eth8023(body []byte) []byte { return join(macB, macA, u16(len(body)), body) }

func dot1q(id, t int, body []byte) []byte { return join(u16(id), u16(t), body) }

func ip4(proto int, body []byte) []byte {
	return join([]byte{0x45, 0}, u16(20+len(body)), u16(77), u16(0x4000), []byte{64, byte(proto)}, u16(0),
		[]byte{10, 0, 0, 1, 192, 0, 2, 9}, body)
}

func frag4(id, offset int, more bool, proto int, body []byte) []byte {
	b := ip4(proto, body)
	v := offset / 8
	if more {
		v |= 0x2000
	}
	copy(b[4:], u16(id))
	copy(b[6:], u16(v))
	return b
}

func ip6(next int, body []byte) []byte {
	return join([]byte{0x60, 0, 0, 0}, u16(len(body)), []byte{byte(next), 61}, ip6A, ip6B, body)
}

func tcp(payload string) []byte {
	return join(u16(40000), u16(443), u32(1000), u32(2000), []byte{0x50, 0x18}, u16(512), u16(0xbeef), u16(0), []byte(payload))
}

func udp(src, dst int, body []byte) []byte {
	return join(u16(src), u16(dst), u16(8+len(body)), u16(0x1234), body)
}

func wifiData(flags byte, qos bool, body []byte) []byte {
	control := byte(8)
	var extra []byte
	if qos {
		control, extra = 0x88, []byte{0, 0}
		if flags&0x80 != 0 {
			extra = append(extra, 0, 0, 0, 0)
		}
	}
	a := join(macC, macA, macB) // to the distribution system: BSSID, source, destination
	return join([]byte{control, flags, 0, 0}, a, []byte{0x10, 0}, extra, body)
}

func snap(t int, body []byte) []byte { return join([]byte{0xaa, 0xaa, 3, 0, 0, 0}, u16(t), body) }

func capwap(b2 byte, flags byte, body []byte) []byte {
	return join([]byte{0, 2 << 3, 2 | b2, flags, 0, 0, 0, 0}, body)
}

// inner is the packet that every tunnel of the tests carries.
func inner() []byte { return ip4(6, tcp("hello, world")) }
