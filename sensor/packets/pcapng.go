package packets

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// Blocks and options of pcapng (draft-ietf-opsawg-pcapng, sections 4 and 3.5).
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockEnhanced  = 6

	optEnd         = 0
	optComment     = 1
	optApplication = 4 // of a section
	optName        = 2 // of an interface
	optUnits       = 9 // of an interface: powers of ten of a second

	linkEthernet = 1
)

var le = binary.LittleEndian

// Header is the beginning of a pcapng file whose packets Append wrote: a
// section with a comment, and one Ethernet interface with nanoseconds.
func Header(comment string) []byte {
	section := []byte{0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	section = option(section, optComment, comment)
	section = option(section, optApplication, "picket")
	b := block(nil, blockSection, le.AppendUint32(section, optEnd))
	iface := le.AppendUint32([]byte{linkEthernet, 0, 0, 0}, 0) // no snap length of the file's own
	iface = option(iface, optName, "span")
	iface = option(iface, optUnits, "\x09")
	return block(b, blockInterface, le.AppendUint32(iface, optEnd))
}

// appendPacket appends an enhanced packet block: data of a frame that was
// wire bytes long, at a time in ns since 1970.
func appendPacket(b []byte, at int64, data []byte, wire int, comment string) []byte {
	body := make([]byte, 0, 32+len(data)+len(comment))
	body = le.AppendUint32(body, 0) // interface
	body = le.AppendUint32(body, uint32(uint64(at)>>32))
	body = le.AppendUint32(body, uint32(at))
	body = le.AppendUint32(body, uint32(len(data)))
	body = le.AppendUint32(body, uint32(max(wire, len(data))))
	body = pad(append(body, data...))
	if comment != "" {
		body = le.AppendUint32(option(body, optComment, comment), optEnd)
	}
	return block(b, blockEnhanced, body)
}

// Ordered returns the blocks that Append wrote, in pieces and in whatever
// order, by time. What follows something that is no such block is left out.
func Ordered(blocks []byte) []byte {
	type span struct {
		at       uint64
		from, to int
	}
	var all []span
	for at := 0; at+32 <= len(blocks); {
		n := int(le.Uint32(blocks[at+4:]))
		if le.Uint32(blocks[at:]) != blockEnhanced || n < 32 || n > len(blocks)-at {
			break
		}
		all = append(all, span{uint64(le.Uint32(blocks[at+12:]))<<32 | uint64(le.Uint32(blocks[at+16:])), at, at + n})
		at += n
	}
	slices.SortStableFunc(all, func(a, b span) int { return cmp.Compare(a.at, b.at) })
	out := make([]byte, 0, len(blocks))
	for _, s := range all {
		out = append(out, blocks[s.from:s.to]...)
	}
	return out
}

func block(b []byte, kind uint32, body []byte) []byte {
	b = le.AppendUint32(b, kind)
	b = le.AppendUint32(b, uint32(len(body)+12))
	b = append(b, body...)
	return le.AppendUint32(b, uint32(len(body)+12))
}

func option(b []byte, code uint16, value string) []byte {
	b = le.AppendUint16(b, code)
	b = le.AppendUint16(b, uint16(len(value)))
	return pad(append(b, value...))
}

func pad(b []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}
