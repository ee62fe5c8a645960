package wire

import "bytes"

// HTTPBody skips the body of a message, in whatever pieces it comes, so that
// the next head is found. The zero value has no body. It holds 32 bytes: keep
// one for each direction of a kept-alive connection.
type HTTPBody struct {
	left  int64
	state httpBodyState
	seen  uint8 // characters of the line so far, at most 255
}

type httpBodyState uint8

const (
	httpNoBody httpBodyState = iota
	httpCounted
	httpChunkSize
	httpChunkExtension
	httpChunkData
	httpChunkEnd
	httpTrailer
	httpUntilClose
)

// NewHTTPBody returns the body that follows the head h (RFC 9112, section 6.3).
// Of a response it must be known that the request was neither HEAD nor CONNECT.
func NewHTTPBody(h *HTTP) HTTPBody {
	switch {
	case h.Response && (h.Code < 200 || h.Code == 204 || h.Code == 304):
		return HTTPBody{}
	case h.Chunked:
		return HTTPBody{state: httpChunkSize}
	case h.Length > 0:
		return HTTPBody{state: httpCounted, left: h.Length}
	case h.Response && h.Length < 0:
		return HTTPBody{state: httpUntilClose}
	}
	return HTTPBody{}
}

// Left returns how many bytes of body are known to follow: the rest of a
// counted body or of a chunk.
func (b *HTTPBody) Left() int64 { return b.left }

// Unbounded reports that the body ends with the connection.
func (b *HTTPBody) Unbounded() bool { return b.state == httpUntilClose }

// Lost tells the body that n bytes were never seen. False: it cannot tell
// where the next head begins any more; try NextRequest.
func (b *HTTPBody) Lost(n int64) bool {
	if n < 0 || n > b.left {
		return false
	}
	if b.left -= n; b.left == 0 {
		b.ended()
	}
	return true
}

// Skip returns how many of the first bytes of p belong to the body, and
// whether it is complete. Bad chunk sizes end it (ok false): what follows
// cannot be found.
func (b *HTTPBody) Skip(p []byte) (n int, done, ok bool) {
	for n < len(p) && b.state != httpNoBody {
		switch b.state {
		case httpUntilClose:
			return len(p), false, true
		case httpCounted, httpChunkData:
			take := min(b.left, int64(len(p)-n))
			n += int(take)
			if b.left -= take; b.left == 0 {
				b.ended()
			}
		case httpChunkSize:
			if !b.sizeByte(p[n]) {
				return n, false, false
			}
			n++
		default:
			n += b.lineByte(p[n:])
		}
	}
	return n, b.state == httpNoBody, true
}

// ended moves on from bytes that were counted.
func (b *HTTPBody) ended() {
	if b.state == httpCounted {
		b.state = httpNoBody
	}
	if b.state == httpChunkData {
		b.state = httpChunkEnd
	}
}

// sizeByte takes one byte of a chunk size (RFC 9112, section 7.1).
func (b *HTTPBody) sizeByte(c byte) bool {
	switch c = lower(c); {
	case isDigit(c):
		b.left = b.left<<4 | int64(c-'0')
	case c >= 'a' && c <= 'f':
		b.left = b.left<<4 | int64(c-'a'+10)
	case b.seen == 0:
		return false
	case c == '\n':
		b.sized()
		return true
	case c == ';' || c == ' ' || c == '\r' || c == '\t':
		b.state = httpChunkExtension
		return true
	default:
		return false
	}
	b.seen++
	return b.seen <= 12
}

// sized begins the data of a chunk, or the trailer after the last.
func (b *HTTPBody) sized() {
	b.seen = 0
	b.state = httpChunkData
	if b.left == 0 {
		b.state = httpTrailer
	}
}

// lineByte takes bytes up to the end of a line that is not read.
func (b *HTTPBody) lineByte(p []byte) int {
	lf := bytes.IndexByte(p, '\n')
	if lf < 0 {
		b.count(p)
		return len(p)
	}
	b.count(p[:lf])
	empty := b.seen == 0
	b.seen = 0
	switch {
	case b.state == httpChunkExtension:
		b.sized()
	case b.state == httpChunkEnd:
		b.state = httpChunkSize
	case empty:
		b.state = httpNoBody
	}
	return lf + 1
}

// count notes that a line has content.
func (b *HTTPBody) count(p []byte) {
	if len(bytes.Trim(p, "\r")) > 0 {
		b.seen = 1
	}
}

// NextRequest returns where in b a complete request line begins at the start
// of a line, or -1: for streams joined in the middle and after lost bytes.
func NextRequest(b []byte) int {
	for at := 0; at < len(b); {
		lf := bytes.IndexByte(b[at:], '\n')
		if lf < 0 {
			return -1
		}
		line := bytes.TrimRight(b[at:at+lf], "\r")
		if len(line) <= httpMaxLine && httpBegins(line) == Whole && line[0] != '\n' {
			last := bytes.LastIndexByte(line, ' ')
			if last > bytes.IndexByte(line, ' ') && httpIsVersion(line[last+1:]) {
				return at
			}
		}
		at += lf + 1
	}
	return -1
}
