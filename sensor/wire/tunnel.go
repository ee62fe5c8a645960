package wire

// Tunnel is a protocol that hides what it carries.
type Tunnel uint8

// The tunnels told by their bytes.
const (
	NoTunnel Tunnel = iota
	WireGuard
	OpenVPN
	IKE
	ESP
	AH
	TorBytes // reserved
)

var tunnelNames = [...]string{"", "wireguard", "openvpn", "ike", "esp", "ah", "tor"}

// String returns the name used in tunnel observations.
func (t Tunnel) String() string { return tunnelNames[t] }

// TunnelUDP tells the tunnel a UDP payload belongs to, if any.
func TunnelUDP(b []byte, sport, dport uint16) Tunnel { return NoTunnel }

// TunnelTCP tells the tunnel from the first bytes that a TCP client sent:
// OpenVPN over TCP.
func TunnelTCP(b []byte) (Tunnel, Status) { return NoTunnel, Other }

// TunnelProto tells the tunnel by IP protocol number: 50 and 51.
func TunnelProto(proto uint8) Tunnel { return NoTunnel }
