package packet

import "bytes"

// check judges a fragment of size bytes at from before it is taken: copied
// means that all of it is there already.
func (d *partial) check(from, size int, body []byte, p *Packet) (copied bool, why LostReason, ok bool) {
	to := from + size
	switch {
	case size <= 0, p.header+to > maxDatagram, p.FragMore && size%8 != 0:
		return false, LostInvalid, false
	case d.total >= 0 && to > d.total, !p.FragMore && d.n > 0 && d.pieces[d.n-1].to > to:
		return false, LostInvalid, false
	case !p.FragMore && d.total >= 0 && to != d.total:
		return false, LostOverlap, false
	}
	for _, q := range d.pieces[:d.n] {
		if from >= q.to || to <= q.from {
			continue
		}
		have := min(len(body), max(0, d.captured-from))
		if from >= q.from && to <= q.to && bytes.Equal(body[:have], d.buf[from:from+have]) {
			return true, 0, true
		}
		return false, LostOverlap, false
	}
	return false, 0, true
}

// insert stores a fragment that overlaps nothing. False means that the
// pieces are too many.
func (d *partial) insert(from, size int, body []byte) bool {
	if len(body) > size {
		body = body[:size]
	}
	copy(d.buf[from:], body)
	if len(body) < size {
		d.captured = min(d.captured, from+len(body))
	}
	i := d.n
	for i > 0 && d.pieces[i-1].from > from {
		i--
	}
	to := from + size
	joinsLeft := i > 0 && d.pieces[i-1].to == from
	joinsRight := i < d.n && d.pieces[i].from == to
	switch {
	case joinsLeft && joinsRight:
		d.pieces[i-1].to = d.pieces[i].to
		copy(d.pieces[i:], d.pieces[i+1:d.n])
		d.n--
	case joinsLeft:
		d.pieces[i-1].to = to
	case joinsRight:
		d.pieces[i].from = from
	case d.n == maxPieces:
		return false
	default:
		copy(d.pieces[i+1:d.n+1], d.pieces[i:d.n])
		d.pieces[i] = fragPiece{from, to}
		d.n++
	}
	return true
}

// keepHeader stores the part before the fragments, from the first of them.
func (d *partial) keepHeader(p *Packet) bool {
	if p.header > maxFragHeader || p.header > len(p.datagram) {
		return false
	}
	d.headerLen = copy(d.header[:], p.datagram[:p.header])
	d.nextAt, d.lost.Proto = p.nextAt, p.Proto
	return true
}

// bufferStep is the granularity of buffers.
const bufferStep = 4 << 10

// room sees to it that d's buffer holds n bytes; the oldest datagrams go
// when all together would hold too many.
func (f *Fragments) room(d *partial, n int) bool {
	if n <= len(d.buf) {
		return true
	}
	size := min(max(2*len(d.buf), (n+bufferStep-1)/bufferStep*bufferStep), maxDatagram+1)
	for f.stats.Bytes+size-len(d.buf) > f.limits.Bytes {
		old := f.oldest
		for old != nil && (old == d || old.buf == nil) {
			old = old.next
		}
		if old == nil {
			return false
		}
		f.giveUp(old, LostFull)
	}
	f.stats.Bytes += size - len(d.buf)
	b := make([]byte, size)
	copy(b, d.buf)
	d.buf = b
	return true
}

// release gives d's buffer up.
func (f *Fragments) release(d *partial) {
	f.stats.Bytes -= len(d.buf)
	d.buf = nil
}

// refuse makes d a datagram that will never complete. It stays until its
// time is over, so that its other fragments are known for what they are.
func (f *Fragments) refuse(d *partial, why LostReason) {
	f.release(d)
	d.dead, d.lost.Why = true, why
}

// giveUp reports d and drops it.
func (f *Fragments) giveUp(d *partial, why LostReason) {
	if !d.done {
		if !d.dead {
			d.lost.Why = why
		}
		f.stats.Lost[d.lost.Why]++
		f.lost(d.lost)
	}
	f.drop(d)
}

// drop forgets d.
func (f *Fragments) drop(d *partial) {
	f.release(d)
	delete(f.held, d.key)
	if d.prev != nil {
		d.prev.next = d.next
	} else {
		f.oldest = d.next
	}
	if d.next != nil {
		d.next.prev = d.prev
	} else {
		f.newest = d.prev
	}
	*d = partial{next: f.free}
	f.free = d
}

// Expire gives up what was begun more than the timeout before now, the time
// of the latest frame.
func (f *Fragments) Expire(now int64) {
	for d := f.oldest; d != nil && now-d.lost.At > f.limits.Timeout; d = f.oldest {
		f.giveUp(d, LostTimeout)
	}
}

// Close gives up all that is held: the end of the input.
func (f *Fragments) Close() {
	for f.oldest != nil {
		f.giveUp(f.oldest, LostTimeout)
	}
}
