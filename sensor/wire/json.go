package wire

// jsonDepth bounds how deep a JSON text is followed.
const jsonDepth = 16

// jsonEvent is what jsonReader came upon.
type jsonEvent uint8

const (
	jsonEnd jsonEvent = iota // no more, or not JSON from here on
	jsonOpen
	jsonClose
	jsonString
	jsonOther // number, true, false, null
)

// jsonReader walks JSON text (RFC 8259) that may be cut short, without
// allocating. It is lenient: it finds keys and values and judges nothing.
type jsonReader struct {
	b     []byte
	at    int
	depth int
	keys  [jsonDepth + 1][]byte // the key that leads to the values at each depth
	list  [jsonDepth + 1]bool   // inside an array: the key of the array holds
	value []byte                // of jsonString without quotes, escapes as they stand; of jsonOther as it stands
}

// key returns the name of the member that holds the value read last; for an
// element of an array, the name of the array.
func (j *jsonReader) key() []byte { return j.keys[j.depth] }

// next returns the next event.
func (j *jsonReader) next() jsonEvent {
	for j.at < len(j.b) {
		switch c := j.b[j.at]; c {
		case ' ', '\t', '\r', '\n', ',', ':':
			j.at++
		case '{', '[':
			j.at++
			if j.depth == jsonDepth {
				return jsonEnd
			}
			j.depth++
			j.keys[j.depth] = nil
			if j.list[j.depth] = c == '['; j.list[j.depth] {
				j.keys[j.depth] = j.keys[j.depth-1]
			}
			return jsonOpen
		case '}', ']':
			j.at++
			if j.depth == 0 {
				return jsonEnd
			}
			j.depth--
			return jsonClose
		case '"':
			if !j.text() {
				return jsonEnd
			}
			if j.isKey() {
				j.keys[j.depth] = j.value
				continue
			}
			return jsonString
		default:
			if !j.bare() {
				return jsonEnd
			}
			return jsonOther
		}
	}
	return jsonEnd
}

// text reads a string from its opening quote on.
func (j *jsonReader) text() bool {
	start := j.at + 1
	for i := start; i < len(j.b); i++ {
		switch j.b[i] {
		case '\\':
			i++
		case '"':
			j.value, j.at = j.b[start:i], i+1
			return true
		}
	}
	return false
}

// isKey tells whether the string just read is followed by a colon.
func (j *jsonReader) isKey() bool {
	if j.depth > 0 && j.list[j.depth] {
		return false
	}
	for i := j.at; i < len(j.b); i++ {
		switch j.b[i] {
		case ' ', '\t', '\r', '\n':
		case ':':
			return true
		default:
			return false
		}
	}
	return false
}

// bare reads a number or literal; one that the text is cut off in does not
// count.
func (j *jsonReader) bare() bool {
	start := j.at
	for ; j.at < len(j.b); j.at++ {
		c := j.b[j.at]
		if c != '-' && c != '+' && c != '.' && !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'z') {
			j.value = j.b[start:j.at]
			return j.at > start
		}
	}
	return false
}
