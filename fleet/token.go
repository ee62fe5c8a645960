package fleet

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// token is s as one token of a subject or a key of a bucket: itself where it
// can be, else a hash.
func token(s string) string {
	if goodName.MatchString(s) {
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
