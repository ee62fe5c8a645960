package packet

import "encoding/binary"

// wifi reads an IEEE 802.11 data frame (IEEE 802.11-2020, section 9.2.4).
func (p *Packet) wifi(b []byte, wire int) Reason {
	p.Layer = WiFi
	if len(b) < 2 {
		return Truncated
	}
	control, flags := b[0], b[1]
	if control&3 != 0 && flags&3 == 0 && flags&0x0c == 8 {
		control, flags = flags, control // the two bytes swapped, as Cisco does inside CAPWAP
	}
	switch {
	case control&3 != 0:
		return BadVersion
	case control&0x0c != 8: // management, control
		return WiFiNoData
	case len(b) < 24:
		return Truncated
	}
	p.wifiAddresses(flags, b)
	if control&0x40 != 0 { // null, QoS null
		return WiFiNoData
	}
	n := 24
	if flags&3 == 3 {
		n += 6
	}
	if control&0x80 != 0 { // QoS
		if len(b) < n+2 {
			return Truncated
		}
		if b[n]&0x80 != 0 {
			return p.amsdu(flags, n, b, wire)
		}
		n += 2
		if flags&0x80 != 0 { // HT control
			n += 4
		}
	}
	if b[22]&0x0f != 0 { // fragment number
		return LaterFragment
	}
	return p.wifiBody(flags, n, b, wire)
}

// wifiBody reads LLC behind n bytes of header. A protected frame may show
// plain LLC: controllers leave the bit set on what they decrypted.
func (p *Packet) wifiBody(flags byte, n int, b []byte, wire int) Reason {
	if len(b) < n {
		return Truncated
	}
	for _, pad := range [...]int{0, 2} { // radiotap's data pad aligns the body to 4
		if m := n + pad; len(b) >= m+3 && b[m] == 0xaa && b[m+1] == 0xaa && b[m+2] == 3 {
			return p.llc(b[m:], wire-m)
		}
	}
	if flags&0x40 != 0 {
		return ProtectedWiFi
	}
	return p.llc(b[n:], wire-n)
}

// wifiAddresses tells source, destination and access point (table 9-30).
func (p *Packet) wifiAddresses(flags byte, b []byte) {
	a1, a2, a3 := MAC(b[4:10]), MAC(b[10:16]), MAC(b[16:22])
	switch flags & 3 {
	case 0:
		p.LinkDst, p.LinkSrc, p.BSSID = a1, a2, a3
	case 1: // to the distribution system
		p.BSSID, p.LinkSrc, p.LinkDst = a1, a2, a3
	case 2: // from it
		p.LinkDst, p.BSSID, p.LinkSrc = a1, a2, a3
	case 3: // between access points
		p.BSSID, p.LinkDst = a2, a3
		if len(b) >= 30 {
			p.LinkSrc = MAC(b[24:30])
		}
	}
}

// amsdu reads the first subframe of an aggregate; n is where the QoS field
// stands. The others are not read.
func (p *Packet) amsdu(flags byte, n int, b []byte, wire int) Reason {
	n += 2
	if flags&0x80 != 0 {
		n += 4
	}
	if flags&0x40 != 0 {
		return ProtectedWiFi
	}
	if len(b) < n+14 {
		return Truncated
	}
	p.LinkDst, p.LinkSrc = MAC(b[n:n+6]), MAC(b[n+6:n+12])
	return p.llcLength(int(be.Uint16(b[n+12:])), b[n+14:], wire-n-14)
}

// radiotap skips a radiotap header (https://www.radiotap.org).
func (p *Packet) radiotap(b []byte, wire int) Reason {
	p.Layer = Radiotap
	if len(b) < 8 {
		return Truncated
	}
	n := int(binary.LittleEndian.Uint16(b[2:]))
	if b[0] != 0 {
		return BadVersion
	}
	if n < 8 {
		return BadLength
	}
	if n > len(b) {
		return Truncated
	}
	return p.wifi(b[n:], wire-n)
}

// prism skips a Prism or AVS header, each of which states its length; some
// drivers write none.
func (p *Packet) prism(b []byte, wire int) Reason {
	p.Layer = Prism
	if len(b) < 8 {
		return Truncated
	}
	n := 0
	switch magic := be.Uint32(b); {
	case magic>>12 == 0x80211: // AVS
		n = int(be.Uint32(b[4:]))
	case magic == 0x44000000, magic == 0x41000000:
		n = int(binary.LittleEndian.Uint32(b[4:]))
	case magic == 0x44, magic == 0x41:
		n = int(be.Uint32(b[4:]))
	}
	if n > wire {
		return BadLength
	}
	if n > len(b) {
		return Truncated
	}
	return p.wifi(b[n:], wire-n)
}

// capwap reads a CAPWAP data message (RFC 5415, section 4.3), which carries
// an 802.11 or an 802.3 frame.
func (p *Packet) capwap(b []byte, wire int) (Reason, bool) {
	if len(b) < 8 || b[0]>>4 != 0 {
		return 0, false
	}
	if b[0]&15 == 1 { // DTLS
		if b[1]|b[2]|b[3] != 0 || b[4] < 20 || b[4] > 25 || b[5] != 0xfe {
			return 0, false
		}
		p.Layer = CAPWAP
		return TunnelEncrypted, true
	}
	n := int(b[1]>>3) * 4
	if b[0] != 0 || n < 8 || n > len(b) {
		return 0, false
	}
	switch {
	case b[3]&0x08 != 0:
		p.Layer = CAPWAP
		return Control, true
	case b[3]&0x80 != 0:
		p.Layer = CAPWAP
		return CapwapFragment, true
	case b[2]&1 != 0: // T: the frame is in the format of the wireless binding
		return p.inside(CAPWAP, 0, b[n:], wire-n, (*Packet).wifi)
	}
	return p.inside(CAPWAP, 0, b[n:], wire-n, (*Packet).ethernet)
}

// tzsp reads a TaZmen Sniffer frame: version, type, protocol, tagged fields.
func (p *Packet) tzsp(b []byte, wire int) (Reason, bool) {
	if len(b) < 5 || b[0] != 1 || b[1] > 1 {
		return 0, false
	}
	n := 4
	for n < len(b) && b[n] != 1 { // 1: end of the fields
		if b[n] == 0 { // padding
			n++
			continue
		}
		if n+1 >= len(b) {
			return 0, false
		}
		n += 2 + int(b[n+1])
	}
	if n++; n > len(b) {
		return 0, false
	}
	switch be.Uint16(b[2:]) {
	case 1:
		return p.inside(TZSP, 0, b[n:], wire-n, (*Packet).ethernet)
	case 18:
		return p.inside(TZSP, 0, b[n:], wire-n, (*Packet).wifi)
	case 119:
		return p.inside(TZSP, 0, b[n:], wire-n, (*Packet).prism)
	case 127:
		return p.inside(TZSP, 0, b[n:], wire-n, (*Packet).radiotap)
	}
	return 0, false
}
