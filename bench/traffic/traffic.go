// Package traffic makes captures of campus traffic whose every flow is known:
// seeded, so that the same Config gives the same bytes, and written as they
// are made, so that size costs no memory.
//
// The mix: TLS 1.3 with post-quantum hellos over two segments, out of order or
// in tiny segments; QUIC version 1 with the hello over two Initials, shuffled;
// HTTP; conversations named by a DNS answer alone, or not at all; unanswered
// SYNs; IPv4 and IPv6, with and without VLAN tags. Before it first speaks over
// a family, each device asks for its router by ARP or neighbour discovery, as
// every host does. Bulk data and its
// acknowledgements are 85 to 90 % of the frames, or fewer where there are many
// devices. Segments are retransmitted and swapped on the way. IP checksums are
// right, transport checksums are left open, as captures with offload have them.
package traffic

import (
	"bufio"
	"encoding/binary"
	"io"
	"math/rand/v2"
)

// Config says what to make.
type Config struct {
	Seed    uint64
	Devices int // at most 1 << 20
	Frames  int // exactly
	// FramesPerFlow is the mean; 0 takes 100, or less so that each device has
	// three flows.
	FramesPerFlow int
	Encap         Encap
}

// Encap is the encapsulation of every frame.
type Encap string

// The encapsulations.
const (
	Plain  Encap = "none"
	ERSPAN Encap = "erspan" // type II, from one switch
	CAPWAP Encap = "capwap" // 802.11 data frames, from a few access points
)

// Summary counts what was made.
type Summary struct {
	Frames, Bytes, Bulk uint64
	Flows, TLS, QUIC    int
}

// fewestFrames is what a flow with everything before its bulk needs.
const fewestFrames = 5

// Generate writes a pcap file to w and tells truth of every flow once, when
// it is over.
func Generate(c Config, w io.Writer, truth func(*Flow)) (Summary, error) {
	if c.FramesPerFlow == 0 {
		c.FramesPerFlow = max(fewestFrames, min(100, c.Frames/(3*c.Devices)))
	}
	out := bufio.NewWriterSize(w, 1<<20)
	g := &generator{
		Config: c, out: out, truth: truth,
		rand: rand.New(rand.NewPCG(c.Seed, 0x9e3779b97f4a7c15)),
		now:  startTime,
	}
	g.noise = make([]byte, 1<<16)
	for i := range g.noise {
		g.noise[i] = byte(g.rand.Uint32())
	}
	g.fileHeader()
	g.run()
	if g.err == nil {
		g.err = out.Flush()
	}
	return g.sum, g.err
}

const (
	startTime = 1_780_000_000_000_000_000 // 2026-05-28, nanoseconds
	meanGap   = 10_000                    // nanoseconds between frames: 100,000 frames a second
)

// generator is one run.
type generator struct {
	Config
	out   *bufio.Writer
	truth func(*Flow)
	rand  *rand.Rand
	noise []byte // payload that nobody can read
	frame [2048]byte
	now   int64
	err   error
	sum   Summary

	active  []*flow
	planned int // frames written and to be written by the active flows
	opened  int
	ports   []uint16 // last port of each device
	met     []uint8  // of each device: the families over which it asked for its router
	zipf    *rand.Zipf
}

// run keeps a number of flows going, a random one sending next, until the
// frames are used up; every flow that begins also ends.
func (g *generator) run() {
	concurrent := max(64, min(g.Devices, g.Frames/g.FramesPerFlow/4))
	for g.err == nil {
		for len(g.active) < concurrent && g.planned < g.Frames {
			f := g.newFlow(g.Frames - g.planned)
			g.planned += f.frames
			g.active = append(g.active, f)
		}
		if len(g.active) == 0 {
			return
		}
		i := g.rand.IntN(len(g.active))
		f := g.active[i]
		if !f.step(g) {
			last := len(g.active) - 1
			g.active[i] = g.active[last]
			g.active = g.active[:last]
		}
	}
}

func (g *generator) chance(percent float64) bool { return g.rand.Float64()*100 < percent }

// random lends n bytes of noise.
func (g *generator) random(n int) []byte {
	at := g.rand.IntN(len(g.noise) - n)
	return g.noise[at : at+n]
}

// unique returns n bytes that do not come again, as connection IDs need.
func (g *generator) unique(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(g.rand.Uint32())
	}
	return b
}

func (g *generator) fileHeader() {
	var h [24]byte
	binary.LittleEndian.PutUint32(h[0:], 0xa1b23c4d) // nanoseconds
	binary.LittleEndian.PutUint16(h[4:], 2)
	binary.LittleEndian.PutUint16(h[6:], 4)
	binary.LittleEndian.PutUint32(h[16:], 65535)
	binary.LittleEndian.PutUint32(h[20:], 1)
	_, g.err = g.out.Write(h[:])
}

// write writes one frame.
func (g *generator) write(frame []byte) {
	g.now += int64(g.rand.ExpFloat64()*meanGap) + 1
	var h [16]byte
	binary.LittleEndian.PutUint32(h[0:], uint32(g.now/1e9))
	binary.LittleEndian.PutUint32(h[4:], uint32(g.now%1e9))
	binary.LittleEndian.PutUint32(h[8:], uint32(len(frame)))
	binary.LittleEndian.PutUint32(h[12:], uint32(len(frame)))
	_, _ = g.out.Write(h[:])
	if _, err := g.out.Write(frame); err != nil {
		g.err = err
	}
	g.sum.Frames++
	g.sum.Bytes += uint64(len(frame))
}
