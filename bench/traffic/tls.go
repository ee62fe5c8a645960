package traffic

import "encoding/binary"

var be = binary.BigEndian

// prefixed appends what body writes, behind its length in size bytes.
func prefixed(b []byte, size int, body func([]byte) []byte) []byte {
	at := len(b)
	b = body(append(b, make([]byte, size)...))
	n := len(b) - at - size
	for i := range size {
		b[at+i] = byte(n >> (8 * (size - 1 - i)))
	}
	return b
}

func extension(b []byte, kind uint16, body func([]byte) []byte) []byte {
	return prefixed(be.AppendUint16(b, kind), 2, body)
}

// clientHello writes a TLS 1.3 ClientHello message (RFC 8446, section 4.1.2)
// as browsers send it: GREASE, X25519MLKEM768 beside X25519, and for QUIC the
// transport parameters.
func (g *generator) clientHello(name string, quic, postQuantum bool) []byte {
	b := []byte{1}
	return prefixed(b, 3, func(b []byte) []byte {
		b = append(b, 3, 3)
		b = append(b, g.unique(32)...)
		b = prefixed(b, 1, func(b []byte) []byte {
			if quic {
				return b
			}
			return append(b, g.random(32)...)
		})
		b = prefixed(b, 2, func(b []byte) []byte {
			for _, suite := range [...]uint16{0x5a5a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8} {
				b = be.AppendUint16(b, suite)
			}
			return b
		})
		b = append(b, 1, 0)
		return prefixed(b, 2, func(b []byte) []byte { return g.extensions(b, name, quic, postQuantum) })
	})
}

func (g *generator) extensions(b []byte, name string, quic, postQuantum bool) []byte {
	empty := func(b []byte) []byte { return b }
	b = extension(b, 0x0a0a, empty)
	if name != "" {
		b = extension(b, 0, func(b []byte) []byte {
			return prefixed(b, 2, func(b []byte) []byte {
				return prefixed(append(b, 0), 2, func(b []byte) []byte { return append(b, name...) })
			})
		})
	}
	if !quic {
		b = extension(b, 23, empty)
		b = extension(b, 0xff01, func(b []byte) []byte { return append(b, 0) })
	}
	b = extension(b, 10, func(b []byte) []byte {
		return append(b, 0, 8, 0x5a, 0x5a, 0x11, 0xec, 0, 29, 0, 23)
	})
	b = extension(b, 16, func(b []byte) []byte {
		return prefixed(b, 2, func(b []byte) []byte {
			if quic {
				return append(b, "\x02h3"...)
			}
			return append(b, "\x02h2\x08http/1.1"...)
		})
	})
	b = extension(b, 13, func(b []byte) []byte { return append(b, 0, 8, 4, 3, 8, 4, 4, 1, 5, 3) })
	b = extension(b, 51, func(b []byte) []byte {
		return prefixed(b, 2, func(b []byte) []byte {
			b = append(b, 0x5a, 0x5a, 0, 1, 0)
			if postQuantum {
				b = append(be.AppendUint16(append(b, 0x11, 0xec), 1216), g.random(1216)...)
			}
			return append(append(b, 0, 29, 0, 32), g.random(32)...)
		})
	})
	b = extension(b, 43, func(b []byte) []byte { return append(b, 4, 3, 4, 3, 3) })
	b = extension(b, 45, func(b []byte) []byte { return append(b, 1, 1) })
	if quic {
		b = extension(b, 57, func(b []byte) []byte { // RFC 9000, section 18
			return append(b, 1, 4, 0x80, 0, 0x75, 0x30, 4, 4, 0x80, 0x10, 0, 0, 15, 0)
		})
	}
	return extension(b, 21, func(b []byte) []byte { return append(b, make([]byte, 8)...) })
}

// tlsRecord wraps body into a record.
func tlsRecord(kind byte, body []byte) []byte {
	return append([]byte{kind, 3, 3, byte(len(body) >> 8), byte(len(body))}, body...)
}

// serverFlight writes a ServerHello and the encrypted rest of the flight.
func (g *generator) serverFlight() []byte {
	hello := prefixed([]byte{2}, 3, func(b []byte) []byte {
		b = append(append(b, 3, 3), g.random(32)...)
		b = append(append(b, 32), g.random(32)...)
		b = append(b, 0x13, 0x01, 0)
		return prefixed(b, 2, func(b []byte) []byte {
			b = extension(b, 43, func(b []byte) []byte { return append(b, 3, 4) })
			return extension(b, 51, func(b []byte) []byte { return append(append(b, 0, 29, 0, 32), g.random(32)...) })
		})
	})
	b := append(tlsRecord(22, hello), tlsRecord(20, []byte{1})...)
	return append(b, tlsRecord(23, g.random(1800+g.rand.IntN(1500)))...)
}
