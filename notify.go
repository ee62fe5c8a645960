package main

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// statusEvery is how often `systemctl status` gets a new line.
const statusEvery = 5 * time.Second

// ready tells the service manager that frames are being read.
func (s *station) ready() {
	s.notify(daemon.SdNotifyReady + "\nSTATUS=" + s.statusLine())
}

// showStatus gives the service manager a new line now and then. It is called
// by the goroutine that judges.
func (s *station) showStatus(now time.Time) {
	if now.Sub(s.toldAt) < statusEvery {
		return
	}
	s.toldAt = now
	s.notify("STATUS=" + s.statusLine())
}

// notify tells the service manager; without one it does nothing.
func (s *station) notify(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		s.log.Debug("service manager not told", "err", err, slog.Int("bytes", len(state)))
	}
}

// statusLine is how the sensor is doing, in a line without anybody's address.
func (s *station) statusLine() string {
	var frames, flows, dropped uint64
	for _, w := range s.a.pipeline.Workers {
		st := w.Stats()
		frames, flows = frames+st.Frames, flows+uint64(st.Flow.Flows)
	}
	for _, l := range s.live {
		dropped += l.Stats().DroppedKernel
	}
	return fmt.Sprintf("capturing on %s: %d frames, %d dropped, %d flows, %d open episodes",
		strings.Join(s.cfg.Interfaces, ", "), frames, dropped, flows, len(s.judge.Open()))
}
