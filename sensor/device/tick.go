package device

import (
	"time"

	"picket/sensor/handset"
)

// sweepPerTick bounds the devices that one Tick looks at for decay.
const sweepPerTick = 256

// coldAfter is how long a device must be silent for its View to be dropped;
// it is made again when somebody asks.
const coldAfter = int64(10 * time.Minute)

// Tick advances packet time: verdicts that wait for Refresh are made, some of
// the old ones are weighed again. Call it about once a second of packet time.
func (t *Table) Tick(now time.Time) {
	if n := nanos(now); n > t.now {
		t.now = n
	}
	t.refresh(int64(t.cfg.Refresh))
	t.sweepSome()
}

// Flush makes every verdict that waits, and counts the manufacturers that
// waited for proof of standing alone: the end of input.
func (t *Table) Flush() {
	for d := range t.slab.all {
		if !d.is(hardware|proven|suspect|router) && d.mac != zeroMAC && d.bindings != 0 && d.is(spoke) {
			t.addHardware(d)
		}
	}
	t.refresh(0)
}

func (t *Table) refresh(age int64) {
	wait := t.dirty[:0]
	for _, d := range t.dirty {
		switch {
		case !d.is(dirty) || d.is(dead): // judged meanwhile, for a Transfer
		case d.into() != nil:
			d.flags &^= dirty
		case t.now-d.judged >= age:
			t.judgeNow(d, "")
		default:
			wait = append(wait, d)
		}
	}
	clear(t.dirty[len(wait):])
	t.dirty = wait
}

// sweepSome weighs some devices whose verdict is old once more, drops Views
// that nobody needs and ends what is over.
func (t *Table) sweepSome() {
	if len(t.sweep) == 0 {
		t.startSweep()
	}
	n := min(sweepPerTick, len(t.sweep))
	for _, d := range t.sweep[:n] {
		if d.is(dead) || d.into() != nil {
			continue
		}
		if d.dossier != nil && t.now-d.judged >= int64(t.cfg.Recheck) ||
			d.summary.shared && d.few().sharedUntil != 0 && !t.isShared(d) {
			t.keepHardware(d)
			t.judgeNow(d, "")
		}
		if d.view != nil && t.now-d.last > coldAfter {
			d.view = nil
		}
	}
	clear(t.sweep[:n])
	t.sweep = t.sweep[n:]
}

func (t *Table) startSweep() {
	t.sweep = make([]*Device, 0, t.byID.count)
	for d := range t.slab.all {
		t.sweep = append(t.sweep, d)
	}
	for k, at := range t.hinted {
		if t.now-at > int64(hintEvery) {
			delete(t.hinted, k)
		}
	}
}

// Rejudge marks every verdict for being made anew: the signatures changed.
func (t *Table) Rejudge() {
	for d := range t.slab.all {
		if d.dossier != nil {
			t.markDirty(d)
		}
	}
}

// activeWithin is how recently an active device was seen.
const activeWithin = int64(time.Hour)

// Stats counts. It looks at every device: call it every some seconds.
func (t *Table) Stats() Stats {
	s := t.stats
	s.Evicted = make(map[string]uint64, len(t.stats.Evicted))
	for k, n := range t.stats.Evicted {
		s.Evicted[k] = n
	}
	s.Groups = make(map[Group]int)
	s.Now = timeOf(t.now)
	for d := range t.slab.all {
		if d.into() != nil || d.is(router) || d.empty() {
			continue
		}
		s.Devices++
		s.Groups[t.group(d)]++
		if t.now-d.last > activeWithin {
			continue
		}
		s.Active++
		if d.dossier == nil || !d.dossier.Enough() {
			s.Learning++
		}
	}
	return s
}

func (t *Table) group(d *Device) Group {
	g := Group{t.makerName(d.summary.maker), classes[d.summary.class], handset.Confidence(d.summary.confidence).String()}
	if d.summary.confidence == 0 || g.Maker == "" {
		g.Maker = "unknown"
	}
	return g
}
