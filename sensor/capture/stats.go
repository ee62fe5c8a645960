package capture

import (
	"sync/atomic"
	"time"
)

// Stats are the counts of one source since it was opened. Every frame that
// reached the interface is in Frames, or in one of the drop counters, or was
// rejected by the filter.
type Stats struct {
	Frames uint64 // handed out by Next

	// DroppedKernel: the ring was full (PACKET_STATISTICS, pcap_stats). The
	// answer is a larger ring, more workers, or restraint.
	DroppedKernel uint64
	// DroppedInterface: lost by the interface or its driver, before any
	// socket saw it (rx_dropped, rx_missed_errors, rx_fifo_errors of
	// /sys/class/net). Shared by all sources of one interface.
	DroppedInterface uint64
	// DroppedSoftnet: lost in the backlog between driver and protocols
	// (/proc/net/softnet_stat). Shared by all interfaces of the machine.
	DroppedSoftnet uint64

	// Gaps counts how often the interface went down; Gap is for how long,
	// all in all. Nothing could be seen meanwhile.
	Gaps uint64
	Gap  time.Duration
}

// liveCounts are written by Next and read by Stats.
type liveCounts struct {
	frames, gaps atomic.Uint64
	gap          atomic.Int64  // nanoseconds, the open gap included
	closed       time.Duration // the gaps that ended; Next only
}
