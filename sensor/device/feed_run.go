package device

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"picket/sensor/observation"
)

// LeaseFile is a lease file to watch, and the realm that its addresses are in.
type LeaseFile struct {
	Path  string
	Realm string
	Kea   bool // a Kea memfile; else dnsmasq's
}

// Feed brings in what the network already knows: lease files, read again
// when they change, and JSON lines over a Unix socket. Its fields are set
// before Run.
type Feed struct {
	Leases []LeaseFile
	Socket string                           // path; empty for none
	Realm  string                           // of feed lines that name none
	Every  time.Duration                    // between looks at the lease files; default 10 s
	Now    func() time.Time                 // required
	Out    chan<- []observation.Observation // required; a full channel makes the Feed wait
	Log    *slog.Logger                     // required

	lines, refused atomic.Uint64
}

const (
	maxFeeders   = 16       // connections at a time; further ones wait
	maxLeaseFile = 64 << 20 // bytes of one file
	feedBatch    = 128
)

// Counts says how many bindings were read, and how many lines could not be.
func (f *Feed) Counts() (lines, refused uint64) { return f.lines.Load(), f.refused.Load() }

// Run feeds until ctx is done. A lease file that is not there, or cannot be
// read, is logged once and tried again; a socket that cannot be opened is an
// error.
func (f *Feed) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	if f.Socket != "" {
		l, err := listenUnix(f.Socket)
		if err != nil {
			return fmt.Errorf("feed: %w", err)
		}
		g.Go(func() error { return f.accept(ctx, l) })
	}
	if len(f.Leases) > 0 {
		g.Go(func() error { return f.watch(ctx) })
	}
	return g.Wait()
}

// listenUnix opens the socket for its owner and group; one that an earlier
// run left behind is replaced.
func listenUnix(path string) (net.Listener, error) {
	if st, err := os.Lstat(path); err == nil && st.Mode()&fs.ModeSocket != 0 {
		if c, err := net.Dial("unix", path); err == nil {
			c.Close()
			return nil, fmt.Errorf("%s: in use by another process", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o660); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func (f *Feed) accept(ctx context.Context, l net.Listener) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(maxFeeders + 1)
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	for {
		c, err := l.Accept()
		if ctx.Err() != nil {
			return g.Wait()
		}
		if err != nil {
			l.Close()
			return errors.Join(fmt.Errorf("feed: %w", err), g.Wait())
		}
		g.Go(func() error {
			defer context.AfterFunc(ctx, func() { c.Close() })()
			defer c.Close()
			f.readFeed(ctx, c)
			return nil
		})
	}
}

// readFeed reads the lines of one connection.
func (f *Feed) readFeed(ctx context.Context, r io.Reader) {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 512), maxFeedLine)
	for s.Scan() {
		realm, b, err := ParseFeedLine(s.Bytes())
		if err != nil {
			f.refused.Add(1)
			continue
		}
		if realm == "" {
			realm = f.Realm
		}
		f.lines.Add(1)
		if !f.send(ctx, []observation.Observation{f.observe(realm, b)}) {
			return
		}
	}
	if s.Err() != nil && ctx.Err() == nil {
		f.refused.Add(1)
		f.Log.Warn("feed connection ended", "err", s.Err())
	}
}

func (f *Feed) observe(realm string, b observation.BindingSeen) observation.Observation {
	now := f.Now().UTC()
	if b.Place != (observation.Place{}) && b.Place.At.IsZero() {
		b.Place.At = now
	}
	return observation.Observation{Kind: observation.Binding, At: now, Realm: realm, Binding: &b}
}

func (f *Feed) send(ctx context.Context, batch []observation.Observation) bool {
	if len(batch) == 0 {
		return true
	}
	select {
	case f.Out <- batch:
		return true
	case <-ctx.Done():
		return false
	}
}
