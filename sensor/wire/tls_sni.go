package wire

// SNI returns the raw host name of the ClientHello handshake message msg,
// nil when it offers none, and reads nothing else: the cheap way when only
// the name matters. It reads as far as the server_name extension, so that a
// message cut after it still gives the name.
func SNI(msg []byte) ([]byte, error) {
	if len(msg) > 0 && msg[0] != typeClientHello {
		return nil, ErrOther
	}
	if len(msg) < handshakeHeader+fixedHelloPrefix {
		return nil, ErrTruncated
	}
	n := handshakeHeader + tlsMessageLength(msg)
	if n < handshakeHeader+fixedHelloPrefix {
		return nil, ErrMalformed
	}
	cut := n > len(msg)
	if !cut {
		msg = msg[:n]
	}
	b := msg[handshakeHeader+fixedHelloPrefix:]
	var ok1, ok2, ok3 bool
	_, b, ok1 = tlsCut8(b)
	_, b, ok2 = tlsCut16(b)
	_, b, ok3 = tlsCut8(b)
	if !ok1 || !ok2 || !ok3 {
		return nil, ErrTruncated
	}
	if len(b) == 0 && !cut {
		return nil, nil
	}
	if len(b) < 2 {
		return nil, ErrTruncated
	}
	total := int(b[0])<<8 | int(b[1])
	b = b[2:]
	b = b[:min(len(b), total)]
	for len(b) > 0 {
		typ, body, rest, ok := Extensions(b).Next()
		if !ok || int(b[2])<<8|int(b[3]) != len(body) {
			return nil, ErrTruncated
		}
		if typ == extServerName {
			return tlsHostName(body), nil
		}
		b = rest
	}
	if cut {
		return nil, ErrTruncated
	}
	return nil, nil
}
