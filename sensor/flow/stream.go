package flow

import "picket/sensor/packet"

// Collect takes p's payload into the stream of its direction and lends the
// contiguous bytes from the stream's front: p.Payload itself when nothing is
// held. They are valid until the next call of any method; nil means that
// nothing new is contiguous, or that the direction was released. After bytes
// were lent, call one of Hold, Consume and Release. A datagram is always
// lent whole.
//
// Where segments overlap, the bytes that came first stay, as most hosts do.
func (t *Table) Collect(f *Flow, d Dir, p *packet.Packet) []byte { return nil }

// Hold keeps the lent bytes at the front: the parser wants more. It reports
// false when there is no room; the direction is then released.
func (t *Table) Hold(f *Flow, d Dir) bool { return false }

// Consume drops n bytes from the front and keeps the rest of the lent bytes.
func (t *Table) Consume(f *Flow, d Dir, n int) bool { return false }

// Release gives the buffers of a direction back and stops collecting it.
func (t *Table) Release(f *Flow, d Dir) {}

// Stream says how the first bytes of a direction fare.
type Stream uint8

// The states of a stream.
const (
	Flowing     Stream = iota // contiguous so far, or a gap that may yet fill
	MissedStart               // contiguous, but begins in the middle
	Broken                    // a gap that cannot be filled: the capture lost or cut it
	Full                      // over its bound, released
	Released                  // no longer collected
)

// Stream returns the state of a direction.
func (t *Table) Stream(f *Flow, d Dir) Stream { return Released }

// Resync moves the front of a Broken stream to the first bytes held behind
// the gap, and returns them (to be treated as lent).
func (t *Table) Resync(f *Flow, d Dir) []byte { return nil }
