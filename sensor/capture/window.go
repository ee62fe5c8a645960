package capture

import "io"

// windowSize holds the largest frame, and a read beside it.
const windowSize = 512 << 10

// readSize is how much is read at once: little enough that the bytes are still
// in the second-level cache when they are decoded. Reading a file of 1,000,000
// frames and 819 MiB took 146 to 158 ns of processor time a frame with 256 KiB,
// 152 to 162 with 1 MiB, 181 to 187 with 4 MiB, 162 to 190 mapped into memory.
const readSize = 256 << 10

// window is the part of a stream that is in memory: buf[lo:hi] was read and is
// not yet consumed. The buffer never grows. Not safe for concurrent use.
type window struct {
	r      io.Reader
	buf    []byte
	lo, hi int
	skip   int64 // bytes to throw away before anything else is read
	off    int64 // bytes of the stream before buf[lo]
	err    error // what ended the stream; io.EOF when it ended well
}

func newWindow(r io.Reader, head []byte) *window {
	w := &window{r: r, buf: make([]byte, windowSize)}
	w.hi = copy(w.buf, head)
	return w
}

// bytes returns what is there. Reading moves it.
func (w *window) bytes() []byte { return w.buf[w.lo:w.hi] }

// consume gives up the first n bytes, which may be more than are there.
func (w *window) consume(n int64) {
	w.off += n
	if have := int64(w.hi - w.lo); n > have {
		w.skip += n - have
		n = have
	}
	w.lo += int(n)
}

// want reads until n bytes are there and reports whether they are. What was
// lent before is overwritten. n is at most windowSize.
func (w *window) want(n int) bool {
	for w.skip > 0 && w.err == nil {
		w.lo, w.hi = 0, 0
		w.read()
		drop := min(w.skip, int64(w.hi))
		w.skip -= drop
		w.lo = int(drop)
	}
	if w.hi-w.lo >= n {
		return true
	}
	w.hi = copy(w.buf, w.buf[w.lo:w.hi])
	w.lo = 0
	for w.hi < n && w.err == nil {
		w.read()
	}
	return w.hi >= n
}

func (w *window) read() {
	n, err := w.r.Read(w.buf[w.hi:min(w.hi+readSize, len(w.buf))])
	w.hi += n
	w.err = err
}
