package wire

// unescapeURL appends v with %XX decoded and plus read as a blank
// (application/x-www-form-urlencoded), at most max bytes of it. An escape that
// is none stands as it is.
func unescapeURL(dst, v []byte, max int) []byte {
	for i := 0; i < len(v) && max > 0; i, max = i+1, max-1 {
		c := v[i]
		switch {
		case c == '+':
			c = ' '
		case c == '%' && i+2 < len(v):
			if high, low := hexDigit(v[i+1]), hexDigit(v[i+2]); high < 16 && low < 16 {
				c = high<<4 | low
				i += 2
			}
		}
		dst = append(dst, c)
	}
	return dst
}

// hexDigit returns the value of a hexadecimal digit, 255 for another byte.
func hexDigit(c byte) byte {
	switch {
	case isDigit(c):
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}
