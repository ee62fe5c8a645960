package packet

func (p *Packet) reset(frame []byte, at int64, wire int) {}
func (p *Packet) resetNetwork()                          {}

func (p *Packet) link(link uint16, b []byte, wire int) Reason { return UnknownLink }
func (p *Packet) ip(b []byte, wire int) Reason                { return NotIP }
