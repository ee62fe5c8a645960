package geo

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long a database's directory must be quiet before it is read:
// an update replaces several files, one after the other.
const settle = 500 * time.Millisecond

// Reload opens all databases anew and puts them in place of the old ones.
// Judging goes on meanwhile, with the old ones; on any error they stay.
func (g *Geo) Reload() error { return g.Replace(g.current()) }

// Replace does the same with another configuration.
func (g *Geo) Replace(c Config) error {
	next, err := New(c)
	if err != nil {
		g.reloadsFailed.Add(1)
		return err
	}
	g.Adopt(next)
	return nil
}

// Adopt takes over the databases and rules of next, which may come from New
// long before: what is to be swapped together can be opened together first.
// NAT64 prefixes learnt so far stay. next may be used no more.
func (g *Geo) Adopt(next *Geo) {
	g.mu.Lock()
	learnt := (*g.nat64.Load())[len(g.config.NAT64):]
	c := next.config
	prefixes := append(append(make([]netip.Prefix, 0, len(c.NAT64)+len(learnt)), c.NAT64...), learnt...)
	g.config = c
	g.nat64.Store(&prefixes)
	old := g.snap.Swap(next.snap.Load()) // its files are let go once nothing refers to them
	g.evicted.Add(old.cache.evicted.Load())
	g.reloads.Add(1)
	g.mu.Unlock()
	select {
	case g.adopted <- struct{}{}:
	default: // Run has not looked yet
	}
}

func (g *Geo) current() Config {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.config
}

// Run watches the directories of the databases and reloads when one of them
// was replaced, until ctx is done. tried, which may be nil, is told how it
// went. Directories are watched, not files: a file that is replaced by rename
// is another file.
func (g *Geo) Run(ctx context.Context, tried func(error)) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("geo: watching databases: %w", err)
	}
	defer w.Close()
	watched := g.watch(w)
	timer := time.NewTimer(settle)
	timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-g.adopted:
			watched = g.watch(w)
		case e := <-w.Events:
			if watched[filepath.Clean(e.Name)] && !e.Has(fsnotify.Remove) && !e.Has(fsnotify.Chmod) {
				timer.Reset(settle)
			}
		case err := <-w.Errors:
			g.log.Warn("watching geo databases", "error", err)
		case <-timer.C:
			err := g.Reload()
			if err != nil {
				g.log.Error("geo databases not reloaded, the old ones stay", "err", err)
			} else {
				g.log.Info("geo databases reloaded")
			}
			if tried != nil {
				tried(err)
			}
		}
	}
}

// watch adds the directories of the present files and returns the files.
func (g *Geo) watch(w *fsnotify.Watcher) map[string]bool {
	c := g.current()
	files := map[string]bool{}
	for _, path := range append(append([]string{}, c.Databases...), c.Base) {
		if path == "" {
			continue
		}
		files[filepath.Clean(path)] = true
		if err := w.Add(filepath.Dir(path)); err != nil {
			g.log.Warn("directory of a geo database is not watched", "path", path, "error", err)
		}
	}
	return files
}
