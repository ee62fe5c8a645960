package packet

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func frag6(id, offset int, more bool, next int, body []byte) []byte {
	v := offset
	if more {
		v |= 1
	}
	return ip6(44, join([]byte{byte(next), 0}, u16(v), u32(id), body))
}

// cutUp cuts body into fragments of size bytes.
func cutUp(v6 bool, id, proto, size int, body []byte) (frames [][]byte) {
	for at := 0; at < len(body); at += size {
		end := min(len(body), at+size)
		if v6 {
			frames = append(frames, frag6(id, at, end < len(body), proto, body[at:end]))
		} else {
			frames = append(frames, frag4(id, at, end < len(body), proto, body[at:end]))
		}
	}
	return frames
}

// through decodes frames, reassembles, and returns the payload of what came
// out whole.
func through(f *Fragments, frames [][]byte) (got [][]byte) {
	var p Packet
	for i, b := range frames {
		p.Decode(101, b, int64(i)*1e6, len(b))
		if !p.IsFragment() {
			continue
		}
		for d, wire, ok := f.Add(&p); ok; d, wire, ok = f.Add(&p) {
			if p.DecodeDatagram(d, wire) == Decoded && !p.IsFragment() {
				got = append(got, bytes.Clone(p.Payload))
			}
			if !p.IsFragment() {
				break
			}
		}
	}
	return got
}

func TestFragmentsInAnyOrder(t *testing.T) {
	payload := make([]byte, 4000)
	for i := range payload {
		payload[i] = byte(i * 7)
	}
	rapid.Check(t, func(t *rapid.T) {
		v6 := rapid.Bool().Draw(t, "v6")
		frames := cutUp(v6, 9, 17, 8*rapid.IntRange(20, 400).Draw(t, "size"), udp(50000, 50001, payload))
		copies := slices.Clone(frames[:rapid.IntRange(0, len(frames)).Draw(t, "copies")])
		frames = append(frames, copies...)
		r := rand.New(rand.NewPCG(1, rapid.Uint64().Draw(t, "seed")))
		r.Shuffle(len(frames), func(i, j int) { frames[i], frames[j] = frames[j], frames[i] })
		var lost []Lost
		f := NewFragments(FragmentLimits{}, func(l Lost) { lost = append(lost, l) })
		got := through(f, frames)
		f.Close()
		if len(got) != 1 || !bytes.Equal(got[0], payload) || len(lost) != 0 {
			t.Fatalf("%d fragments: %d datagrams, lost %v", len(frames), len(got), lost)
		}
		if s := f.Stats(); s.Bytes != 0 || s.Incomplete != 0 {
			t.Fatalf("held: %+v", s)
		}
	})
}

func TestFragmentedTunnelAndInner(t *testing.T) {
	in := cutUp(false, 5, 6, 24, tcp("hello, world, and all who live on it"))
	var frames [][]byte
	for i, b := range in { // each inner fragment in a GRE packet cut in two
		frames = append(frames, cutUp(false, 100+i, 47, 32, join(u16(0), u16(0x800), b))...)
	}
	f := NewFragments(FragmentLimits{}, nil)
	got := through(f, frames)
	if len(got) != 1 || string(got[0]) != "hello, world, and all who live on it" {
		t.Errorf("%q", got)
	}
}

func TestFragmentsRefused(t *testing.T) {
	body := udp(50000, 50001, make([]byte, 192))
	other := bytes.Repeat([]byte{9}, 80)
	for _, c := range []struct {
		name   string
		frames [][]byte
		bytes  int
		why    LostReason
	}{
		{"a piece missing", [][]byte{frag4(1, 0, true, 17, body[:80]), frag4(1, 160, false, 17, body[160:])}, 112, LostTimeout},
		{"overlap", [][]byte{frag4(1, 0, true, 17, body[:80]), frag4(1, 40, true, 17, other), frag4(1, 80, false, 17, body[80:])}, 72 + 80 + 120, LostOverlap},
		{"length not a multiple of 8", [][]byte{frag4(1, 80, true, 17, body[80:93])}, 13, LostInvalid},
		{"past 65,535", [][]byte{frag4(1, 65528, false, 17, body[:80])}, 80, LostInvalid},
		{"two ends", [][]byte{frag4(1, 80, false, 17, body[80:120]), frag4(1, 120, false, 17, body[120:200])}, 120, LostInvalid},
	} {
		var lost []Lost
		f := NewFragments(FragmentLimits{}, func(l Lost) { lost = append(lost, l) })
		if got := through(f, c.frames); len(got) != 0 {
			t.Errorf("%s: reassembled %d", c.name, len(got))
		}
		f.Close()
		if len(lost) != 1 || lost[0].Bytes != c.bytes || lost[0].Why != c.why {
			t.Errorf("%s: lost %+v, want %d bytes, %v", c.name, lost, c.bytes, c.why)
		}
	}
}

func TestFragmentsCutBySnapLength(t *testing.T) {
	frames := cutUp(false, 3, 17, 800, udp(50000, 50001, make([]byte, 2000)))
	f := NewFragments(FragmentLimits{}, nil)
	var p Packet
	for _, b := range frames {
		p.Decode(101, b[:100], 1, len(b))
		if d, wire, ok := f.Add(&p); ok {
			p.DecodeDatagram(d, wire)
		}
	}
	if p.PayloadLen != 2000 || len(p.Payload) != 72 || p.SrcPort != 50000 {
		t.Errorf("%d bytes claimed, %d captured, port %d", p.PayloadLen, len(p.Payload), p.SrcPort)
	}
}

func TestFragmentsBounded(t *testing.T) {
	var lost []Lost
	f := NewFragments(FragmentLimits{Datagrams: 10, Bytes: 20 << 10}, func(l Lost) { lost = append(lost, l) })
	var frames [][]byte
	for id := range 50 {
		frames = append(frames, frag4(id, 0, true, 17, udp(1, 2, make([]byte, 1392))))
	}
	through(f, frames)
	if s := f.Stats(); s.Incomplete > 10 || s.Bytes > 20<<10 || s.Lost[LostFull] < 40 || len(lost) != int(s.Lost[LostFull]) {
		t.Errorf("%+v, %d lost", s, len(lost))
	}
	f.Expire(100e9)
	if s := f.Stats(); s.Incomplete != 0 || s.Bytes != 0 || len(lost) != 50 {
		t.Errorf("%+v, %d lost", s, len(lost))
	}
	var p Packet
	lost[0].Fill(&p)
	if p.SrcPort != 1 || p.DstPort != 2 || p.PayloadLen != 1392 || p.Stop != Decoded || p.IsFragment() {
		t.Errorf("%+v", p)
	}
}

func TestAtomicFragmentIsOrdinary(t *testing.T) {
	b := frag6(4, 0, false, 6, tcp("hello"))
	var p Packet
	if r := p.Decode(101, b, 0, len(b)); r != Decoded || p.IsFragment() || string(p.Payload) != "hello" {
		t.Errorf("%v, fragment %v, %q", r, p.IsFragment(), p.Payload)
	}
}

func FuzzFragments(f *testing.F) {
	f.Add([]byte{0, 10, 1, 10, 10, 0, 5, 3, 1}, true)
	f.Add([]byte{0, 10, 1, 0, 10, 1, 10, 9, 0}, false)
	f.Fuzz(func(t *testing.T, ops []byte, v6 bool) {
		lost := 0
		fr := NewFragments(FragmentLimits{Datagrams: 4, Bytes: 64 << 10}, func(l Lost) { lost += l.Bytes })
		var p Packet
		for ; len(ops) >= 3; ops = ops[3:] {
			body := bytes.Repeat([]byte{ops[0]}, int(ops[1])*4)
			b := frag4(int(ops[2]>>4), int(ops[0])*64, ops[2]&1 != 0, 17, body)
			if v6 {
				b = frag6(int(ops[2]>>4), int(ops[0])*64, ops[2]&1 != 0, 17, body)
			}
			p.Decode(101, b, int64(ops[2])*1e8, len(b)+int(ops[2]&2))
			if !p.IsFragment() {
				continue
			}
			if d, wire, ok := fr.Add(&p); ok {
				if wire < len(d) || len(d) > 65535 {
					t.Fatalf("%d bytes of %d", len(d), wire)
				}
				p.DecodeDatagram(d, wire)
			}
			if s := fr.Stats(); s.Incomplete > 4 || s.Bytes > 64<<10 {
				t.Fatalf("%+v", s)
			}
		}
		fr.Close()
		if s := fr.Stats(); s.Incomplete != 0 || s.Bytes != 0 || lost < 0 {
			t.Fatalf("%+v, lost %d", s, lost)
		}
	})
}
