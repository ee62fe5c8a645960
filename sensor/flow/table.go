package flow

import "picket/sensor/packet"

// Table holds the flows of one worker. Use New. It is not safe for
// concurrent use.
type Table struct {
	report Report
}

// New returns an empty table. report is called from Touch (when the table is
// full or ports are reused), Expire and Close.
func New(c Config, report Report) *Table { return &Table{report: report} }

// Touch counts p to its flow, made if need be, and returns it with the
// direction of p. It returns nil when there is nothing to follow: no TCP or
// UDP, a fragment, or the second copy of a frame on a doubled span.
func (t *Table) Touch(p *packet.Packet) (*Flow, Dir) { return nil, Up }

// Expire reports what is due at now, the time of the latest frame: flows
// that ended or were idle too long (final), and living flows with an
// unreported increase, the earliest due first. Its cost is that of what is
// due; call it as often as once a batch.
func (t *Table) Expire(now int64) {}

// Close reports every flow as final, oldest due first: the end of the input.
func (t *Table) Close() {}

// Stats returns the counts.
func (t *Table) Stats() Stats { return Stats{} }
