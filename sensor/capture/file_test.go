package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// record is one frame to write, and what is expected to come back.
type record struct {
	sec, sub uint32
	data     string
	wire     uint32
}

// pcapBytes writes a pcap file; pad is put between the usual record header and
// the data.
func pcapBytes(order binary.AppendByteOrder, magic uint32, minor uint16, link uint32, pad int, records ...record) []byte {
	b := order.AppendUint32(nil, magic)
	b = order.AppendUint16(b, 2)
	b = order.AppendUint16(b, minor)
	b = append(b, make([]byte, 8)...)
	b = order.AppendUint32(b, 65535)
	b = order.AppendUint32(b, link)
	for _, r := range records {
		caplen, wire := uint32(len(r.data)), r.wire
		if minor < 3 {
			caplen, wire = wire, caplen
		}
		for _, v := range [...]uint32{r.sec, r.sub, caplen, wire} {
			b = order.AppendUint32(b, v)
		}
		b = append(b, make([]byte, pad)...)
		b = append(b, r.data...)
	}
	return b
}

var three = []record{{1700000000, 5, "first frame", 11}, {1700000001, 999999, "second", 1500}, {1700000002, 0, "the third frame", 15}}

// all reads r to its end, copying what is lent.
func all(t testing.TB, r io.Reader) ([]Frame, error) {
	t.Helper()
	f, err := NewFile("x.pcap", r, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var frames []Frame
	batch := make([]Frame, 3)
	for {
		n, err := f.Next(batch)
		for _, fr := range batch[:n] {
			fr.Data = bytes.Clone(fr.Data)
			frames = append(frames, fr)
		}
		if err == io.EOF {
			return frames, nil
		}
		if err != nil {
			return frames, err
		}
	}
}

func TestPcapVariants(t *testing.T) {
	for _, c := range []struct {
		name string
		file []byte
		unit int64
		link LinkType
	}{
		{"little endian, microseconds", pcapBytes(binary.LittleEndian, 0xa1b2c3d4, 4, 1, 0, three...), 1000, LinkEthernet},
		{"big endian, microseconds", pcapBytes(binary.BigEndian, 0xa1b2c3d4, 4, 113, 0, three...), 1000, LinkLinuxCooked},
		{"little endian, nanoseconds", pcapBytes(binary.LittleEndian, 0xa1b23c4d, 4, 276, 0, three...), 1, LinkCooked2},
		{"big endian, nanoseconds", pcapBytes(binary.BigEndian, 0xa1b23c4d, 4, 101, 0, three...), 1, LinkRaw},
		{"Kuznetzov", pcapBytes(binary.LittleEndian, 0xa1b2cd34, 4, 1, 8, three...), 1000, LinkEthernet},
		{"Kuznetzov's headers, the usual magic number", pcapBytes(binary.LittleEndian, 0xa1b2c3d4, 4, 1, 8, three...), 1000, LinkEthernet},
		{"Nokia's headers, the usual magic number", pcapBytes(binary.BigEndian, 0xa1b2c3d4, 4, 1, 4, three...), 1000, LinkEthernet},
		{"Navtel", pcapBytes(binary.LittleEndian, 0xa12b3c4d, 4, 1, 0, three...), 1000, LinkEthernet},
		{"version 2.2, lengths swapped", pcapBytes(binary.LittleEndian, 0xa1b2c3d4, 2, 1, 0, three...), 1000, LinkEthernet},
		{"check sequence length in the link type", pcapBytes(binary.LittleEndian, 0xa1b2c3d4, 4, 0x24000001, 0, three...), 1000, LinkEthernet},
	} {
		t.Run(c.name, func(t *testing.T) {
			frames, err := all(t, bytes.NewReader(c.file))
			if err != nil || len(frames) != len(three) {
				t.Fatalf("%d frames, %v; want %d", len(frames), err, len(three))
			}
			for n, want := range three {
				got := frames[n]
				at := int64(want.sec)*1e9 + int64(want.sub)*c.unit
				if string(got.Data) != want.data || got.Wire != int(want.wire) || got.At != at || got.Link != c.link {
					t.Errorf("frame %d: %q wire %d at %d link %d; want %q %d %d %d",
						n, got.Data, got.Wire, got.At, got.Link, want.data, want.wire, at, c.link)
				}
			}
		})
	}
}

func TestEveryPrefix(t *testing.T) {
	files := map[string][]byte{
		"pcap":   pcapBytes(binary.LittleEndian, 0xa1b2c3d4, 4, 1, 0, three...),
		"pcapng": ngBytes(binary.LittleEndian),
	}
	for name, file := range files {
		whole, err := all(t, bytes.NewReader(file))
		if err != nil {
			t.Fatal(name, err)
		}
		clean := 0 // prefixes that end between records
		for n := range file {
			frames, err := all(t, bytes.NewReader(file[:n]))
			switch {
			case err == nil:
				clean++
			case !errors.Is(err, ErrTruncated) && !errors.Is(err, ErrNotCapture):
				t.Errorf("%s: first %d bytes: %v", name, n, err)
			case errors.Is(err, ErrTruncated) && !strings.Contains(err.Error(), fmt.Sprintf("truncated after %d frames", len(frames))):
				t.Errorf("%s: first %d bytes: %v; %d frames were read", name, n, err, len(frames))
			}
			for i := range frames {
				if !bytes.Equal(frames[i].Data, whole[i].Data) {
					t.Errorf("%s: first %d bytes: frame %d differs", name, n, i)
				}
			}
		}
		if clean == 0 || clean > 12 {
			t.Errorf("%s: %d prefixes read without an error", name, clean)
		}
	}
}

// One byte at a time, the frames are the same.
func TestSlowReader(t *testing.T) {
	frames, err := all(t, iotestOneByte{bytes.NewReader(pcapBytes(binary.LittleEndian, 0xa1b2c3d4, 4, 1, 0, three...))})
	if err != nil || len(frames) != 3 || string(frames[2].Data) != three[2].data {
		t.Errorf("%d frames, %v", len(frames), err)
	}
}

type iotestOneByte struct{ r io.Reader }

func (o iotestOneByte) Read(b []byte) (int, error) { return o.r.Read(b[:min(len(b), 1)]) }

func TestCompressed(t *testing.T) {
	plain := pcapBytes(binary.LittleEndian, 0xa1b2c3d4, 4, 1, 0, three...)
	dir := t.TempDir()
	var gz, members, zs bytes.Buffer
	w := gzip.NewWriter(&gz)
	_, _ = w.Write(plain)
	_ = w.Close()
	for _, part := range [][]byte{plain[:40], plain[40:]} { // two gzip members, as of concatenated files
		w.Reset(&members)
		_, _ = w.Write(part)
		_ = w.Close()
	}
	z, _ := zstd.NewWriter(&zs)
	_, _ = z.Write(plain)
	_ = z.Close()
	skippable := append([]byte{0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4}, zs.Bytes()...)
	for name, file := range map[string][]byte{
		"a.pcap": plain, "a.gz": gz.Bytes(), "members.gz": members.Bytes(), "a.zst": zs.Bytes(),
		"skippable.zst": skippable, "misnamed.pcap": gz.Bytes(),
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := OpenFile(path, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		batch := make([]Frame, 16)
		n, err := f.Next(batch)
		if n != 3 || err != nil || string(batch[1].Data) != three[1].data {
			t.Errorf("%s: %d frames, %v", name, n, err)
		}
		if _, err := f.Next(batch); err != io.EOF {
			t.Errorf("%s: %v at the end", name, err)
		}
		if read, total := f.Progress(); read != total || total != int64(len(file)) {
			t.Errorf("%s: progress %d of %d, file of %d", name, read, total, len(file))
		}
		f.Close()
	}
	for name, cut := range map[string][]byte{"gzip": gz.Bytes()[:gz.Len()-12], "zstd": zs.Bytes()[:zs.Len()-6]} {
		if _, err := all(t, bytes.NewReader(cut)); !errors.Is(err, ErrTruncated) {
			t.Errorf("%s cut short: %v", name, err)
		}
	}
}

// A zstd frame may ask for a window of terabytes.
func TestWindowIsBounded(t *testing.T) {
	claim := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf8, 0x01, 0x00, 0x00}
	if _, err := NewFile("bomb", bytes.NewReader(claim), 0); err == nil || !strings.Contains(err.Error(), "window") {
		t.Errorf("window of 2 TiB: %v", err)
	}
}

func TestNotACapture(t *testing.T) {
	for _, s := range []string{"", "x", "GIF89a and then some more bytes", "\xa1\xb2\xc3\xd4 short", strings.Repeat("\x00", 100)} {
		if _, err := NewFile("photo.gif", strings.NewReader(s), 0); !errors.Is(err, ErrNotCapture) || err.Error() != "photo.gif: not a pcap or pcapng file" {
			t.Errorf("%.10q: %v", s, err)
		}
	}
	if _, err := OpenFile(filepath.Join(t.TempDir(), "none.pcap"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := OpenFile(t.TempDir(), nil); err == nil || errors.Is(err, ErrNotCapture) {
		t.Errorf("directory: %v", err)
	}
}

func TestStdin(t *testing.T) {
	f, err := OpenFile("-", bytes.NewReader(pcapBytes(binary.LittleEndian, 0xa1b2c3d4, 4, 1, 0, three...)))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := f.Next(make([]Frame, 8)); n != 3 || err != nil {
		t.Errorf("%d frames, %v", n, err)
	}
}

// Headers that claim more than there can be are damage.
func TestClaims(t *testing.T) {
	good := pcapBytes(binary.LittleEndian, 0xa1b2c3d4, 4, 1, 0, three...)
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"record of 4 GiB":       {append(bytes.Clone(good), 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255), ErrDamaged},
		"record beyond the max": {append(bytes.Clone(good), 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 4, 0, 1, 0, 4, 0), ErrDamaged},
		"record of 256 KiB":     {append(bytes.Clone(good), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 4, 0, 1), ErrTruncated},
	} {
		frames, err := all(t, bytes.NewReader(c.file))
		if len(frames) != 3 || !errors.Is(err, c.want) {
			t.Errorf("%s: %d frames, %v; want %v", name, len(frames), err, c.want)
		}
	}
}

// Records of a bus may be longer than the window; the frame after is intact.
func TestLongRecord(t *testing.T) {
	long := record{1, 2, strings.Repeat("usb", 1<<20), 3 << 20}
	frames, err := all(t, bytes.NewReader(pcapBytes(binary.LittleEndian, 0xa1b2c3d4, 4, 220, 0, long, three[0])))
	if err != nil || len(frames) != 2 || len(frames[0].Data) != MaxFrame || frames[0].Wire != 3<<20 || string(frames[1].Data) != three[0].data {
		t.Errorf("%d frames, %v", len(frames), err)
	}
}

// What pcapgo writes, both read alike.
func TestAgainstPcapgo(t *testing.T) {
	var file bytes.Buffer
	w := pcapgo.NewWriterNanos(&file)
	_ = w.WriteFileHeader(65535, layers.LinkTypeEthernet)
	for n := range 5000 {
		data := bytes.Repeat([]byte{byte(n)}, 60+n*7%9000)
		ci := gopacket.CaptureInfo{Timestamp: time.Unix(1700000000, int64(n)*12345), CaptureLength: len(data), Length: len(data) + n%3}
		if err := w.WritePacket(ci, data); err != nil {
			t.Fatal(err)
		}
	}
	frames, err := all(t, bytes.NewReader(file.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	r, err := pcapgo.NewReader(&file)
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
		if got := frames[n]; !bytes.Equal(got.Data, data) || got.At != ci.Timestamp.UnixNano() || got.Wire != ci.Length {
			t.Fatalf("frame %d differs", n)
		}
	}
}
