package main

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// logBurst is how many lines of one cause a minute are written.
	logBurst  = 30
	logWindow = time.Minute
	// maxCauses bounds the causes that are told apart; texts of causes are
	// few, and written in the source.
	maxCauses = 1024
)

// limitedLog is a handler that writes a cause, which is a line's text, no more
// than logBurst times a minute. The first line of a cause after others were
// left out says how many: nothing is silent, and nothing fills the disk. Lines
// for debugging pass.
type limitedLog struct {
	slog.Handler
	causes *causes
}

// causes is shared by a handler and those derived from it.
type causes struct {
	mu  sync.Mutex
	all map[string]*cause
}

type cause struct {
	from    time.Time // of the window
	written int
	left    int // out
}

func newLimited(h slog.Handler) slog.Handler {
	return &limitedLog{h, &causes{all: map[string]*cause{}}}
}

// Handle implements slog.Handler.
func (l *limitedLog) Handle(ctx context.Context, r slog.Record) error {
	if r.Level > slog.LevelDebug {
		write, left := l.causes.note(r.Message, r.Time)
		if !write {
			return nil
		}
		if left > 0 {
			r = r.Clone()
			r.AddAttrs(slog.Int("left_out", left))
		}
	}
	return l.Handler.Handle(ctx, r)
}

// note counts a line, and says whether to write it and how many like it were
// left out before.
func (c *causes) note(text string, at time.Time) (write bool, left int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.all[text]
	if k == nil {
		if len(c.all) >= maxCauses {
			clear(c.all)
		}
		k = &cause{from: at}
		c.all[text] = k
	}
	if gone := at.Sub(k.from); gone >= logWindow || gone < 0 {
		k.from, k.written, left, k.left = at, 0, k.left, 0
	}
	if k.written >= logBurst {
		k.left++
		return false, 0
	}
	k.written++
	return true, left
}

// WithAttrs implements slog.Handler.
func (l *limitedLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &limitedLog{l.Handler.WithAttrs(attrs), l.causes}
}

// WithGroup implements slog.Handler.
func (l *limitedLog) WithGroup(name string) slog.Handler {
	return &limitedLog{l.Handler.WithGroup(name), l.causes}
}
