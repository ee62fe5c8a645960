package traffic

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
)

// initialSalt is that of QUIC version 1: RFC 9001, section 5.2.
var initialSalt = []byte{0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a}

// initialKeys protect the Initial packets of one side.
type initialKeys struct {
	aead   cipher.AEAD
	iv     []byte
	header cipher.Block
}

func expandLabel(secret []byte, label string, n int) []byte {
	info := prefixed([]byte{byte(n >> 8), byte(n)}, 1, func(b []byte) []byte { return append(b, "tls13 "+label...) })
	key, err := hkdf.Expand(sha256.New, secret, string(append(info, 0)), n)
	if err != nil {
		panic(err) // lengths are constants
	}
	return key
}

// newInitialKeys: RFC 9001, section 5.2; side is "client in" or "server in".
func newInitialKeys(dcid []byte, side string) initialKeys {
	secret, err := hkdf.Extract(sha256.New, dcid, initialSalt)
	if err != nil {
		panic(err)
	}
	secret = expandLabel(secret, side, 32)
	block := func(label string) cipher.Block {
		b, err := aes.NewCipher(expandLabel(secret, label, 16))
		if err != nil {
			panic(err)
		}
		return b
	}
	aead, err := cipher.NewGCM(block("quic key"))
	if err != nil {
		panic(err)
	}
	return initialKeys{aead, expandLabel(secret, "quic iv", 12), block("quic hp")}
}

// initial writes an Initial packet with frames, padded so that the packet is
// size bytes long.
func (k initialKeys) initial(dcid, scid []byte, number byte, frames []byte, size int) []byte {
	b := append([]byte{0xc0, 0, 0, 0, 1, byte(len(dcid))}, dcid...)
	b = append(append(b, byte(len(scid))), scid...)
	b = append(b, 0) // no token
	length := size - len(b) - 2
	b = append(b, 0x40|byte(length>>8), byte(length), number)
	plain := append(frames, make([]byte, length-1-16-len(frames))...) // PADDING is zero
	nonce := append([]byte(nil), k.iv...)
	nonce[11] ^= number
	at := len(b)
	b = k.aead.Seal(b, nonce, plain, b)
	var mask [16]byte
	k.header.Encrypt(mask[:], b[at+3:at+19]) // the sample begins four bytes after the packet number
	b[0] ^= mask[0] & 0xf
	b[at-1] ^= mask[1]
	return b
}

// cryptoFrame writes a CRYPTO frame: RFC 9000, section 19.6.
func cryptoFrame(b []byte, at int, data []byte) []byte {
	b = append(b, 6, 0x40|byte(at>>8), byte(at), 0x40|byte(len(data)>>8), byte(len(data)))
	return append(b, data...)
}

const initialSize = 1250

// clientInitials writes the datagrams of a hello: one, or two when it does not
// fit, with its pieces in any order and PING and PADDING between them.
func (g *generator) clientInitials(dcid, scid, hello []byte) [][]byte {
	keys := newInitialKeys(dcid, "client in")
	var pieces [][2]int
	for at := 0; at < len(hello); {
		n := min(len(hello)-at, 200+g.rand.IntN(500))
		pieces = append(pieces, [2]int{at, at + n})
		at += n
	}
	if g.chance(50) {
		g.rand.Shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
	}
	var datagrams [][]byte
	var frames []byte
	flush := func() {
		datagrams = append(datagrams, keys.initial(dcid, scid, byte(len(datagrams)), frames, initialSize))
		frames = nil
	}
	for _, p := range pieces {
		if len(frames)+5+p[1]-p[0] > initialSize-80 {
			flush()
		}
		frames = cryptoFrame(frames, p[0], hello[p[0]:p[1]])
		if g.chance(20) {
			frames = append(frames, 1, 0, 0)
		}
	}
	flush()
	if len(datagrams) == 2 && g.chance(20) {
		datagrams[0], datagrams[1] = datagrams[1], datagrams[0]
	}
	return datagrams
}

// longHeader writes a Handshake packet that nobody but its receiver can read.
func (g *generator) longHeader(dcid, scid []byte, n int) []byte {
	b := append([]byte{0xe0 | byte(g.rand.IntN(16)), 0, 0, 0, 1, byte(len(dcid))}, dcid...)
	b = append(append(b, byte(len(scid))), scid...)
	b = append(b, 0x40|byte(n>>8), byte(n))
	return append(b, g.random(n)...)
}

// shortHeader writes a 1-RTT packet of n bytes.
func (g *generator) shortHeader(dcid []byte, n int) []byte {
	b := append([]byte{0x40 | byte(g.rand.IntN(64))}, dcid...)
	return append(b, g.random(n-len(b))...)
}
