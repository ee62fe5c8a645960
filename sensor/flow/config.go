package flow

// Config bounds a Table. Zero fields take the defaults in brackets; times
// are nanoseconds of packet time.
type Config struct {
	Home     *Home  // our networks; nil: none
	MaxFlows int    // beyond it the flow nearest to its idle limit goes [1<<20]
	FirstID  uint64 // ids count up from here: apart for each worker

	IdleTCP        int64 // established TCP [30 min]
	IdleClosed     int64 // TCP after FIN from both or RST: late segments still belong to it [10 s]
	IdleUDP        int64 // answered UDP [3 min]
	IdlePatient    int64 // answered UDP whose report may wait: questions to a resolver, most of all flows [60 s, as Zeek's udp_inactivity_timeout]
	IdleUnanswered int64 // either, not answered [60 s]
	FirstReport    int64 // from the first payload to the first report [250 ms]
	ReportEvery    int64 // between reports of a flow that has lived as long [10 s]

	StreamBytes     int     // all stream buffers together [64 MiB]
	StreamBytesFlow int     // one direction of one flow [66 KiB: 64 KiB and record headers]
	Prompt          *Prompt // whose flows are reported as they go on; nil: everybody's

	Reordered int // directions with gaps in their sequence, at once [65536]
}

// setDefaults fills the fields that are zero.
func (c *Config) setDefaults() {
	const second = int64(1e9)
	for _, d := range []struct {
		field *int64
		value int64
	}{
		{&c.IdleTCP, 1800 * second},
		{&c.IdleClosed, 10 * second},
		{&c.IdleUDP, 180 * second},
		{&c.IdlePatient, 60 * second},
		{&c.IdleUnanswered, 60 * second},
		{&c.FirstReport, second / 4},
		{&c.ReportEvery, 10 * second},
	} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	for _, d := range []struct {
		field *int
		value int
	}{
		{&c.MaxFlows, 1 << 20},
		{&c.StreamBytes, 64 << 20},
		{&c.StreamBytesFlow, 66 << 10},
		{&c.Reordered, 1 << 16},
	} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	if c.Home == nil {
		c.Home = &Home{}
	}
}

// Report is called with a flow whose counts rose (Flow.Increase), or that is
// over (final). It returns false when the report could not be delivered:
// the increase is kept and offered again. It must not call the table.
type Report func(f *Flow, final bool) bool

// Stats counts what a Table did since the start.
type Stats struct {
	Flows      int // now
	New        uint64
	Evicted    [numEnds]uint64 // by End
	Refused    uint64          // final reports refused; offered again
	LostBytes  uint64          // of flows that had to go while reports were refused
	Frames     uint64          // TCP and UDP frames given to Touch
	Bytes      uint64          // their length on the wire
	BothHome   uint64          // of Bytes: both ends at home
	NoHome     uint64          // of Bytes: neither end at home
	Duplicates uint64          // frames recognised as second copies, and not counted
	Doubled    bool            // the span shows frames twice
	OneWay     bool            // the span shows one direction only

	StreamBytes    int    // held now
	StreamEvicted  uint64 // streams given up for want of room
	HolesDiscarded uint64 // sequence holes given up: bytes filling them later count as retransmitted
}

// End says why a flow left the table.
type End uint8

// The ends: a closed set, used as a metric label.
const (
	EndIdle      End = iota // its idle limit passed
	EndClosed               // FIN or RST, and the linger passed
	EndReused               // its ports began a new conversation
	EndTableFull            // room was needed
	EndInput                // the input ended
	numEnds
)

// Ends is how many values End has.
const Ends = int(numEnds)

var endNames = [numEnds]string{"idle", "closed", "reused", "table-full", "end-of-input"}

// String returns the value of the metric label.
func (e End) String() string {
	if e >= numEnds {
		return "unknown"
	}
	return endNames[e]
}
