package wire

import "slices"

const (
	// maxCrypto bounds what one conversation may make us hold while its hello
	// arrives in pieces. RFC 9000, section 7.5, asks an endpoint for 4096 octets.
	maxCrypto = 16 << 10
	// maxCryptoGaps bounds how many separate pieces are told apart. Chromium
	// cuts a hello into about a dozen, in mixed order.
	maxCryptoGaps = 64
)

// quicCrypto puts a CRYPTO stream together.
type quicCrypto struct {
	buf    []byte
	n      int // pieces in use
	pieces [maxCryptoGaps]quicPiece
}

// quicPiece is a part of the stream that arrived: from inclusive, to not.
type quicPiece struct{ from, to uint16 }

func (c *quicCrypto) reset() { c.n, c.buf = 0, c.buf[:0] }

// add puts data at off; false when that is over a bound.
func (c *quicCrypto) add(off uint64, data []byte) bool {
	if off > maxCrypto || off+uint64(len(data)) > maxCrypto {
		return false
	}
	p := quicPiece{uint16(off), uint16(off) + uint16(len(data))}
	if int(p.to) > len(c.buf) {
		c.buf = slices.Grow(c.buf, int(p.to)-len(c.buf))[:p.to]
	}
	copy(c.buf[p.from:], data)
	return c.mark(p)
}

// mark merges p into the sorted list of pieces.
func (c *quicCrypto) mark(p quicPiece) bool {
	list := c.pieces[:c.n]
	i := 0
	for i < len(list) && list[i].to < p.from {
		i++
	}
	j := i
	for j < len(list) && list[j].from <= p.to {
		p.from, p.to = min(p.from, list[j].from), max(p.to, list[j].to)
		j++
	}
	if i == j && c.n == maxCryptoGaps {
		return false
	}
	c.n = len(slices.Replace(c.pieces[:c.n:maxCryptoGaps], i, j, p))
	return true
}

// contiguous returns the stream from its start as far as there is no gap.
func (c *quicCrypto) contiguous() []byte {
	if c.n == 0 || c.pieces[0].from != 0 {
		return nil
	}
	return c.buf[:c.pieces[0].to]
}
