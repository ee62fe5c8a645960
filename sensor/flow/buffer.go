package flow

// Buffers come in these sizes: a ClientHello of today takes the smallest,
// a handshake with certificates the third.
var bufferSizes = [...]int{2 << 10, 4 << 10, 16 << 10, 66 << 10}

// maxSpare bounds the idle buffers that are kept, unless as much is in use.
const maxSpare = 1 << 20

// maxPieces bounds the separate pieces held behind a gap.
const maxPieces = 16

// stream holds the first bytes of one direction: data[:have] is contiguous
// from the front, pieces lie behind gaps.
type stream struct {
	data       []byte
	have       int
	n          int
	pieces     [maxPieces]piece // ascending, apart from one another
	stalls     int              // segments that came behind a gap since the front last moved
	prev, next uint32           // by age; next also links the free list
	owner      uint32
	side       uint8
}

type piece struct{ from, to int }

// insert puts b at off, and reports that the contiguous part grew. Bytes
// already there stay.
func (st *stream) insert(off int, b []byte) bool {
	if off > st.have {
		st.stalls++
	}
	end := off + len(b)
	if off <= st.have {
		if end <= st.have {
			return false
		}
		b, off = b[st.have-off:], st.have
	}
	if !st.place(off, end, b) {
		return false
	}
	grew := false
	for st.n > 0 && st.pieces[0].from <= st.have {
		st.have, grew = max(st.have, st.pieces[0].to), true
		copy(st.pieces[:], st.pieces[1:st.n])
		st.n--
	}
	if grew {
		st.stalls = 0
	}
	return grew
}

// place copies the part of b that no piece covers, and joins it with the
// pieces that it touches. False means too many pieces.
func (st *stream) place(off, end int, b []byte) bool {
	i := 0
	for i < st.n && st.pieces[i].to < off {
		i++
	}
	j, at, from, to := i, off, off, end
	for ; j < st.n && st.pieces[j].from <= end; j++ {
		q := st.pieces[j]
		if q.from > at {
			copy(st.data[at:q.from], b[at-off:])
		}
		at = max(at, q.to)
		from, to = min(from, q.from), max(to, q.to)
	}
	if i == j && st.n == maxPieces {
		return false
	}
	if at < end {
		copy(st.data[at:end], b[at-off:])
	}
	if i == j {
		copy(st.pieces[i+1:st.n+1], st.pieces[i:st.n])
		st.n++
	} else {
		copy(st.pieces[i+1:], st.pieces[j:st.n])
		st.n -= j - i - 1
	}
	st.pieces[i] = piece{from, to}
	return true
}

// drop moves everything n bytes to the front.
func (st *stream) drop(n int) {
	if n == 0 {
		return
	}
	end := st.have
	if st.n > 0 {
		end = st.pieces[st.n-1].to
	}
	copy(st.data, st.data[n:end])
	st.have -= n
	for i := range st.pieces[:st.n] {
		st.pieces[i].from -= n
		st.pieces[i].to -= n
	}
}

// skip drops what lies before the first piece, and returns how much.
func (st *stream) skip() int {
	n := st.pieces[0].from
	st.have = n
	st.drop(n)
	st.have = st.pieces[0].to
	copy(st.pieces[:], st.pieces[1:st.n])
	st.n--
	st.stalls = 0
	return n
}

// streams holds the buffers of all flows, bounded together: when there is no
// room the oldest goes. Number 0 means none.
type streams struct {
	list    []*stream
	spare   [len(bufferSizes)][][]byte
	free    uint32
	oldest  uint32
	newest  uint32
	bytes   int // in use
	kept    int // in spare
	limit   int
	each    int
	evicted uint64
}

func (s *streams) at(i uint32) *stream { return s.list[i] }

// class returns the smallest size that holds n, -1 for none.
func class(n int) int {
	for c, size := range bufferSizes {
		if n <= size {
			return c
		}
	}
	return -1
}

// grow sees to it that *ref is a stream whose buffer holds n bytes. Others
// may have to go, the oldest first: each is told to gone.
func (s *streams) grow(ref *uint32, n int, gone func(owner uint32, side uint8), owner uint32, side uint8) bool {
	if *ref != 0 && n <= len(s.list[*ref].data) {
		return true
	}
	c := class(n)
	if c < 0 || bufferSizes[c] > s.limit {
		return false
	}
	for s.bytes+bufferSizes[c] > s.limit {
		old := s.oldest
		if old == *ref && old != 0 {
			old = s.list[old].next
		}
		if old == 0 {
			return false
		}
		o := s.list[old]
		gone(o.owner, o.side)
		s.give(old)
		s.evicted++
	}
	data := s.take(c)
	if *ref == 0 {
		*ref = s.link(owner, side)
	} else {
		copy(data, s.list[*ref].data)
		s.put(s.list[*ref].data)
	}
	s.list[*ref].data = data
	return true
}

// take returns a buffer of class c.
func (s *streams) take(c int) []byte {
	s.bytes += bufferSizes[c]
	if n := len(s.spare[c]); n > 0 {
		b := s.spare[c][n-1]
		s.spare[c] = s.spare[c][:n-1]
		s.kept -= bufferSizes[c]
		return b
	}
	for i := range s.spare { // spare buffers of other sizes count against the limit too
		for s.bytes+s.kept > s.limit && len(s.spare[i]) > 0 {
			s.spare[i] = s.spare[i][:len(s.spare[i])-1]
			s.kept -= bufferSizes[i]
		}
	}
	return make([]byte, bufferSizes[c])
}

// put takes a buffer back.
func (s *streams) put(b []byte) {
	c := class(len(b))
	s.bytes -= len(b)
	if s.kept+len(b) > max(maxSpare, s.bytes) {
		return
	}
	s.kept += len(b)
	s.spare[c] = append(s.spare[c], b)
}

// link makes a stream, the newest.
func (s *streams) link(owner uint32, side uint8) uint32 {
	i := s.free
	if i != 0 {
		s.free = s.list[i].next
	} else {
		if len(s.list) == 0 {
			s.list = append(s.list, nil)
		}
		s.list = append(s.list, new(stream))
		i = uint32(len(s.list) - 1)
	}
	*s.list[i] = stream{prev: s.newest, owner: owner, side: side}
	if s.newest != 0 {
		s.list[s.newest].next = i
	} else {
		s.oldest = i
	}
	s.newest = i
	return i
}

// give frees stream i.
func (s *streams) give(i uint32) {
	st := s.list[i]
	s.put(st.data)
	if st.prev != 0 {
		s.list[st.prev].next = st.next
	} else {
		s.oldest = st.next
	}
	if st.next != 0 {
		s.list[st.next].prev = st.prev
	} else {
		s.newest = st.prev
	}
	*st = stream{next: s.free}
	s.free = i
}
