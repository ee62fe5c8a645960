package packets

import (
	"bytes"
	"fmt"

	"picket/sensor/packet"
	"picket/sensor/wire"
)

// overwritten stands for every byte that may not be kept.
const overwritten = 'x'

// overwrite replaces what could tell who somebody is in a payload in clear,
// which begins at body of the frame, and mends the checksum. It returns how
// many bytes it replaced; ok is false when the detectors of identifiers still
// find something.
func (w *Writer) overwrite(f *Frame, body int, b []byte) (n int, ok bool) {
	before := append([]byte(nil), b...)
	head := headOf(b)
	requestHead(b[:head])
	tokens(b[head:])
	w.carriers(b)
	for i := range b {
		if b[i] != before[i] {
			n++
		}
	}
	if n > 0 {
		w.mend(f.Data, body, before, b)
	}
	return n, !w.finds(b)
}

// headOf is the length of the head of the request in b, 0 when there is none.
func headOf(b []byte) int {
	if !isRequest(b) {
		return 0
	}
	if i := bytes.Index(b, []byte("\r\n\r\n")); i >= 0 {
		return i + 4
	}
	return len(b)
}

var texts = [...]wire.IdentifierText{wire.InURL, wire.InHeader, wire.InForm, wire.InJSON, wire.InPush}

// finds reports whether a detector still finds an identifier, of whatever
// kind of text it may be part.
func (w *Writer) finds(b []byte) bool {
	w.ids.Reset()
	for _, part := range [...][]byte{b, query(b), afterHead(b)} {
		for _, t := range texts {
			w.ids.Find(t, part)
		}
	}
	return len(w.ids.Found) > 0
}

// carriers overwrites the names of mobile operators, which are the only
// identifiers that are words.
func (w *Writer) carriers(b []byte) {
	w.finds(b)
	for i := range w.ids.Found {
		if v := w.ids.Found[i].Value; w.ids.Found[i].Kind == "carrier" && len(v) > 0 {
			for at := 0; ; {
				j := bytes.Index(b[at:], v)
				if j < 0 {
					break
				}
				fill(b[at+j : at+j+len(v)])
				at += j + len(v)
			}
		}
	}
}

func query(b []byte) []byte {
	if !isRequest(b) {
		return nil
	}
	line, _, _ := bytes.Cut(b, []byte("\r\n"))
	_, q, _ := bytes.Cut(line, []byte("?"))
	q, _, _ = bytes.Cut(q, []byte(" "))
	return q
}

func afterHead(b []byte) []byte {
	_, rest, _ := bytes.Cut(b, []byte("\r\n\r\n"))
	return rest
}

// shown are the header fields of a request whose values stay, numbers apart.
var shown = map[string]bool{
	"host": true, "user-agent": true, "content-type": true, "content-length": true, "accept": true, "accept-encoding": true,
	"accept-language": true, "connection": true, "transfer-encoding": true, "upgrade": true, "cache-control": true, "pragma": true,
	"range": true, "te": true, "expect": true, "keep-alive": true,
}

// requestHead overwrites, in the head of a request, the path, every value of
// the query, every field but those shown, and long numbers everywhere.
func requestHead(b []byte) {
	line, rest := cutLine(b)
	target(line)
	for len(rest) > 0 {
		line, rest = cutLine(rest)
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			fill(line)
			continue
		}
		if shown[string(bytes.ToLower(bytes.TrimSpace(name)))] {
			numbers(value)
			continue
		}
		fill(bytes.TrimSpace(value))
	}
}

// target overwrites the path of a request line and the values of its query.
func target(line []byte) {
	if bytes.HasPrefix(line, []byte("CONNECT ")) { // a host and a port
		numbers(line)
		return
	}
	_, t, _ := bytes.Cut(line, []byte(" "))
	if i := bytes.LastIndexByte(t, ' '); i >= 0 {
		t = t[:i]
	}
	if i := bytes.Index(t, []byte("://")); i >= 0 { // of a proxy: the host stays
		t = t[i+3:]
		t = t[max(0, bytes.IndexByte(t, '/')):]
	}
	path, query, _ := bytes.Cut(t, []byte("?"))
	for i, c := range path {
		if c != '/' {
			path[i] = overwritten
		}
	}
	values(query)
}

func cutLine(b []byte) (line, rest []byte) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		return b, nil
	}
	return bytes.TrimRight(b[:i], "\r"), b[i+1:]
}

// values overwrites what stands behind the equals signs of a query.
func values(b []byte) {
	for len(b) > 0 {
		pair := b
		if i := bytes.IndexByte(b, '&'); i >= 0 {
			pair, b = b[:i], b[i+1:]
		} else {
			b = nil
		}
		if i := bytes.IndexByte(pair, '='); i >= 0 {
			fill(pair[i+1:])
		} else {
			numbers(pair)
		}
	}
}

// numbers overwrites runs that are long enough to be a serial, telephone or
// equipment number, or hexadecimal.
func numbers(b []byte) {
	runs(b, 7, isDigit, isDigit)
	runs(b, 12, isHex, isDigit)
}

// tokens overwrites more: in a body nothing says what a value is.
func tokens(b []byte) {
	numbers(b)
	runs(b, 7, func(c byte) bool { return isDigit(c) || bytes.IndexByte([]byte(" -.()+"), c) >= 0 }, isDigit) // a number in groups
	runs(b, 11, func(c byte) bool { return isHex(c) || c == ':' || c == '-' }, isDigit)                       // a hardware address, a UUID
	runs(b, 14, func(c byte) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || isDigit(c) || bytes.IndexByte([]byte("+/=_%-"), c) >= 0
	}, isDigit) // Base64, encoded values
}

// runs overwrites every run of at least least bytes of in, when it has one of
// must in it. Where in takes separators, they must not make up the run: at
// least six of its bytes are of must.
func runs(b []byte, least int, in, must func(byte) bool) {
	for i := 0; i < len(b); {
		j, n := i, 0
		for j < len(b) && in(b[j]) {
			if must(b[j]) {
				n++
			}
			j++
		}
		if j-i >= least && (n >= 6 || n >= 1 && least > 7) {
			fill(b[i:j])
		}
		i = j + 1
	}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isHex(c byte) bool   { return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }

func fill(b []byte) {
	for i := range b {
		b[i] = overwritten
	}
}

// mend brings the checksum of the segment or datagram whose payload begins at
// body up to date with what was changed (RFC 1624, section 3): it stays as
// right, or as wrong, as it was. A UDP checksum of zero is none.
func (w *Writer) mend(data []byte, body int, before, after []byte) {
	at := w.checksumAt(data, body)
	if at < 0 {
		return
	}
	sum := port(data[at:])
	if sum == 0 && w.p.Proto == packet.ProtoUDP {
		return
	}
	total := uint32(^sum)
	word := func(b []byte, i int) uint32 {
		v := uint32(b[i]) << 8
		if i+1 < len(b) {
			v |= uint32(b[i+1])
		}
		return v
	}
	for i := 0; i < len(after); i += 2 { // both headers are of even length
		total += ^word(before, i)&0xffff + word(after, i)
		total = total&0xffff + total>>16
	}
	total = total&0xffff + total>>16
	if sum = ^uint16(total); sum == 0 && w.p.Proto == packet.ProtoUDP {
		sum = 0xffff // RFC 768
	}
	data[at], data[at+1] = byte(sum>>8), byte(sum)
}

// checksumAt finds the checksum of the header that ends at body, -1 when it
// cannot be found.
func (w *Writer) checksumAt(data []byte, body int) int {
	if w.p.Proto == packet.ProtoUDP {
		return body - 2
	}
	if h := transportAt(&w.p, data, body); h >= 0 {
		return h + 16
	}
	return -1
}

func plural(n int) string {
	if n == 1 {
		return "1 byte"
	}
	return fmt.Sprintf("%d bytes", n)
}
