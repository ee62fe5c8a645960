package main

import (
	"encoding/binary"
	"hash/adler32"
	"io"
	"net/netip"
	"strings"
	"time"

	"picket/sensor/capture"
)

// script writes a crafted capture, frame by frame. Checksums are left zero:
// a span port delivers such frames from machines that compute them in
// hardware, and they have to be read all the same.
type script struct {
	frames []capture.Frame
	at     int64
}

// The gateway of the crafted campus, which is also its resolver.
var (
	scriptGateway  = netip.MustParseAddr("10.20.0.1")
	scriptResolver = netip.MustParseAddr("10.20.0.1")
	gatewayMAC     = [6]byte{0x02, 0, 0, 0, 0, 0xfe}
)

// scriptDevice is a crafted device. Its hardware address is a local one, which
// says nothing about a maker.
type scriptDevice struct {
	mac  [6]byte
	addr netip.Addr
}

func deviceNumber(n byte) scriptDevice {
	return scriptDevice{[6]byte{0x02, 0x70, 0x6b, 0, 0, n}, netip.AddrFrom4([4]byte{10, 20, 99, n})}
}

// frame appends an Ethernet frame, a millisecond after the one before.
func (s *script) frame(dst, src [6]byte, ethertype uint16, body []byte) {
	s.at += int64(time.Millisecond)
	b := binary.BigEndian.AppendUint16(append(append([]byte{}, dst[:]...), src[:]...), ethertype)
	b = append(b, body...)
	s.frames = append(s.frames, capture.Frame{Data: b, At: s.at, Wire: len(b), Link: capture.LinkEthernet})
}

// packet appends an IP packet of protocol proto.
func (s *script) packet(d scriptDevice, up bool, far netip.Addr, proto byte, body []byte) {
	src, dst, from, to := d.addr, far, d.mac, gatewayMAC
	if !up {
		src, dst, from, to = dst, src, to, from
	}
	if src.Is6() {
		head := binary.BigEndian.AppendUint16([]byte{0x60, 0, 0, 0}, uint16(len(body)))
		head = append(append(append(head, proto, 255), src.AsSlice()...), dst.AsSlice()...)
		s.frame(to, from, 0x86dd, append(head, body...))
		return
	}
	head := binary.BigEndian.AppendUint16([]byte{0x45, 0}, uint16(20+len(body)))
	head = append(head, byte(len(s.frames)>>8), byte(len(s.frames)), 0x40, 0, 64, proto, 0, 0)
	head = append(append(head, src.AsSlice()...), dst.AsSlice()...)
	s.frame(to, from, 0x0800, append(head, body...))
}

// udp appends a datagram.
func (s *script) udp(d scriptDevice, up bool, port uint16, far netip.AddrPort, payload []byte) {
	from, to := port, far.Port()
	if !up {
		from, to = to, from
	}
	b := binary.BigEndian.AppendUint16(nil, from)
	b = binary.BigEndian.AppendUint16(b, to)
	b = binary.BigEndian.AppendUint16(b, uint16(8+len(payload)))
	s.packet(d, up, far.Addr(), 17, append(append(b, 0, 0), payload...))
}

// conn is a crafted TCP connection.
type conn struct {
	s        *script
	d        scriptDevice
	port     uint16
	far      netip.AddrPort
	up, down uint32 // next sequence numbers
}

const (
	flagSYN, flagACK, flagPSH = 2, 16, 8
)

func (c *conn) segment(up bool, flags byte, payload []byte) {
	from, to, seq, ack := c.port, c.far.Port(), &c.up, c.down
	if !up {
		from, to, seq, ack = to, from, &c.down, c.up
	}
	b := binary.BigEndian.AppendUint16(nil, from)
	b = binary.BigEndian.AppendUint16(b, to)
	b = binary.BigEndian.AppendUint32(b, *seq)
	b = binary.BigEndian.AppendUint32(b, ack)
	b = append(b, 5<<4, flags, 0xff, 0xff, 0, 0, 0, 0)
	c.s.packet(c.d, up, c.far.Addr(), 6, append(b, payload...))
	*seq += uint32(len(payload))
	if flags&flagSYN != 0 {
		*seq++
	}
}

// dial opens a connection that the far end answers, or not.
func (s *script) dial(d scriptDevice, port uint16, far netip.AddrPort, answered bool) *conn {
	c := &conn{s: s, d: d, port: port, far: far, up: 1000, down: 5000}
	c.segment(true, flagSYN, nil)
	if answered {
		c.segment(false, flagSYN|flagACK, nil)
		c.segment(true, flagACK, nil)
	}
	return c
}

// say sends payload upstream and lets the far end acknowledge it with a byte.
func (c *conn) say(payload []byte) {
	c.segment(true, flagACK|flagPSH, payload)
	c.segment(false, flagACK|flagPSH, []byte{0x16})
}

// dnsMessage asks for name; with addr it also answers.
func dnsMessage(id uint16, name string, qtype uint16, addr netip.Addr) []byte {
	b := binary.BigEndian.AppendUint16(nil, id)
	if addr.IsValid() {
		b = append(b, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0)
	} else {
		b = append(b, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0)
	}
	for label := range strings.SplitSeq(name, ".") {
		b = append(append(b, byte(len(label))), label...)
	}
	b = append(b, 0)
	b = binary.BigEndian.AppendUint16(b, qtype)
	b = append(b, 0, 1)
	if addr.IsValid() {
		b = append(b, 0xc0, 12, 0, 1, 0, 1, 0, 0, 2, 88, 0, 4)
		b = append(b, addr.AsSlice()...)
	}
	return b
}

// resolve asks the resolver for name, which answers with addr.
func (s *script) resolve(d scriptDevice, name string, addr netip.Addr) {
	far := netip.AddrPortFrom(scriptResolver, 53)
	id := uint16(len(s.frames))
	s.udp(d, true, 30000+id, far, dnsMessage(id, name, 1, netip.Addr{}))
	s.udp(d, false, 30000+id, far, dnsMessage(id, name, 1, addr))
}

// lease lets d ask for an address under a host name and be given it.
func (s *script) lease(d scriptDevice, hostname string) {
	ask := func(op, kind byte, yiaddr []byte, options ...byte) []byte {
		b := make([]byte, 240)
		b[0], b[1], b[2] = op, 1, 6
		binary.BigEndian.PutUint32(b[4:], uint32(d.mac[5]))
		copy(b[16:], yiaddr)
		copy(b[28:], d.mac[:])
		copy(b[236:], []byte{99, 130, 83, 99})
		return append(append(append(b, 53, 1, kind), options...), 255)
	}
	request := append([]byte{12, byte(len(hostname))}, hostname...)
	s.udp(d, true, 68, netip.AddrPortFrom(scriptGateway, 67), ask(1, 3, nil, request...))
	s.udp(d, false, 68, netip.AddrPortFrom(scriptGateway, 67), ask(2, 5, d.addr.AsSlice(), 51, 4, 0, 0, 14, 16))
}

// certain makes d known as a Xiaomi handset by two families of evidence.
func (s *script) certain(d scriptDevice) {
	s.lease(d, "Redmi-Note-12")
	for _, name := range []string{"update.intl.miui.com", "find.api.micloud.xiaomi.net", "sec.intl.miui.com"} {
		s.resolve(d, name, netip.AddrFrom4([4]byte{203, 0, 113, 20}))
	}
}

// miPush is the opening packet of a client of Xiaomi's push service.
func miPush(model string) []byte {
	text := func(b []byte, field byte, value string) []byte {
		return append(append(b, field<<3|2, byte(len(value))), value...)
	}
	header := append(text(text([]byte{0x08, 0}, 3, "xiaomi.com"), 5, "CONN"), 0x48, 0)
	payload := text(text([]byte{0x08, 106}, 2, model), 3, "V13.0.1.0.TKQMIXM")
	payload = text(append(payload, 0x28, 48), 7, "app.chat.global.xiaomi.net:5222")
	blob := []byte{0, 2, 0, byte(len(header)), 0, 0, 0, byte(len(payload))}
	blob = append(append(blob, header...), payload...)
	b := append([]byte{0xc2, 0xfe, 0, 5}, binary.BigEndian.AppendUint32(nil, uint32(len(blob)))...)
	b = append(b, blob...)
	return binary.BigEndian.AppendUint32(b, adler32.Checksum(b))
}

// dtlsHello is a ClientHello of DTLS 1.2 for name.
func dtlsHello(name string) []byte {
	entry := append([]byte{0, byte(len(name) >> 8), byte(len(name))}, name...)
	list := append([]byte{byte(len(entry) >> 8), byte(len(entry))}, entry...)
	exts := append([]byte{0, 0, byte(len(list) >> 8), byte(len(list))}, list...)
	body := append([]byte{0xfe, 0xfd}, make([]byte, 32)...)
	body = append(body, 0, 0, 0, 2, 0xc0, 0x2b, 1, 0, byte(len(exts)>>8), byte(len(exts)))
	body = append(body, exts...)
	n := len(body)
	fragment := append([]byte{1, 0, byte(n >> 8), byte(n), 0, 0, 0, 0, 0, 0, byte(n >> 8), byte(n)}, body...)
	return append([]byte{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, byte(len(fragment) >> 8), byte(len(fragment))}, fragment...)
}

// played is a script as a source.
type played struct{ frames []capture.Frame }

// Next implements sensor.Source.
func (p *played) Next(batch []capture.Frame) (int, error) {
	if len(p.frames) == 0 {
		return 0, io.EOF
	}
	n := copy(batch, p.frames)
	p.frames = p.frames[n:]
	return n, nil
}
