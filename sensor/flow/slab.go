package flow

// slab holds flows by number, in one piece of address space that holds as many
// as there may be: memory is taken as it is first written, in large pages where
// the system has them, and a flow never moves. Number 0 is never given out: it
// means none.
type slab struct {
	flows []Flow
	used  uint32 // numbers given out so far
	free  uint32 // head of the list of free ones, linked by next
	count int
}

// at returns flow i.
func (s *slab) at(i uint32) *Flow { return &s.flows[i] }

// take returns a cleared flow; there are fewer than the table may hold.
func (s *slab) take() *Flow {
	s.count++
	if i := s.free; i != 0 {
		f := s.at(i)
		s.free = f.next
		*f = Flow{ref: i, flags: live}
		return f
	}
	s.used++
	f := s.at(s.used)
	f.ref, f.flags = s.used, live
	return f
}

// give returns f to the slab.
func (s *slab) give(f *Flow) {
	s.count--
	*f = Flow{ref: f.ref, next: s.free}
	s.free = f.ref
}
