package main

import (
	"fmt"
	"io"
	"net/netip"
	"time"

	"picket/bench/traffic"
	"picket/sensor/capture"
)

const (
	soakDay       = 24 * time.Hour
	soakResidents = 300
	soakVisitors  = 12_000 // a day at most, each with a hardware address of its own
	soakRush      = 100    // of them a second of wall time
	soakOffender  = 60     // every so many of them is a prohibited handset
	soakBurst     = 64     // frames at once
)

// soakSource is a day of campus traffic in less time: residents as bench/traffic
// makes them, and visitors who come, ask and go. Frames come
// paced by the wall clock, and bear the time of the day that is played.
type soakSource struct {
	lasts   time.Duration
	began   time.Time     // wall clock, of the first frame
	start   time.Time     // of the day that is played
	between time.Duration // frames of residents
	apart   time.Duration // visitors
	sent    int

	pipe      *io.PipeReader
	residents *capture.File
	pending   []capture.Frame // of visitors
	visitors  int
	offenders int
}

func newSoakSource(lasts time.Duration, rate int) *soakSource {
	frames := int(lasts.Seconds()) * rate
	s := &soakSource{lasts: lasts, start: time.Now().UTC().Truncate(time.Second), between: soakDay / time.Duration(frames)}
	s.apart = soakDay / time.Duration(min(soakVisitors, soakRush*int(lasts.Seconds())))
	r, w := io.Pipe()
	go func() { // ends with the pipe
		c := traffic.Config{Seed: 9, Devices: soakResidents, Frames: 2 * frames, FramesPerFlow: 60}
		_, err := traffic.Generate(c, w, func(*traffic.Flow) {})
		w.CloseWithError(err)
	}()
	s.pipe = r
	return s
}

func (s *soakSource) Close() {
	s.pipe.Close()
	if s.residents != nil {
		s.residents.Close()
	}
}

// now is the time of the day that is played.
func (s *soakSource) now() time.Time {
	if s.began.IsZero() {
		return s.start
	}
	return s.start.Add(time.Duration(float64(time.Since(s.began)) / float64(s.lasts) * float64(soakDay)))
}

// Next implements sensor.Source.
func (s *soakSource) Next(batch []capture.Frame) (n int, err error) {
	if s.residents == nil {
		s.began = time.Now()
		if s.residents, err = capture.NewFile("residents", s.pipe, 0); err != nil {
			return 0, err
		}
	}
	if len(s.pending) > 0 {
		n = copy(batch, s.pending)
		s.pending = s.pending[n:]
		return n, nil
	}
	played := s.now().Sub(s.start)
	if played >= soakDay {
		return 0, io.EOF
	}
	if time.Duration(s.visitors)*s.apart < played {
		s.visit()
		return 0, nil
	}
	due := int(played/s.between) - s.sent
	if due <= 0 {
		time.Sleep(5 * time.Millisecond) // the pace
		return 0, nil
	}
	if due > soakBurst { // the machine was busy elsewhere: catch up gently
		due = soakBurst
		time.Sleep(time.Millisecond)
	}
	n, err = s.residents.Next(batch[:min(due, len(batch))])
	for i := range batch[:n] {
		s.sent++
		batch[i].At = s.start.Add(time.Duration(s.sent) * s.between).UnixNano()
	}
	return n, err
}

// visit writes what one visitor does. Addresses come round every 4,000.
func (s *soakSource) visit() {
	n := s.visitors
	s.visitors++
	w := &script{at: s.start.Add(time.Duration(s.sent) * s.between).UnixNano()}
	d := scriptDevice{
		mac:  [6]byte{0x02, 0x76, 0, byte(n >> 16), byte(n >> 8), byte(n)},
		addr: netip.AddrFrom4([4]byte{10, 200, byte(n % 4000 >> 8), byte(n % 4000)}),
	}
	if n%soakOffender == 1 {
		s.offenders++
		w.certain(d)
		c := w.dial(d, 42000, serverInCN, true)
		for range 4 {
			c.say(make([]byte, 1000))
		}
	} else {
		w.lease(d, fmt.Sprintf("visitor-%d", n))
		w.resolve(d, fmt.Sprintf("host%d.example.com", n), serverNoData)
		w.resolve(d, "www.example.com", serverNoData)
		w.dial(d, 43000, netip.AddrPortFrom(serverNoData, 8883), true).say(make([]byte, 400))
	}
	s.pending = w.frames
}
