package traffic

import "net/netip"

// Flow is what really happened in one conversation, in the words of picket's
// flow lines.
type Flow struct {
	Client     netip.Addr `json:"client"`
	ClientPort uint16     `json:"client_port"`
	Server     netip.Addr `json:"server"`
	ServerPort uint16     `json:"server_port"`
	Proto      string     `json:"proto"` // tcp or udp

	// Name and Visibility are what the wire says; Visibility is empty where
	// a reader may choose (a DNS exchange names its own question).
	Name       string `json:"name"`
	Visibility string `json:"visibility"`

	Sent      uint64 `json:"sent"`      // payload bytes, each once
	Handshake uint64 `json:"handshake"` // of Sent: TLS records but application data, QUIC long headers, DNS
	Received  uint64 `json:"received"`
	Attempt   bool   `json:"attempt"` // nobody answered
}
