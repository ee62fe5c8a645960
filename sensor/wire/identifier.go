package wire

// IdentifierText says what kind of text is searched.
type IdentifierText uint8

// The kinds of text.
const (
	InURL    IdentifierText = iota // the query of a request target: a=b&c=d
	InHeader                       // header lines
	InForm                         // application/x-www-form-urlencoded body
	InJSON                         // JSON body
	InPush                         // printable pairs of a vendor push message
)

var identifierTexts = [...]string{"url", "header", "form", "json", "push"}

// String returns url, header, form, json or push.
func (t IdentifierText) String() string { return identifierTexts[t] }

// Identifiers collects the identifiers found in the texts of one message.
// The zero value is ready for use; Reset forgets. Values and fields refer to
// the texts or to scratch inside: hash the value, never keep it.
type Identifiers struct {
	Found []IdentifierSeen

	found   [16]IdentifierSeen
	scratch []byte
}

// IdentifierSeen is one identifier in clear.
type IdentifierSeen struct {
	Kind  string // imei imsi msisdn android-id oaid mac carrier
	Where IdentifierText
	Field []byte // the parameter's name, lower case
	Value []byte // normalised: digits alone, hex in lower case
}

// Reset forgets what was found.
func (f *Identifiers) Reset() { f.Found = f.found[:0] }

// Find searches the first 4 KiB of b and adds to Found.
func (f *Identifiers) Find(t IdentifierText, b []byte) {}
