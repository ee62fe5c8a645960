package wire

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"testing"
)

// sealer makes protected Initials with the key schedule of the standard
// library, so that it owes nothing to the code under test.
type sealer struct {
	aead cipher.AEAD
	hp   cipher.Block
	iv   []byte
}

func expandLabel(t testing.TB, secret []byte, label string, n int) []byte {
	t.Helper()
	full := "tls13 " + label
	info := append([]byte{0, byte(n), byte(len(full))}, full...)
	out, err := hkdf.Expand(sha256.New, secret, string(append(info, 0)), n)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func newSealer(t testing.TB, v QUICVersion, dcid []byte, side string) *sealer {
	t.Helper()
	initial, err := hkdf.Extract(sha256.New, dcid, v.salt()[:])
	if err != nil {
		t.Fatal(err)
	}
	secret := expandLabel(t, initial, side+" in", 32)
	prefix := "quic"
	if v.second() {
		prefix = "quicv2"
	}
	block, err := aes.NewCipher(expandLabel(t, secret, prefix+" key", 16))
	if err != nil {
		t.Fatal(err)
	}
	s := &sealer{iv: expandLabel(t, secret, prefix+" iv", 12)}
	if s.aead, err = cipher.NewGCM(block); err != nil {
		t.Fatal(err)
	}
	if s.hp, err = aes.NewCipher(expandLabel(t, secret, prefix+" hp", 16)); err != nil {
		t.Fatal(err)
	}
	return s
}

// initial is one packet to be sealed.
type initial struct {
	version    QUICVersion
	dcid, scid []byte
	token      []byte
	number     uint32
	numberLen  int // 1 to 4; 0 means 2
	payload    []byte
	pad        int // least length of the payload
	kind       QUICType
}

// seal builds the packet.
func (s *sealer) seal(p initial) []byte {
	if p.numberLen == 0 {
		p.numberLen = 2
	}
	for len(p.payload) < max(p.pad, 20) {
		p.payload = append(p.payload, 0)
	}
	typ := byte(max(p.kind, QUICInitial) - QUICInitial)
	if p.version.second() {
		typ = (typ + 1) & 3
	}
	b := []byte{0xc0 | typ<<4 | byte(p.numberLen-1)}
	b = binary.BigEndian.AppendUint32(b, uint32(p.version))
	b = append(append(b, byte(len(p.dcid))), p.dcid...)
	b = append(append(b, byte(len(p.scid))), p.scid...)
	if typ == 0 || p.version.second() && typ == 1 {
		b = binary.BigEndian.AppendUint16(b, 0x4000|uint16(len(p.token)))
		b = append(b, p.token...)
	}
	b = binary.BigEndian.AppendUint16(b, 0x4000|uint16(p.numberLen+len(p.payload)+16))
	at := len(b)
	var num [4]byte
	binary.BigEndian.PutUint32(num[:], p.number)
	b = append(b, num[4-p.numberLen:]...)
	nonce := append([]byte(nil), s.iv...)
	for i := range 4 {
		nonce[8+i] ^= num[i]
	}
	b = s.aead.Seal(b, nonce, p.payload, b)
	var mask [16]byte
	s.hp.Encrypt(mask[:], b[at+4:at+20])
	b[0] ^= mask[0] & 0x0f
	for i := range p.numberLen {
		b[at+i] ^= mask[1+i]
	}
	return b
}

// cryptoFrame builds a CRYPTO frame of data[from:to].
func cryptoFrame(data []byte, from, to int) []byte {
	b := []byte{6}
	b = binary.BigEndian.AppendUint32(b, 0x80000000|uint32(from))
	b = binary.BigEndian.AppendUint16(b, 0x4000|uint16(to-from))
	return append(b, data[from:to]...)
}
