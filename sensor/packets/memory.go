package packets

// Memory holds frames for a short while: at most so many bytes, and none
// older than Age. Those that go are overwritten. It is not safe for
// concurrent use.
type Memory struct {
	age     int64
	bytes   []byte
	head    int // where the next frame goes
	entries []entry
	first   uint64 // number of the oldest entry; numbers begin at 1
	next    uint64 // number of the next entry
	buckets []uint64
	evicted uint64
}

// entry is one frame in the memory.
type entry struct {
	Record
	at    int    // where its bytes are
	prev  uint64 // the entry before in the same bucket
	key   uint64
	owner string // device that the conversation turned out to be of; empty for nobody's
	taken bool
}

// entryBytes is about what an entry takes beside its bytes.
const entryBytes = 160

// NewMemory returns a memory of about size bytes that forgets after age, in
// nanoseconds of packet time.
func NewMemory(size int, age int64) *Memory {
	n := max(size/(4*entryBytes), 16) // frames kept are some 480 bytes long
	m := &Memory{age: age, bytes: make([]byte, max(size-n*entryBytes, 64<<10)), entries: make([]entry, n), first: 1, next: 1}
	buckets := 1
	for buckets < n {
		buckets *= 2
	}
	m.buckets = make([]uint64, buckets)
	return m
}

// Evicted is how many frames went for want of room.
func (m *Memory) Evicted() uint64 { return m.evicted }

// Len is how many frames there are.
func (m *Memory) Len() int { return int(m.next - m.first) }

func (m *Memory) entry(n uint64) *entry { return &m.entries[n%uint64(len(m.entries))] }

func (m *Memory) bucket(key uint64) *uint64 {
	return &m.buckets[(key*0x9e3779b97f4a7c15>>20)&uint64(len(m.buckets)-1)]
}

// keyOf: a DNS message is found by its time, for questions are told of one by
// one; all else by its conversation.
func keyOf(r *Record) uint64 {
	if r.DNS {
		return uint64(r.At)
	}
	return r.Flow
}

// Add copies a frame.
func (m *Memory) Add(r *Record, data []byte) {
	if len(data) > len(m.bytes)/4 {
		m.evicted++
		return
	}
	if m.head+len(data) > len(m.bytes) {
		m.makeRoom(m.head, len(m.bytes))
		m.head = 0
	}
	m.makeRoom(m.head, m.head+len(data))
	if m.Len() == len(m.entries) {
		m.evicted++
		m.drop()
	}
	b := m.bucket(keyOf(r))
	*m.entry(m.next) = entry{Record: *r, at: m.head, prev: *b, key: keyOf(r)}
	*b = m.next
	copy(m.bytes[m.head:], data)
	m.head += len(data)
	m.next++
}

// makeRoom lets the frames go whose bytes lie in the range: they are the
// oldest.
func (m *Memory) makeRoom(from, to int) {
	for m.Len() > 0 {
		e := m.entry(m.first)
		if e.at >= to || e.at+int(e.Size) <= from {
			return
		}
		m.evicted++
		m.drop()
	}
}

func (m *Memory) drop() {
	e := m.entry(m.first)
	clear(m.bytes[e.at : e.at+int(e.Size)])
	*e = entry{}
	m.first++
}

// Expire lets go what is older than the age, as of now.
func (m *Memory) Expire(now int64) {
	for m.Len() > 0 && now-m.entry(m.first).At > m.age {
		m.drop()
	}
}

// each calls f for the frames of a key, the newest first.
func (m *Memory) each(key uint64, f func(*entry)) {
	for n := *m.bucket(key); n >= m.first && n != 0; {
		e := m.entry(n)
		if e.key == key {
			f(e)
		}
		n = e.prev
	}
}

// Own says whose a conversation is, by its id. What nobody owns is never
// given out.
func (m *Memory) Own(flow uint64, device string) { m.own(flow, device, false) }

// OwnQuestion says whose the DNS messages of a time are.
func (m *Memory) OwnQuestion(at int64, device string) { m.own(uint64(at), device, true) }

func (m *Memory) own(key uint64, device string, dns bool) {
	m.each(key, func(e *entry) {
		if e.DNS == dns {
			e.owner = device
		}
	})
}

// Disown makes a device's frames another's: the two were found to be one.
func (m *Memory) Disown(from, to string) {
	for n := m.first; n < m.next; n++ {
		if e := m.entry(n); e.owner == from {
			e.owner = to
		}
	}
}

// Frame is a frame that was given out; its bytes are the receiver's.
type Frame struct {
	Record
	Data []byte
}

// TakeFlow gives out the frames of one conversation of a device that were not
// given out yet, oldest first.
func (m *Memory) TakeFlow(flow uint64, device string) []Frame { return m.take(flow, device, false) }

// TakeQuestion gives out the DNS messages of a time and a device.
func (m *Memory) TakeQuestion(at int64, device string) []Frame {
	return m.take(uint64(at), device, true)
}

func (m *Memory) take(key uint64, device string, dns bool) []Frame {
	var out []Frame
	m.each(key, func(e *entry) {
		if e.DNS == dns && e.owner == device && !e.taken {
			out = append(out, m.give(e))
		}
	})
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// Take gives out the frames of a device that want chooses and that were not
// given out yet, oldest first. It looks through everything.
func (m *Memory) Take(device string, want func(*Record, []byte) bool) []Frame {
	var out []Frame
	for n := m.first; n < m.next; n++ {
		e := m.entry(n)
		if e.owner == device && !e.taken && want(&e.Record, m.bytes[e.at:e.at+int(e.Size)]) {
			out = append(out, m.give(e))
		}
	}
	return out
}

func (m *Memory) give(e *entry) Frame {
	e.taken = true
	return Frame{e.Record, append([]byte(nil), m.bytes[e.at:e.at+int(e.Size)]...)}
}
