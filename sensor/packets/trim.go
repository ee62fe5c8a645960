package packets

import (
	"bytes"

	"picket/sensor/packet"
	"picket/sensor/wire"
)

// stream is what is known of one direction of a conversation in order to tell
// what of its next segment may be kept.
type stream struct {
	next uint32 // sequence number that continues it
	left int    // bytes left of the TLS record that is being kept
	kind streamKind
}

type streamKind uint8

const (
	unknownStream streamKind = iota
	tlsStream
	httpStream
	clearStream // something else in clear: kept in the mode Payload alone
	doneStream  // no more is kept in the mode Handshakes
)

// Types of TLS (RFC 8446, sections 4 and 5.1).
const (
	tlsHandshake   = 22
	tlsClientHello = 1
	tlsServerHello = 2
	tlsCertificate = 11
)

type streamKey struct {
	flow uint64
	sent bool
}

// maxStreams bounds the directions that are remembered between two looks at a
// conversation; beyond it all are forgotten, and less is kept.
const maxStreams = 4096

// Writer turns frames into packets of a pcapng file: it leaves out what may
// not be kept and overwrites what tells who somebody is. It is not safe for
// concurrent use.
type Writer struct {
	Mode Mode

	p       packet.Packet
	ids     wire.Identifiers
	streams map[streamKey]*stream
}

// Append adds the packets of frames, oldest first, to out, as blocks that
// follow a Header. It returns how many there are.
func (w *Writer) Append(out []byte, frames []Frame) ([]byte, int) {
	n := 0
	for i := range frames {
		f := &frames[i]
		if b, ok := w.packet(out, f); ok {
			out, n = b, n+1
		}
	}
	return out, n
}

// packet adds one frame.
func (w *Writer) packet(out []byte, f *Frame) ([]byte, bool) {
	p := &w.p
	vlan := uint16(0)
	if f.TPID != 0 {
		vlan = f.TCI & 0xfff
	}
	p.DecodeTagged(f.Link, f.Data, f.At, int(f.Wire), vlan)
	body := int(f.Body)
	if p.Version == 0 || body > len(f.Data) || p.Proto != packet.ProtoTCP && p.Proto != packet.ProtoUDP {
		return out, false
	}
	payload := f.Data[body:]
	keep, clear := w.keep(f, payload)
	comment := ""
	if clear && keep > 0 {
		n, ok := w.overwrite(f, body, payload[:keep])
		switch {
		case !ok:
			if keep = headOf(payload[:keep]); w.finds(payload[:keep]) {
				keep = 0
			}
			comment = "payload left out: an identifier in it could not be overwritten"
		case n > 0:
			comment = plural(n) + " overwritten with x: what could tell who somebody is"
		}
	}
	data, added := w.ethernet(f, f.Data[:body+keep])
	return appendPacket(out, f.At, data, int(f.Wire)+added, comment), true
}

// keep is how many bytes of a payload may be kept, and whether they are in
// clear.
func (w *Writer) keep(f *Frame, b []byte) (n int, clear bool) {
	switch {
	case len(b) == 0:
		return 0, false
	case w.p.Proto == packet.ProtoUDP:
		return w.datagram(f, b)
	}
	s := w.stream(f)
	if s.kind != unknownStream && w.p.Seq != s.next {
		if w.Mode == Payload && s.kind == clearStream {
			return len(b), true
		}
		return 0, false // sent before, or out of its place: it cannot be told what it is
	}
	if s.kind == unknownStream {
		s.kind = kindOf(f, b)
	}
	s.next = w.p.Seq + f.Whole
	switch s.kind {
	case tlsStream:
		return s.records(b, int(f.Whole), f.Sent, w.Mode == Payload), false
	case httpStream:
		n := len(b)
		if i := bytes.Index(b, []byte("\r\n\r\n")); i >= 0 {
			n = i + 4
		}
		s.kind = doneStream
		if w.Mode == Payload {
			s.kind, n = clearStream, len(b)
		}
		return n, true
	}
	if w.Mode == Payload && s.kind == clearStream {
		return len(b), true
	}
	return 0, false
}

// datagram: DNS and QUIC with a long header are kept.
func (w *Writer) datagram(f *Frame, b []byte) (n int, clear bool) {
	switch {
	case f.DNS:
		return len(b), false
	case wire.IsQUICLong(b):
		return len(b), false
	case w.Mode == Payload:
		return len(b), true
	}
	return 0, false
}

// stream returns what is known of a direction.
func (w *Writer) stream(f *Frame) *stream {
	k := streamKey{f.Flow, f.Sent}
	s := w.streams[k]
	if s == nil {
		if w.streams == nil || len(w.streams) >= maxStreams {
			w.streams = map[streamKey]*stream{}
		}
		s = &stream{}
		w.streams[k] = s
	}
	return s
}

// kindOf tells what begins a direction.
func kindOf(f *Frame, b []byte) streamKind {
	if _, ok := wire.IsTLSRecord(b); ok {
		return tlsStream
	}
	if f.Sent && isRequest(b) {
		return httpStream
	}
	return clearStream
}

var methods = [...]string{"GET ", "POST ", "HEAD ", "PUT ", "DELETE ", "OPTIONS ", "PATCH ", "CONNECT "}

func isRequest(b []byte) bool {
	for _, m := range methods {
		if bytes.HasPrefix(b, []byte(m)) {
			return true
		}
	}
	return false
}

// records is how many bytes of a segment of TLS may be kept; whole is its
// length on the wire. It is the first message of either side, ClientHello or
// ServerHello; with all everything but a certificate of our end, which up to
// TLS 1.2 crosses in clear and names a person.
func (s *stream) records(b []byte, whole int, sent, all bool) int {
	at := min(s.left, len(b))
	s.left = max(s.left-whole, 0)
	for at+6 <= len(b) {
		hello := b[at] == tlsHandshake && (sent && b[at+5] == tlsClientHello || !sent && b[at+5] == tlsServerHello)
		if _, ok := wire.IsTLSRecord(b[at:]); !ok || !hello && (!all || sent && b[at] == tlsHandshake && b[at+5] == tlsCertificate) {
			s.kind = doneStream
			return at
		}
		end := at + 5 + int(b[at+3])<<8 + int(b[at+4])
		if end >= whole {
			s.left = end - whole
			return len(b)
		}
		at = min(end, len(b))
	}
	if at < whole && s.left == 0 { // the header of a record is cut in two, or was not captured
		s.kind = doneStream
	}
	return at
}
