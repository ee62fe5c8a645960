package wire

// Hello is a ClientHello: RFC 8446, section 4.1.2, and its predecessors back
// to SSL 2.0 (tls_ssl2.go). One value is meant to be reused for message after
// message; every slice in it refers to the parsed bytes, or to a buffer of
// the Hello, and is valid until the next Parse or until those bytes change.
// The zero value is ready to use. It is not safe for concurrent use.
type Hello struct {
	Transport Transport // set by the Parse method that was called

	ServerName    []byte     // first host_name of server_name as sent; nil when absent
	HasServerName bool       // the extension is there, whatever it holds
	Name          []byte     // ServerName in lower case, no trailing dot; nil when kept out
	NameReason    NameReason // why Name is nil although HasServerName

	Legacy  uint16 // client_version of the message
	Version uint16 // highest version offered, supported_versions first, GREASE apart

	SessionID   []byte
	Ciphers     Codes  // cipher suites in wire order, GREASE included
	Compression []byte // compression methods
	Groups      Codes  // supported_groups
	SigAlgs     Codes  // signature_algorithms
	Versions    Codes  // supported_versions
	Points      []byte // ec_point_formats
	ALPN        Protocols
	Extensions  Extensions

	ECH ECH

	// Damaged: the extensions overrun their block. What came before is read;
	// a server would refuse such a hello.
	Damaged bool

	SSL2      bool   // a message in SSL 2.0 form: it has no extensions and no JA3
	Google    bool   // a gQUIC CHLO: only ServerName, Name and UserAgent are set
	UserAgent []byte // UAID of a gQUIC CHLO

	name  [maxName]byte // behind Name
	buf   []byte        // behind a message that spans several records
	plain []byte        // an opened QUIC packet, in buf
	sort  []uint16      // scratch of JA4
	text  []byte        // scratch of JA3 and JA4
}

// Transport is what carried a ClientHello, as JA4's first letter.
type Transport byte

// The transports.
const (
	OverTCP  Transport = 't'
	OverQUIC Transport = 'q'
	OverDTLS Transport = 'd'
)

// Extension types this package reads (IANA, TLS ExtensionType Values).
const (
	extServerName          = 0
	extSupportedGroups     = 10
	extPointFormats        = 11
	extSignatureAlgorithms = 13
	extALPN                = 16
	extSupportedVersions   = 43
	extECH                 = 0xfe0d
	extESNI                = 0xffce // draft-ietf-tls-esni-00 to -05
)

const (
	typeClientHello   = 1
	handshakeHeader   = 4
	maxHelloMessage   = 64 << 10 // RFC 8446 allows 2^24-1; none seen above 17 KiB
	fixedHelloPrefix  = 2 + 32   // client_version, random
	maxSessionIDBytes = 32
)

// Codes is a list of 16-bit code points in wire order.
type Codes []byte

// Len returns how many code points c holds.
func (c Codes) Len() int { return len(c) / 2 }

// At returns the i-th code point; i must be in [0, Len).
func (c Codes) At(i int) uint16 { return uint16(c[2*i])<<8 | uint16(c[2*i+1]) }

// Extensions is the extensions block of a ClientHello.
type Extensions []byte

// Next returns the first extension of e and the extensions after it; ok is
// false at the end. An extension that claims more octets than there are is
// the last, with those that are there and rest nil.
func (e Extensions) Next() (typ uint16, body []byte, rest Extensions, ok bool) {
	if len(e) < 4 {
		return 0, nil, nil, false
	}
	n := 4 + int(e[2])<<8 + int(e[3])
	typ = uint16(e[0])<<8 | uint16(e[1])
	if n > len(e) {
		return typ, e[4:], nil, true
	}
	return typ, e[4:n], e[n:], true
}

// Protocols is the ProtocolNameList of RFC 7301, section 3.1, without its length.
type Protocols []byte

// Next returns the first protocol of p and the protocols after it; ok is
// false at the end.
func (p Protocols) Next() (name []byte, rest Protocols, ok bool) {
	if len(p) == 0 || int(p[0]) >= len(p) {
		return nil, nil, false
	}
	n := 1 + int(p[0])
	return p[1:n], p[n:], true
}

// IsGREASE reports whether v is one of the reserved values of RFC 8701.
func IsGREASE(v uint16) bool { return v&0x0f0f == 0x0a0a && v>>8 == v&0xff }

// Parse reads the handshake message msg of a TLS ClientHello, header included
// (RFC 8446, section 4), as TCP or QUIC carried it. The caller sets Transport
// afterwards when it was not TCP. Bytes after the message are ignored. The
// error is ErrTruncated, ErrMalformed, ErrTooLong or ErrOther.
func (h *Hello) Parse(msg []byte) error {
	body, err := tlsHelloBody(msg)
	if err != nil {
		return err
	}
	h.clear(OverTCP)
	return h.parseBody(body)
}

// clear forgets the message before, keeping the buffers.
func (h *Hello) clear(t Transport) {
	h.Transport = t
	h.ServerName, h.HasServerName, h.Name, h.NameReason = nil, false, nil, NameKept
	h.Legacy, h.Version = 0, 0
	h.SessionID, h.Ciphers, h.Compression = nil, nil, nil
	h.Groups, h.SigAlgs, h.Versions, h.Points = nil, nil, nil, nil
	h.ALPN, h.Extensions, h.ECH, h.Damaged = nil, nil, ECH{}, false
	h.SSL2, h.Google, h.UserAgent = false, false, nil
}

// tlsHelloBody cuts msg to the body its header claims.
func tlsHelloBody(msg []byte) ([]byte, error) {
	if len(msg) > 0 && msg[0] != typeClientHello {
		return nil, ErrOther
	}
	if len(msg) < handshakeHeader {
		return nil, ErrTruncated
	}
	n := int(msg[1])<<16 | int(msg[2])<<8 | int(msg[3])
	if n > maxHelloMessage {
		return nil, ErrTooLong
	}
	if len(msg)-handshakeHeader < n {
		return nil, ErrTruncated
	}
	return msg[handshakeHeader : handshakeHeader+n], nil
}

// parseBody reads a ClientHello after its handshake header; a cookie is there
// in DTLS (RFC 6347, section 4.2.1).
func (h *Hello) parseBody(b []byte) error {
	if len(b) < fixedHelloPrefix+1 {
		return ErrMalformed
	}
	h.Legacy = uint16(b[0])<<8 | uint16(b[1])
	h.Version = h.Legacy
	b = b[fixedHelloPrefix:]
	var ok bool
	if h.SessionID, b, ok = tlsCut8(b); !ok || len(h.SessionID) > maxSessionIDBytes {
		return ErrMalformed
	}
	if h.Transport == OverDTLS {
		if _, b, ok = tlsCut8(b); !ok {
			return ErrMalformed
		}
	}
	var suites []byte
	if suites, b, ok = tlsCut16(b); !ok || len(suites)%2 != 0 {
		return ErrMalformed
	}
	h.Ciphers = suites
	if h.Compression, b, ok = tlsCut8(b); !ok {
		return ErrMalformed
	}
	if len(b) == 0 {
		return nil // no extensions: RFC 5246, section 7.4.1.2
	}
	if b, _, ok = tlsCut16(b); !ok {
		return ErrMalformed
	}
	h.parseExtensions(b)
	return nil
}

// parseExtensions reads the extensions block. What a single extension holds
// is judged by itself, so that one odd extension does not hide the name in
// another.
func (h *Hello) parseExtensions(b Extensions) {
	h.Extensions = b
	for len(b) > 0 {
		if len(b) < 4 {
			h.Damaged = true
			break
		}
		n := 4 + int(b[2])<<8 + int(b[3])
		if n > len(b) {
			h.Damaged = true
			break
		}
		h.extension(uint16(b[0])<<8|uint16(b[1]), b[4:n])
		b = b[n:]
	}
	h.Version = h.highest()
}

func (h *Hello) extension(typ uint16, body []byte) {
	switch typ {
	case extServerName:
		h.HasServerName = true
		h.ServerName = tlsHostName(body)
		h.Name, h.NameReason = cleanName(&h.name, h.ServerName)
	case extSupportedGroups:
		h.Groups = tlsCodes16(body)
	case extPointFormats:
		h.Points, _, _ = tlsCut8(body)
	case extSignatureAlgorithms:
		h.SigAlgs = tlsCodes16(body)
	case extALPN:
		h.ALPN, _, _ = tlsCut16(body)
	case extSupportedVersions:
		if v, _, ok := tlsCut8(body); ok && len(v)%2 == 0 {
			h.Versions = v
		}
	case extECH, extESNI:
		h.ECH = parseECH(typ, body)
	}
}

// highest returns the highest version offered. In DTLS a lower number is a
// later version (RFC 6347, section 4.1).
func (h *Hello) highest() uint16 {
	var best uint16
	for i := range h.Versions.Len() {
		v := h.Versions.At(i)
		if IsGREASE(v) {
			continue
		}
		if best == 0 || tlsLater(v, best) {
			best = v
		}
	}
	if best == 0 {
		return h.Legacy
	}
	return best
}

func tlsLater(a, b uint16) bool {
	if a>>8 == 0xfe && b>>8 == 0xfe {
		return a < b
	}
	return a > b
}

// tlsHostName returns the first host_name of a server_name extension
// (RFC 6066, section 3), nil when there is none.
func tlsHostName(body []byte) []byte {
	list, _, ok := tlsCut16(body)
	for ok && len(list) > 3 {
		typ := list[0]
		var name []byte
		if name, list, ok = tlsCut16(list[1:]); ok && typ == 0 {
			return name
		}
	}
	return nil
}

// tlsCodes16 reads a vector of 16-bit codes with a 16-bit length; half a code
// at the end is left out.
func tlsCodes16(body []byte) Codes {
	v, _, ok := tlsCut16(body)
	if !ok {
		return nil
	}
	return v[:len(v)&^1]
}

// tlsCut8 cuts a vector with an 8-bit length off b.
func tlsCut8(b []byte) (v, rest []byte, ok bool) {
	if len(b) == 0 || len(b)-1 < int(b[0]) {
		return nil, nil, false
	}
	n := 1 + int(b[0])
	return b[1:n], b[n:], true
}

// tlsCut16 cuts a vector with a 16-bit length off b.
func tlsCut16(b []byte) (v, rest []byte, ok bool) {
	if len(b) < 2 {
		return nil, nil, false
	}
	n := 2 + int(b[0])<<8 + int(b[1])
	if len(b) < n {
		return nil, nil, false
	}
	return b[2:n], b[n:], true
}
