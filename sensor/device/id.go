package device

import (
	"encoding/binary"

	"picket/sensor/packet"
)

// What an identity is made of; the first byte keeps the kinds apart.
const (
	identMAC    = 'm'
	identClient = 'c'
	identAddr   = 'a'
)

func macIdentity(m packet.MAC) []byte {
	return append(append(make([]byte, 0, 1+len(m)), identMAC), m[:]...)
}

// addrIdentity is that of an address alone. Since tells apart the devices
// that held it one after the other; 0 for the first.
func addrIdentity(a packet.Addr, since int64) []byte {
	b := append([]byte{identAddr}, a[:]...)
	if since != 0 {
		b = binary.BigEndian.AppendUint64(b, uint64(since))
	}
	return b
}

// newID makes an id that no other device has. Two identities can meet in 48
// bits (one chance in 14,000 among 200,000 devices); the later one then takes
// the next hash, so that no device ever answers for another.
func (t *Table) newID(realm uint16, identity []byte) uint64 {
	for n := byte(0); ; n++ {
		num := t.hash(realm, identity, n)
		if t.withNum(num) == nil {
			return num
		}
	}
}

// idLen is how long an ID is.
const idLen = 14

func idOf(num uint64) ID {
	var b [idLen]byte
	return ID(appendID(b[:0], num))
}

func appendID(b []byte, num uint64) []byte {
	b = append(b, 'd', '-')
	for shift := 44; shift >= 0; shift -= 4 {
		b = append(b, hexDigits[num>>shift&15])
	}
	return b
}

// hash is 48 bits of HMAC-SHA256 over the realm's name and the identity.
func (t *Table) hash(realm uint16, identity []byte, again byte) uint64 {
	b := append(t.scratch[:0], t.realmOf[realm]...)
	b = append(append(b, 0), identity...)
	if again != 0 {
		b = append(b, again)
	}
	t.keyed.Reset()
	t.keyed.Write(b)
	t.scratch = t.keyed.Sum(b)
	return binary.BigEndian.Uint64(t.scratch[len(b):]) >> 16
}

// fold is a quick hash (FNV-1a) for what need not resist anybody.
func fold(s string) uint32 {
	h := uint32(2166136261)
	for i := 0; i < len(s); i++ {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h | 1 // never zero: zero is an empty slot
}

func foldAddr(a packet.Addr) uint32 {
	h := uint32(2166136261)
	for _, c := range a {
		h = (h ^ uint32(c)) * 16777619
	}
	return h | 1
}
