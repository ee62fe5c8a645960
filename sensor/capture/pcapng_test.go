package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// block writes one pcapng block.
func block(order binary.AppendByteOrder, kind uint32, body []byte) []byte {
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	total := uint32(12 + len(body))
	b := order.AppendUint32(nil, kind)
	b = order.AppendUint32(b, total)
	b = append(b, body...)
	return order.AppendUint32(b, total)
}

// fields appends integers, each in the width of its type.
func fields(order binary.AppendByteOrder, values ...any) (b []byte) {
	for _, v := range values {
		switch v := v.(type) {
		case uint16:
			b = order.AppendUint16(b, v)
		case uint32:
			b = order.AppendUint32(b, v)
		case uint64:
			b = order.AppendUint64(b, v)
		case string:
			b = append(b, v...)
		}
	}
	return b
}

func section(order binary.AppendByteOrder) []byte {
	return block(order, blockSection, fields(order, uint32(0x1a2b3c4d), uint16(1), uint16(0), ^uint64(0)))
}

func description(order binary.AppendByteOrder, link uint16, snap uint32, options ...any) []byte {
	return block(order, blockInterface, fields(order, append([]any{link, uint16(0), snap}, options...)...))
}

// ngBytes writes a section with two interfaces and every block that carries a
// packet, among blocks that carry none.
func ngBytes(order binary.AppendByteOrder) []byte {
	return bytes.Join([][]byte{
		section(order),
		description(order, 1, 0, uint16(9), uint16(1), "\x09\x00\x00\x00", uint16(0), uint16(0)),
		block(order, 4, fields(order, uint32(0))), // names
		description(order, 113, 8, uint16(9), uint16(1), "\x83\x00\x00\x00", uint16(14), uint16(8), uint64(100)),
		block(order, blockEnhanced, fields(order, uint32(0), uint32(0x17979cfe), uint32(0x362a0000), uint32(5), uint32(60), "hello\x00\x00\x00")),
		block(order, blockPacket, fields(order, uint16(1), uint16(7), uint32(0), uint32(8*1000+4), uint32(3), uint32(3), "old")),
		block(order, 0x0bad, []byte("a block of somebody's own")),
		block(order, blockSimple, fields(order, uint32(6), "simple")),
		block(order, blockStatistics, fields(order, uint32(1), uint32(0), uint32(0),
			uint16(4), uint16(8), uint64(1000), uint16(5), uint16(8), uint64(11), uint16(7), uint16(8), uint64(22))),
	}, nil)
}

func TestPcapng(t *testing.T) {
	// A second section has the other byte order, and its own interfaces.
	file := append(ngBytes(binary.LittleEndian), ngBytes(binary.BigEndian)...)
	frames, err := all(t, bytes.NewReader(file))
	if err != nil || len(frames) != 6 {
		t.Fatalf("%d frames, %v", len(frames), err)
	}
	const first = 0x17979cfe362a0000
	want := []Frame{
		{Data: []byte("hello"), At: first, Wire: 60, Link: LinkEthernet},
		{Data: []byte("old"), At: 1100*1e9 + 5e8, Wire: 3, Link: LinkLinuxCooked, Iface: 1},
		{Data: []byte("simple"), At: 1100*1e9 + 5e8, Wire: 6, Link: LinkEthernet},
	}
	for n, got := range frames {
		w := want[n%3]
		if !bytes.Equal(got.Data, w.Data) || got.At != w.At || got.Wire != w.Wire || got.Link != w.Link || got.Iface != w.Iface {
			t.Errorf("frame %d: %+v, want %+v", n, got, w)
		}
	}
	f, _ := NewFile("x", bytes.NewReader(file), 0)
	for batch := make([]Frame, 2); err == nil; {
		_, err = f.Next(batch)
	}
	if s := f.Stats(); err != io.EOF || s.Frames != 6 || s.DroppedInterface != 22 || s.DroppedKernel != 44 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestPcapngDamage(t *testing.T) {
	o := binary.LittleEndian
	good := ngBytes(o)
	for name, tail := range map[string][]byte{
		"undescribed interface":         block(o, blockEnhanced, fields(o, uint32(2), uint32(0), uint32(0), uint32(0), uint32(0))),
		"captured length past block":    block(o, blockEnhanced, fields(o, uint32(0), uint32(0), uint32(0), uint32(9), uint32(9), "12345678")),
		"captured length of 4 GiB":      block(o, blockEnhanced, fields(o, uint32(0), uint32(0), uint32(0), uint32(math.MaxUint32), uint32(9))),
		"block length zero":             {6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		"block length of 4 GiB":         {6, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0},
		"lengths differ":                {6, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0},
		"clock too fine":                description(o, 1, 0, uint16(9), uint16(1), "\x20\x00\x00\x00"),
		"byte order":                    block(o, blockSection, fields(o, uint32(1), uint32(0), uint64(0))),
		"enhanced packet of four bytes": block(o, blockEnhanced, fields(o, uint32(0))),
	} {
		frames, err := all(t, bytes.NewReader(append(bytes.Clone(good), tail...)))
		if len(frames) != 3 || !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %d frames, %v", name, len(frames), err)
		}
	}
}

// A block of secrets may be longer than the window: it is passed over.
func TestLongBlock(t *testing.T) {
	o := binary.LittleEndian
	file := append(append(section(o), block(o, 10, make([]byte, 5<<20))...), ngBytes(o)...)
	if frames, err := all(t, bytes.NewReader(file)); len(frames) != 3 || err != nil {
		t.Errorf("%d frames, %v", len(frames), err)
	}
	if _, err := all(t, bytes.NewReader(file[:1<<20])); !errors.Is(err, ErrTruncated) {
		t.Errorf("cut inside: %v", err)
	}
}

func TestInterfacesAreBounded(t *testing.T) {
	o := binary.LittleEndian
	file := append(section(o), bytes.Repeat(description(o, 1, 0), maxInterfaces+1)...)
	if _, err := all(t, bytes.NewReader(file)); !errors.Is(err, errInterfaces) {
		t.Errorf("%v", err)
	}
}

func TestTime(t *testing.T) {
	for _, c := range []struct {
		resol  byte
		offset int64
		ts     uint64
		want   int64
	}{
		{6, 0, 1700000000123456, 1700000000123456000},
		{9, 0, 1700000000123456789, 1700000000123456789},
		{0, 0, 1700000000, 1700000000000000000},
		{12, 0, 1700000000123456, 1700000000123},
		{19, 0, math.MaxUint64, 1844674407},
		{0x80 | 10, 0, 1024*5 + 512, 5500000000},
		{0x80 | 63, 0, 1 << 62, 500000000},
		{6, 3600, 1000000, 3601000000000},
		{6, -1, 500000, -500000000},
		{0, 0, math.MaxUint64, math.MaxInt64},
		{0, math.MaxInt64, 5, math.MaxInt64},
		{0, math.MinInt64, 5, math.MinInt64},
	} {
		i := ngInterface{units: resolution(c.resol), offset: c.offset}
		if got := i.time(c.ts); got != c.want {
			t.Errorf("resolution %#x offset %d: time(%d) = %d, want %d", c.resol, c.offset, c.ts, got, c.want)
		}
	}
}

func TestAgainstPcapgoNg(t *testing.T) {
	var file bytes.Buffer
	w, err := pcapgo.NewNgWriter(&file, layers.LinkTypeEthernet)
	if err != nil {
		t.Fatal(err)
	}
	second, _ := w.AddInterface(pcapgo.NgInterface{Name: "two", LinkType: layers.LinkTypeRaw, SnapLength: 100})
	for n := range 3000 {
		data := bytes.Repeat([]byte{byte(n)}, 20+n*13%4000)
		ci := gopacket.CaptureInfo{Timestamp: time.Unix(1700000000, int64(n)*1000), CaptureLength: len(data), Length: len(data) + n%5, InterfaceIndex: n % 2 * second}
		if err := w.WritePacket(ci, data); err != nil {
			t.Fatal(err)
		}
	}
	_ = w.Flush()
	frames, err := all(t, bytes.NewReader(file.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	r, err := pcapgo.NewNgReader(&file, pcapgo.NgReaderOptions{WantMixedLinkType: true})
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; ; n++ {
		data, ci, err := r.ReadPacketData()
		if err == io.EOF {
			if n != len(frames) {
				t.Errorf("pcapgo read %d frames, we %d", n, len(frames))
			}
			return
		}
		if got := frames[n]; !bytes.Equal(got.Data, data) || got.At != ci.Timestamp.UnixNano() || got.Wire != ci.Length || int(got.Iface) != ci.InterfaceIndex {
			t.Fatalf("frame %d differs: %d %d, %v", n, got.At, got.Wire, ci)
		}
	}
}
