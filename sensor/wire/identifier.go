package wire

import "bytes"

// IdentifierText says what kind of text is searched.
type IdentifierText uint8

// The kinds of text.
const (
	InURL    IdentifierText = iota // the query of a request target: a=b&c=d
	InHeader                       // header lines; of Cookie its pairs
	InForm                         // application/x-www-form-urlencoded body
	InJSON                         // JSON body
	InPush                         // name=value pairs in a vendor push message
)

var identifierTexts = [...]string{"url", "header", "form", "json", "push"}

// String returns url, header, form, json or push.
func (t IdentifierText) String() string {
	if int(t) < len(identifierTexts) {
		return identifierTexts[t]
	}
	return ""
}

// Identifiers collects the identifiers of a person or device found in the
// texts of one message. The zero value is ready for use; Reset forgets.
// Values and fields refer to the texts or to scratch inside: hash the value
// and never keep it. It is not safe for concurrent use.
//
// Two things must agree: a parameter name that says what the value is, and a
// value of that shape. A number alone is never an identifier, however much it
// looks like one.
type Identifiers struct {
	Found []IdentifierSeen

	found   [identifierMax]IdentifierSeen
	scratch []byte
}

// IdentifierSeen is one identifier in clear.
type IdentifierSeen struct {
	Kind  string // imei imsi msisdn android-id oaid mac carrier
	Where IdentifierText
	Field []byte // the parameter's name as sent
	Value []byte // normalised: digits alone, hex in lower case without separators; a carrier as sent
}

const (
	identifierMax     = 16
	identifierText    = 4 << 10 // of a text that is searched
	identifierValue   = 256     // of a value that is looked at
	identifierNested  = 2 << 10 // of a value that is itself JSON
	identifierScratch = 32 << 10
)

// Reset forgets what was found.
func (f *Identifiers) Reset() {
	f.Found, f.scratch = f.found[:0], f.scratch[:0]
}

// Find searches the first 4 KiB of b and adds to Found, each kind and value
// once. For a request head call it with h.Query and InURL, h.Headers() and
// InHeader, then the body by its Content-Type.
func (f *Identifiers) Find(t IdentifierText, b []byte) {
	if f.Found == nil {
		f.Reset()
	}
	b = b[:min(len(b), identifierText)]
	switch t {
	case InURL, InForm:
		f.pairs(t, b, '&', true)
	case InHeader:
		f.headerLines(b)
	case InJSON:
		f.json(t, b)
	case InPush:
		f.pushPairs(b)
	}
}

// pairs searches name=value pairs.
func (f *Identifiers) pairs(t IdentifierText, b []byte, separator byte, encoded bool) {
	for len(b) > 0 {
		pair := b
		if i := bytes.IndexByte(b, separator); i >= 0 {
			pair, b = b[:i], b[i+1:]
		} else {
			b = nil
		}
		eq := bytes.IndexByte(pair, '=')
		if eq <= 0 {
			continue
		}
		name, value := bytes.TrimLeft(pair[:eq], " "), pair[eq+1:]
		if encoded {
			value = f.decoded(value)
			if bytes.IndexByte(name, '%') >= 0 {
				name = f.decoded(name)
			}
		}
		f.pair(t, name, value, true)
	}
}

// decoded returns v without its URL encoding, in scratch.
func (f *Identifiers) decoded(v []byte) []byte {
	if len(f.scratch) > identifierScratch {
		return nil
	}
	start := len(f.scratch)
	f.scratch = unescapeURL(f.scratch, v, identifierNested)
	return f.scratch[start:len(f.scratch):len(f.scratch)]
}

// headerLines searches header fields.
func (f *Identifiers) headerLines(b []byte) {
	for len(b) > 0 {
		line, rest := httpLine(b)
		b = rest
		colon := bytes.IndexByte(line, ':')
		if colon <= 0 {
			continue
		}
		name, value := line[:colon], bytes.Trim(line[colon+1:], " \t")
		if isName(name, "cookie") {
			f.pairs(InHeader, value, ';', true)
			continue
		}
		f.pair(InHeader, name, value, true)
	}
}

// json searches the members of a JSON text. nested texts inside strings are
// searched by pair.
func (f *Identifiers) json(t IdentifierText, b []byte) {
	j := jsonReader{b: b}
	for {
		switch j.next() {
		case jsonEnd:
			return
		case jsonString, jsonOther:
			if key := j.key(); len(key) > 0 {
				f.pair(t, key, j.value, t != InForm)
			}
		}
	}
}

// pushPairs searches name=value pairs between bytes that are no text.
func (f *Identifiers) pushPairs(b []byte) {
	start := 0
	for i := 0; i <= len(b); i++ {
		if i < len(b) && b[i] > ' ' && b[i] < 0x7f && b[i] != '&' && b[i] != ';' && b[i] != ',' {
			continue
		}
		text := b[start:i]
		start = i + 1
		if eq := bytes.IndexAny(text, "=:"); eq > 0 {
			f.pair(InPush, bytes.Trim(text[:eq], `"{`), bytes.Trim(text[eq+1:], `"}`), false)
		}
	}
}

// pair looks at one parameter. With nested a value that is JSON, or Base64 of
// JSON or of an identifier, is searched one level down.
func (f *Identifiers) pair(t IdentifierText, name, value []byte, nested bool) {
	if len(value) == 0 || len(f.Found) == identifierMax {
		return
	}
	if nested && isJSONObject(value) {
		f.nested(t, value)
		return
	}
	rule, ok := identifierRule(name)
	if !ok {
		if nested && len(value) >= 20 {
			if text := f.base64(value); isJSONObject(text) {
				f.nested(t, text)
			}
		}
		return
	}
	if len(value) > identifierValue {
		return
	}
	if f.check(t, rule, name, value) || rule.weak || !nested {
		return
	}
	if text := f.base64(value); len(text) >= 10 {
		f.check(t, rule, name, text)
	}
}

func isJSONObject(v []byte) bool {
	return len(v) > 8 && (v[0] == '{' || v[0] == '[') && bytes.IndexByte(v, '"') > 0
}

// nested searches a JSON text found inside a value; what is inside that is
// not opened again.
func (f *Identifiers) nested(t IdentifierText, b []byte) {
	b = f.unescapeJSON(b[:min(len(b), identifierNested)])
	j := jsonReader{b: b}
	for {
		switch j.next() {
		case jsonEnd:
			return
		case jsonString, jsonOther:
			if key := j.key(); len(key) > 0 {
				f.pair(t, key, j.value, false)
			}
		}
	}
}

// unescapeJSON removes the backslashes before quotes that a JSON text inside
// a JSON string has.
func (f *Identifiers) unescapeJSON(b []byte) []byte {
	if !bytes.Contains(b, []byte(`\"`)) || len(f.scratch) > identifierScratch {
		return b
	}
	start := len(f.scratch)
	for i, c := range b {
		if c == '\\' && i+1 < len(b) && b[i+1] == '"' {
			continue
		}
		f.scratch = append(f.scratch, c)
	}
	return f.scratch[start:len(f.scratch):len(f.scratch)]
}

// base64 decodes v, by either alphabet, when all of it is Base64 and all that
// comes out is printable; else nil.
func (f *Identifiers) base64(v []byte) []byte {
	v = bytes.TrimRight(v, "=")
	if len(v) < 12 || len(v)%4 == 1 || len(v) > identifierNested || len(f.scratch) > identifierScratch {
		return nil
	}
	start := len(f.scratch)
	bits, n := uint32(0), 0
	for _, c := range v {
		d := base64Digit(c)
		if d > 63 {
			f.scratch = f.scratch[:start]
			return nil
		}
		bits, n = bits<<6|uint32(d), n+6
		if n >= 8 {
			n -= 8
			c := byte(bits >> n)
			if c < ' ' || c == 0x7f {
				f.scratch = f.scratch[:start]
				return nil
			}
			f.scratch = append(f.scratch, c)
		}
	}
	return f.scratch[start:len(f.scratch):len(f.scratch)]
}

func base64Digit(c byte) byte {
	switch {
	case c >= 'A' && c <= 'Z':
		return c - 'A'
	case c >= 'a' && c <= 'z':
		return c - 'a' + 26
	case isDigit(c):
		return c - '0' + 52
	case c == '+' || c == '-':
		return 62
	case c == '/' || c == '_':
		return 63
	}
	return 255
}
