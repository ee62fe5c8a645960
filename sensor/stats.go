package sensor

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"picket/sensor/flow"
	"picket/sensor/packet"
)

// WorkerStats counts what a worker did since its start.
type WorkerStats struct {
	Frames, Bytes       uint64
	Stops               [packet.Reasons]uint64
	Observations        uint64
	ObservationsDropped uint64
	NeverWatched        uint64 // bytes on the wire of networks that are never watched
	FragmentsLost       [8]uint64
	FragmentBytes       uint64 // payload bytes of fragments without a conversation
	MissedBytes         uint64 // acknowledged by the other end, never seen: lost before the capture
	Handshakes          [numProtocols][numOutcomes]uint64
	Decrypts            uint64
	Conversations       int
	ConversationsFull   uint64 // flows whose name was not kept for want of room
	KeepsakesDropped    uint64 // frames not held for evidence: nobody took those before, or they came in fragments
	Flow                flow.Stats
	Fragments           packet.FragmentStats
}

// Protocol is a value of the label protocol of handshakes_total.
type Protocol uint8

// The protocols whose handshakes are counted.
const (
	ProtocolTLS Protocol = iota
	ProtocolQUIC
	ProtocolDTLS
	numProtocols
)

// String returns the value of the metric label.
func (p Protocol) String() string { return [...]string{"tls", "quic", "dtls"}[p] }

// Protocols is how many values Protocol has.
const Protocols = int(numProtocols)

// Outcome is a value of the label outcome of handshakes_total.
type Outcome uint8

// The outcomes of reading a handshake.
const (
	Named      Outcome = iota // it says the server's name
	Nameless                  // complete, without a name
	Hidden                    // encrypted ClientHello: the name is an outer one
	Malformed                 // cannot be read
	Incomplete                // cut, lost in part, or never completed
	OverBudget                // not opened for want of processing time or memory
	numOutcomes
)

// String returns the value of the metric label.
func (o Outcome) String() string {
	return [...]string{"named", "nameless", "encrypted", "malformed", "incomplete", "over-budget"}[o]
}

// Outcomes is how many values Outcome has.
const Outcomes = int(numOutcomes)

// hasher makes the keyed hash under which an identifier can be recognised
// again without being known.
type hasher struct{ key []byte }

// sum returns 16 hexadecimal digits of HMAC-SHA256 over kind and value.
func (h hasher) sum(kind string, value []byte) string {
	m := hmac.New(sha256.New, h.key)
	m.Write([]byte(kind))
	m.Write([]byte{0})
	m.Write(value)
	return hex.EncodeToString(m.Sum(nil)[:8])
}

// EachStop calls f for every reason why frames went no further, "decoded"
// included.
func EachStop(s *WorkerStats, f func(reason string, n uint64)) {
	for i, n := range s.Stops {
		f(packet.Reason(i).String(), n)
	}
}

// EachEnd calls f for every reason why flows left the table.
func EachEnd(s *WorkerStats, f func(reason string, n uint64)) {
	for i, n := range s.Flow.Evicted {
		f(flow.End(i).String(), n)
	}
}

// EachHandshake calls f for every protocol and outcome.
func EachHandshake(s *WorkerStats, f func(protocol, outcome string, n uint64)) {
	for p := range s.Handshakes {
		for o, n := range s.Handshakes[p] {
			f(Protocol(p).String(), Outcome(o).String(), n)
		}
	}
}
