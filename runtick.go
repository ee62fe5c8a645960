package main

import (
	"fmt"
	"os"
	"time"

	"picket/evidence"
	"picket/sensor/capture"
)

// tick is called once a second by the goroutine that judges.
func (s *station) tick(now time.Time) {
	s.a.identify.Tick(now)
	s.fleet.tick(now)
	var lost uint64
	for _, l := range s.live {
		st := l.Stats()
		lost += st.DroppedKernel + st.DroppedInterface
	}
	if lost > s.lost {
		s.store.Watch(now, evidence.Watched{Lost: lost - s.lost})
		s.lost = lost
	}
	s.lapses.look(s.live, s.log)
	s.showStatus(now)
	s.events.tick(now, s.store)
	var noHome, total uint64
	for _, w := range s.a.pipeline.Workers {
		st := w.Stats()
		noHome += st.Flow.NoHome
		total += st.Bytes
	}
	if total < 1<<20 {
		return // too little to advise on
	}
	if text := s.strays.Advice(noHome, total); text != "" && text != s.advised && s.advised == "" {
		s.advised = text
		fmt.Fprintln(s.app.stderr, text)
		if err := os.WriteFile(adviceFile(s.cmd.State), []byte(text+"\n"), 0o600); err != nil {
			s.log.Warn("advice not kept for picket check", "err", err)
		}
	}
}

// farewell says what tcpdump says.
func (s *station) farewell() {
	for i, name := range s.cfg.Interfaces {
		var t capture.Stats
		for _, l := range s.live {
			if l.Interface() == s.cfg.Interfaces[i] {
				st := l.Stats()
				t.Frames += st.Frames
				t.DroppedKernel += st.DroppedKernel
				t.DroppedInterface = st.DroppedInterface
				t.Gaps = st.Gaps
				t.Gap = st.Gap
			}
		}
		fmt.Fprintf(s.app.stderr, "%s: %d frames received, %d dropped by kernel, %d dropped by interface", name, t.Frames, t.DroppedKernel, t.DroppedInterface)
		if t.Gaps > 0 {
			fmt.Fprintf(s.app.stderr, ", %d gaps of %s in all", t.Gaps, t.Gap.Round(time.Second))
		}
		fmt.Fprintln(s.app.stderr)
	}
}

func (s *station) close() {
	if s.a != nil {
		s.judge.Flush()
		s.keeper.records()
	}
	if s.store != nil {
		if err := s.store.Close(); err != nil {
			s.log.Error("the last of the evidence may not be kept", "err", err)
		}
	}
	s.fleet.close(s.log)
	for _, l := range s.live {
		l.Close()
	}
}
