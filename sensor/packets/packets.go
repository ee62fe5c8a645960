// Package packets keeps the first frames of conversations for a short while
// in memory, so that those of a device which turns out to violate a policy
// can be shown, and writes them as pcapng with everything in clear that would
// tell who somebody is overwritten. Nothing here touches a disk.
package packets

import (
	"fmt"

	"picket/sensor/packet"
)

// Mode says what of a conversation is kept.
type Mode uint8

// The modes.
const (
	Off        Mode = iota
	Handshakes      // headers; TLS hellos, QUIC Initials, DNS messages, heads of HTTP requests
	Payload         // and the first bytes of each direction
)

var modes = [...]string{"off", "handshakes", "payload"}

// String returns off, handshakes or payload.
func (m Mode) String() string { return modes[m] }

// UnmarshalText reads off, handshakes or payload.
func (m *Mode) UnmarshalText(b []byte) error {
	for i, name := range modes {
		if string(b) == name {
			*m = Mode(i)
			return nil
		}
	}
	return fmt.Errorf("%q: want off, handshakes or payload", b)
}

// MarshalText writes what UnmarshalText reads.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// Record says what a frame is. The bytes are kept beside it.
type Record struct {
	At         int64  // packet time, ns since 1970 UTC
	Flow       uint64 // id of the conversation
	Home, Away packet.Addr
	Wire       uint32 // length on the wire
	Size       uint32 // bytes kept of the frame
	Body       uint32 // where the transport payload begins in them
	Whole      uint32 // length of that payload on the wire
	Link       uint16 // LINKTYPE_ value
	TPID, TCI  uint16 // a VLAN tag that the kernel took out of the frame
	Realm      uint16
	Sent       bool // from our end
	DNS        bool // to or from port 53
}

const (
	batchRecords = 512
	batchBytes   = 64 << 10
)

// Batch carries frames from a worker to whoever holds the Memory.
type Batch struct {
	n, used int
	records [batchRecords]Record
	bytes   [batchBytes]byte
}

// Len is how many frames are in b.
func (b *Batch) Len() int { return b.n }

// Half reports that it is time to hand b over.
func (b *Batch) Half() bool { return b.n > batchRecords/2 || b.used > batchBytes/2 }

// Add copies the first r.Size bytes of frame; false when there is no room.
func (b *Batch) Add(r *Record, frame []byte) bool {
	size := int(r.Size)
	if b.n == batchRecords || size > len(frame) || b.used+size > batchBytes {
		return false
	}
	copy(b.bytes[b.used:], frame[:size])
	b.records[b.n] = *r
	b.n++
	b.used += size
	return true
}

// reset empties b; what was in it is overwritten.
func (b *Batch) reset() {
	clear(b.bytes[:b.used])
	b.n, b.used = 0, 0
}

// Exchange hands batches from workers to one reader and back. Neither ever
// waits for the other. It may be shared by any number of workers.
type Exchange struct {
	Mode    Mode
	Payload int // bytes of each direction of a conversation, in the mode Payload

	full, spare chan *Batch
}

// NewExchange makes n batches of some 100 KiB.
func NewExchange(m Mode, payload, n int) *Exchange {
	x := &Exchange{Mode: m, Payload: payload, full: make(chan *Batch, n), spare: make(chan *Batch, n)}
	for range n {
		x.spare <- new(Batch)
	}
	return x
}

// Spare returns an empty batch, nil when the reader has fallen behind.
func (x *Exchange) Spare() *Batch {
	select {
	case b := <-x.spare:
		return b
	default:
		return nil
	}
}

// Give hands a batch over; there is always room for all of them.
func (x *Exchange) Give(b *Batch) { x.full <- b }

// Take adds what was handed over so far to m, in the order in which each
// worker gave it.
func (x *Exchange) Take(add func(*Record, []byte)) {
	for {
		select {
		case b := <-x.full:
			at := 0
			for i := range b.n {
				r := &b.records[i]
				add(r, b.bytes[at:at+int(r.Size)])
				at += int(r.Size)
			}
			b.reset()
			x.spare <- b
		default:
			return
		}
	}
}
