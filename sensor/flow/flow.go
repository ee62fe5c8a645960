package flow

import (
	"net/netip"

	"picket/sensor/packet"
)

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
	Packets   uint32 // duplicates of a doubled span not counted; wraps
	Missed    uint32 // bytes the other end acknowledged and the capture never showed; wraps
}

func (c Counts) minus(o Counts) Counts {
	return Counts{c.Bytes - o.Bytes, c.Handshake - o.Handshake, c.Packets - o.Packets, c.Missed - o.Missed}
}

// Inspect says what a worker still wants of a flow. The table sets
// InspectUp|InspectDown on a new flow and never looks at it again, except
// that Release clears the bit of its direction.
type Inspect uint8

// What to inspect; the other bits are the worker's.
const (
	InspectUp Inspect = 1 << iota
	InspectDown
)

// Flow is one conversation. It holds no pointer: a table of millions costs
// the garbage collector nothing. It is valid until the table's next Touch,
// Expire or Close; keep ID, not the pointer.
type Flow struct {
	key   Key
	ref   uint32
	hash  uint32
	flags flowFlags
	last  int64
	sides [2]side // by position in key, not by who opened

	ID    uint64 // unique within the run of the sensor
	First int64  // packet time of the first frame, ns since 1970 UTC

	// The worker's: the table keeps them and does not read them.
	App     uint8
	Inspect Inspect
	VLAN    uint16 // innermost 802.1Q id of the first frame
	NameRef uint32
	Aux     uint32
	Worker  uint32 // bits
}

type flowFlags uint32

type side struct {
	total, told Counts
	mac         packet.MAC
}

// Key names a conversation: both ends in a fixed order, whoever sends. It
// holds no pointers.
type Key struct {
	A, B         packet.Addr
	APort, BPort uint16
	Realm        uint16
	Proto        uint8
	_            uint8
}

// Last returns the packet time of the latest frame, ns since 1970 UTC.
func (f *Flow) Last() int64 { return f.last }

// Proto returns the IP protocol number.
func (f *Flow) Proto() uint8 { return f.key.Proto }

// Realm returns the realm of both addresses.
func (f *Flow) Realm() uint16 { return f.key.Realm }

// Client returns the end that opened the conversation, as far as can be
// told: the sender of the SYN or of the first datagram; where the start was
// missed, the end with the higher port.
func (f *Flow) Client() netip.AddrPort { return netip.AddrPort{} }

// Server returns the other end.
func (f *Flow) Server() netip.AddrPort { return netip.AddrPort{} }

// ClientAddr and ServerAddr are the flat forms, free of conversion.
func (f *Flow) ClientAddr() packet.Addr { return packet.Addr{} }
func (f *Flow) ServerAddr() packet.Addr { return packet.Addr{} }

// ClientPort and ServerPort return the ports.
func (f *Flow) ClientPort() uint16 { return 0 }
func (f *Flow) ServerPort() uint16 { return 0 }

// ClientHome and ServerHome report that the end lies in the home networks.
func (f *Flow) ClientHome() bool { return false }
func (f *Flow) ServerHome() bool { return false }

// ClientMAC and ServerMAC return the link-layer source of the frames that
// end sent, zero when none was seen.
func (f *Flow) ClientMAC() packet.MAC { return packet.MAC{} }
func (f *Flow) ServerMAC() packet.MAC { return packet.MAC{} }

// Ours returns the direction in which our end sends: of a flow line, Up of
// it is "sent". With both or neither end at home it is the opener's, Up.
func (f *Flow) Ours() Dir { return Up }

// Total returns the counts of one direction since the flow began.
func (f *Flow) Total(d Dir) Counts { return Counts{} }

// Increase returns what was added to Total since the last report that was
// accepted.
func (f *Flow) Increase(d Dir) Counts { return Counts{} }

// TCPFlags returns the union of the TCP flags one direction sent.
func (f *Flow) TCPFlags(d Dir) uint8 { return 0 }

// Answered reports that the server took part, judged from either side: it
// was seen to answer, or the client acknowledged what only an answer brings.
func (f *Flow) Answered() bool { return false }

// Attempt reports that the server never answered, as far as either side
// shows.
func (f *Flow) Attempt() bool { return false }

// OneWay reports that only one direction was seen.
func (f *Flow) OneWay() bool { return false }

// MissedStart reports that the capture began after the conversation did.
func (f *Flow) MissedStart() bool { return false }

// SetAnswered says that the server answered, from what only the protocol
// shows: short-header packets of a QUIC client after its Initial.
func (f *Flow) SetAnswered() {}

// SetOpener says that the sender of direction d opened the conversation
// (a ClientHello, a QUIC client Initial, a DNS query): Up and Down change
// places when d is Down.
func (f *Flow) SetOpener(d Dir) {}

// CountHandshake adds n of the bytes of direction d to its handshake part:
// QUIC long-header packets, DNS messages.
func (f *Flow) CountHandshake(d Dir, n int) {}
