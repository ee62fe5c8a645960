package packet

// maxFragHeader bounds the part of a datagram that stands before its
// fragments: an IPv6 header and extension headers.
const maxFragHeader = 256

// maxPieces bounds the separate ranges of one datagram; fragments in order
// make one.
const maxPieces = 32

// maxDatagram is the longest IP datagram (RFC 791; RFC 8200 without
// jumbograms).
const maxDatagram = 65535

// doneFor is how long a completed datagram is remembered, so that the copies
// of its fragments on a doubled span do not begin another.
const doneFor = int64(50e6)

// Fragments puts IP fragments together (RFC 791, RFC 815, RFC 8200 section
// 4.5). It is bounded in datagrams, bytes and time, and not safe for
// concurrent use.
//
// Counting bytes: hand every fragment to Add and count none of them. When
// Add returns a datagram, decode it with Packet.DecodeDatagram and count that
// Packet once, unless it is a fragment again, of an inner datagram
// (Packet.IsFragment): then hand it to Add in turn. Each datagram that never completes is reported to lost once:
// count Lost.Bytes there, to the conversation when the ports are known and
// to the pair of addresses otherwise (Lost.Fill makes a Packet of it).
//
// Fragments that overlap refuse the whole datagram (RFC 5722, section 4), but
// for exact copies of bytes already there, which networks and spans make.
type Fragments struct {
	limits FragmentLimits
	lost   func(Lost)
	stats  FragmentStats
	held   map[fragKey]*partial
	free   *partial // linked by next
	oldest *partial
	newest *partial
	out    []byte
}

// fragKey names a datagram (RFC 791, section 3.2; RFC 8200, section 4.5:
// without the protocol).
type fragKey struct {
	src, dst Addr
	id       uint32
	realm    uint16
	version  uint8
	proto    uint8
}

// partial is a datagram of which not all was seen.
type partial struct {
	key        fragKey
	lost       Lost
	at         int64 // of the first fragment seen; of completion once done
	header     [maxFragHeader]byte
	headerLen  int // 0 until the first fragment was seen
	nextAt     int // IPv6: the byte of header that names the protocol
	buf        []byte
	total      int // length of the fragmented part, -1 until the last fragment was seen
	captured   int // bytes behind this offset were cut by the snap length somewhere
	n          int
	pieces     [maxPieces]fragPiece // ascending, apart
	done, dead bool
	prev, next *partial
}

type fragPiece struct{ from, to int }

// NewFragments returns an empty Fragments. lost may be nil; it must not call
// back.
func NewFragments(l FragmentLimits, lost func(Lost)) *Fragments {
	if l.Datagrams <= 0 {
		l.Datagrams = 1024
	}
	if l.Bytes <= 0 {
		l.Bytes = 16 << 20
	}
	if l.Timeout <= 0 {
		l.Timeout = 30e9
	}
	if lost == nil {
		lost = func(Lost) {}
	}
	return &Fragments{limits: l, lost: lost, held: make(map[fragKey]*partial)}
}

// Stats returns the counts.
func (f *Fragments) Stats() FragmentStats {
	s := f.stats
	s.Incomplete = len(f.held)
	return s
}

// Add takes the fragment that p was decoded from (Packet.IsFragment). When
// it completes its datagram, Add returns it, header first, with the length
// it had on the wire: longer than the bytes when fragments were cut by the
// snap length. The bytes are valid until the next call.
func (f *Fragments) Add(p *Packet) (datagram []byte, wire int, whole bool) {
	if p.datagram == nil {
		return nil, 0, false
	}
	f.stats.Fragments++
	f.Expire(p.At)
	d := f.find(p)
	if d.done {
		return nil, 0, false
	}
	body, size := p.fragmentBody()
	from := int(p.FragOffset)
	bytes := size
	if from == 0 && p.Stop == Decoded {
		bytes = p.PayloadLen
		d.lost.SrcPort, d.lost.DstPort = p.SrcPort, p.DstPort
	}
	if d.dead {
		d.lost.Bytes += bytes
		return nil, 0, false
	}
	if copied, why, ok := d.check(from, size, body, p); copied {
		return nil, 0, false
	} else if !ok || !f.room(d, from+size) {
		d.lost.Bytes += bytes
		if ok {
			why = LostFull
		}
		f.refuse(d, why)
		return nil, 0, false
	}
	d.lost.Bytes += bytes
	if from == 0 && !d.keepHeader(p) || !d.insert(from, size, body) {
		f.refuse(d, LostInvalid)
		return nil, 0, false
	}
	if !p.FragMore {
		d.total = from + size
	}
	if d.n != 1 || d.pieces[0] != (fragPiece{0, d.total}) || d.headerLen == 0 {
		return nil, 0, false
	}
	return f.complete(d, p.At)
}

// fragmentBody returns what the fragment carries, as captured, and its
// length on the wire.
func (p *Packet) fragmentBody() (b []byte, size int) {
	n := p.header
	if p.Version == 6 {
		n += 8
	}
	return p.datagram[min(n, len(p.datagram)):], p.fragLen
}

// find returns the datagram that p belongs to, made if need be.
func (f *Fragments) find(p *Packet) *partial {
	k := fragKey{p.Src, p.Dst, p.FragID, p.Realm, p.Version, 0}
	if p.Version == 4 {
		k.proto = p.Proto
	}
	d := f.held[k]
	if d != nil && d.done && p.At-d.at > doneFor {
		f.drop(d)
		d = nil
	}
	if d != nil {
		return d
	}
	if len(f.held) >= f.limits.Datagrams {
		f.giveUp(f.oldest, LostFull)
	}
	if d = f.free; d != nil {
		f.free = d.next
	} else {
		d = new(partial)
	}
	*d = partial{key: k, at: p.At, total: -1, captured: maxDatagram, prev: f.newest, lost: Lost{
		At: p.At, Realm: p.Realm, Src: p.Src, Dst: p.Dst, Version: p.Version, Proto: p.Proto}}
	f.held[k] = d
	if f.newest != nil {
		f.newest.next = d
	} else {
		f.oldest = d
	}
	f.newest = d
	return d
}

// complete returns the datagram and remembers it for a while.
func (f *Fragments) complete(d *partial, at int64) ([]byte, int, bool) {
	if f.out == nil {
		f.out = make([]byte, 0, maxFragHeader+maxDatagram)
	}
	f.out = append(append(f.out[:0], d.header[:d.headerLen]...), d.buf[:min(d.total, d.captured)]...)
	wire := d.headerLen + d.total
	if d.key.version == 4 {
		be.PutUint16(f.out[2:], uint16(wire))
		be.PutUint16(f.out[6:], 0)
	} else {
		be.PutUint16(f.out[4:], uint16(wire-40))
		f.out[d.nextAt] = d.lost.Proto
	}
	f.stats.Datagrams++
	f.release(d)
	d.done, d.at = true, at
	return f.out, wire, true
}
