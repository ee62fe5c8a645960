package wire

// ECHState says what an encrypted_client_hello extension amounts to.
type ECHState uint8

// The states, named as in the event lines (ECHState.String).
const (
	ECHNone   ECHState = iota
	ECHGrease          // present, nothing shows that it hides another name
	ECHReal            // the server name is an outer name
)

var echStates = [...]string{"none", "grease", "real"}

// String returns none, grease or real.
func (s ECHState) String() string { return echStates[s] }

// ECH is the outer encrypted_client_hello extension (RFC 9849, section 5).
// A GREASE extension has the same form by design (section 6.2), so that no
// field here tells the two apart; see Hello.ECHState.
type ECH struct {
	Present  bool
	Draft    bool // encrypted_server_name of the drafts before ECH; the fields below are unset
	Inner    bool // type inner: only inside an encrypted hello, or a faulty client
	KDF      uint16
	AEAD     uint16
	ConfigID uint8
	Enc      int // octets of the encapsulated key; 0 in a second hello
	Payload  int // octets of the encrypted inner hello
}

// parseECH reads what it can; a malformed body is Present with zero fields.
func parseECH(typ uint16, b []byte) ECH {
	e := ECH{Present: true, Draft: typ == extESNI}
	if e.Draft || len(b) == 0 {
		return e
	}
	if b[0] != 0 {
		e.Inner = b[0] == 1
		return e
	}
	if len(b) < 6 {
		return e
	}
	e.KDF, e.AEAD, e.ConfigID = uint16(b[1])<<8|uint16(b[2]), uint16(b[3])<<8|uint16(b[4]), b[5]
	enc, rest, ok := tlsCut16(b[6:])
	if !ok {
		return e
	}
	e.Enc = len(enc)
	if payload, _, ok := tlsCut16(rest); ok {
		e.Payload = len(payload)
	}
	return e
}

// ECHState judges the extension. A passive reader cannot tell GREASE from an
// encrypted hello by the bytes, so what decides is the name around it: the
// hello hides another name when its server name is a public name, that is,
// announced says so (a list of the operator, or an HTTPS record whose ech
// parameter named it) or it is one this package knows. encrypted_server_name
// was sent without a server name when real. All else is GREASE: browsers send
// it in every hello.
func (h *Hello) ECHState(announced bool) ECHState {
	switch {
	case !h.ECH.Present:
		return ECHNone
	case h.ECH.Draft:
		if h.HasServerName {
			return ECHGrease
		}
		return ECHReal
	case announced || IsECHPublicName(h.Name):
		return ECHReal
	}
	return ECHGrease
}

// IsECHPublicName reports whether name, in lower case, is one that exists only
// as public_name of ECH configurations.
func IsECHPublicName(name []byte) bool {
	switch string(name) {
	case "cloudflare-ech.com", "public.tls-ech.dev", "cover.defo.ie":
		return true
	}
	return false
}

// firstECHConfig returns config_id and public_name of the first configuration
// in an ECHConfigList that can be read, as the ech parameter of an HTTPS record
// carries it (RFC 9849, section 4): the outer name that hides others. public is
// nil for none; it refers to list.
func firstECHConfig(list []byte) (id uint8, public []byte) {
	configs, _, ok := tlsCut16(list)
	for ok && len(configs) >= 4 {
		version := uint16(configs[0])<<8 | uint16(configs[1])
		var c []byte
		if c, configs, ok = tlsCut16(configs[2:]); !ok || version != extECH || len(c) < 3 {
			continue
		}
		id := c[0]
		_, c, ok1 := tlsCut16(c[3:]) // kem_id; public_key
		_, c, ok2 := tlsCut16(c)     // cipher_suites
		if !ok1 || !ok2 || len(c) < 1 {
			continue
		}
		if public, _, ok := tlsCut8(c[1:]); ok && len(public) > 0 { // maximum_name_length
			return id, public
		}
	}
	return 0, nil
}
