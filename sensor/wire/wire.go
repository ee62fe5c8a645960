// Package wire reads messages from bytes, one file a protocol. It imports
// no room of picket, keeps no state that a caller does not own, allocates
// nothing where nothing is reported, and is safe on any input.
//
// A parser that works on the first bytes of a stream returns a Status, so
// that its caller knows whether waiting for more bytes can help.
package wire

import "errors"

// Status says what the bytes so far amount to.
type Status uint8

// The states of a message that arrives in pieces.
const (
	Whole Status = iota // the message is complete and was read
	More                // a proper prefix of such a message: more bytes may complete it
	Other               // not this protocol, whatever follows
	Bad                 // this protocol, but malformed or over a bound: do not wait
)

// What a parser returns, bare: made once, compared with ==, counted.
var (
	ErrTruncated = errors.New("wire: message ends early")
	ErrMalformed = errors.New("wire: malformed message")
	ErrOther     = errors.New("wire: another protocol")
	ErrTooLong   = errors.New("wire: message over its bound")
)
