package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

const ja4Nothing = "000000000000" // the hash of an empty list, by definition

// JA4 returns the JA4 fingerprint of h as FoxIO's technical description of
// the TLS client method defines it, "" for a gQUIC CHLO, which has none.
// Of the JA4+ family only this method is free, and only this one is here.
func (h *Hello) JA4() string {
	var out [36]byte
	return string(h.AppendJA4(out[:0]))
}

// AppendJA4 appends what JA4 returns.
func (h *Hello) AppendJA4(b []byte) []byte {
	if h.Google {
		return b
	}
	b = append(b, byte(h.Transport))
	b = append(b, ja4Version(h.ja4Highest())...)
	if h.HasServerName {
		b = append(b, 'd')
	} else {
		b = append(b, 'i')
	}
	h.sort = ja4Known(h.sort[:0], h.Ciphers)
	b = ja4Count(b, len(h.sort))
	b = ja4Count(b, h.extensionCount())
	b = h.ja4ALPN(b)
	b = append(b, '_')
	slices.Sort(h.sort)
	h.text = ja4Hex(h.text[:0], h.sort)
	b = ja4Hash(b, h.text)
	b = append(b, '_')
	return h.ja4Extensions(b)
}

// ja4Extensions appends the third part: extensions sorted, server_name and
// ALPN left out, and the signature algorithms in wire order.
func (h *Hello) ja4Extensions(b []byte) []byte {
	h.sort = h.sort[:0]
	for typ, _, rest, ok := h.Extensions.Next(); ok; typ, _, rest, ok = rest.Next() {
		if typ != extServerName && typ != extALPN && !IsGREASE(typ) {
			h.sort = append(h.sort, typ)
		}
	}
	slices.Sort(h.sort)
	h.text = ja4Hex(h.text[:0], h.sort)
	if len(h.text) == 0 {
		return append(b, ja4Nothing...)
	}
	if h.sort = ja4Known(h.sort[:0], h.SigAlgs); len(h.sort) > 0 {
		h.text = append(h.text, '_')
		h.text = ja4Hex(h.text, h.sort)
	}
	return ja4Hash(b, h.text)
}

// extensionCount counts the extensions, GREASE apart.
func (h *Hello) extensionCount() (n int) {
	for typ, _, rest, ok := h.Extensions.Next(); ok; typ, _, rest, ok = rest.Next() {
		if !IsGREASE(typ) {
			n++
		}
	}
	return n
}

// ja4ALPN appends the first and last character of the first protocol. Where
// either is no ASCII letter or digit, both come from its hexadecimal form.
func (h *Hello) ja4ALPN(b []byte) []byte {
	p, _, _ := h.ALPN.Next()
	if len(p) == 0 {
		return append(b, "00"...)
	}
	first, last := p[0], p[len(p)-1]
	if ja4Alnum(first) && ja4Alnum(last) {
		return append(b, first, last)
	}
	const digits = "0123456789abcdef"
	return append(b, digits[first>>4], digits[last&15])
}

func ja4Alnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// ja4Highest is the highest value of supported_versions, GREASE apart, else
// client_version. By value: of DTLS 1.3 and 1.2, offered together, that is 1.2.
func (h *Hello) ja4Highest() (best uint16) {
	for i := range h.Versions.Len() {
		if v := h.Versions.At(i); !IsGREASE(v) {
			best = max(best, v)
		}
	}
	if best == 0 {
		return h.Legacy
	}
	return best
}

// ja4Version is the version table of the description; s1, and 0x0200 for s2,
// are in its earlier editions only.
func ja4Version(v uint16) string {
	switch v {
	case 0x0304:
		return "13"
	case 0x0303:
		return "12"
	case 0x0302:
		return "11"
	case 0x0301:
		return "10"
	case 0x0300:
		return "s3"
	case 0x0002, 0x0200:
		return "s2"
	case 0x0100:
		return "s1"
	case 0xfeff:
		return "d1"
	case 0xfefd:
		return "d2"
	case 0xfefc:
		return "d3"
	}
	return "00"
}

// ja4Count appends n in two decimal digits; above 99 it stays 99.
func ja4Count(b []byte, n int) []byte {
	n = min(n, 99)
	return append(b, '0'+byte(n/10), '0'+byte(n%10))
}

// ja4Known appends the codes that are not GREASE.
func ja4Known(dst []uint16, c Codes) []uint16 {
	for i := range c.Len() {
		if v := c.At(i); !IsGREASE(v) {
			dst = append(dst, v)
		}
	}
	return dst
}

// ja4Hex appends list as four hexadecimal digits each, comma between.
func ja4Hex(dst []byte, list []uint16) []byte {
	const digits = "0123456789abcdef"
	for i, v := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, digits[v>>12], digits[v>>8&15], digits[v>>4&15], digits[v&15])
	}
	return dst
}

// ja4Hash appends the first twelve digits of the SHA-256 of text.
func ja4Hash(b, text []byte) []byte {
	if len(text) == 0 {
		return append(b, ja4Nothing...)
	}
	sum := sha256.Sum256(text)
	return hex.AppendEncode(b, sum[:6])
}
