package capture

import "encoding/binary"

// The magic numbers of pcap files, in the byte order of the file.
const (
	magicMicro     = 0xa1b2c3d4
	magicNano      = 0xa1b23c4d
	magicKuznetzov = 0xa1b2cd34 // A. Kuznetzov's patched libpcap: longer record headers
	magicNavtel    = 0xa12b3c4d // Navtel's, otherwise like magicMicro
)

const (
	pcapHeader      = 24
	recordHeader    = 16
	recordKuznetzov = 24 // followed by interface index, protocol, packet type
)

// pcapFile reads the records of a pcap file. See
// https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcap/.
type pcapFile struct {
	order   binary.ByteOrder
	big     bool
	header  int   // length of a record header
	unit    int64 // nanoseconds per unit of the sub-second field
	swapped swap
	link    LinkType
	limit   uint32 // longest record believed
	unsure  bool   // the record header may be longer than the magic number says
}

// swap says whether the two lengths of a record header are the other way
// round, as they were before version 2.3 of the format.
type swap uint8

const (
	swapNever swap = iota
	swapMaybe      // version 2.3 was written both ways: the captured length is the smaller
	swapAlways
)

// newPcap reads the file header at the start of b, or returns nil when it is none.
func newPcap(b []byte) *pcapFile {
	if len(b) < pcapHeader {
		return nil
	}
	p := &pcapFile{header: recordHeader, unit: 1000}
	var magic uint32
	for _, p.order = range [...]binary.ByteOrder{le, be} {
		if magic = p.order.Uint32(b); isPcapMagic(magic) {
			break
		}
	}
	switch magic {
	case magicMicro:
		p.unsure = true
	case magicNavtel:
	case magicNano:
		p.unit = 1
	case magicKuznetzov:
		p.header = recordKuznetzov
	default:
		return nil
	}
	p.big = p.order == binary.ByteOrder(be)
	switch major, minor := p.order.Uint16(b[4:]), p.order.Uint16(b[6:]); {
	case major == 2 && minor < 3, major == 543: // 543 is DG/UX
		p.swapped = swapAlways
	case major == 2 && minor == 3:
		p.swapped = swapMaybe
	}
	// The upper half of the field is the length of the frame check sequence.
	p.link = LinkType(p.order.Uint32(b[20:]) & 0xffff)
	p.limit = maxRecord(p.link)
	return p
}

func isPcapMagic(m uint32) bool {
	return m == magicMicro || m == magicNano || m == magicKuznetzov || m == magicNavtel
}

// maxRecord is the longest record that is believed, per link type, as in
// libpcap (max_snaplen_for_dlt): what is longer is damage.
func maxRecord(link LinkType) uint32 {
	switch link {
	case 220, 231, 249: // USB with padded header, D-Bus, USBPcap
		return 128 << 20
	case 279: // EBHSCR
		return 8 << 20
	}
	return MaxFrame
}

// fill lends the records that are wholly in w. When there is none it returns
// how many bytes it wants to see.
func (p *pcapFile) fill(w *window, batch []Frame) (n, want int, err error) {
	if p.unsure {
		if want := p.settle(w); want > 0 {
			return 0, want, nil
		}
	}
	for n < len(batch) {
		b := w.bytes()
		if len(b) < p.header {
			return n, p.header, nil
		}
		sec, sub, caplen, wire := p.record(b)
		if caplen > p.limit {
			return n, 0, errRecordLength
		}
		kept := min(caplen, MaxFrame)
		end := p.header + int(kept)
		if len(b) < end {
			return n, end, nil
		}
		f := &batch[n]
		f.Data = b[p.header:end:end]
		f.At = int64(sec)*1e9 + int64(sub)*p.unit
		f.Wire = int(max(wire, caplen))
		f.Link, f.Iface, f.TPID, f.TCI = p.link, 0, 0, 0
		w.consume(int64(p.header) + int64(caplen))
		n++
		if caplen > kept {
			break // the rest of it is skipped by the next read
		}
	}
	return n, 0, nil
}

// recordNokia is a record header with four bytes more, as some Nokia tools wrote.
const recordNokia = 20

// settle finds the length of the record headers. Kuznetzov's and Nokia's
// programs also wrote files with the usual magic number; those are told by the
// second record, which makes sense only where their header is counted. Returns
// how many bytes it wants to see, 0 when it is done.
func (p *pcapFile) settle(w *window) (want int) {
	b := w.bytes()
	if len(b) < recordHeader && w.err == nil {
		return recordHeader
	}
	p.unsure = false
	if len(b) < recordHeader {
		return 0
	}
	_, _, caplen, _ := p.record(b)
	if caplen > MaxFrame {
		return 0
	}
	if need := recordKuznetzov + int(caplen) + recordHeader; len(b) < need && w.err == nil {
		p.unsure = true
		return need
	}
	for _, header := range [...]int{recordHeader, recordKuznetzov, recordNokia} {
		end := header + int(caplen)
		promised := header == recordHeader
		if promised && len(b) == end || len(b) >= end+recordHeader && p.plausible(b[end:], promised) {
			p.header = header
			return 0
		}
	}
	return 0
}

// plausible reports whether b looks like a record header. What the magic number
// promised is believed more easily.
func (p *pcapFile) plausible(b []byte, promised bool) bool {
	_, sub, caplen, wire := p.record(b)
	return caplen <= p.limit && (promised || sub < 1e6 && caplen <= wire && wire > 0)
}

// record reads a record header; b holds all of it.
func (p *pcapFile) record(b []byte) (sec, sub, caplen, wire uint32) {
	b = b[:recordHeader]
	if p.big {
		sec, sub, caplen, wire = be.Uint32(b), be.Uint32(b[4:]), be.Uint32(b[8:]), be.Uint32(b[12:])
	} else {
		sec, sub, caplen, wire = le.Uint32(b), le.Uint32(b[4:]), le.Uint32(b[8:]), le.Uint32(b[12:])
	}
	if p.swapped == swapAlways || p.swapped == swapMaybe && caplen > wire {
		caplen, wire = wire, caplen
	}
	return sec, sub, caplen, wire
}

// drops: a pcap file does not say what was dropped.
func (p *pcapFile) drops() (kernel, iface uint64) { return 0, 0 }
