package evidence

import (
	"fmt"
	"os"
	"sync/atomic"
)

type counters struct {
	written, failures, late, dropped, folded atomic.Uint64
	packets, packetsFull, packetsOld         atomic.Uint64
	trouble                                  atomic.Pointer[string] // why the disk does not take what waits; nil: it does
}

// Stats says how the store is doing. Counts are since Open.
type Stats struct {
	Written  uint64 // rows
	Failures uint64 // batches that could not be written
	Late     uint64 // announced episodes that were not on the disk within Patience
	Dropped  uint64 // rows given up because too much waited
	Folded   uint64 // times owners and operators were put together
	Packets  uint64 // frames kept
	Full     uint64 // frames not kept: their episode has as many bytes as it may
	Old      uint64 // pieces of packets that went because all together were too many
	Waiting  int    // rows in memory
	Trouble  string // why the disk does not take what waits, empty when it does
	Bytes    int64  // of the file and its log
}

// Stats returns the counters.
func (s *Store) Stats() Stats {
	out := Stats{
		Written: s.stats.written.Load(), Failures: s.stats.failures.Load(), Late: s.stats.late.Load(),
		Dropped: s.stats.dropped.Load(), Folded: s.stats.folded.Load(),
		Packets: s.stats.packets.Load(), Full: s.stats.packetsFull.Load(), Old: s.stats.packetsOld.Load(),
	}
	if t := s.stats.trouble.Load(); t != nil {
		out.Trouble = *t
	}
	s.mu.Lock()
	out.Waiting = s.waiting.rows()
	if s.flying != nil {
		out.Waiting += s.flying.rows()
	}
	s.mu.Unlock()
	for _, suffix := range [...]string{"", "-wal"} {
		if info, err := os.Stat(s.path + suffix); err == nil {
			out.Bytes += info.Size()
		}
	}
	return out
}

func wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("evidence: %w", named(err))
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
