package wire

import (
	"bytes"
	"encoding/base64"
	"strings"

	"golang.org/x/net/http2/hpack"
)

// HTTP2 reads one direction of an HTTP/2 connection in clear (RFC 9113): with
// prior knowledge, or after an upgrade from HTTP/1.1. Use NewHTTP2. After each
// Whole, Event says what came; its slices refer to the input and its strings
// are its own. It is not safe for concurrent use.
type HTTP2 struct {
	Event HTTP2Event

	table  *hpack.Decoder
	block  []byte // of a header block in several frames
	stream uint32 // whose block it is, 0 for none
	ends   bool   // END_STREAM of its first frame
	skip   int    // bytes left of a frame that is passed over
	Frames int    // frames read
}

// HTTP2Event is what one frame told. Stream is 0 when it told nothing.
type HTTP2Event struct {
	Stream uint32
	Head   bool   // a header block is complete: the fields below are set
	Data   []byte // of a DATA frame, without padding
	End    bool   // END_STREAM

	Method, Scheme, Host, Path string // Host: authority in lower case, without port
	UserAgent, ContentType     string
	Status                     string
}

const (
	http2Preface   = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" // RFC 9113, section 3.4
	http2Header    = 9
	http2MaxFrame  = 16 << 10 // what every end accepts (section 4.2); longer ones are passed over
	http2MaxBlock  = 32 << 10 // a header block over CONTINUATION frames
	http2MaxString = 8 << 10
	http2MaxTable  = 64 << 10 // browsers let the other end use this much (SETTINGS_HEADER_TABLE_SIZE)
	http2MaxFields = 256
)

const ( // frame types and flags (RFC 9113, section 6)
	frameData         = 0
	frameHeaders      = 1
	framePushPromise  = 5
	frameContinuation = 9
	flagEndStream     = 1
	flagEndHeaders    = 4
	flagPadded        = 8
	flagPriority      = 0x20
)

// HTTP2Preface tells whether b begins with the preface of a client, and how
// long that is.
func HTTP2Preface(b []byte) (n int, s Status) {
	n = min(len(b), len(http2Preface))
	switch {
	case string(b[:n]) != http2Preface[:n]:
		return 0, Other
	case n < len(http2Preface):
		return 0, More
	}
	return n, Whole
}

// NewHTTP2 returns the reader of one direction.
func NewHTTP2() *HTTP2 {
	h := &HTTP2{table: hpack.NewDecoder(4096, nil)}
	h.table.SetAllowedMaxDynamicTableSize(http2MaxTable)
	h.table.SetMaxStringLength(http2MaxString)
	return h
}

// Parse reads one frame from the start of b, or passes over part of one, and
// returns how many bytes it took. Bad: nothing more can be read of this
// direction.
func (h *HTTP2) Parse(b []byte) (n int, s Status) {
	h.Event = HTTP2Event{}
	if h.skip > 0 {
		n = min(h.skip, len(b))
		h.skip -= n
		if n == 0 {
			return 0, More
		}
		return n, Whole
	}
	if len(b) < http2Header {
		return 0, More
	}
	size := int(b[0])<<16 | int(b[1])<<8 | int(b[2])
	typ, flags, stream := b[3], b[4], be32(b[5:])&0x7fffffff
	if size > http2MaxFrame || typ != frameData && typ != frameHeaders && typ != frameContinuation {
		if typ == frameHeaders || typ == framePushPromise || typ == frameContinuation || typ > 0x10 && h.Frames == 0 {
			return 0, Bad // the table would no longer agree; or this is no HTTP/2
		}
		h.skip = size
		h.Frames++
		return http2Header, Whole
	}
	if len(b) < http2Header+size {
		return 0, More
	}
	h.Frames++
	if !h.frame(typ, flags, stream, b[http2Header:http2Header+size]) {
		return 0, Bad
	}
	return http2Header + size, Whole
}

// frame reads the payload of a frame.
func (h *HTTP2) frame(typ, flags byte, stream uint32, p []byte) bool {
	if stream == 0 || (typ == frameContinuation) != (h.stream != 0) || typ == frameContinuation && stream != h.stream {
		return false // RFC 9113, sections 6.1, 6.2 and 6.10
	}
	if typ != frameContinuation && flags&flagPadded != 0 {
		if len(p) == 0 || int(p[0]) >= len(p) {
			return false
		}
		p = p[1 : len(p)-int(p[0])]
	}
	switch typ {
	case frameData:
		h.Event = HTTP2Event{Stream: stream, Data: p, End: flags&flagEndStream != 0}
		return true
	case frameHeaders:
		if flags&flagPriority != 0 {
			if len(p) < 5 {
				return false
			}
			p = p[5:]
		}
		h.ends = flags&flagEndStream != 0
	}
	return h.fragment(stream, p, flags&flagEndHeaders != 0)
}

// fragment takes part of a header block.
func (h *HTTP2) fragment(stream uint32, p []byte, last bool) bool {
	if len(h.block)+len(p) > http2MaxBlock {
		return false
	}
	h.stream = stream
	if !last {
		h.block = append(h.block, p...)
		return true
	}
	if len(h.block) > 0 {
		h.block = append(h.block, p...)
		p = h.block
	}
	h.Event = HTTP2Event{Stream: stream, Head: true, End: h.ends}
	fields := 0
	h.table.SetEmitFunc(func(f hpack.HeaderField) {
		if fields++; fields <= http2MaxFields {
			h.Event.field(f.Name, f.Value)
		}
	})
	_, err := h.table.Write(p)
	if err == nil {
		err = h.table.Close()
	}
	h.stream, h.block = 0, h.block[:0]
	if err != nil {
		h.Event = HTTP2Event{}
	}
	return err == nil
}

func (e *HTTP2Event) field(name, value string) {
	switch name {
	case ":method":
		e.Method = value
	case ":scheme":
		e.Scheme = value
	case ":status":
		e.Status = value
	case ":path":
		e.Path = value
	case ":authority":
		e.Host = http2Host(value)
	case "host":
		if e.Host == "" {
			e.Host = http2Host(value)
		}
	case "user-agent":
		e.UserAgent = value
	case "content-type":
		e.ContentType = value
	}
}

// http2Host is the authority without user and port, in lower case.
func http2Host(authority string) string {
	var h HTTP
	h.authority([]byte(authority))
	return string(h.Host)
}

// Query returns the query of the path.
func (e *HTTP2Event) Query() string {
	_, q, _ := strings.Cut(e.Path, "?")
	return q
}

// DoHQuestion returns the encoded message of a DNS query by GET (RFC 8484,
// section 4.1), nil for none.
func (e *HTTP2Event) DoHQuestion() []byte { return dohMessage([]byte(e.Query())) }

// DoHMessage is the content type of a DNS message (RFC 8484, section 6).
const DoHMessage = "application/dns-message"

const dohMaxMessage = 4 << 10

// dohMessage decodes the dns parameter of a query.
func dohMessage(query []byte) []byte {
	v := queryValue(query, "dns")
	if len(v) == 0 || len(v) > dohMaxMessage {
		return nil
	}
	out := make([]byte, base64.RawURLEncoding.DecodedLen(len(v)))
	n, err := base64.RawURLEncoding.Decode(out, bytes.TrimRight(v, "="))
	if err != nil || n < dnsHeader {
		return nil
	}
	return out[:n]
}
