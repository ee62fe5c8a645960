package wire

import (
	"crypto/md5" //nolint:gosec // JA3 is defined with it
	"encoding/hex"
	"strconv"
)

// AppendJA3 appends the JA3 string of h to dst: version, cipher suites,
// extensions, groups and point formats in decimal and wire order, GREASE left
// out. The version is client_version of the message, for DTLS too, which is
// how Wireshark computes it. A message in SSL 2.0 form or of gQUIC has none.
func (h *Hello) AppendJA3(dst []byte) []byte {
	dst = strconv.AppendUint(dst, uint64(h.Legacy), 10)
	dst = append(dst, ',')
	dst = ja3Codes(dst, h.Ciphers)
	dst = append(dst, ',')
	first := true
	for typ, _, rest, ok := h.Extensions.Next(); ok; typ, _, rest, ok = rest.Next() {
		if IsGREASE(typ) {
			continue
		}
		if !first {
			dst = append(dst, '-')
		}
		first = false
		dst = strconv.AppendUint(dst, uint64(typ), 10)
	}
	dst = append(dst, ',')
	dst = ja3Codes(dst, h.Groups)
	dst = append(dst, ',')
	for i, p := range h.Points {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = strconv.AppendUint(dst, uint64(p), 10)
	}
	return dst
}

func ja3Codes(dst []byte, c Codes) []byte {
	first := true
	for i := range c.Len() {
		v := c.At(i)
		if IsGREASE(v) {
			continue
		}
		if !first {
			dst = append(dst, '-')
		}
		first = false
		dst = strconv.AppendUint(dst, uint64(v), 10)
	}
	return dst
}

// JA3 returns the MD5 of the JA3 string in hexadecimal, "" where there is
// none: a hello in SSL 2.0 form, or one of gQUIC.
func (h *Hello) JA3() string {
	if h.Google || h.SSL2 {
		return ""
	}
	h.text = h.AppendJA3(h.text[:0])
	sum := md5.Sum(h.text)
	return hex.EncodeToString(sum[:])
}
