package main

import (
	"bytes"
	_ "embed"
	"io"
	"time"

	"picket/alerts"
	"picket/configs"
	"picket/sensor"
	"picket/sensor/capture"
)

// demoCapture was recorded by lab/demo from real clients in network
// namespaces; beside it in testdata is what they truly sent.
//
//go:embed testdata/demo.pcap
var demoCapture []byte

type demoCmd struct {
	Once   bool   `help:"End after printing, without serving metrics."`
	JSON   bool   `help:"Print JSON lines."`
	Listen string `name:"web.listen-address" default:"127.0.0.1:9710" help:"Where to serve metrics and the page (${default})."`
}

// Run plays the embedded capture: seven phones and a television on one
// afternoon, judged by one policy.
func (d *demoCmd) Run(a *app) error {
	c := configs.Defaults()
	p, err := alerts.Quick([]string{"xiaomi"}, []string{"CN"})
	if err != nil {
		return err
	}
	c.Policies = []alerts.Policy{p}
	j, err := compile(c, logger(a, c))
	if err != nil {
		return err
	}
	s := newSession(a, c, j)
	remove, err := d.shelf(s)
	if err != nil {
		return err
	}
	defer remove()
	if d.JSON {
		s.show(a.stdout, allKinds)
	}
	now := time.Now
	if a.now != nil {
		now = a.now
	}
	source, err := demoSource(now())
	if err != nil {
		return err
	}
	if err := s.run(source); err != nil {
		return err
	}
	if d.JSON {
		s.printJSON(allKinds)
	} else {
		s.summary().print(a.stdout)
	}
	if d.Once {
		return s.lines.err
	}
	return d.serve(a, s, now)
}

var allKinds = []string{"events", "flows", "devices", "episodes", "stats"}

// demoSource plays the embedded capture so that it ends at now.
func demoSource(now time.Time) (sensor.Source, error) {
	last, err := lastFrame()
	if err != nil {
		return nil, err
	}
	f, err := capture.NewFile("demo", bytes.NewReader(demoCapture), int64(len(demoCapture)))
	if err != nil {
		return nil, err
	}
	return &shifted{f, now.UnixNano() - last}, nil
}

func lastFrame() (last int64, err error) {
	f, err := capture.NewFile("demo", bytes.NewReader(demoCapture), int64(len(demoCapture)))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	batch := make([]capture.Frame, 64)
	for {
		n, err := f.Next(batch)
		for _, fr := range batch[:n] {
			last = max(last, fr.At)
		}
		if err == io.EOF {
			return last, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// shifted moves the timestamps of a source.
type shifted struct {
	sensor.Source
	by int64
}

// Next implements sensor.Source.
func (s *shifted) Next(batch []capture.Frame) (int, error) {
	n, err := s.Source.Next(batch)
	for i := range batch[:n] {
		batch[i].At += s.by
	}
	return n, err
}
