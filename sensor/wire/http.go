package wire

import "bytes"

// HTTP is the head of one HTTP/1.x request (RFC 9112), or of a response. Its
// slices refer to the input, or to scratch inside it where a header was
// folded. The zero value is ready for use; the Parse methods overwrite it. It
// is not safe for concurrent use.
type HTTP struct {
	Response bool
	Partial  bool   // the head is not complete: what there is was read
	Method   []byte // GET, CONNECT, M-SEARCH ...
	Target   []byte // request target as sent
	Path     []byte // of Target, without scheme, authority and query; may be empty
	Query    []byte // of Target, without the question mark
	Code     int    // of a response

	Host        []byte // lower case, no port, no trailing dot: of an absolute target, else of Host
	Port        uint16 // given with the host, else 0
	UserAgent   []byte // exact bytes, trimmed
	ContentType []byte
	Length      int64 // Content-Length; -1: not sent
	Chunked     bool
	Upgrade     bool // another protocol follows (WebSocket, h2c)
	H2C         bool // that protocol is HTTP/2 (RFC 7540, section 3.2)
	Referer     bool // Referer, or Sec-Fetch-Mode: navigate: a page load
	Proxy       bool // CONNECT, or a target in absolute form

	Server, ST, NT, USN []byte // SSDP

	headers []byte // the header lines
	hasUA   bool   // of several the first counts
	fold    []byte
	host    [dnsMaxName]byte
}

const (
	httpMaxHead   = 16 << 10 // servers allow 8 to 16 KiB
	httpMaxMethod = 24       // the longest registered is UPDATEREDIRECTREF, 17
	httpMaxLine   = 8 << 10  // RFC 9112, section 3, asks for 8000 octets
	httpMaxBlank  = 4        // empty lines before a request (RFC 9112, section 2.2)
)

// Headers returns the header lines of the head as they stood.
func (h *HTTP) Headers() []byte { return h.headers }

// Parse reads a head from the start of b and returns its length: the body
// (see HTTPBody) and the next request follow. More: the head is not complete;
// call again with more bytes, or PartialHead when no more will come. Bad: the
// head is over 16 KiB; what its first part says was read and Partial is set.
func (h *HTTP) Parse(b []byte) (n int, s Status) {
	h.reset()
	at, s := h.startLine(b)
	if s != Whole {
		return 0, s
	}
	end, blank := httpHeadEnd(b, at)
	switch {
	case end >= 0 && blank <= httpMaxHead:
		h.lines(b[at:end])
		return blank, Whole
	case len(b) >= httpMaxHead:
		h.Partial = true
		h.lines(httpWholeLines(b[at:min(len(b), httpMaxHead)]))
		return 0, Bad
	}
	return 0, More
}

// PartialHead reads what there is of a head whose rest never came: header
// lines that are complete. Other: not even the request line is.
func (h *HTTP) PartialHead(b []byte) Status {
	h.reset()
	at, s := h.startLine(b)
	if s != Whole {
		return Other
	}
	b = b[:min(len(b), httpMaxHead)]
	end, _ := httpHeadEnd(b, min(at, len(b)))
	if end < 0 {
		h.Partial = true
		h.lines(httpWholeLines(b[min(at, len(b)):]))
		return Whole
	}
	h.lines(b[at:end])
	return Whole
}

func (h *HTTP) reset() {
	fold := h.fold[:0]
	h.Response, h.Partial, h.Code, h.Port, h.Length = false, false, 0, 0, -1
	h.Method, h.Target, h.Path, h.Query = nil, nil, nil, nil
	h.Host, h.UserAgent, h.ContentType, h.headers = nil, nil, nil, nil
	h.Chunked, h.Upgrade, h.H2C, h.Referer, h.Proxy, h.hasUA = false, false, false, false, false, false
	h.Server, h.ST, h.NT, h.USN = nil, nil, nil, nil
	h.fold = fold
}

// startLine reads a request line or a status line and returns where the
// header lines begin.
func (h *HTTP) startLine(b []byte) (at int, s Status) {
	for at < len(b) && at < 2*httpMaxBlank && (b[at] == '\r' || b[at] == '\n') {
		at++
	}
	rest := b[at:]
	if s := httpBegins(rest); s != Whole {
		return 0, s
	}
	window := rest[:min(len(rest), httpMaxLine)]
	lf := bytes.IndexByte(window, '\n')
	if lf < 0 {
		if len(window) == httpMaxLine {
			return 0, Other
		}
		return 0, More
	}
	line := trimCR(rest[:lf])
	ok := false
	if h.Response = line[0] == 'H' && bytes.HasPrefix(line, httpVersion); h.Response {
		ok = h.statusLine(line)
	} else {
		ok = h.requestLine(line)
	}
	if !ok {
		return 0, Other
	}
	return at + lf + 1, Whole
}

var httpVersion = []byte("HTTP/1.")

// httpBegins tells from the first bytes whether a request or status line can
// be coming: a method in capitals and a blank, or "HTTP/1.".
func httpBegins(b []byte) Status {
	for i, c := range b {
		switch {
		case c >= 'A' && c <= 'Z' || i > 0 && (c == '-' || c == '_'):
			if i >= httpMaxMethod {
				return Other
			}
		case c == ' ' && i >= 2:
			return Whole
		case c == '/' && i == 4:
			n := min(len(b), len(httpVersion))
			if !bytes.Equal(b[:n], httpVersion[:n]) {
				return Other
			}
			if n < len(httpVersion) {
				return More
			}
			return Whole
		default:
			return Other
		}
	}
	return More
}

// requestLine reads "METHOD target HTTP/1.x". The target may hold blanks:
// clients that do not escape them exist.
func (h *HTTP) requestLine(line []byte) bool {
	line = bytes.TrimRight(line, " \t")
	sp := bytes.IndexByte(line, ' ')
	last := bytes.LastIndexByte(line, ' ')
	if sp < 0 || last <= sp || !httpIsVersion(line[last+1:]) {
		return false
	}
	h.Method, h.Target = line[:sp], bytes.Trim(line[sp+1:last], " \t")
	if len(h.Target) == 0 {
		return false
	}
	h.target()
	return true
}

func httpIsVersion(v []byte) bool {
	return len(v) == 8 && bytes.HasPrefix(v, httpVersion) && isDigit(v[7])
}

// statusLine reads "HTTP/1.x 200 OK".
func (h *HTTP) statusLine(line []byte) bool {
	if len(line) < 12 || !isDigit(line[7]) || line[8] != ' ' {
		return false
	}
	for _, c := range line[9:12] {
		if !isDigit(c) {
			return false
		}
		h.Code = h.Code*10 + int(c-'0')
	}
	return h.Code >= 100 && (len(line) == 12 || line[12] == ' ')
}

// target splits the request target by its four forms (RFC 9112, section 3.2).
func (h *HTTP) target() {
	t := h.Target
	if string(h.Method) == "CONNECT" {
		h.Proxy = true
		h.authority(t)
		return
	}
	if i := bytes.Index(t, []byte("://")); i > 0 && i <= 10 && t[0] != '/' {
		h.Proxy = true
		t = t[i+3:]
		slash := bytes.IndexAny(t, "/?")
		if slash < 0 {
			slash = len(t)
		}
		h.authority(t[:slash])
		t = t[slash:]
	}
	if q := bytes.IndexByte(t, '?'); q >= 0 {
		t, h.Query = t[:q], t[q+1:]
	}
	h.Path = t
}

// authority reads host and port (RFC 3986, section 3.2) into Host and Port.
func (h *HTTP) authority(a []byte) {
	if i := bytes.LastIndexByte(a, '@'); i >= 0 {
		a = a[i+1:]
	}
	host, port := a, []byte(nil)
	if len(a) > 0 && a[0] == '[' {
		end := bytes.IndexByte(a, ']')
		if end < 0 {
			return
		}
		host, port = a[1:end], a[end+1:]
	} else if i := bytes.IndexByte(a, ':'); i >= 0 {
		host, port = a[:i], a[i:]
	}
	host = bytes.TrimRight(host, ".")
	if len(host) == 0 || len(host) > len(h.host) {
		return
	}
	for i, c := range host {
		if c <= ' ' || c >= 0x7f {
			return // not a host name (RFC 3986, section 3.2.2)
		}
		h.host[i] = lower(c)
	}
	h.Host = h.host[:len(host)]
	if len(port) > 1 {
		if p := decimal(port[1:]); p > 0 && p < 1<<16 {
			h.Port = uint16(p)
		}
	}
}
