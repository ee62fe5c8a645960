package evidence

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

// sketch counts distinct devices without saying which: up to exactly 64 of
// them by 32-bit hashes, beyond that by HyperLogLog registers (Flajolet et
// al., 2007, 256 of them: standard error 1.04/√256 = 6.5 %). Sketches of the
// same key may be joined, so that devices can be counted over several rows.
type sketch []byte

const (
	sketchExact     = 64
	sketchRegisters = 256
	sketchSize      = 1 + sketchRegisters // no multiple of 4: tells the two forms apart
)

// add counts a device by its hash.
func (s sketch) add(h uint32) sketch {
	if len(s) == sketchSize {
		s.register(h)
		return s
	}
	n := len(s) / 4
	for i := range n {
		if binary.BigEndian.Uint32(s[4*i:]) == h {
			return s
		}
	}
	if n < sketchExact {
		return binary.BigEndian.AppendUint32(s[:4*n:4*n], h)
	}
	dense := make(sketch, sketchSize)
	for i := range n {
		dense.register(binary.BigEndian.Uint32(s[4*i:]))
	}
	dense.register(h)
	return dense
}

func (s sketch) register(h uint32) {
	rank := byte(bits.LeadingZeros32(h<<8|0xff)) + 1
	if r := &s[1+h>>24]; *r < rank {
		*r = rank
	}
}

// join counts the devices of both.
func (s sketch) join(o sketch) sketch {
	if len(o) != sketchSize {
		for i := 0; i+4 <= len(o); i += 4 {
			s = s.add(binary.BigEndian.Uint32(o[i:]))
		}
		return s
	}
	dense := slices.Clone(o)
	if len(s) != sketchSize {
		return dense.join(s)
	}
	for i := range dense {
		dense[i] = max(dense[i], s[i])
	}
	return dense
}

// count is how many devices there are.
func (s sketch) count() uint64 {
	if len(s) != sketchSize {
		return uint64(len(s) / 4)
	}
	sum, zeros := 0.0, 0
	for _, r := range s[1:] {
		sum += math.Ldexp(1, -int(r))
		if r == 0 {
			zeros++
		}
	}
	const m = float64(sketchRegisters)
	n := 0.7213 / (1 + 1.079/m) * m * m / sum
	if n <= 2.5*m && zeros > 0 {
		n = m * math.Log(m/float64(zeros)) // linear counting
	}
	return max(sketchExact+1, uint64(n+0.5))
}
