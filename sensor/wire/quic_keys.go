package wire

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
)

// quicKeys protect the client's Initial packets of one connection.
type quicKeys struct {
	aead cipher.AEAD
	hp   cipher.Block
	iv   [12]byte

	mask  [aes.BlockSize]byte // scratch of open: what goes through an interface escapes
	nonce [12]byte
}

// Salts of HKDF-Extract, by the document that fixed them.
var (
	quicSaltDraft22 = [20]byte{0x7f, 0xbc, 0xdb, 0x0e, 0x7c, 0x66, 0xbb, 0xe9, 0x19, 0x3a, 0x96, 0xcd, 0x21, 0x51, 0x9e, 0xbd, 0x7a, 0x02, 0x64, 0x4a} // draft-ietf-quic-tls-21, -22
	quicSaltDraft23 = [20]byte{0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02} // -23 to -28
	quicSaltDraft29 = [20]byte{0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99} // -29 to -32
	quicSaltV1      = [20]byte{0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a} // RFC 9001, section 5.2; -33, -34
	quicSaltV2      = [20]byte{0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9} // RFC 9369, section 3.3.1
	quicSaltQ050    = [20]byte{0x50, 0x45, 0x74, 0xef, 0xd0, 0x66, 0xfe, 0x2f, 0x9d, 0x94, 0x5c, 0xfc, 0xdb, 0xd3, 0xa7, 0xf0, 0xd3, 0xb5, 0x6b, 0x45} // Chromium's Q050
	quicSaltT050    = [20]byte{0x7f, 0xf5, 0x79, 0xe5, 0xac, 0xd0, 0x72, 0x91, 0x55, 0x80, 0x30, 0x4c, 0x43, 0xa2, 0x36, 0x7c, 0x60, 0x48, 0x83, 0x10} // its T050
	quicSaltT051    = [20]byte{0x7a, 0x4e, 0xde, 0xf4, 0xe7, 0xcc, 0xee, 0x5f, 0xa4, 0x50, 0x6c, 0x19, 0x12, 0x4f, 0xc8, 0xcc, 0xda, 0x6e, 0x03, 0x3d} // its T051
)

// salt returns the salt of v, nil when Initials of v are not protected or unknown.
func (v QUICVersion) salt() *[20]byte {
	switch v {
	case quicV1:
		return &quicSaltV1
	case quicV2, quicV2Draft:
		return &quicSaltV2
	case quicGoogle50:
		return &quicSaltQ050
	case quicGoogleTLS50:
		return &quicSaltT050
	case quicGoogleTLS51:
		return &quicSaltT051
	case quicMvfst1:
		return &quicSaltDraft22
	case quicMvfst2, quicMvfstE:
		return &quicSaltDraft23
	}
	switch d := v.draft(); {
	case d >= 33:
		return &quicSaltV1
	case d >= 29:
		return &quicSaltDraft29
	case d >= 23:
		return &quicSaltDraft23
	case d == 22:
		return &quicSaltDraft22
	}
	return nil
}

// derive makes the client's Initial keys of version v (RFC 9001, section 5.2)
// from dcid. It reports false for a version without any.
func (k *quicKeys) derive(v QUICVersion, dcid []byte) bool {
	salt := v.salt()
	if salt == nil || len(dcid) > maxCID {
		return false
	}
	labels := &quicLabelsV1
	if v.second() {
		labels = &quicLabelsV2
	}
	initial := quicHMAC(salt[:], dcid)
	secret := quicExpand(&initial, quicLabelClient)
	key := quicExpand(&secret, labels.key)
	iv := quicExpand(&secret, labels.iv)
	hp := quicExpand(&secret, labels.hp)
	block, err := aes.NewCipher(key[:16])
	if err != nil {
		return false
	}
	if k.aead, err = cipher.NewGCM(block); err != nil {
		return false
	}
	if k.hp, err = aes.NewCipher(hp[:16]); err != nil {
		return false
	}
	copy(k.iv[:], iv[:])
	return true
}

// quicLabels are the info fields of HKDF-Expand-Label (RFC 8446, section
// 7.1), with the counter octet of the first block of HKDF-Expand behind them.
type quicLabels struct{ key, iv, hp string }

const quicLabelClient = "\x00\x20\x0ftls13 client in\x00\x01"

var (
	quicLabelsV1 = quicLabels{
		key: "\x00\x10\x0etls13 quic key\x00\x01",
		iv:  "\x00\x0c\x0dtls13 quic iv\x00\x01",
		hp:  "\x00\x10\x0dtls13 quic hp\x00\x01",
	}
	quicLabelsV2 = quicLabels{
		key: "\x00\x10\x10tls13 quicv2 key\x00\x01",
		iv:  "\x00\x0c\x0ftls13 quicv2 iv\x00\x01",
		hp:  "\x00\x10\x0ftls13 quicv2 hp\x00\x01",
	}
)

// quicExpand is HKDF-Expand for one block.
func quicExpand(secret *[32]byte, info string) [32]byte {
	var b [32]byte
	return quicHMAC(secret[:], b[:copy(b[:], info)])
}

// quicHMAC is HMAC-SHA256 (RFC 2104) of short input, on the stack: key and
// msg are at most 32 octets.
func quicHMAC(key, msg []byte) [32]byte {
	const block = sha256.BlockSize
	var in [block + 32]byte
	var out [block + sha256.Size]byte
	copy(in[:], key)
	copy(out[:], key)
	for i := range block {
		in[i] ^= 0x36
		out[i] ^= 0x5c
	}
	n := copy(in[block:], msg)
	inner := sha256.Sum256(in[:block+n])
	copy(out[block:], inner[:])
	return sha256.Sum256(out[:])
}

// open removes header and packet protection (RFC 9001, sections 5.3, 5.4) of
// the packet whose number starts at number, and returns the payload appended
// to dst.
func (k *quicKeys) open(dst, packet []byte, number int) ([]byte, bool) {
	const sample = 16
	if len(packet) < number+4+sample {
		return dst, false
	}
	k.hp.Encrypt(k.mask[:], packet[number+4:number+4+sample])
	first := packet[0] ^ k.mask[0]&0x0f
	n := int(first&3) + 1
	k.nonce = k.iv
	head := append(dst[:0:cap(dst)], packet[:number+n]...)
	head[0] = first
	for i := range n {
		head[number+i] ^= k.mask[1+i]
		k.nonce[12-n+i] ^= head[number+i]
	}
	out, err := k.aead.Open(head[number+n:], k.nonce[:], packet[number+n:], head)
	return out, err == nil
}
