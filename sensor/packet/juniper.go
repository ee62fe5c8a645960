package packet

// Link types of frames that Junos recorded: a header of its own, then the frame.
const (
	linkJuniperPPPoE      = 167
	linkJuniperEthernet   = 178
	linkJuniperPPP        = 179
	linkJuniperFrameRelay = 180
	linkJuniperHDLC       = 181
)

// juniper reads the magic number, flags and extensions that Junos writes, and
// the frame behind them. Without a link header, four octets stand before IP.
func (p *Packet) juniper(link uint16, b []byte, wire int) Reason {
	p.Layer = Filter
	if len(b) < 4 {
		return Truncated
	}
	if b[0] != 'M' || b[1] != 'G' || b[2] != 'C' {
		return BadVersion
	}
	n, flags := 4, b[3]
	if flags&0x80 != 0 { // extensions, with their length
		if len(b) < 6 {
			return Truncated
		}
		n = 6 + int(be.Uint16(b[4:]))
	}
	switch {
	case flags&0x02 != 0:
		return p.after(n+4, b, wire, (*Packet).ip)
	case link == linkJuniperEthernet, link == linkJuniperPPPoE:
		return p.after(n, b, wire, (*Packet).ethernetOuter)
	case link == linkJuniperPPP:
		return p.after(n, b, wire, (*Packet).ppp)
	case link == linkJuniperFrameRelay:
		return p.after(n, b, wire, (*Packet).frameRelay)
	}
	return p.after(n, b, wire, (*Packet).hdlc)
}
