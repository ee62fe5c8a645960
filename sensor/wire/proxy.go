package wire

// Upgrade is what came in a client's TCP stream before the conversation that
// matters: a proxy's handshake, or a protocol that turned to TLS.
type Upgrade struct {
	Via  string // "connect", "socks5", "socks4", "starttls-smtp", "postgresql", ...
	Host []byte // name or address asked of a proxy, as sent; nil elsewhere
	Port uint16 // asked of a proxy, 0 elsewhere
	At   int    // where the inner stream starts in the client's stream
}

// FindUpgrade looks through the contiguous first bytes b of a client's TCP
// stream for a proxy request or a change to TLS in mid-stream.
//
// Whole: found; the inner stream starts at b[u.At:], which may still be empty
// after a proxy request, and FindUpgrade may be asked again about it, for a
// proxy within a proxy or STARTTLS through one. More: a protocol that may
// still turn to TLS. Other: none that can, or that has not within its bound.
func FindUpgrade(b []byte) (u Upgrade, st Status) {
	return u, Other
}
