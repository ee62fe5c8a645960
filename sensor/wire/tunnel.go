package wire

// Tunnel is a protocol that hides what it carries.
type Tunnel uint8

// The tunnels told by their bytes or IP protocol number.
const (
	NoTunnel Tunnel = iota
	WireGuard
	OpenVPN
	IKE
	ESP
	AH
)

var tunnelNames = [...]string{"", "wireguard", "openvpn", "ike", "esp", "ah"}

// String returns the name used in tunnel observations.
func (t Tunnel) String() string {
	if int(t) < len(tunnelNames) {
		return tunnelNames[t]
	}
	return ""
}

const (
	portIKE    = 500
	portIKENAT = 4500
)

// TunnelUDP tells the tunnel a UDP payload belongs to, if any. It answers only
// for messages whose structure proves it by itself, whatever the port: the
// handshake messages of WireGuard, the session resets of OpenVPN, IKE. Only
// ESP, which has no structure, is told by its port, 4500 (RFC 3948).
func TunnelUDP(b []byte, sport, dport uint16) Tunnel {
	if len(b) < 14 { // the shortest: an OpenVPN reset
		return NoTunnel
	}
	nat := sport == portIKENAT || dport == portIKENAT
	switch {
	case wireGuardHandshake(b):
		return WireGuard
	case nat && be32(b) == 0: // non-ESP marker (RFC 3948, section 2.2)
		if isIKE(b[4:]) {
			return IKE
		}
	case isIKE(b):
		return IKE
	case openVPNReset(b):
		return OpenVPN
	case nat && isESP(b):
		return ESP
	}
	return NoTunnel
}

// TunnelData tells the tunnel that a datagram of a flow joined in the middle
// may belong to: a WireGuard data message. One alone proves nothing (sixteen
// bytes of structure that another protocol may show by chance): believe it
// when every one of several datagrams of both directions says the same.
func TunnelData(b []byte) Tunnel {
	if len(b) >= 32 && len(b)%16 == 0 && be32(b) == 4<<24 && be32(b[4:]) != 0 &&
		b[15]|b[14]|b[13] == 0 { // a counter below 2^40, little-endian
		return WireGuard
	}
	return NoTunnel
}

// TunnelTCP tells the tunnel from the first bytes that a TCP client sent:
// OpenVPN, whose messages have a 2-byte length over TCP.
func TunnelTCP(b []byte) (Tunnel, Status) {
	if len(b) < 3 {
		return NoTunnel, More
	}
	n := int(be16(b))
	if n < 14 || n > 2048 || b[2]>>3 != ovpnResetClient2 && b[2]>>3 != ovpnResetClient3 {
		return NoTunnel, Other
	}
	if len(b) < 2+n {
		return NoTunnel, More
	}
	if openVPNReset(b[2 : 2+n]) {
		return OpenVPN, Whole
	}
	return NoTunnel, Other
}

// TunnelProto tells the tunnel by IP protocol number (RFC 4303, RFC 4302).
func TunnelProto(proto uint8) Tunnel {
	switch proto {
	case 50:
		return ESP
	case 51:
		return AH
	}
	return NoTunnel
}

// wireGuardHandshake: type, three zero bytes, and the exact length of an
// initiation, a response or a cookie reply (whitepaper, section 5.4), with an
// index that is not zero.
func wireGuardHandshake(b []byte) bool {
	if b[1]|b[2]|b[3] != 0 || be32(b[4:]) == 0 {
		return false
	}
	switch b[0] {
	case 1:
		return len(b) == 148
	case 2:
		return len(b) == 92
	case 3:
		return len(b) == 64
	}
	return false
}

// isIKE checks the fixed header of IKEv1 (RFC 2408, section 3.1) and IKEv2
// (RFC 7296, section 3.1): version, an exchange type of that version, and a
// length that is that of the datagram.
func isIKE(b []byte) bool {
	const header = 28
	if len(b) < header || be32(b) == 0 && be32(b[4:]) == 0 || int(be32(b[24:])) != len(b) {
		return false
	}
	switch exchange := b[18]; b[17] {
	case 0x10: // base, main, authentication only, aggressive, informational, quick, new group
		return exchange >= 1 && exchange <= 6 || exchange == 32 || exchange == 33
	case 0x20, 0x21: // IKE_SA_INIT to IKE_FOLLOWUP_KE, and the reserved bits of flags
		return exchange >= 34 && exchange <= 44 && b[19]&0xc7 == 0
	}
	return false
}

// isESP: an SPI that is not reserved (RFC 4303, section 2.1), and room for
// sequence number, initialisation vector and check value.
func isESP(b []byte) bool { return len(b) >= 28 && be32(b) > 255 && be32(b[4:]) != 0 }

// Opcodes of OpenVPN, upper five bits of the first byte (openvpn/src/openvpn/
// ssl_pkt.h and its protocol documentation).
const (
	ovpnResetClient2 = 7
	ovpnResetServer2 = 8
	ovpnResetClient3 = 10
)

// openVPNReset recognises the first packet of either side: opcode with key
// number 0, a session number, then, by how the control channel is guarded,
//
//	nothing:   acknowledgements, packet number 0
//	tls-auth:  HMAC (16 to 64 bytes), replay number, time, then as above
//	tls-crypt: replay number, time, HMAC of 32 bytes, then encrypted
//
// Of tls-auth and tls-crypt the replay number is small and the time a date.
func openVPNReset(b []byte) bool {
	op := b[0] >> 3
	if b[0]&7 != 0 || op != ovpnResetClient2 && op != ovpnResetServer2 && op != ovpnResetClient3 {
		return false
	}
	if be32(b[1:]) == 0 && be32(b[5:]) == 0 {
		return false
	}
	if op != ovpnResetClient3 {
		if ovpnPlain(b[9:], op) {
			return true
		}
		for _, mac := range [...]int{16, 20, 32, 48, 64} {
			if len(b) >= 9+mac+8+5 && ovpnReplay(b[9+mac:]) && ovpnPlain(b[9+mac+8:], op) {
				return true
			}
		}
	}
	return len(b) >= 9+8+32+5 && ovpnReplay(b[9:]) && (op != ovpnResetClient2 || len(b) == 9+8+32+5)
}

// ovpnPlain: a client acknowledges nothing; a server acknowledges packet 0
// and repeats the client's session number.
func ovpnPlain(b []byte, op uint8) bool {
	switch {
	case op == ovpnResetClient2:
		return len(b) == 5 && b[0] == 0 && be32(b[1:]) == 0
	case len(b) == 17:
		return b[0] == 1 && be32(b[1:]) == 0 && be32(b[13:]) == 0
	}
	return len(b) == 5 && b[0] == 0 && be32(b[1:]) == 0
}

// ovpnReplay: a number of the first few packets (since 2.6 with 0x0f in its
// upper byte for early negotiation), and a time between 2004 and 2106.
func ovpnReplay(b []byte) bool {
	number := be32(b)
	return (number&^0x0f000000) >= 1 && (number&^0x0f000000) <= 16 && be32(b[4:]) > 0x40000000
}
