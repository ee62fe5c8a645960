package wire

import (
	"bytes"
	"unicode/utf8"
)

// MiPush is what the opening packet of a client of Xiaomi's push service says
// in clear. Its slices refer to the input.
//
// The framing ("slim" protocol, version 5) was read from the published client
// SDK and agrees with what nDPI recognises: magic C2FE, version 0005, length
// of the blob; the blob is type, header length, payload length, header,
// payload; an Adler-32 follows. Header and payload are protocol-buffer
// messages. The blob of the command CONN is in clear, every later one is
// encrypted whole. Confidence in the field numbers: model (2), OS build (3)
// and host (7) high, two independent readers agree; network (6) good.
type MiPush struct {
	Open    bool   // this is the opening CONN packet of a client
	Model   []byte // android.os.Build.MODEL: "Redmi Note 9 Pro"
	Version []byte // build of the system: "V12.0.3.0.QJOMIXM"
	Host    []byte // the front end the client believes to talk to, no port
	Network []byte // "wifi", or the radio technology and access point name
	Locale  []byte // "zh_CN"
	API     uint32 // Android API level, 0 when not sent
}

const (
	miPushMagic = 0xc2fe0005
	miPushHead  = 8 // magic, version, length
	miPushBlob  = 8 // type, header length, payload length
	miPushTail  = 4 // Adler-32
	miPushMax   = 32 << 10
	miPushText  = 128 // longest text taken
)

// Parse reads one packet from the start of b and returns how many bytes it
// took. Whole with Open false is a later, encrypted packet, or a server's.
func (m *MiPush) Parse(b []byte) (n int, s Status) {
	*m = MiPush{}
	for i, want := range [...]byte{0xc2, 0xfe, 0x00, 0x05} {
		if i >= len(b) {
			return 0, More
		}
		if b[i] != want {
			return 0, Other
		}
	}
	if len(b) < miPushHead {
		return 0, More
	}
	size := int(be32(b[4:]))
	if size < miPushBlob || size > miPushMax {
		return 0, Bad
	}
	if len(b) < miPushHead+size+miPushTail {
		return 0, More
	}
	m.blob(b[miPushHead : miPushHead+size])
	return miPushHead + size + miPushTail, Whole
}

// blob reads the fields of an opening packet, if it is one.
func (m *MiPush) blob(b []byte) {
	header, payload := int(be16(b[2:])), int(be32(b[4:]))
	rest := b[miPushBlob:]
	if header > len(rest) || payload != len(rest)-header {
		return // encrypted
	}
	conn := false
	for rest, f := rest[:header], (pbField{}); f.next(&rest); {
		conn = conn || f.number == 5 && string(f.text) == "CONN"
	}
	if !conn {
		return
	}
	for rest, f := rest[header:], (pbField{}); f.next(&rest); {
		switch {
		case f.number == 1 && f.text == nil:
			m.Open = true // a server's first field is a challenge, not a version
		case !m.Open:
			return
		default:
			m.field(&f)
		}
	}
}

func (m *MiPush) field(f *pbField) {
	switch f.number {
	case 2:
		m.Model = pbText(f.text)
	case 3:
		m.Version = pbText(f.text)
	case 6:
		m.Network = pbText(f.text)
	case 7:
		host := pbText(f.text)
		if i := bytes.LastIndexByte(host, ':'); i >= 0 {
			host = host[:i]
		}
		m.Host = host
	case 8:
		m.Locale = pbText(f.text)
	case 10:
		if f.text == nil && f.value < 200 {
			m.API = uint32(f.value)
		}
	}
}

// pbText returns b when it is text of a sane length, else nil.
func pbText(b []byte) []byte {
	if len(b) == 0 || len(b) > miPushText || !utf8.Valid(b) {
		return nil
	}
	for _, c := range b {
		if c < ' ' || c == 0x7f {
			return nil
		}
	}
	return b
}

// pbField is one field of a protocol-buffer message.
type pbField struct {
	number uint64
	value  uint64 // of a varint
	text   []byte // of a length-delimited field, not nil
}

// next cuts the first field off *b; false at the end or at a fault.
func (f *pbField) next(b *[]byte) bool {
	*f = pbField{}
	tag, ok := pbVarint(b)
	if !ok || tag>>3 == 0 {
		return false
	}
	f.number = tag >> 3
	switch tag & 7 {
	case 0:
		f.value, ok = pbVarint(b)
		return ok
	case 1:
		return pbSkip(b, 8)
	case 5:
		return pbSkip(b, 4)
	case 2:
		n, ok := pbVarint(b)
		if !ok || n > uint64(len(*b)) {
			return false
		}
		f.text = (*b)[:n:n]
		*b = (*b)[n:]
		return true
	}
	return false
}

func pbSkip(b *[]byte, n int) bool {
	if len(*b) < n {
		return false
	}
	*b = (*b)[n:]
	return true
}

func pbVarint(b *[]byte) (v uint64, ok bool) {
	for i, c := range *b {
		if i == 10 {
			return 0, false
		}
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			*b = (*b)[i+1:]
			return v, true
		}
	}
	return 0, false
}
