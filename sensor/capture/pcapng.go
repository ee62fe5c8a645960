package capture

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// Block types of pcapng:
// https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcapng/, section 11.1.
const (
	blockInterface  = 1
	blockPacket     = 2 // obsolete
	blockSimple     = 3
	blockStatistics = 5
	blockEnhanced   = 6
	blockSection    = 0x0a0d0d0a // the same in either byte order
)

const (
	byteOrderMagic = 0x1a2b3c4d
	minBlock       = 12      // type, length, length again
	maxBlock       = 1 << 28 // longer is damage; libpcap's limit is 16 MiB, secrets blocks may be longer
	maxInterfaces  = 1 << 16 // of one section; Frame.Iface holds no more
)

// pcapngFile reads the blocks of a pcapng file: any number of sections, each
// with its byte order and its interfaces.
type pcapngFile struct {
	order  binary.ByteOrder // nil before the first section
	ifaces []ngInterface    // of this section
	last   int64            // time of the latest frame: a simple packet has none of its own
	closed counts           // what the interfaces of earlier sections dropped
}

// counts are frames that an interface statistics block reports as lost.
type counts struct{ kernel, iface uint64 }

// ngInterface is one interface description.
type ngInterface struct {
	link   LinkType
	snap   uint32 // 0: no limit
	units  uint64 // of its clock, a second
	offset int64  // seconds to add
	lost   counts
}

// fill lends the packets of the blocks that are wholly in w. When there is
// none it returns how many bytes it wants to see.
func (p *pcapngFile) fill(w *window, batch []Frame) (n, want int, err error) {
	for n < len(batch) {
		b := w.bytes()
		if len(b) < minBlock {
			return n, minBlock, nil
		}
		if le.Uint32(b) == blockSection {
			if err := p.section(b); err != nil {
				return n, 0, err
			}
		}
		kind, total := p.order.Uint32(b), p.order.Uint32(b[4:])
		if total < minBlock || total > maxBlock {
			return n, 0, errBlockLength
		}
		padded := int64(total+3) &^ 3 // some writers forget the padding in the length
		whole := padded <= windowSize
		if need := int(min(padded, windowSize)); len(b) < need {
			return n, need, nil
		} else {
			b = b[:need]
		}
		if whole {
			if p.order.Uint32(b[len(b)-4:]) != total {
				return n, 0, errBlockLength
			}
			b = b[:len(b)-4]
		}
		lent, err := p.block(kind, b[8:], &batch[n])
		if err != nil {
			return n, 0, err
		}
		w.consume(padded)
		if lent {
			n++
		}
		if !whole {
			return n, 0, nil // the rest of it is skipped by the next read
		}
	}
	return n, 0, nil
}

// section starts a section: another byte order, no interfaces.
func (p *pcapngFile) section(b []byte) error {
	switch uint32(byteOrderMagic) {
	case le.Uint32(b[8:]):
		p.order = le
	case be.Uint32(b[8:]):
		p.order = be
	default:
		return errByteOrder
	}
	return nil
}

// block reads one block's body, padding included and cut to the window, and
// reports whether f was filled.
func (p *pcapngFile) block(kind uint32, b []byte, f *Frame) (bool, error) {
	switch kind {
	case blockEnhanced:
		if len(b) < 20 {
			return false, errBlockLength
		}
		return true, p.packet(f, p.order.Uint32(b), b[4:])
	case blockPacket:
		if len(b) < 20 {
			return false, errBlockLength
		}
		return true, p.packet(f, uint32(p.order.Uint16(b)), b[4:])
	case blockSimple:
		return true, p.simple(f, b)
	case blockInterface:
		return false, p.describe(b)
	case blockStatistics:
		p.statistics(b)
	case blockSection:
		for i := range p.ifaces {
			p.closed.kernel += p.ifaces[i].lost.kernel
			p.closed.iface += p.ifaces[i].lost.iface
		}
		p.ifaces = p.ifaces[:0]
	}
	return false, nil
}

// packet fills f; b begins with the timestamp.
func (p *pcapngFile) packet(f *Frame, id uint32, b []byte) error {
	if int64(id) >= int64(len(p.ifaces)) {
		return errInterface
	}
	i := &p.ifaces[id]
	ts := uint64(p.order.Uint32(b))<<32 | uint64(p.order.Uint32(b[4:]))
	caplen, wire := p.order.Uint32(b[8:]), p.order.Uint32(b[12:])
	if caplen > maxRecord(i.link) {
		return errRecordLength
	}
	kept, body := int(min(caplen, MaxFrame)), b[16:]
	if kept > len(body) {
		return errRecordLength
	}
	p.last = i.time(ts)
	f.Data = body[:kept:kept]
	f.At, f.Wire = p.last, int(max(wire, caplen))
	f.Link, f.Iface, f.TPID, f.TCI = i.link, uint16(id), 0, 0
	return nil
}

// simple fills f from a simple packet block: the first interface, no time.
func (p *pcapngFile) simple(f *Frame, b []byte) error {
	if len(b) < 4 {
		return errBlockLength
	}
	if len(p.ifaces) == 0 {
		return errInterface
	}
	i := &p.ifaces[0]
	wire := p.order.Uint32(b)
	kept := min(int64(wire), int64(len(b)-4), MaxFrame)
	if i.snap != 0 {
		kept = min(kept, int64(i.snap))
	}
	f.Data = b[4 : 4+kept : 4+kept]
	f.At, f.Wire = p.last, int(wire)
	f.Link, f.Iface, f.TPID, f.TCI = i.link, 0, 0, 0
	return nil
}

// Options that matter here.
const (
	optEnd      = 0
	optTsResol  = 9  // of an interface description
	optTsOffset = 14 // of an interface description
	optIfDrop   = 5  // of interface statistics: dropped by the interface
	optOsDrop   = 7  // of interface statistics: dropped by the system
)

// describe adds an interface.
func (p *pcapngFile) describe(b []byte) error {
	if len(b) < 8 {
		return errBlockLength
	}
	if len(p.ifaces) >= maxInterfaces {
		return errInterfaces
	}
	i := ngInterface{link: LinkType(p.order.Uint16(b)), snap: p.order.Uint32(b[4:]), units: 1e6}
	for opts := b[8:]; ; {
		code, value, rest, ok := p.option(opts)
		if !ok {
			break
		}
		switch {
		case code == optTsResol && len(value) == 1:
			if i.units = resolution(value[0]); i.units == 0 {
				return errResolution
			}
		case code == optTsOffset && len(value) == 8:
			i.offset = int64(p.order.Uint64(value))
		}
		opts = rest
	}
	p.ifaces = append(p.ifaces, i)
	return nil
}

// statistics notes what an interface lost; the numbers are totals so far.
func (p *pcapngFile) statistics(b []byte) {
	if len(b) < 12 {
		return
	}
	id := p.order.Uint32(b)
	if int64(id) >= int64(len(p.ifaces)) {
		return
	}
	lost := &p.ifaces[id].lost
	for opts := b[12:]; ; {
		code, value, rest, ok := p.option(opts)
		if !ok {
			return
		}
		switch {
		case code == optIfDrop && len(value) == 8:
			lost.iface = p.order.Uint64(value)
		case code == optOsDrop && len(value) == 8:
			lost.kernel = p.order.Uint64(value)
		}
		opts = rest
	}
}

// option cuts the first option off b.
func (p *pcapngFile) option(b []byte) (code uint16, value, rest []byte, ok bool) {
	if len(b) < 4 {
		return 0, nil, nil, false
	}
	code = p.order.Uint16(b)
	n := int(p.order.Uint16(b[2:]))
	padded := (n + 3) &^ 3
	if code == optEnd || padded > len(b)-4 {
		return 0, nil, nil, false
	}
	return code, b[4 : 4+n], b[4+padded:], true
}

// resolution reads if_tsresol: units a second, 0 when they do not fit.
func resolution(v byte) uint64 {
	exp := int(v & 0x7f)
	if v&0x80 != 0 {
		if exp > 63 {
			return 0
		}
		return 1 << exp
	}
	if exp > 19 {
		return 0
	}
	units := uint64(1)
	for range exp {
		units *= 10
	}
	return units
}

// time converts a timestamp to Unix nanoseconds; what does not fit is clamped.
func (i *ngInterface) time(ts uint64) int64 {
	sec, rest := ts/i.units, ts%i.units
	hi, lo := bits.Mul64(rest, 1e9)
	ns, _ := bits.Div64(hi, lo, i.units) // rest < units, so that it fits
	const most = math.MaxInt64/int64(1e9) - 1
	if sec > uint64(most) || i.offset > most-int64(sec) {
		return math.MaxInt64
	}
	at := int64(sec) + i.offset
	if at < -most {
		return math.MinInt64
	}
	return at*1e9 + int64(ns)
}

// drops sums what the interfaces report as lost.
func (p *pcapngFile) drops() (kernel, iface uint64) {
	sum := p.closed
	for i := range p.ifaces {
		sum.kernel += p.ifaces[i].lost.kernel
		sum.iface += p.ifaces[i].lost.iface
	}
	return sum.kernel, sum.iface
}
