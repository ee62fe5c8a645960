package main

import (
	"strings"
	"time"

	"picket/alerts"
	"picket/sensor"
)

// snapshot reads the counters of the packet path and the device table.
func (s *station) snapshot() alerts.Snapshot {
	out := countsOf(s.a)
	out.WebURL = strings.TrimSuffix(s.latest.Load().Web.ExternalURL, "/")
	for _, name := range s.cfg.Interfaces {
		i := alerts.InterfaceStats{Name: name, Dropped: map[string]uint64{}}
		for n, l := range s.live {
			if l.Interface() != name {
				continue
			}
			st := l.Stats()
			w := s.a.pipeline.Workers[n].Stats()
			i.Frames += w.Frames
			i.Bytes += w.Bytes
			i.Dropped["kernel"] += st.DroppedKernel
			i.Gap = max(i.Gap, st.Gap) // the rings of one interface go down together
			i.Dropped["interface"] = st.DroppedInterface
			i.Dropped["softnet"] = st.DroppedSoftnet
		}
		out.Interfaces = append(out.Interfaces, i)
	}
	return out
}

// fileCounts is the snapshot of a run over captures.
func fileCounts(a *assembly) alerts.Snapshot {
	out := countsOf(a)
	i := alerts.InterfaceStats{Name: "file", Dropped: map[string]uint64{"kernel": 0, "interface": 0}}
	for _, w := range a.pipeline.Workers {
		s := w.Stats()
		i.Frames += s.Frames
		i.Bytes += s.Bytes
	}
	out.Interfaces = append(out.Interfaces, i)
	return out
}

// countsOf adds up the workers' counts.
func countsOf(a *assembly) alerts.Snapshot {
	out := alerts.Snapshot{
		Stops: map[string]uint64{}, FlowsEvicted: map[string]uint64{}, VisibilityBytes: a.visible.Bytes(), OneWayBytes: a.visible.OneWay(),
		Databases: map[string]time.Time{},
	}
	for _, d := range a.geo.Databases() {
		out.Databases[d.Name] = d.Built
	}
	handshakes := map[[2]string]uint64{}
	var noHome, bytes uint64
	for _, w := range a.pipeline.Workers {
		s := w.Stats()
		out.MissedBytes += s.MissedBytes
		out.DuplicateFrames += s.Flow.Duplicates
		out.Flows += s.Flow.Flows
		out.ObservationsDropped += s.ObservationsDropped
		noHome += s.Flow.NoHome
		bytes += s.Flow.Bytes
		sensor.EachStop(&s, func(reason string, n uint64) { out.Stops[reason] += n })
		sensor.EachEnd(&s, func(reason string, n uint64) { out.FlowsEvicted[reason] += n })
		sensor.EachHandshake(&s, func(p, o string, n uint64) { handshakes[[2]string{p, o}] += n })
	}
	for k, n := range handshakes {
		out.Handshakes = append(out.Handshakes, alerts.HandshakeStats{Protocol: k[0], Outcome: k[1], N: n})
	}
	if bytes > 0 {
		out.WithoutHomeRatio = float64(noHome) / float64(bytes)
	}
	d := a.identify.Stats()
	out.LearningRatio, out.WithoutDeviceRatio = d.LearningRatio(), d.NoDeviceRatio()
	out.Devices = deviceCounts(a)
	return out
}

// deviceCounts is how many devices there are, by maker, class and confidence.
func deviceCounts(a *assembly) []alerts.DeviceCount {
	var out []alerts.DeviceCount
	for g, n := range a.identify.Stats().Groups {
		out = append(out, alerts.DeviceCount{Maker: g.Maker, Class: g.Class, Confidence: g.Confidence, N: n})
	}
	return out
}
