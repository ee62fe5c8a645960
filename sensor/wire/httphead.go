package wire

import "bytes"

// httpHeadEnd finds the empty line that ends the head whose header lines
// begin at at: end is where the lines end, next where the body begins. Both
// are -1 when it is not there.
func httpHeadEnd(b []byte, at int) (end, next int) {
	limit := min(len(b), httpMaxHead)
	for i := at; i < limit; {
		lf := bytes.IndexByte(b[i:limit], '\n')
		if lf < 0 {
			return -1, -1
		}
		if lf == 0 || lf == 1 && b[i] == '\r' {
			return i, i + lf + 1
		}
		i += lf + 1
	}
	return -1, -1
}

// httpWholeLines cuts what follows the last end of line.
func httpWholeLines(b []byte) []byte { return b[:bytes.LastIndexByte(b, '\n')+1] }

// lines reads header lines; a line that begins with a blank continues the one
// before (RFC 9112, section 5.2).
func (h *HTTP) lines(b []byte) {
	h.headers = b
	for len(b) > 0 {
		line, rest := httpLine(b)
		b = rest
		colon := bytes.IndexByte(line, ':')
		if colon <= 0 || !h.wanted(line[:colon]) {
			continue
		}
		value := bytes.Trim(line[colon+1:], " \t")
		for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
			line2, rest := httpLine(b)
			b = rest
			value = h.join(value, bytes.Trim(line2, " \t"))
		}
		h.header(bytes.TrimRight(line[:colon], " \t"), value)
	}
}

// httpLine cuts the first line off b, without its end.
func httpLine(b []byte) (line, rest []byte) {
	if lf := bytes.IndexByte(b, '\n'); lf >= 0 {
		return trimCR(b[:lf]), b[lf+1:]
	}
	return b, nil
}

// join appends the continuation of a folded header, with one blank between.
func (h *HTTP) join(value, more []byte) []byte {
	start := len(h.fold)
	h.fold = append(h.fold, value...)
	if len(value) > 0 && len(more) > 0 {
		h.fold = append(h.fold, ' ')
	}
	h.fold = append(h.fold, more...)
	return h.fold[start:len(h.fold):len(h.fold)]
}

// wanted tells by length and first letter whether a header can be one of
// those that are read: most are not.
func (h *HTTP) wanted(name []byte) bool {
	switch lower(name[0]) {
	case 'h', 'u', 'c', 't', 'r', 's', 'n':
		return true
	}
	return false
}

func (h *HTTP) header(name, value []byte) {
	switch {
	case isName(name, "host"):
		if h.Host == nil {
			h.authority(value)
		}
	case isName(name, "user-agent"):
		if !h.hasUA {
			h.UserAgent, h.hasUA = value, true
		}
	case isName(name, "content-length"):
		if n := decimal(value); n >= 0 && h.Length < 0 {
			h.Length = n
		}
	case isName(name, "content-type"):
		h.ContentType = value
	case isName(name, "transfer-encoding"):
		h.Chunked = h.Chunked || hasSuffixFold(value, "chunked")
	case isName(name, "upgrade"):
		h.Upgrade = len(value) > 0
		h.H2C = isName(value, "h2c")
	case isName(name, "referer"):
		h.Referer = h.Referer || len(value) > 0
	case isName(name, "sec-fetch-mode"):
		h.Referer = h.Referer || isName(value, "navigate")
	case isName(name, "server"):
		h.Server = value
	case isName(name, "st"):
		h.ST = value
	case isName(name, "nt"):
		h.NT = value
	case isName(name, "usn"):
		h.USN = value
	}
}

// isName compares a header name without regard to case; want is lower case.
func isName(name []byte, want string) bool {
	if len(name) != len(want) {
		return false
	}
	for i, c := range name {
		if lower(c) != want[i] {
			return false
		}
	}
	return true
}

func hasSuffixFold(b []byte, want string) bool {
	return len(b) >= len(want) && isName(b[len(b)-len(want):], want)
}

func trimCR(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		return line[:n-1]
	}
	return line
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// decimal reads an unsigned number of up to 18 digits; -1: it is none.
func decimal(b []byte) int64 {
	if len(b) == 0 || len(b) > 18 {
		return -1
	}
	n := int64(0)
	for _, c := range b {
		if !isDigit(c) {
			return -1
		}
		n = n*10 + int64(c-'0')
	}
	return n
}
