package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"testing"
	"time"

	"picket/bench/traffic"
	"picket/sensor"
	"picket/sensor/capture"
	"picket/sensor/observation"
)

// reloadTally is what came of a run.
type reloadTally struct {
	Frames, Bytes           uint64
	Flows                   int
	Sent, Received, Packets uint64
	Dropped                 uint64
	Episodes, Told          int
	EpisodeBytes            uint64
}

// paced lends what another source has, so many frames a second: a live sensor
// behind would otherwise drop observations.
type paced struct {
	sensor.Source
	perSecond int
	began     time.Time
	sent      int
	at        func(sent int) // called as frames go by
	end       func()         // called when there are no more
}

// Next implements sensor.Source.
func (p *paced) Next(batch []capture.Frame) (int, error) {
	if p.began.IsZero() {
		p.began = time.Now()
	}
	due := int(time.Since(p.began).Seconds()*float64(p.perSecond)) - p.sent
	if due <= 0 {
		time.Sleep(2 * time.Millisecond)
		return 0, nil
	}
	n, err := p.Source.Next(batch[:min(due, len(batch))])
	p.sent += n
	p.at(p.sent)
	if errors.Is(err, io.EOF) {
		p.end()
	}
	return n, err
}

// TestReloadLosesNothing plays the same traffic, flows and an episode in
// progress all the while, with ten reloads in the middle and with none: every
// frame, flow, byte and episode is the same, and nobody is told twice.
func TestReloadLosesNothing(t *testing.T) {
	without, with := reloadedRun(t, 0), reloadedRun(t, 10)
	t.Logf("%+v", with)
	if without != with {
		t.Errorf("without reloads %+v\nwith reloads    %+v", without, with)
	}
	if with.Episodes != 1 || with.Told == 0 || with.Dropped != 0 {
		t.Errorf("%+v", with)
	}
}

func reloadedRun(t *testing.T, reloads int) (out reloadTally) {
	t.Helper()
	const frames, perSecond = 24_000, 8_000
	manager := &inbox{}
	server := httptest.NewServer(manager)
	defer server.Close()
	source := &paced{Source: &inTurn{[]sensor.Source{halfOfEpisode(0), residents(t, frames), halfOfEpisode(1)}}, perSecond: perSecond}
	s := soakStation(t, fmt.Sprintf(soakConfig, server.URL), source)
	s.a.pipeline.Now, s.a.pipeline.Tick = nil, nil // packet time, so that both runs are alike
	s.a.tap(func(o *observation.Observation) {
		if o.Kind == observation.FlowReport {
			out.Sent, out.Received, out.Packets = out.Sent+o.Flow.Sent, out.Received+o.Flow.Received, out.Packets+o.Flow.Packets
			if o.Flow.Final {
				out.Flows++
			}
		}
	})
	ask, asked := make(chan struct{}, reloads), make(chan struct{})
	source.at = func(sent int) {
		if reloads > 0 && sent > (cap(ask)-reloads+1)*frames/(cap(ask)+1) {
			ask <- struct{}{}
			reloads--
		}
	}
	go func() {
		defer close(asked)
		for range cap(ask) {
			<-ask
			if err := s.reload(); err != nil {
				t.Error(err)
			}
		}
	}()
	source.end = func() { // the teller works in its own time
		for deadline := time.Now().Add(20 * time.Second); manager.count() == 0 && time.Now().Before(deadline); {
			time.Sleep(10 * time.Millisecond)
		}
	}
	if err := s.work(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	<-asked
	s.close()
	return s.tallied(t, out, manager)
}

// tallied adds what the sensor itself counts.
func (s *station) tallied(t *testing.T, out reloadTally, manager *inbox) reloadTally {
	for _, w := range s.a.pipeline.Workers {
		st := w.Stats()
		out.Frames, out.Bytes, out.Dropped = out.Frames+st.Frames, out.Bytes+st.Bytes, out.Dropped+st.ObservationsDropped
	}
	for _, e := range s.judge.Open() {
		out.Episodes, out.EpisodeBytes = out.Episodes+1, out.EpisodeBytes+e.Sent
	}
	told := map[string]bool{}
	for _, a := range manager.list {
		told[a.Labels["device"]+a.StartsAt.String()] = true
	}
	out.Told = len(told)
	if out.Told > 1 {
		t.Errorf("%d alerts of one episode", out.Told)
	}
	return out
}

// halfOfEpisode is the first or the second half of what a prohibited handset
// sends in one connection.
func halfOfEpisode(half int) sensor.Source {
	s := &script{at: reloadStart}
	s.certain(deviceNumber(40))
	c := s.dial(deviceNumber(40), 42000, serverInCN, true)
	for range 8 {
		c.say(make([]byte, 1000))
	}
	cut := len(s.frames)
	for range 8 {
		c.say(make([]byte, 1000))
		s.resolve(deviceNumber(41), "elsewhere.example.net", serverInCN.Addr()) // time passes by what is observed
	}
	if half == 0 {
		return &played{s.frames[:cut]}
	}
	for i := range s.frames[cut:] {
		s.frames[cut+i].At += int64(30*time.Second + time.Duration(i)*time.Second) // it lasts: told as it goes on
	}
	return &played{s.frames[cut:]}
}

const reloadStart = 1_780_000_000_000_000_000 // that of bench/traffic

func residents(t *testing.T, frames int) sensor.Source {
	t.Helper()
	var b bytes.Buffer
	if _, err := traffic.Generate(traffic.Config{Seed: 3, Devices: 100, Frames: frames}, &b, func(*traffic.Flow) {}); err != nil {
		t.Fatal(err)
	}
	f, err := capture.NewFile("residents", io.Reader(&b), 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
