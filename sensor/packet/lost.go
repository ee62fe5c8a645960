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

// FragmentStats counts what happened, since the start.
type FragmentStats struct {
	Fragments  uint64
	Datagrams  uint64 // completed
	Lost       [numLostReasons]uint64
	Incomplete int // held now
	Bytes      int // held now
}

// Fill makes p the packet that l's bytes would have been: addresses, ports
// where known, PayloadLen, no payload.
func (l *Lost) Fill(p *Packet) {
	*p = Packet{At: l.At, Realm: l.Realm, Version: l.Version, Proto: l.Proto, Src: l.Src, Dst: l.Dst,
		SrcPort: l.SrcPort, DstPort: l.DstPort, PayloadLen: l.Bytes}
}
