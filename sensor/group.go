package sensor

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/bits"
	"sync"

	"picket/sensor/capture"
	"picket/sensor/observation"
	"picket/sensor/packet"
)

// groupBatch is how many frames the workers of a group take at once: enough
// that what they wait for each other is little beside it.
const groupBatch = 4096

// group is workers that share the frames of one source. Both directions of a
// conversation go to one worker, by the address at home. Every batch is worked
// on twice, by all workers at the same time: first they say whose each frame
// is, each for its share of the batch, then each follows its own.
type group struct {
	workers []*Worker
	guides  []guide
	owner   []uint8
	out     chan<- []observation.Observation
	spare   <-chan []observation.Observation
	batch   []observation.Observation // merged, not yet handed over
	wait    bool                      // files: what the workers observed is merged in the order of the frames
}

// workTogether moves frames from one source to the workers that share it.
func (p *Pipeline) workTogether(ctx context.Context, s Source, workers []*Worker) error {
	g := &group{workers: workers, guides: make([]guide, len(workers)), owner: make([]uint8, groupBatch), out: p.out, spare: p.spare, wait: workers[0].cfg.Wait}
	for i, w := range workers {
		w.gather = g.wait
		g.guides[i] = guide{cfg: &w.cfg, base: w.base, workers: uint32(len(workers))}
	}
	defer g.close(ctx)
	batch := make([]capture.Frame, groupBatch)
	for ctx.Err() == nil {
		n, err := s.Next(batch)
		switch {
		case n > 0:
			g.frames(ctx, batch[:n])
		case p.Now != nil:
			now := p.Now().UnixNano()
			for _, w := range g.workers {
				w.Tick(now)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// frames lets all workers at a batch, and merges what they observed.
func (g *group) frames(ctx context.Context, batch []capture.Frame) {
	n := len(g.workers)
	g.each(func(i int) {
		from, to := i*len(batch)/n, (i+1)*len(batch)/n
		g.guides[i].assign(batch[from:to], g.owner[from:to])
	})
	g.each(func(i int) { g.workers[i].follow(batch, g.owner, uint8(i)) })
	if g.wait {
		g.merge(ctx)
	}
}

// each calls f for every worker, at the same time.
func (g *group) each(f func(i int)) {
	var all sync.WaitGroup
	for i := 1; i < len(g.workers); i++ {
		all.Go(func() { f(i) })
	}
	f(0)
	all.Wait()
}

// mark says that what a worker observed up to end came with the frame at/2 of
// the batch, or, if at is even, fell due just before it.
type mark struct {
	at  uint32
	end int
}

// follow takes those frames of the batch that are the worker's own, number me.
// Time passes with all of them.
func (w *Worker) follow(batch []capture.Frame, owner []uint8, me uint8) {
	w.turns.Add(1)
	for from := 0; from < len(batch); {
		n, to := 0, from
		for ; to < len(batch) && n < ahead; to++ {
			if owner[to] == me {
				w.decode(n, &batch[to])
				n++
			}
		}
		w.table.Seek(w.places[:n])
		n = 0
		for i := from; i < to; i++ {
			w.pass(batch[i].At)
			w.mark(uint32(i) * 2)
			if owner[i] == me {
				w.kept.lend(&batch[i])
				w.packet(&w.ahead[n], &w.places[n])
				w.mark(uint32(i)*2 + 1)
				n++
			}
		}
		from = to
	}
	w.handOver()
}

func (w *Worker) mark(at uint32) {
	last := 0
	if n := len(w.marks); n > 0 {
		last = w.marks[n-1].end
	}
	if w.gather && len(w.batch) > last {
		w.marks = append(w.marks, mark{at, len(w.batch)})
	}
}

// merge hands over what the workers observed, in the order of the frames; what
// fell due before the same frame, in the order of the workers.
func (g *group) merge(ctx context.Context) {
	next := make([]int, len(g.workers)) // mark of each worker
	for {
		first := -1
		for i, w := range g.workers {
			if next[i] < len(w.marks) && (first < 0 || w.marks[next[i]].at < g.workers[first].marks[next[first]].at) {
				first = i
			}
		}
		if first < 0 {
			break
		}
		w := g.workers[first]
		from := 0
		if k := next[first]; k > 0 {
			from = w.marks[k-1].end
		}
		g.add(ctx, w.batch[from:w.marks[next[first]].end])
		next[first]++
	}
	for _, w := range g.workers {
		w.clear()
	}
	g.send(ctx)
}

// keptBatch is how many gathered observations a worker keeps room for.
const keptBatch = 4 * groupBatch

func (w *Worker) clear() {
	clear(w.batch)
	w.batch, w.marks = w.batch[:0], w.marks[:0]
	if cap(w.batch) > keptBatch {
		w.batch = make([]observation.Observation, 0, batchSize)
	}
}

func (g *group) add(ctx context.Context, list []observation.Observation) {
	for i := range list {
		if len(g.batch) == cap(g.batch) {
			g.send(ctx)
			select {
			case b := <-g.spare:
				g.batch = b[:0]
			default:
				g.batch = make([]observation.Observation, 0, batchSize)
			}
		}
		g.batch = append(g.batch, list[i])
	}
}

func (g *group) send(ctx context.Context) {
	if len(g.batch) == 0 {
		return
	}
	select {
	case g.out <- g.batch:
	case <-ctx.Done():
	}
	g.batch = nil
}

// close ends the workers one after the other: the end of input.
func (g *group) close(ctx context.Context) {
	for _, w := range g.workers {
		w.clear()
		w.gather = false
		w.Close()
	}
}

// guide says which worker a frame belongs to. Each goroutine has its own.
type guide struct {
	cfg     *WorkerConfig
	base    uint16
	workers uint32
	p       packet.Packet
}

// assign fills owner with the workers of the frames.
func (g *guide) assign(batch []capture.Frame, owner []uint8) {
	for i := range batch {
		owner[i] = uint8(g.of(&batch[i]))
	}
}

// of is by the innermost addresses, which a plain TCP segment shows at once.
// Frames of a tunnel that may be cut into fragments on its way go by the
// tunnel's own addresses, as fragments must: a fragment shows no others.
func (g *guide) of(f *capture.Frame) uint32 {
	src, dst, proto, whole := outerAddrs(f)
	if proto == packet.ProtoTCP && src != (packet.Addr{}) {
		return g.between(src, dst)
	}
	vlan := uint16(0)
	if f.TPID != 0 {
		vlan = f.TCI & 0xfff
	}
	p := &g.p
	p.DecodeTagged(uint16(f.Link), f.Data, f.At, f.Wire, vlan)
	switch {
	case p.Version == 0:
		return 0
	case src != (packet.Addr{}) && src != p.Src && !whole:
		return g.between(src, dst)
	}
	return g.between(p.Src, p.Dst)
}

// between is the same for both directions.
func (g *guide) between(src, dst packet.Addr) uint32 {
	var h uint64
	in, out := g.home(src), g.home(dst)
	switch {
	case in && !out:
		h = fold(src)
	case out && !in:
		h = fold(dst)
	default:
		h = fold(src) + fold(dst)
	}
	hi, _ := bits.Mul64(h*0x9e3779b97f4a7c15, uint64(g.workers))
	return uint32(hi)
}

func (g *guide) home(a packet.Addr) bool { return g.cfg.Home != nil && g.cfg.Home.Contains(g.base, a) }

func fold(a packet.Addr) uint64 {
	return (binary.LittleEndian.Uint64(a[:8]) ^ binary.LittleEndian.Uint64(a[8:])) * 0xd6e8feb86659fd93
}

// outerAddrs reads the addresses of the outermost IP header of an Ethernet
// frame; zero where there is none. whole reports that nothing on the way may
// fragment the packet: IPv6, or IPv4 with DF (RFC 791, section 3.1), and that
// it is no fragment itself.
func outerAddrs(f *capture.Frame) (src, dst packet.Addr, proto uint8, whole bool) {
	const ethernet = 1 // LINKTYPE_ETHERNET
	b := f.Data
	if f.Link != ethernet || len(b) < 14 {
		return src, dst, 0, false
	}
	at := 12
	for at+6 < len(b) && (b[at] == 0x81 && b[at+1] == 0 || b[at] == 0x88 && b[at+1] == 0xa8) {
		at += 4
	}
	kind, ip := uint16(b[at])<<8|uint16(b[at+1]), b[at+2:]
	switch {
	case kind == 0x0800 && len(ip) >= 20:
		src[10], src[11], dst[10], dst[11] = 0xff, 0xff, 0xff, 0xff
		copy(src[12:], ip[12:16])
		copy(dst[12:], ip[16:20])
		return src, dst, ip[9], ip[6]&0x60 == 0x40
	case kind == 0x86dd && len(ip) >= 40:
		copy(src[:], ip[8:24])
		copy(dst[:], ip[24:40])
		const fragment = 44 // RFC 8200, section 4.5
		return src, dst, ip[6], ip[6] != fragment
	}
	return src, dst, 0, false
}
