package device

// slab holds the devices side by side: what finds one is a number, and the
// collector looks at pieces of deviceChunk instead of at each.
type slab struct {
	chunks [][]Device // never moved
	used   uint32
	free   []uint32 // the places of those that were let go, oldest first
}

const (
	deviceChunk = 1 << 8
	// resting is how many others must be let go before the place of a device
	// is used again: whoever held it during the same call finds it dead, and
	// not another. Who keeps one for longer keeps a ref.
	resting = 1 << 8
)

// at returns the device with a number; they begin at 1.
func (s *slab) at(n uint32) *Device { return &s.chunks[(n-1)/deviceChunk][(n-1)%deviceChunk] }

// put copies d to where it stays.
func (s *slab) put(d Device) *Device {
	var n uint32
	if len(s.free) > resting {
		n = s.free[0]
		s.free = s.free[1:]
	} else {
		if s.used%deviceChunk == 0 {
			s.chunks = append(s.chunks, make([]Device, deviceChunk))
		}
		s.used++
		n = s.used
	}
	to := s.at(n)
	*to = d
	to.self = n
	return to
}

// release gives back the place of a device that was let go.
func (s *slab) release(d *Device) { s.free = append(s.free, d.self) }

// all yields every device that is there.
func (s *slab) all(yield func(*Device) bool) {
	for n := uint32(1); n <= s.used; n++ {
		if d := s.at(n); !d.is(dead) && !yield(d) {
			return
		}
	}
}

// ref is a device that may have been let go meanwhile, and another be in its
// place.
type ref struct{ n, seq uint32 }

func (d *Device) ref() ref { return ref{d.self, d.seq} }

// get returns nil for a device that was let go.
func (s *slab) get(r ref) *Device {
	if r.n == 0 {
		return nil
	}
	if d := s.at(r.n); d.seq == r.seq && !d.is(dead) {
		return d
	}
	return nil
}

// queue holds devices by when they were last seen, oldest first.
type queue struct{ oldest, newest uint32 }

func (s *slab) push(q *queue, d *Device) {
	d.older, d.newer = q.newest, 0
	if q.newest != 0 {
		s.at(q.newest).newer = d.self
	} else {
		q.oldest = d.self
	}
	q.newest = d.self
}

func (s *slab) unlink(q *queue, d *Device) {
	if d.older != 0 {
		s.at(d.older).newer = d.newer
	} else {
		q.oldest = d.newer
	}
	if d.newer != 0 {
		s.at(d.newer).older = d.older
	} else {
		q.newest = d.older
	}
	d.newer, d.older = 0, 0
}
