package sensor

import (
	"context"
	"sync/atomic"
	"time"

	"picket/sensor/capture"
	"picket/sensor/flow"
	"picket/sensor/observation"
	"picket/sensor/packet"
	"picket/sensor/packets"
	"picket/sensor/wire"
)

// WorkerConfig is what a worker is made of. Home, Never, Realms and Hiders
// are read-only and shared by all workers.
type WorkerConfig struct {
	Number    int
	Home      *flow.Home
	Never     *flow.Home // networks that are never watched: counted as bytes alone
	Realms    *Realms
	Hiders    *wire.Hiders
	Flow      flow.Config
	Fragments packet.FragmentLimits

	// Wait makes a full channel hold the worker back, as a file can wait.
	// Otherwise what does not fit is counted and the frames go on.
	Wait bool
	// MaxConversations bounds the flows about which more is known than
	// their counts. Default 1<<18.
	MaxConversations int
	// Decrypts bounds the attempts to open QUIC Initials in one second of
	// packet time; a campus opens some thousand. Default 20,000.
	Decrypts int
	// NoJA3 leaves JA3 out of hellos: nothing but event lines shows it.
	NoJA3 bool
	// HashKey keys the hashes under which identifiers in clear are compared.
	HashKey []byte
	// Keep takes the first frames of conversations; nil keeps none.
	Keep *packets.Exchange
}

const (
	defaultConversations = 1 << 18
	defaultDecrypts      = 20_000
	batchSize            = 256 // observations that cross the channel at once
	second               = int64(1e9)
)

// Worker runs the packet path for the frames of one source: decode, count,
// read the first bytes, observe. Workers share nothing that changes. A
// Worker is not safe for concurrent use.
type Worker struct {
	cfg   WorkerConfig
	table *flow.Table
	frags *packet.Fragments
	ctx   context.Context
	out   chan<- []observation.Observation
	spare <-chan []observation.Observation // batches that come back
	batch []observation.Observation
	// observe, when set, takes the batch at once, instead of out.
	observe func([]observation.Observation)
	// gather keeps the batch, however long, for a group to merge; marks says
	// what of it came when.
	gather   bool
	marks    []mark
	closing  bool            // the input has ended
	patience context.Context // while closing: how long who observes is waited for

	ahead  [ahead]packet.Packet
	places [ahead]flow.Place // of ahead
	base   uint16            // realm of the interface
	now    int64
	step   int64 // of now
	ticks  int64 // packet time of the last expiry

	hello     wire.Hello
	flight    wire.ServerFlight
	dns       wire.DNS
	dhcp      wire.DHCP
	http      wire.HTTP
	near      wire.Neighbour
	push      wire.MiPush
	radius    wire.RADIUS
	ids       wire.Identifiers
	convos    conversations
	quics     pool[wire.Initials]
	dtls      pool[wire.DTLSHello]
	pendings  pool[pending]
	resolve   wire.HTTPDNS
	names     interned
	alpns     map[string][]string
	encaps    map[encapKey][]string
	announced announced
	kept      keepsake
	http2s    int // HTTP/2 connections being read
	hasher    hasher
	tunnels   map[tunnelKey]int64
	firsts    map[fragmentKey]*observation.Observation
	budget    int   // decryptions left in this second
	refill    int64 // packet time of the last refill

	stats     WorkerStats
	published atomic.Pointer[WorkerStats]
	turns     atomic.Uint64
}

// NewWorker returns a worker that sends what it observes to out, in batches
// that it takes from spare when one is there.
func NewWorker(ctx context.Context, c WorkerConfig, out chan<- []observation.Observation, spare <-chan []observation.Observation) *Worker {
	if c.MaxConversations <= 0 {
		c.MaxConversations = defaultConversations
	}
	if c.Decrypts <= 0 {
		c.Decrypts = defaultDecrypts
	}
	w := &Worker{cfg: c, ctx: ctx, out: out, spare: spare, budget: c.Decrypts, tunnels: map[tunnelKey]int64{}, firsts: map[fragmentKey]*observation.Observation{}}
	w.convos.max = c.MaxConversations
	w.quics.max, w.dtls.max, w.pendings.max = maxAssemblies, maxAssemblies, c.MaxConversations
	w.hasher.key = c.HashKey
	w.kept.to = c.Keep
	fc := c.Flow
	fc.Home = c.Home
	fc.FirstID = uint64(c.Number) << 48
	w.table = flow.New(fc, w.report)
	w.frags = packet.NewFragments(c.Fragments, w.lostFragments)
	w.batch = w.fresh()
	return w
}

// LeaveOutJA3 is NoJA3 for a worker that has not begun.
func (w *Worker) LeaveOutJA3() { w.cfg.NoJA3 = true }

// Frames takes a batch of frames, lent until it returns, and hands over what
// was observed.
func (w *Worker) Frames(batch []capture.Frame) {
	w.Follow(batch)
	w.Tick(w.now)
}

// Follow is Frames where more frames are there already: what was observed may
// wait for them, a step of packet time at most, so that nobody is woken for
// every batch.
func (w *Worker) Follow(batch []capture.Frame) {
	w.turns.Add(1)
	for len(batch) > 0 {
		n := min(len(batch), ahead)
		w.look(batch[:n])
		for i := range batch[:n] {
			w.pass(batch[i].At)
			w.kept.lend(&batch[i])
			w.packet(&w.ahead[i], &w.places[i])
		}
		batch = batch[n:]
	}
}

// ahead is how many frames are decoded, and their flows looked for, before the
// first of them is followed: enough for the waits for memory to overlap, few
// enough for what was fetched to stay in the first-level cache.
const ahead = 16

// look decodes frames, at most ahead, and finds the places of their flows.
func (w *Worker) look(frames []capture.Frame) {
	for i := range frames {
		w.decode(i, &frames[i])
	}
	w.table.Seek(w.places[:len(frames)])
}

// decode makes f the i-th of the frames ahead.
func (w *Worker) decode(i int, f *capture.Frame) {
	p := &w.ahead[i]
	w.stats.Frames++
	w.stats.Bytes += uint64(f.Wire)
	vlan := uint16(0)
	if f.TPID != 0 {
		vlan = f.TCI & 0xfff
	}
	stop := p.DecodeTagged(uint16(f.Link), f.Data, f.At, f.Wire, vlan)
	w.stats.Stops[stop]++
	p.Realm = w.cfg.Realms.Of(p, w.base)
	w.places[i].Key(w.table, p)
}

// stepBits makes steps of 2^27 ns (134 ms), as wide as the buckets of the
// flow table. What is due is looked at when packet time enters a step, and
// not when a batch ends: how frames were lent decides nothing.
const stepBits = 27

// pass takes over the time of a frame. Frames of a merged span may step back
// a little: time does not.
func (w *Worker) pass(at int64) {
	if at <= w.now {
		return
	}
	w.now = at
	if at>>stepBits != w.step {
		w.step = at >> stepBits
		w.lapse()
	}
}

// lapse does what is due.
func (w *Worker) lapse() {
	if w.now-w.refill >= second {
		w.refill, w.budget = w.now, w.cfg.Decrypts
	}
	w.table.Expire(w.now)
	if !w.cfg.Wait { // a busy source may never be without a next frame, and somebody waits
		w.handOver()
	}
	if w.now-w.ticks >= second {
		w.ticks = w.now
		w.frags.Expire(w.now)
		w.publish()
	}
}

// Tick says that packet time is now: flows that are due are reported, and
// what was observed is handed over.
func (w *Worker) Tick(now int64) {
	w.turns.Add(1)
	w.pass(now)
	w.handOver()
}

// closeFor is how long a worker waits for who takes its last observations. A
// service manager is promised an end within five seconds.
const closeFor = 3 * time.Second

// Close reports everything that is still open: the end of the input. What
// cannot be handed over within closeFor is counted as dropped.
func (w *Worker) Close() {
	var enough context.CancelFunc
	w.patience, enough = context.WithTimeout(context.Background(), closeFor)
	defer enough()
	w.closing = true
	w.frags.Close()
	w.table.Close()
	if !w.flush() {
		w.stats.ObservationsDropped += uint64(len(w.batch))
	}
	w.stats.ObservationsDropped += uint64(w.table.Stats().Flows) // not told to the end
	w.publish()
}

// maxNested is how many datagrams in one another may each come in fragments: a
// tunnel's and what is inside.
const maxNested = 2

// packet follows p, which was looked at.
func (w *Worker) packet(p *packet.Packet, at *flow.Place) {
	switch p.Stop {
	case packet.Decoded, packet.LaterFragment, packet.TunnelFragment:
	case packet.EncryptedESP, packet.OtherTransport:
		w.hiddenByProtocol(p)
		return
	default:
		return
	}
	if p.EtherType == packet.EtherTypeARP && p.Version == 0 {
		w.arp(p)
		return
	}
	if w.never(p) {
		return
	}
	if p.IsFragment() {
		if !w.reassemble(p) {
			return
		}
		at.Key(w.table, p)
	}
	switch p.Proto {
	case packet.ProtoTCP:
		if f, d := w.table.TouchAt(p, at); f != nil {
			w.keep(f, d, p)
			w.tcp(f, d, p)
		}
	case packet.ProtoUDP:
		if f, d := w.table.TouchAt(p, at); f != nil {
			w.keep(f, d, p)
			w.udp(f, d, p)
		}
	case packet.ProtoICMPv6:
		w.nd(p)
	}
}

// reassemble takes a fragment; true when it completed a datagram, which p then
// is. A tunnel's datagram has others inside, with addresses of their own.
func (w *Worker) reassemble(p *packet.Packet) bool {
	for level := 0; p.IsFragment(); level++ {
		if level == maxNested {
			return false
		}
		w.firstFragment(p)
		datagram, length, whole := w.frags.Add(p)
		if !whole {
			return false
		}
		if p.DecodeDatagram(datagram, length) != packet.Decoded && !p.IsFragment() {
			return false
		}
		delete(w.firsts, fragmentKey{p.Src, p.Dst, p.SrcPort, p.DstPort})
		p.Realm = w.cfg.Realms.Of(p, w.base)
		if w.never(p) {
			return false
		}
	}
	return true
}

// never reports that an end of p is never watched, and counts its bytes.
func (w *Worker) never(p *packet.Packet) bool {
	n := w.cfg.Never
	if n == nil || !n.Contains(p.Realm, p.Src) && !n.Contains(p.Realm, p.Dst) {
		return false
	}
	w.stats.NeverWatched += uint64(p.Wire)
	return true
}

// lostFragments counts the bytes of a datagram that will never be complete.
func (w *Worker) lostFragments(l packet.Lost) {
	w.stats.FragmentsLost[l.Why]++
	if l.SrcPort == 0 && l.DstPort == 0 {
		w.stats.FragmentBytes += uint64(l.Bytes) // no port: no conversation to count them to
		return
	}
	var p packet.Packet
	l.Fill(&p)
	w.table.Touch(&p)
	key := fragmentKey{l.Src, l.Dst, l.SrcPort, l.DstPort}
	if o := w.firsts[key]; o != nil {
		delete(w.firsts, key)
		w.tell(o)
	}
}

// publish lets others read the counts as they are now.
func (w *Worker) publish() {
	s := w.stats
	s.Flow, s.Fragments = w.table.Stats(), w.frags.Stats()
	s.Conversations = w.convos.used
	s.KeepsakesDropped = w.kept.dropped
	w.published.Store(&s)
}

// Stats returns the counts as of at most one second of packet time ago. It
// may be called by any goroutine.
func (w *Worker) Stats() WorkerStats {
	if s := w.published.Load(); s != nil {
		return *s
	}
	return WorkerStats{}
}

// Turns counts how often the worker came round, frames or not: one that does
// not is stuck. It may be called by any goroutine.
func (w *Worker) Turns() uint64 { return w.turns.Load() }
