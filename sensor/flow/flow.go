package flow

import "picket/sensor/packet"

// Dir is a direction of a flow, seen from the end that opened it.
type Dir uint8

// The directions.
const (
	Up   Dir = 0 // client → server
	Down Dir = 1 // server → client
)

// Other returns the opposite direction.
func (d Dir) Other() Dir { return d ^ 1 }

// Counts is what one direction of a flow carried.
type Counts struct {
	Bytes     uint64 // L4 payload, each byte once however often it was sent
	Handshake uint64 // of Bytes: TLS records other than application data, QUIC long headers, DNS
	Packets   uint32 // copies on a doubled span not counted; wraps
	Missed    uint32 // bytes the other end acknowledged and the capture never showed; complete in the final report; wraps
}

func (c Counts) minus(o Counts) Counts {
	c.Bytes -= o.Bytes
	c.Handshake = max(c.Handshake, o.Handshake) - o.Handshake
	c.Packets -= o.Packets
	c.Missed -= o.Missed
	return c
}

// Inspect says what a worker still wants of a flow. The table sets InspectUp
// and InspectDown on a new flow; Release clears the bit of its direction.
type Inspect uint8

// What to inspect; the other bits are the worker's.
const (
	InspectUp Inspect = 1 << iota
	InspectDown
)

// Flow is one conversation. It holds no pointer: a table of millions costs
// the garbage collector nothing. It is valid until the table's next Touch,
// Expire or Close; keep ID, not the pointer.
//
// The fields that every frame needs lie together: 64 bytes, and the first half
// of each side.
type Flow struct {
	key      Key
	last     int64
	flags    flag
	reportAt moment // when an increase is due to be told

	// The worker's: the table keeps them and, but for Inspect, leaves them alone.
	App     uint8
	Inspect Inspect
	VLAN    uint16 // innermost 802.1Q id of the first frame
	Worker  uint32 // bits

	sides [2]side // by position in key, whoever opened

	ID    uint64 // unique within the run of the sensor
	First int64  // packet time of the first frame, ns since 1970 UTC

	ref        uint32 // where the flow lies in the slab
	hash       uint32
	prev, next uint32 // neighbours in the bucket of the wheel
	NameRef    uint32 // the worker's
	Aux        uint32 // the worker's
	macs       [2]packet.MAC
	bucket     uint16
}

// flag is the state of a flow as a whole.
type flag uint32

const (
	openerB flag = 1 << iota // the end B of the key opened it
	homeA
	homeB
	answered
	missedStart
	closed     // FIN from both or RST: lingering
	ended      // its final report was refused: offered again
	orphan     // out of the index: its key belongs to another flow
	blind      // the span shows one direction only: silence proves nothing
	live       // in use: a cleared flow is free
	bySignal   // the opener is known from SYN or the worker, not from ports
	patient    // its increase may wait for its end
	told       // its final report was given before its linger passed
	introduced // somebody was told of it: a report, or an observation of its own
	offNet     // an end that is no place on the internet: broadcast, multicast, link-local, unspecified
)

// side is one end of a flow and what it sent.
type side struct {
	total      Counts
	next       uint32 // TCP: one past the highest sequence number seen
	ack        uint32 // TCP: highest acknowledgement this end sent
	holes      uint32 // set of sequence holes, 0 for none
	state      sideState
	recordLeft uint16 // bytes left of the TLS record; while its header is partial, the length so far
	recordType uint8
	recordHave uint8  // bytes of a partial record header
	tcp        uint8  // union of TCP flags
	base       uint32 // TCP: sequence number of the first byte
	front      uint32 // TCP: sequence number of the first byte not consumed
	stream     uint32 // stream buffer, 0 for none
	told       Counts
}

// sideState is the state of one direction.
type sideState uint16

const (
	seqKnown sideState = 1 << iota
	ackKnown
	finSeen
	midway   // its first byte was not seen
	released // no longer collected
	overfull // released for want of room
	consumed // something was consumed or held: the front is firm
	records  // TLS records are followed
	recordsLost
	recordsData // a record of application data was seen
)

// Last returns the packet time of the latest frame, ns since 1970 UTC.
func (f *Flow) Last() int64 { return f.last }

// Total returns the counts of one direction since the flow began.
func (f *Flow) Total(d Dir) Counts { return f.side(d).total }

// Increase returns what was added to Total since the last report that was
// accepted.
func (f *Flow) Increase(d Dir) Counts {
	s := f.side(d)
	return s.total.minus(s.told)
}

// TCPFlags returns the union of the TCP flags that one direction sent.
func (f *Flow) TCPFlags(d Dir) uint8 { return f.side(d).tcp }

// Answered reports that the server took part, judged from either side: it
// was seen to answer, or the client acknowledged what only an answer brings.
func (f *Flow) Answered() bool { return f.flags&answered != 0 }

// Attempt reports that the server never answered, as far as either side
// shows. A flow of which that cannot be told is OneWay instead.
func (f *Flow) Attempt() bool { return f.flags&answered == 0 && !f.untold() }

// OneWay reports that only one direction was seen, and that the other must
// have existed or may have.
func (f *Flow) OneWay() bool {
	if f.sides[0].total.Packets != 0 && f.sides[1].total.Packets != 0 {
		return false
	}
	return f.flags&answered != 0 || f.untold()
}

// untold reports that silence proves nothing: the span shows one direction
// only, or TCP was met in the middle.
func (f *Flow) untold() bool {
	if f.key.Proto == packet.ProtoTCP {
		return f.flags&missedStart != 0
	}
	return f.flags&blind != 0
}

// MissedStart reports that the capture began after the conversation did.
func (f *Flow) MissedStart() bool { return f.flags&missedStart != 0 }

// Closed reports that TCP said goodbye: FIN from both ends, or RST.
func (f *Flow) Closed() bool { return f.flags&closed != 0 }

// SetAnswered says that the server answered, from what only the protocol
// shows: short-header packets of a QUIC client after its Initial.
func (f *Flow) SetAnswered() { f.flags |= answered }

// SetPatient says that nobody waits for the first report of f, which comes at
// its end or after some minutes: a question to a resolver is an observation
// of its own.
func (f *Flow) SetPatient() { f.flags |= patient }

// SetIntroduced says that an observation told who speaks here: with
// Config.Prompt, what follows may wait.
func (f *Flow) SetIntroduced() { f.flags |= introduced }

// SetOpener says that the sender of direction d opened the conversation (a
// ClientHello, a QUIC client Initial, a DNS query): Up and Down change
// places when d is Down. What a SYN showed is not changed.
func (f *Flow) SetOpener(d Dir) {
	if d == Down && f.flags&bySignal == 0 {
		f.flags ^= openerB
		up := f.Inspect & InspectUp
		f.Inspect = f.Inspect&^3 | f.Inspect&InspectDown>>1 | up<<1
	}
	f.flags |= bySignal
}

// CountHandshake adds n of the bytes of direction d to its handshake part:
// QUIC long-header packets, DNS messages. The part never exceeds the whole.
func (f *Flow) CountHandshake(d Dir, n int) {
	s := f.side(d)
	s.total.Handshake = min(s.total.Handshake+uint64(max(n, 0)), s.total.Bytes)
}
