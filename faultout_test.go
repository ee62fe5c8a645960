package main

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"picket/evidence"
	"picket/sensor"
	"picket/sensor/capture"
)

// lingering plays frames and then is a quiet span until it is told to end.
type lingering struct {
	sensor.Source
	end    chan struct{}
	played bool
}

// Next implements sensor.Source.
func (l *lingering) Next(batch []capture.Frame) (int, error) {
	if !l.played {
		if n, err := l.Source.Next(batch); err == nil {
			return n, nil
		}
		l.played = true
	}
	select {
	case <-l.end:
		return 0, context.Canceled
	case <-time.After(10 * time.Millisecond): // as a socket without frames
		return 0, nil
	}
}

// accused runs a sensor that sees a prohibited handset send, until done says
// so, and returns how long it took.
func accused(t *testing.T, managers string, change func(*station), done func(*station) bool) time.Duration {
	t.Helper()
	source := &lingering{Source: halfOfEpisode(0), end: make(chan struct{})}
	s := soakStation(t, fmt.Sprintf(soakConfig, managers), source)
	if change != nil {
		change(s)
	}
	ended := make(chan error, 1)
	began := time.Now()
	go func() { ended <- s.work(t.Context(), nil) }()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !done(s) {
		select {
		case <-deadline:
			t.Fatal("it did not come to that within a minute")
		case err := <-ended:
			t.Fatalf("the sensor ended: %v", err)
		case <-tick.C:
		}
	}
	took := time.Since(began)
	close(source.end)
	stopping := time.Now()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	s.close()
	if ended := time.Since(stopping); ended > 5*time.Second {
		t.Errorf("it took %s to end", ended)
	}
	return took
}

// TestSlowDisk: every commit takes two seconds (another process holds the
// write lock, again and again). The alert is out at once all the same, the
// frames are read, and in the end all of it is on the disk.
func TestSlowDisk(t *testing.T) {
	manager := &inbox{}
	server := httptest.NewServer(manager)
	defer server.Close()
	var dir string
	stop, stopped := make(chan struct{}), make(chan struct{})
	took := accused(t, server.URL, func(s *station) {
		dir = s.cmd.State
		go func() { defer close(stopped); holdStore(t, filepath.Join(dir, evidence.FileName), stop) }()
	}, func(*station) bool { return manager.count() > 0 })
	if took > 15*time.Second { // two seconds, and what a crowded machine adds
		t.Errorf("the alert took %s", took)
	}
	t.Logf("alert accepted after %s", took.Round(time.Millisecond))
	close(stop)
	<-stopped
	store, err := evidence.OpenExisting(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if list, err := store.Episodes(time.Time{}); err != nil || len(list) != 1 || list[0].Sent != 8000 {
		t.Errorf("on the disk: %v %+v", err, list)
	}
}

// holdStore holds the write lock for two seconds, lets go for a moment, and
// holds it again. The moment is longer than the tenth of a second after which
// SQLite's busy handler asks again: a slow disk makes everybody wait, nobody
// for ever.
func holdStore(t *testing.T, path string, stop <-chan struct{}) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)&_txlock=immediate")
	if err != nil {
		t.Error(err)
		return
	}
	defer db.Close()
	for {
		tx, err := db.Begin()
		if err != nil {
			t.Error(err)
			return
		}
		select {
		case <-stop:
		case <-time.After(2 * time.Second):
		}
		_ = tx.Rollback()
		select {
		case <-stop:
			return
		case <-time.After(300 * time.Millisecond):
		}
	}
}

func (i *inbox) count() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.list)
}

// TestAlertmanagerMisbehaves: down, slow, answering garbage or hanging up
// first, well at last: the alert arrives, once, and the sensor never waits.
func TestAlertmanagerMisbehaves(t *testing.T) {
	const bad = 2 // times, before it behaves
	for name, how := range map[string]http.HandlerFunc{
		"hangs up": func(w http.ResponseWriter, _ *http.Request) {
			if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
				c.Close()
			}
		},
		"garbage": func(w http.ResponseWriter, _ *http.Request) {
			if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
				_, _ = c.Write([]byte("\x00\x01HTTP/9.9 banana\r\n\r\n\xff\xfe"))
				c.Close()
			}
		},
		"an endless error page": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			for range 1 << 12 {
				if _, err := w.Write(make([]byte, 1<<12)); err != nil {
					return
				}
			}
		},
		"slow": func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-time.After(3 * time.Second):
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			manager, asked := &inbox{}, atomic.Int32{}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if asked.Add(1) <= bad {
					how(w, r)
					if name != "slow" {
						return
					}
				}
				manager.ServeHTTP(w, r)
			}))
			defer server.Close()
			took := accused(t, server.URL, nil, func(*station) bool { return manager.count() > 0 })
			t.Logf("accepted after %s, at attempt %d", took.Round(time.Millisecond), asked.Load())
		})
	}
	t.Run("down", func(t *testing.T) {
		t.Parallel()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := l.Addr().String()
		l.Close()
		manager := &inbox{}
		up := time.AfterFunc(2*time.Second, func() {
			if l, err := net.Listen("tcp", address); err == nil {
				go func() { _ = http.Serve(l, manager) }()
			}
		})
		defer up.Stop()
		took := accused(t, "http://"+address, nil, func(*station) bool { return manager.count() > 0 })
		t.Logf("accepted after %s, two of them down", took.Round(time.Millisecond))
	})
}
