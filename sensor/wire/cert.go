package wire

import (
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

const (
	typeServerHello     = 2
	typeCertificate     = 11
	typeServerHelloDone = 14

	// maxServerFlight bounds what is put together of a server's flight: chains
	// of certificates up to 16 KiB are common.
	maxServerFlight = 64 << 10
	maxCertNames    = 32 // names reported of one certificate; shared ones have a hundred
)

// ServerFlight is what a TLS server says in clear before it encrypts: its
// ServerHello and, up to TLS 1.2, its certificate (RFC 5246, section 7.4).
// The zero value is ready; a value is meant to be reused.
type ServerFlight struct {
	Version uint16   // chosen: supported_versions, else server_version
	Cipher  uint16   // chosen
	Names   []string // host names of the leaf: SAN dNSNames, else the common name; lower case, "*." kept
	Alert   bool     // the server refused

	buf  []byte
	name [maxName]byte
}

// ParseStream reads b, the contiguous first bytes that the server sent. Whole:
// all that can be told in clear was read. More: a longer b may tell more; what
// is known so far is set. Other: b is not TLS. Bad: a malformed flight.
func (s *ServerFlight) ParseStream(b []byte) Status {
	s.Version, s.Cipher, s.Names, s.Alert = 0, 0, s.Names[:0], false
	s.buf = s.buf[:0]
	if len(b) >= tlsRecordHeader {
		if typ, ok := IsTLSRecord(b); !ok {
			return Other
		} else if typ == tlsAlert {
			s.Alert = true
			return Whole
		}
	}
	for {
		frag, rest, st := tlsFragment(b)
		if st == Bad {
			return Bad
		}
		s.buf = append(s.buf, frag...)
		if got := s.messages(st != Whole); got != More {
			return got
		}
		if st == Other {
			return Whole // another content type: from here on it is encrypted
		}
		if st == More {
			return More
		}
		if len(s.buf) > maxServerFlight {
			return Bad
		}
		b = rest
	}
}

// messages reads the handshake messages in s.buf. The last may be cut; of a
// certificate the leaf, which comes first, is enough.
func (s *ServerFlight) messages(last bool) Status {
	b := s.buf
	for len(b) >= handshakeHeader {
		typ, n := b[0], tlsMessageLength(b)
		body := b[handshakeHeader:]
		whole := len(body) >= n
		if whole {
			body, b = body[:n], body[n:]
		}
		switch {
		case typ == typeServerHello && whole:
			if !s.hello(body) {
				return Bad
			}
			if s.Version == 0x0304 || s.Version>>8 == 0x7f {
				return Whole // the certificate is encrypted: RFC 8446, section 2
			}
		case typ == typeCertificate && (whole || last):
			if leaf, ok := certLeaf(body); ok {
				s.Names = appendCertNames(s.Names, &s.name, leaf)
				return Whole
			}
			if whole {
				return Bad
			}
		case typ == typeServerHelloDone && whole:
			return Whole
		}
		if !whole {
			return More
		}
	}
	return More
}

// hello reads a ServerHello (RFC 8446, section 4.1.3).
func (s *ServerFlight) hello(b []byte) bool {
	if len(b) < fixedHelloPrefix+1 {
		return false
	}
	s.Version = uint16(b[0])<<8 | uint16(b[1])
	_, b, ok := tlsCut8(b[fixedHelloPrefix:])
	if !ok {
		// drafts of TLS 1.3 up to -21 have no session id here
		return s.Version >= 0x0304
	}
	if len(b) < 3 {
		return s.Version >= 0x0304
	}
	s.Cipher = uint16(b[0])<<8 | uint16(b[1])
	exts, _, ok := tlsCut16(b[3:])
	if !ok {
		return true
	}
	for e := Extensions(exts); ; {
		typ, body, rest, ok := e.Next()
		if !ok {
			return true
		}
		if typ == extSupportedVersions && len(body) == 2 {
			s.Version = uint16(body[0])<<8 | uint16(body[1])
		}
		e = rest
	}
}

// certLeaf returns the first certificate of a Certificate message, whose end
// may be missing.
func certLeaf(body []byte) ([]byte, bool) {
	if len(body) < 6 {
		return nil, false
	}
	n := int(body[3])<<16 | int(body[4])<<8 | int(body[5])
	if n == 0 || n > len(body)-6 {
		return nil, false
	}
	return body[6 : 6+n], true
}

// appendCertNames appends the host names of the X.509 certificate der
// (RFC 5280, section 4.1): the dNSNames of subjectAltName, else the last
// common name of the subject (RFC 6125, section 6.4.4). It reads only what
// lies on the way there and verifies nothing.
func appendCertNames(names []string, buf *[maxName]byte, der []byte) []string {
	subject, exts, ok := certParts(der)
	if !ok {
		return names
	}
	before := len(names)
	if san := certExtension(exts, certOIDAltName); san != nil {
		names = appendAltNames(names, buf, san)
	}
	if len(names) > before {
		return names
	}
	return appendCertName(names, buf, certCommonName(subject))
}

// Object identifiers in DER: id-ce-subjectAltName 2.5.29.17, id-at-commonName 2.5.4.3.
const (
	certOIDAltName    = "\x55\x1d\x11"
	certOIDCommonName = "\x55\x04\x03"
)

// certParts cuts subject and extensions out of a certificate.
func certParts(der []byte) (subject, exts cryptobyte.String, ok bool) {
	var cert, tbs cryptobyte.String
	in := cryptobyte.String(der)
	if !in.ReadASN1(&cert, asn1.SEQUENCE) || !cert.ReadASN1(&tbs, asn1.SEQUENCE) ||
		!tbs.SkipOptionalASN1(asn1.Tag(0).Constructed().ContextSpecific()) || // version
		!tbs.SkipASN1(asn1.INTEGER) || !tbs.SkipASN1(asn1.SEQUENCE) || // serial, algorithm
		!tbs.SkipASN1(asn1.SEQUENCE) || !tbs.SkipASN1(asn1.SEQUENCE) || // issuer, validity
		!tbs.ReadASN1(&subject, asn1.SEQUENCE) || !tbs.SkipASN1(asn1.SEQUENCE) { // key
		return nil, nil, false
	}
	var wrapped cryptobyte.String
	var there bool
	if tbs.SkipOptionalASN1(asn1.Tag(1).ContextSpecific()) && tbs.SkipOptionalASN1(asn1.Tag(2).ContextSpecific()) &&
		tbs.ReadOptionalASN1(&wrapped, &there, asn1.Tag(3).Constructed().ContextSpecific()) && there {
		if !wrapped.ReadASN1(&exts, asn1.SEQUENCE) {
			exts = nil
		}
	}
	return subject, exts, true
}

// certExtension returns the value of the extension with the given identifier.
func certExtension(exts cryptobyte.String, oid string) cryptobyte.String {
	for !exts.Empty() {
		var ext, id, value cryptobyte.String
		if !exts.ReadASN1(&ext, asn1.SEQUENCE) || !ext.ReadASN1(&id, asn1.OBJECT_IDENTIFIER) ||
			!ext.SkipOptionalASN1(asn1.BOOLEAN) || !ext.ReadASN1(&value, asn1.OCTET_STRING) {
			return nil
		}
		if string(id) == oid {
			return value
		}
	}
	return nil
}

// appendAltNames appends the dNSNames of a subjectAltName.
func appendAltNames(names []string, buf *[maxName]byte, san cryptobyte.String) []string {
	const dnsName = asn1.Tag(2) | 0x80 // context specific
	var list cryptobyte.String
	if !san.ReadASN1(&list, asn1.SEQUENCE) {
		return names
	}
	for !list.Empty() && len(names) < maxCertNames {
		var name cryptobyte.String
		var tag asn1.Tag
		if !list.ReadAnyASN1(&name, &tag) {
			return names
		}
		if tag == dnsName {
			names = appendCertName(names, buf, name)
		}
	}
	return names
}

// certCommonName returns the last common name of a subject, nil when there is none.
func certCommonName(subject cryptobyte.String) (cn []byte) {
	for !subject.Empty() {
		var set, attr, id, value cryptobyte.String
		var tag asn1.Tag
		if !subject.ReadASN1(&set, asn1.SET) || !set.ReadASN1(&attr, asn1.SEQUENCE) ||
			!attr.ReadASN1(&id, asn1.OBJECT_IDENTIFIER) || !attr.ReadAnyASN1(&value, &tag) {
			return cn
		}
		if string(id) == certOIDCommonName {
			cn = value
		}
	}
	return cn
}

// appendCertName appends name in lower case when it is a host name; a leading
// "*." stays.
func appendCertName(names []string, buf *[maxName]byte, name []byte) []string {
	rest, wild := name, len(name) > 2 && name[0] == '*' && name[1] == '.'
	if wild {
		rest = name[2:]
	}
	clean, why := cleanName(buf, rest)
	if why != NameKept {
		return names
	}
	if wild {
		return append(names, "*."+string(clean))
	}
	for _, c := range clean {
		if c == '.' { // a common name of one word is rarely a host
			return append(names, string(clean))
		}
	}
	return names
}
