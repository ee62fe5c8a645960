package wire

// HTTP is the head of one HTTP/1.x request (RFC 9112), or of a response.
// Its slices refer to the input, or to scratch inside it where a header was
// folded. The zero value is ready for use; Parse overwrites it.
type HTTP struct {
	Response bool
	Method   []byte // GET, CONNECT, M-SEARCH ...
	Target   []byte // request target as sent
	Path     []byte // of Target, from the first slash on, without query
	Query    []byte // of Target, without the question mark
	Code     int    // of a response

	Host        []byte // lower case, no port: of an absolute target, else of Host
	Port        uint16 // given with the host, else 0
	UserAgent   []byte // exact bytes, trimmed
	ContentType []byte
	Length      int64 // Content-Length; -1: not sent
	Chunked     bool
	Upgrade     bool
	Referer     bool // a Referer or Sec-Fetch-Mode: navigate was sent: a page load
	Proxy       bool // CONNECT, or a target in absolute form
	HTTP10      bool
	Partial     bool // the head is not complete

	Server, ST, NT, USN []byte // SSDP

	headers []byte // the header lines, for Identifiers
	fold    []byte
	host    [255]byte
}

// Headers returns the header lines of the head as they stood.
func (h *HTTP) Headers() []byte { return h.headers }

// Parse reads a head from the start of b and returns its length: the body
// (see Body) and the next request follow. More: the head is not complete;
// call again with more bytes, or PartialHead when no more will come.
func (h *HTTP) Parse(b []byte) (n int, s Status) { return 0, Other }

// PartialHead reads what there is of a head whose rest never came: only
// header lines that are complete count.
func (h *HTTP) PartialHead(b []byte) Status { return Other }

// Body returns how many bytes of body follow the head of a request, and
// whether that is known. Chunked bodies are not: look for the next head with
// NextRequest.
func (h *HTTP) Body() (n int64, known bool) { return 0, false }

// NextRequest returns where in b a request line begins at the start of a
// line, or -1: for streams joined in the middle or whose body has no length.
func NextRequest(b []byte) int { return -1 }
