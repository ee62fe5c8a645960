package packets

import (
	"bytes"

	"picket/sensor/packet"
)

// transportAt is where the header begins that ends at body, -1 when it cannot
// be found: its length is in it (RFC 9293, section 3.1).
func transportAt(p *packet.Packet, data []byte, body int) int {
	if p.Proto == packet.ProtoUDP {
		return body - 8
	}
	for n := 20; n <= 60 && n <= body; n += 4 {
		h := data[body-n:]
		if int(h[12]>>4)*4 == n && port(h) == p.SrcPort && port(h[2:]) == p.DstPort {
			return body - n
		}
	}
	return -1
}

func port(b []byte) uint16 { return uint16(b[0])<<8 | uint16(b[1]) }

// networkAt is where the innermost IP header begins, -1 when it cannot be
// found.
func networkAt(p *packet.Packet, data []byte, body int) int {
	src, dst := p.Src[:], p.Dst[:]
	length, from, to := 40, 8, 24
	if p.Version == 4 {
		src, dst, length, from, to = src[12:], dst[12:], 20, 12, 16
	}
	end := transportAt(p, data, body)
	for at := end - length; at >= 0; at-- {
		h := data[at:]
		if h[0]>>4 == p.Version && bytes.Equal(h[from:from+len(src)], src) && bytes.Equal(h[to:to+len(dst)], dst) {
			return at
		}
	}
	return -1
}

// ethernet gives a frame the form that the file says: an Ethernet frame. A tag
// that the kernel took out is put back; of other links the innermost IP packet
// is put behind an Ethernet header. added is how much longer the frame is for
// it than it was on the wire.
func (w *Writer) ethernet(f *Frame, data []byte) (out []byte, added int) {
	switch {
	case f.Link == linkEthernet && f.TPID == 0:
		return data, 0
	case f.Link == linkEthernet && len(data) >= 12:
		out = append(make([]byte, 0, len(data)+4), data[:12]...)
		out = append(out, byte(f.TPID>>8), byte(f.TPID), byte(f.TCI>>8), byte(f.TCI))
		return append(out, data[12:]...), 4
	}
	p := &w.p
	at := networkAt(p, f.Data, int(f.Body))
	if at < 0 {
		return data, 0
	}
	out = append(append(make([]byte, 0, len(data)+14), p.LinkDst[:]...), p.LinkSrc[:]...)
	kind := [2]byte{0x08, 0x00}
	if p.Version == 6 {
		kind = [2]byte{0x86, 0xdd}
	}
	return append(append(out, kind[:]...), data[at:]...), 14 - at
}
