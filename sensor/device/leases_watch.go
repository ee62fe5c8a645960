package device

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"picket/sensor/observation"
)

// watch reads each lease file when its size or time changed.
func (f *Feed) watch(ctx context.Context) error {
	every := f.Every
	if every <= 0 {
		every = 10 * time.Second
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	seen := make([]fileState, len(f.Leases))
	for {
		for i, l := range f.Leases {
			err := f.readIfChanged(ctx, l, &seen[i])
			if said := errText(err); said != seen[i].said {
				if seen[i].said = said; err != nil {
					f.Log.Warn("lease file", "path", l.Path, "err", err)
				}
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// fileState is what a file looked like when it was read last.
type fileState struct {
	size int64
	at   time.Time
	said string // the last complaint
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func (f *Feed) readIfChanged(ctx context.Context, l LeaseFile, s *fileState) error {
	file, err := os.Open(l.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	st, err := file.Stat()
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() {
		return fmt.Errorf("%s: not a regular file", l.Path)
	}
	if st.Size() == s.size && st.ModTime().Equal(s.at) {
		return nil
	}
	s.size, s.at = st.Size(), st.ModTime()
	return f.readLeases(ctx, l, file)
}

// readLeases sends what a lease file says now: of each address the last word.
func (f *Feed) readLeases(ctx context.Context, l LeaseFile, r io.Reader) error {
	var kea KeaLeases
	s := bufio.NewScanner(io.LimitReader(r, maxLeaseFile))
	s.Buffer(make([]byte, 0, 512), maxFeedLine)
	batch := make([]observation.Observation, 0, feedBatch)
	for s.Scan() {
		var b observation.BindingSeen
		var err error
		if l.Kea {
			b, err = kea.ParseLine(s.Text())
		} else {
			b, err = ParseDnsmasqLine(s.Text())
		}
		switch err {
		case nil:
		case ErrNoLease:
			continue
		default:
			f.refused.Add(1)
			continue
		}
		f.lines.Add(1)
		if batch = append(batch, f.observe(l.Realm, b)); len(batch) == feedBatch {
			if !f.send(ctx, batch) {
				return nil
			}
			batch = make([]observation.Observation, 0, feedBatch)
		}
	}
	f.send(ctx, batch)
	return s.Err()
}
