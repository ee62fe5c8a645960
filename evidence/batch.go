package evidence

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits bounds what waits in memory while the disk does not take it, and
// what a day may add to the ledger. Zero values mean the defaults.
type Limits struct {
	Waiting    int // rows of each kind in memory; default 1<<16
	LedgerDay  int // ledger rows a day before owners and operators fold into "(other)"; default 50,000
	Verdicts   int // kept of one device; default 200
	Addresses  int // kept of one device; default 200
	ReportRows int // of a query; default 1<<20
	// Packets bounds the bytes of packets of one episode; default 256 KiB.
	// AllPackets bounds those of all together: beyond it the oldest go;
	// default 256 MiB.
	Packets, AllPackets int
}

func (l Limits) filled() Limits {
	return Limits{or(l.Waiting, 1<<16), or(l.LedgerDay, 50_000), or(l.Verdicts, 200), or(l.Addresses, 200), or(l.ReportRows, 1<<20), or(l.Packets, 256<<10), or(l.AllPackets, 256<<20)}
}

// batch is what waits to be written.
type batch struct {
	episodes map[string]Episode
	outbox   map[string][]byte // nil: delete
	devices  map[string]Device
	records  []Record // all of them, when there are any
	verdicts []Verdict
	ledger   map[Residence]*flowSum
	crowd    map[crowdKey]int
	watched  map[int64]Watched
	facts    []fact
	proofs   map[string]Proof // by episode
	packets  []Packets
	bytes    int // of packets
	dropped  int // rows given up because the batch was full; for the caller to count
}

// maxWaitingPackets bounds the bytes of packets that wait for the disk.
const maxWaitingPackets = 8 << 20

type crowdKey struct {
	day          int64
	maker, class string
}

func newBatch() *batch {
	return &batch{
		episodes: map[string]Episode{}, outbox: map[string][]byte{}, devices: map[string]Device{},
		ledger: map[Residence]*flowSum{}, crowd: map[crowdKey]int{}, watched: map[int64]Watched{},
		proofs: map[string]Proof{},
	}
}

func (b *batch) rows() int {
	return len(b.episodes) + len(b.outbox) + len(b.devices) + len(b.records) + len(b.verdicts) + len(b.ledger) + len(b.crowd) + len(b.watched) + len(b.facts) + len(b.packets) + len(b.proofs)
}

// leave moves devices beyond devicesAtOnce to the next batch. Those with the
// smallest ids stay, as far as that can be had cheaply: they are neighbours
// in the file.
func (b *batch) leave(next *batch) (more bool) {
	n := len(b.devices)
	if n <= devicesAtOnce {
		return false
	}
	least, most := uint64(math.MaxUint64), uint64(0)
	for id := range b.devices {
		v := idValue(id)
		least, most = min(least, v), max(most, v)
	}
	bound := least + uint64(float64(most-least)*devicesAtOnce/float64(n))
	below := 0
	for id := range b.devices {
		if idValue(id) <= bound {
			below++
		}
	}
	for id, d := range b.devices {
		if below >= devicesAtOnce/2 && idValue(id) > bound {
			next.devices[id] = d
			delete(b.devices, id)
		}
	}
	for id, d := range b.devices { // ids that are not spread evenly
		if len(b.devices) <= devicesAtOnce*2 {
			break
		}
		next.devices[id] = d
		delete(b.devices, id)
	}
	return len(next.devices) > 0
}

// idValue is the number that an id of a device spells.
func idValue(id string) uint64 {
	v, err := strconv.ParseUint(strings.TrimPrefix(id, "d-"), 16, 64)
	if err != nil {
		return 0
	}
	return v
}

// under puts an older batch, which could not be written, under b.
func (b *batch) under(old *batch, most int) {
	for k, v := range old.episodes {
		if _, newer := b.episodes[k]; !newer {
			b.episodes[k] = v
		}
	}
	for k, v := range old.outbox {
		if _, newer := b.outbox[k]; !newer {
			b.outbox[k] = v
		}
	}
	for k, v := range old.devices {
		if _, newer := b.devices[k]; !newer {
			b.devices[k] = v
		}
	}
	if b.records == nil {
		b.records = old.records
	}
	b.verdicts = append(old.verdicts, b.verdicts...)
	b.facts = append(old.facts, b.facts...)
	for k, v := range old.proofs {
		if _, newer := b.proofs[k]; !newer {
			b.proofs[k] = v
		}
	}
	b.packets, b.bytes = append(old.packets, b.packets...), b.bytes+old.bytes
	for k, v := range old.ledger {
		b.sum(k).add(v)
	}
	for k, n := range old.crowd {
		b.crowd[k] = max(b.crowd[k], n)
	}
	for d, w := range old.watched {
		b.watched[d] = b.watched[d].plus(w)
	}
	b.bound(most)
}

// sum returns the sums of a residence.
func (b *batch) sum(k Residence) *flowSum {
	v := b.ledger[k]
	if v == nil {
		v = &flowSum{}
		b.ledger[k] = v
	}
	return v
}

// bound gives up what the disk has not taken for too long: verdicts of old,
// devices that will be written again when next seen, closed episodes that
// nobody was told of. Bytes of the ledger are never given up: their owners
// and operators fold together.
func (b *batch) bound(most int) {
	if n := len(b.verdicts) - most; n > 0 {
		b.verdicts, b.dropped = slices.Delete(b.verdicts, 0, n), b.dropped+n
	}
	if n := len(b.facts) - most; n > 0 {
		b.facts, b.dropped = slices.Delete(b.facts, 0, n), b.dropped+n
	}
	for k := range b.devices {
		if len(b.devices) <= most {
			break
		}
		delete(b.devices, k)
		b.dropped++
	}
	for b.bytes > maxWaitingPackets {
		b.bytes, b.dropped = b.bytes-len(b.packets[0].Body), b.dropped+1
		b.packets = b.packets[1:]
	}
	for k := range b.proofs {
		if len(b.proofs) <= most {
			break
		}
		delete(b.proofs, k)
		b.dropped++
	}
	b.boundEpisodes(most)
	if len(b.ledger) > most {
		b.fold()
	}
}

// boundEpisodes gives up the oldest of the closed ones that nobody was told
// of, then the oldest closed ones. Open ones stay: the judge bounds them.
func (b *batch) boundEpisodes(most int) {
	if len(b.episodes) <= most {
		return
	}
	var closed []Episode
	for _, e := range b.episodes {
		if !e.Closed.IsZero() {
			closed = append(closed, e)
		}
	}
	slices.SortFunc(closed, func(x, y Episode) int {
		if x.Announced != y.Announced {
			if y.Announced {
				return -1
			}
			return 1
		}
		return x.Closed.Compare(y.Closed)
	})
	for _, e := range closed[:min(len(closed), len(b.episodes)-most)] {
		delete(b.episodes, e.ID)
		b.dropped++
	}
}

// fold puts owners and operators together.
func (b *batch) fold() {
	all := b.ledger
	b.ledger = map[Residence]*flowSum{}
	for k, v := range all {
		b.sum(k.folded()).add(v)
	}
}

// dayOf is the day of a time, since 1970-01-01 UTC.
func dayOf(t time.Time) int64 { return floorDiv(t.Unix(), 86400) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// Day is the start of a day of the ledger.
func Day(n int64) time.Time { return time.Unix(n*86400, 0).UTC() }

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func timeOf(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
