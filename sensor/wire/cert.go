package wire

// ServerFlight is what a TLS server says in clear before it encrypts: its
// ServerHello and, up to TLS 1.2, its certificate (RFC 5246, section 7.4).
// The zero value is ready; a value is meant to be reused.
type ServerFlight struct {
	Version uint16   // chosen: supported_versions, else server_version
	Cipher  uint16   // chosen
	Names   [][]byte // dNSNames of the leaf certificate, else its common name; lower case not applied
	Retry   bool     // a HelloRetryRequest

	buf []byte
}

// ParseStream reads b, the contiguous first bytes that the server sent. Whole:
// everything that b can tell was read. More: a longer b may tell more; what is
// known so far is set.
func (s *ServerFlight) ParseStream(b []byte) Status { return Other }
