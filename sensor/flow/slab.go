package flow

// A chunk of flows is allocated at once and never moves: pointers to flows
// stay good while the table grows, and growing copies nothing.
const (
	chunkBits = 10
	chunkSize = 1 << chunkBits
)

// slab holds flows by number. Number 0 is never given out: it means none.
type slab struct {
	chunks []*[chunkSize]Flow
	used   uint32 // numbers given out so far
	free   uint32 // head of the list of free ones, linked by next
	count  int
}

// at returns flow i.
func (s *slab) at(i uint32) *Flow { return &s.chunks[i>>chunkBits][i&(chunkSize-1)] }

// take returns a cleared flow.
func (s *slab) take() *Flow {
	s.count++
	if i := s.free; i != 0 {
		f := s.at(i)
		s.free = f.next
		*f = Flow{ref: i, flags: live}
		return f
	}
	if s.used == 0 {
		s.used = 1
	}
	if int(s.used>>chunkBits) == len(s.chunks) {
		s.chunks = append(s.chunks, new([chunkSize]Flow))
	}
	f := s.at(s.used)
	f.ref, f.flags = s.used, live
	s.used++
	return f
}

// give returns f to the slab.
func (s *slab) give(f *Flow) {
	s.count--
	*f = Flow{ref: f.ref, next: s.free}
	s.free = f.ref
}
