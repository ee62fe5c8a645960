package packet

// Reason says why decoding of a frame went no further.
type Reason uint8

// The reasons: a closed set, used as a metric label (Reason.String).
const (
	Decoded         Reason = iota // the zero value: it reached TCP, UDP, ICMP or ARP
	Truncated                     // the capture ends inside a header
	NotIP                         // an EtherType or protocol that carries no IP
	UnknownLink                   // a link type that is not read
	BadLength                     // a header whose length cannot be
	BadVersion                    // a version field that cannot be
	LaterFragment                 // an IP fragment without the transport header
	TunnelFragment                // a fragment of a tunnel's outer packet
	TooDeep                       // more levels than are followed
	EncryptedESP                  // IPsec ESP
	ProtectedWiFi                 // an encrypted 802.11 frame
	WiFiNoData                    // an 802.11 management, control or null frame
	Control                       // link control: STP, LLDP, LACP, PPP negotiation, CDP, tunnel keep-alive
	OtherTransport                // IP with a transport that is not read: addresses are valid
	CapwapFragment                // part of a CAPWAP frame
	TunnelEncrypted               // a tunnel that says its inside is encrypted
	numReasons
)

// Reasons is how many values Reason has, Decoded included.
const Reasons = int(numReasons)

var reasonNames = [numReasons]string{
	"decoded", "truncated", "not-ip", "unknown-link-type", "bad-length", "bad-version",
	"later-fragment", "tunnel-fragment", "too-deep", "encrypted-esp", "protected-802.11",
	"802.11-no-data", "control", "other-transport", "capwap-fragment", "encrypted-tunnel",
}

// String returns the value of the metric label.
func (r Reason) String() string {
	if r >= numReasons {
		return "unknown"
	}
	return reasonNames[r]
}
