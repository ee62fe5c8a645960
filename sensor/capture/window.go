package capture

import "io"

// windowSize is how much of a file is read at once. It holds the largest frame
// several times over, and 512 KiB is where larger reads stop paying.
const windowSize = 512 << 10

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
	n, err := w.r.Read(w.buf[w.hi:])
	w.hi += n
	w.err = err
}
