package flow

// maxHoles bounds the gaps remembered of one direction. A window of a
// megabyte with one segment in twenty lost has about 30.
const maxHoles = 32

// hole is a range of sequence numbers not seen; to is one past its end.
type hole struct{ from, to uint32 }

type holeSet struct {
	n    int
	at   [maxHoles]hole // ascending
	next uint32         // free list
}

// Sets are allocated so many at once, and never move.
const (
	holeBits  = 7
	holeChunk = 1 << holeBits
)

// holeSets holds the gaps of the few directions that have any. Number 0
// means none.
type holeSets struct {
	chunks    []*[holeChunk]holeSet
	made      uint32
	free      uint32
	used      int
	limit     int
	discarded uint64
}

// add notes the gap [from, to), which lies behind all others of *ref. False
// means that there is no room.
func (h *holeSets) add(ref *uint32, from, to uint32) bool {
	if *ref == 0 {
		if h.used >= h.limit {
			h.discarded++
			return false
		}
		*ref = h.take()
	}
	s := h.set(*ref)
	if s.n > 0 && s.at[s.n-1].to == from && to-s.at[s.n-1].from < maxJump {
		s.at[s.n-1].to = to
		return true
	}
	for s.n > 0 && to-s.at[0].from >= maxJump || s.n == maxHoles {
		copy(s.at[:], s.at[1:s.n]) // too far back to be filled, or the oldest of too many
		s.n--
		h.discarded++
	}
	s.at[s.n] = hole{from, to}
	s.n++
	return true
}

func (h *holeSets) set(i uint32) *holeSet { return &h.chunks[i>>holeBits][i&(holeChunk-1)] }

func (h *holeSets) take() uint32 {
	h.used++
	if i := h.free; i != 0 {
		s := h.set(i)
		h.free, s.n = s.next, 0
		return i
	}
	h.made++ // 0 is never given out
	if int(h.made>>holeBits) >= len(h.chunks) {
		h.chunks = append(h.chunks, new([holeChunk]holeSet))
	}
	return h.made
}

func (h *holeSets) give(i uint32) {
	h.used--
	h.set(i).next = h.free
	h.free = i
}

// fill takes [from, to) out of the gaps and returns how many bytes of it
// were missing. *ref becomes 0 when no gap is left.
func (h *holeSets) fill(ref *uint32, from, to uint32) (n uint32) {
	s := h.set(*ref)
	for i := 0; i < s.n; {
		g := &s.at[i]
		lo, hi := g.from, g.to
		if int32(from-lo) > 0 {
			lo = from
		}
		if int32(to-hi) < 0 {
			hi = to
		}
		if int32(hi-lo) <= 0 {
			i++
			continue
		}
		n += hi - lo
		switch {
		case lo == g.from && hi == g.to:
			copy(s.at[i:], s.at[i+1:s.n])
			s.n--
			continue
		case lo == g.from:
			g.from = hi
		case hi == g.to:
			g.to = lo
		default:
			h.split(s, i, lo, hi)
			i++
		}
		i++
	}
	if s.n == 0 {
		h.give(*ref)
		*ref = 0
	}
	return n
}

// split leaves [from, lo) and [hi, to) of gap i. Without room for both, the
// smaller is given up.
func (h *holeSets) split(s *holeSet, i int, lo, hi uint32) {
	g := s.at[i]
	if s.n == maxHoles {
		h.discarded++
		if lo-g.from < g.to-hi {
			s.at[i].from = hi
		} else {
			s.at[i].to = lo
		}
		return
	}
	copy(s.at[i+1:s.n+1], s.at[i:s.n])
	s.n++
	s.at[i].to = lo
	s.at[i+1].from = hi
}

// acknowledged returns how many missing bytes lie before ack.
func (h *holeSets) acknowledged(ref, ack uint32) (n uint32) {
	s := h.set(ref)
	for _, g := range s.at[:s.n] {
		if d := int32(ack - g.from); d > 0 {
			n += min(uint32(d), g.to-g.from)
		}
	}
	return n
}
