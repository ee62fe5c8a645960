package flow

// The wheel's bucket is 2^27 ns (134 ms) wide; 2^15 of them span 73 minutes.
// What is due later is put into the last and looked at again then.
const (
	tickBits = 27
	buckets  = 1 << 15
)

// wheel orders flows by when they must be looked at next. A flow stays where
// it was put while frames arrive: when its bucket comes round and it turns
// out to have been active, it is put where it belongs now. So a frame costs
// the wheel nothing, and expiry costs what is due.
type wheel struct {
	heads [buckets]uint32 // a head's prev is the tail
	tick  int64           // the bucket not yet passed
	epoch int64           // tick of the first frame
	set   bool
}

// start sets the clock at the first frame.
func (w *wheel) start(at int64) {
	if !w.set {
		w.tick, w.epoch, w.set = at>>tickBits, at>>tickBits, true
	}
}

// moment is a time as a bucket counted from the first frame, 0 for none: in
// four bytes, centuries.
type moment uint32

// moment returns the bucket of at.
func (w *wheel) moment(at int64) moment { return moment(max(at>>tickBits-w.epoch, 0)) + 1 }

// time returns when m begins.
func (w *wheel) time(m moment) int64 { return (int64(m) - 1 + w.epoch) << tickBits }

// put links f where it is due.
func (w *wheel) put(s *slab, f *Flow, due int64) {
	// The bucket before tick is the one that Expire is emptying: nothing may
	// be put there, or it never ends.
	t := min(max(due>>tickBits, w.tick), w.tick+buckets-2)
	f.bucket = uint16(t & (buckets - 1))
	head := w.heads[f.bucket]
	if head == 0 {
		f.prev, f.next = f.ref, 0
		w.heads[f.bucket] = f.ref
		return
	}
	h := s.at(head)
	s.at(h.prev).next = f.ref
	f.prev, f.next = h.prev, 0
	h.prev = f.ref
}

// drop unlinks f.
func (w *wheel) drop(s *slab, f *Flow) {
	head := w.heads[f.bucket]
	switch {
	case head == f.ref:
		w.heads[f.bucket] = f.next
		if f.next != 0 {
			s.at(f.next).prev = f.prev
		}
	case f.next == 0: // the tail
		s.at(f.prev).next = 0
		s.at(head).prev = f.prev
	default:
		s.at(f.prev).next = f.next
		s.at(f.next).prev = f.prev
	}
}

// sooner moves f when it is due before the bucket it lies in.
func (w *wheel) sooner(s *slab, f *Flow, due int64) {
	lies := (int64(f.bucket) - w.tick) & (buckets - 1)
	if due>>tickBits-w.tick < lies {
		w.drop(s, f)
		w.put(s, f, due)
	}
}
