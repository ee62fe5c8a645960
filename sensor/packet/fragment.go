package packet

// FragmentLimits bounds what reassembly may hold. Zero fields take the
// defaults in brackets.
type FragmentLimits struct {
	Datagrams int   // incomplete datagrams held at once [1024]
	Bytes     int   // bytes held by all of them [16 MiB]
	Timeout   int64 // nanoseconds of packet time from the first fragment seen [30 s]
}

// Lost is a datagram that will never be complete, or a fragment that was
// refused: what is known of it, so that its bytes are attributed by address.
type Lost struct {
	At               int64 // of its first fragment
	Realm            uint16
	Src, Dst         Addr
	SrcPort, DstPort uint16 // zero unless the first fragment was seen
	Version, Proto   uint8
	Bytes            int // transport payload bytes that were seen, each once unless overlapping
	Why              LostReason
}

// LostReason says why a datagram was given up.
type LostReason uint8

// The reasons: a closed set, used as a metric label.
const (
	LostTimeout LostReason = iota // a fragment never came
	LostFull                      // evicted, the oldest first, to make room
	LostOverlap                   // fragments overlap (RFC 5722, section 4)
	LostInvalid                   // past 65,535 bytes, or a middle piece not a multiple of 8
	numLostReasons
)

var lostNames = [numLostReasons]string{"timeout", "full", "overlap", "invalid"}

// String returns the value of the metric label.
func (r LostReason) String() string {
	if r >= numLostReasons {
		return "unknown"
	}
	return lostNames[r]
}

// Fragments puts IP fragments together (RFC 791, RFC 815, RFC 8200 section
// 4.5). It is bounded in datagrams, bytes and time, and not safe for
// concurrent use.
//
// Counting bytes: hand every fragment to Add and count none of them. When
// Add returns a datagram, decode it with Packet.DecodeDatagram and count that
// Packet once. Each datagram that never completes is reported to lost once:
// count Lost.Bytes there, to the conversation when the ports are known and
// to the pair of addresses otherwise (Lost.Fill makes a Packet of it).
type Fragments struct {
	limits FragmentLimits
	lost   func(Lost)
	stats  FragmentStats
}

// FragmentStats counts what happened, since the start.
type FragmentStats struct {
	Fragments  uint64
	Datagrams  uint64 // completed
	Lost       [numLostReasons]uint64
	Incomplete int // held now
	Bytes      int // held now
}

// NewFragments returns an empty Fragments. lost may be nil; it must not call
// back.
func NewFragments(l FragmentLimits, lost func(Lost)) *Fragments {
	return &Fragments{limits: l, lost: lost}
}

// Add takes the fragment that p was decoded from (Packet.IsFragment). When
// it completes its datagram, Add returns it, header first, with the length
// it had on the wire: longer than the bytes when fragments were cut by the
// snap length. The bytes are valid until the next call.
func (f *Fragments) Add(p *Packet) (datagram []byte, wire int, whole bool) { return nil, 0, false }

// Expire gives up what was begun more than the timeout before now.
func (f *Fragments) Expire(now int64) {}

// Close gives up all that is held: the end of the input.
func (f *Fragments) Close() {}

// Stats returns the counts.
func (f *Fragments) Stats() FragmentStats { return f.stats }

// Fill makes p the packet that l's bytes would have been: addresses, ports
// where known, PayloadLen, no payload.
func (l *Lost) Fill(p *Packet) {
	*p = Packet{At: l.At, Realm: l.Realm, Version: l.Version, Proto: l.Proto, Src: l.Src, Dst: l.Dst,
		SrcPort: l.SrcPort, DstPort: l.DstPort, PayloadLen: l.Bytes}
}
