package fleet

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net/netip"

	"picket/alerts"
)

// token is s as one token of a subject or a key of a bucket: itself where it
// can be, else a hash.
func token(s string) string {
	if goodName().MatchString(s) {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return "h" + hex.EncodeToString(sum[:12])
}

// Fingerprint tells two site keys apart and gives neither away. Ids of
// devices mean the same thing only under the same key.
func Fingerprint(key []byte) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("picket fleet"))
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// FlowOf tells conversations apart for the sensors that have the same site
// key, and gives no address away. It is for one goroutine at a time.
func FlowOf(key []byte) alerts.FlowOf {
	h := hmac.New(sha256.New, key)
	var b []byte
	return func(realm string, client, server netip.AddrPort, proto uint8) uint64 {
		b = append(append(b[:0], "picket flow\x00"...), realm...)
		b = append(b, 0, proto)
		for _, end := range [...]netip.AddrPort{client, server} {
			a := end.Addr().Unmap().As16()
			b = binary.BigEndian.AppendUint16(append(b, a[:]...), end.Port())
		}
		h.Reset()
		h.Write(b)
		return binary.BigEndian.Uint64(h.Sum(nil))
	}
}
