package capture

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

var (
	// ErrTruncated: the file ends inside a record. What was before it was delivered.
	ErrTruncated = errors.New("truncated")
	// ErrDamaged: the file says something impossible. What was before it was delivered.
	ErrDamaged = errors.New("damaged")
	// ErrNotCapture: the file is neither pcap nor pcapng.
	ErrNotCapture = errors.New("not a pcap or pcapng file")
)

// What can be wrong inside a file.
var (
	errRecordLength = errors.New("impossible record length")
	errBlockLength  = errors.New("impossible block length")
	errByteOrder    = errors.New("section with an unknown byte order")
	errInterface    = errors.New("packet of an interface that was not described")
	errInterfaces   = errors.New("more than 65536 interfaces in a section")
	errResolution   = errors.New("clock resolution too fine")
)

// maxZstdWindow bounds what a zstd stream can make us hold; it is what
// zstd --long needs, and zstd's own limit without --memory.
const maxZstdWindow = 128 << 20

// File reads a capture file: pcap or pcapng, plain, gzip or zstd, told by
// content and not by name. It lends frames out of one buffer of fixed size and
// allocates nothing per frame. Not safe for concurrent use, but for Progress.
type File struct {
	name   string
	w      *window
	format format
	frames uint64
	err    error // returned by every call from now on
	close  []func()

	read  atomic.Int64 // bytes of the file, as stored, that were read
	total int64        // its length, 0 when unknown
}

// format is one of the two file formats. Called once a batch.
type format interface {
	// fill lends what is wholly in w; with n = 0 and no error, want is how
	// many bytes must be there for the next record, 0 after a skip.
	fill(w *window, batch []Frame) (n, want int, err error)
	drops() (kernel, iface uint64)
}

// OpenFile opens the capture at path; "-" reads stdin.
func OpenFile(path string, stdin io.Reader) (*File, error) {
	if path == "-" {
		return NewFile("stdin", stdin, 0)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	var size int64
	if st, err := file.Stat(); err == nil && st.Mode().IsRegular() {
		size = st.Size()
	}
	f, err := NewFile(path, file, size)
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	f.close = append(f.close, func() { _ = file.Close() })
	return f, nil
}

// NewFile reads a capture from r. name is used in errors; size is the length
// of r in bytes, 0 when it is not known.
func NewFile(name string, r io.Reader, size int64) (*File, error) {
	f := &File{name: name, total: size}
	if err := f.start(&counting{r, &f.read}); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// start undoes the compression and reads the file header.
func (f *File) start(r io.Reader) error {
	var magic [4]byte
	n, err := io.ReadFull(r, magic[:])
	if n == 0 && err != nil && err != io.EOF {
		return err
	}
	head := magic[:n]
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}): // RFC 1952, section 2.3.1
		z, err := gzip.NewReader(rejoin(head, r))
		if err != nil {
			return fmt.Errorf("gzip: %w", err)
		}
		f.w = newWindow(z, nil)
	case isZstd(head):
		z, err := zstd.NewReader(rejoin(head, r), zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderMaxWindow(maxZstdWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return fmt.Errorf("zstd: %w", err)
		}
		f.close = append(f.close, z.Close)
		f.w = newWindow(z, nil)
	default:
		f.w = newWindow(r, head)
	}
	return f.detect()
}

// isZstd knows the frame magic and the skippable frames that pzstd begins
// with (RFC 8878, sections 3.1.1 and 3.1.2).
func isZstd(b []byte) bool {
	if len(b) < 4 {
		return false
	}
	m := le.Uint32(b)
	return m == 0xfd2fb528 || m&^0xf == 0x184d2a50
}

func rejoin(head []byte, r io.Reader) io.Reader {
	return bufio.NewReaderSize(io.MultiReader(bytes.NewReader(bytes.Clone(head)), r), windowSize)
}

// detect chooses the format.
func (f *File) detect() error {
	f.w.want(4)
	if b := f.w.bytes(); len(b) >= 4 && le.Uint32(b) == blockSection {
		f.format = &pcapngFile{order: le}
		return nil
	}
	f.w.want(pcapHeader)
	if p := newPcap(f.w.bytes()); p != nil {
		f.format = p
		f.w.consume(pcapHeader)
		return nil
	}
	switch err := f.w.err; err {
	case nil, io.EOF:
		return ErrNotCapture
	case io.ErrUnexpectedEOF: // of a compressed stream
		return fmt.Errorf("%w before the first frame", ErrTruncated)
	default:
		return err
	}
}

// Next fills batch and returns how many frames; their bytes are valid until
// the following call. At the end it returns io.EOF; of a truncated or damaged
// file first everything before the damage, then an error that says how far it
// was read.
func (f *File) Next(batch []Frame) (int, error) {
	for last := false; f.err == nil && len(batch) > 0; {
		n, want, err := f.format.fill(f.w, batch)
		f.frames += uint64(n)
		if err != nil {
			f.err = f.broken(ErrDamaged, err)
		}
		if n > 0 {
			return n, nil
		}
		if err == nil && !f.w.want(max(want, 1)) {
			if last {
				f.err = f.ended()
			}
			last = true // once more, now that the end is in sight
		}
	}
	return 0, f.err
}

// ended says how the stream ended.
func (f *File) ended() error {
	switch left := len(f.w.bytes()); {
	case f.w.err != io.EOF && f.w.err != io.ErrUnexpectedEOF:
		return f.broken(ErrDamaged, f.w.err)
	case f.w.err == io.ErrUnexpectedEOF: // of a compressed stream
		return f.broken(ErrTruncated, nil)
	case f.w.skip > 0 || left > 0:
		return f.broken(ErrTruncated, nil)
	}
	return io.EOF
}

func (f *File) broken(what, why error) error {
	where := fmt.Sprintf("after %d frames, %d bytes in", f.frames, f.w.off)
	if why == nil {
		return fmt.Errorf("%s: %w %s", f.name, what, where)
	}
	return fmt.Errorf("%s: %w %s: %w", f.name, what, where, why)
}

// Progress returns how much of the file, as stored, was read, and its length,
// 0 when it is not known. It may be called from another goroutine.
func (f *File) Progress() (read, total int64) { return f.read.Load(), f.total }

// Stats returns what was read, and what the file says was lost before it was written.
func (f *File) Stats() Stats {
	kernel, iface := f.format.drops()
	return Stats{Frames: f.frames, DroppedKernel: kernel, DroppedInterface: iface}
}

// Close gives up the file. The frames lent last are no longer valid.
func (f *File) Close() {
	for _, c := range f.close {
		c()
	}
	f.close = nil
}

// counting counts what is read through it.
type counting struct {
	r io.Reader
	n *atomic.Int64
}

func (c *counting) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n.Add(int64(n))
	return n, err
}
