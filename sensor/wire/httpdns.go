package wire

import "net/netip"

// HTTPDNS is a name resolution over plain HTTP, as vendors' applications do
// it to fixed addresses. Its slices refer to the input or scratch inside it.
type HTTPDNS struct {
	Provider string // "xiaomi", "alibaba", "tencent"; empty: none
	Names    [][]byte
	Answers  []HTTPDNSAnswer

	scratch []byte
	names   [16][]byte
	answers [64]HTTPDNSAnswer
}

// HTTPDNSAnswer is one address that an answer gave for a name.
type HTTPDNSAnswer struct {
	Name []byte
	Addr netip.Addr
	TTL  uint32 // seconds, 0 when not given
}

// ParseRequest reads the names that the request h asks for, and reports
// whether it is a name resolution at all.
func (d *HTTPDNS) ParseRequest(h *HTTP) bool { return false }

// ParseAnswer reads the body that answered the request read last (Provider
// and Names are used). The body may be cut short.
func (d *HTTPDNS) ParseAnswer(body []byte) bool { return false }
