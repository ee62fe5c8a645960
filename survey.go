package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"picket/alerts"
	"picket/configs"
	"picket/sensor"
	"picket/sensor/capture"
	"picket/sensor/observation"
)

type surveyCmd struct {
	policyFlags
	Interface string        `short:"i" name:"interface" placeholder:"IFACE" help:"Interface to listen on."`
	For       time.Duration `name:"for" default:"60s" placeholder:"TIME" help:"How long to listen (${default})."`
	JSON      bool          `help:"Print one JSON object."`
	File      string        `arg:"" optional:"" name:"file" help:"A capture of the span instead."`
}

// Run says whether a span is any good, and what to configure for it.
func (v *surveyCmd) Run(a *app) error {
	if (v.Interface == "") == (v.File == "") {
		return usageError{fmt.Errorf("survey: give either -i IFACE or a capture file")}
	}
	c, err := v.load()
	if err != nil {
		return err
	}
	c.Policies, c.Leases = nil, configs.Leases{} // nobody is judged today
	c.Capture.HomeNetworks = c.Home()
	c.Capture.Restraint = false // every byte counts for once
	r := &surveyed{cfg: c, name: v.Interface}
	if v.File != "" {
		err = r.file(a, v.File)
	} else {
		err = r.listen(a, v.Interface, v.For)
	}
	if err != nil && r.survey.Frames == 0 {
		return err
	}
	report := r.report()
	if v.JSON {
		return json.NewEncoder(a.stdout).Encode(report)
	}
	report.print(a.stdout)
	return err
}

// surveyed is a survey with what the sensor itself says of the same frames.
type surveyed struct {
	cfg    *configs.Config
	name   string // of the interface; empty for a file
	survey sensor.Survey
	strays sensor.Strays
	stats  sensor.WorkerStats
	lost   capture.Stats
	on     []offload
	onErr  error
}

func (r *surveyed) file(a *app, name string) error {
	files, err := openFiles([]string{name}, a.stdin)
	if err != nil {
		return err
	}
	defer files.close()
	return r.run(a.ctx, a, files, false)
}

func (r *surveyed) listen(a *app, name string, d time.Duration) error {
	r.on, r.onErr = offloadsOn(name)
	live, err := capture.Open(r.cfg.Capture, name, 0, 1)
	if err != nil {
		return err
	}
	defer live[0].Close()
	ctx, cancel := context.WithTimeout(a.ctx, d)
	defer cancel()
	fmt.Fprintf(a.stderr, "listening on %s for %s (Ctrl-C ends earlier)\n", name, d)
	err = r.run(ctx, a, live[0], true)
	r.lost = live[0].Stats()
	return err
}

// run puts source through a sensor that judges nobody.
func (r *surveyed) run(ctx context.Context, a *app, source sensor.Source, live bool) error {
	log := logger(a, r.cfg)
	j, err := compile(r.cfg, log)
	if err != nil {
		return err
	}
	judge, err := alerts.NewJudge(alerts.JudgeConfig{Rules: j.rules, Geo: j.geo, Store: alerts.NewMemory(), Now: time.Now()})
	if err != nil {
		return err
	}
	r.survey.Home = inHome(r.cfg.Home())
	as, err := assemble(ctx, r.cfg, j, judge, []sensor.Source{&watched{source, &r.survey}}, live, "", log)
	if err != nil {
		return err
	}
	if live {
		as.pipeline.Now = time.Now
	}
	as.tap(func(o *observation.Observation) {
		r.survey.See(o)
		r.strays.See(o)
	})
	err = as.pipeline.Run(ctx)
	if ctx.Err() != nil {
		err = nil
	}
	r.stats = as.pipeline.Workers[0].Stats()
	return err
}

// watched shows the survey every frame on its way.
type watched struct {
	sensor.Source
	survey *sensor.Survey
}

// Next implements sensor.Source.
func (w *watched) Next(batch []capture.Frame) (int, error) {
	n, err := w.Source.Next(batch)
	for i := range batch[:n] {
		w.survey.Frame(&batch[i])
	}
	return n, err
}

// finding is one thing that the survey says.
type finding struct {
	Grade  string `json:"grade"` // good, note, bad
	Text   string `json:"text"`
	Remedy string `json:"remedy,omitempty"`
}

// surveyReport is what comes of a survey.
type surveyReport struct {
	Frames   uint64    `json:"frames"`
	Bytes    uint64    `json:"bytes"`
	Seconds  float64   `json:"seconds"`
	Findings []finding `json:"findings"`
	Can      []string  `json:"can"`
	Cannot   []string  `json:"cannot"`
	Config   string    `json:"config"`
	Commands []string  `json:"commands"`
}

func (p *surveyReport) print(w io.Writer) {
	fmt.Fprintf(w, "%d frames, %s in %.0f s\n\n", p.Frames, sized(p.Bytes), p.Seconds)
	for _, f := range p.Findings {
		fmt.Fprintf(w, "%-5s %s\n", f.Grade, f.Text)
		if f.Remedy != "" {
			fmt.Fprintf(w, "      %s\n", f.Remedy)
		}
	}
	list := func(title string, items []string) {
		if len(items) > 0 {
			fmt.Fprintf(w, "\n%s\n", title)
		}
		for _, s := range items {
			fmt.Fprintf(w, "  %s\n", s)
		}
	}
	list("Can be detected here:", p.Can)
	list("Cannot be detected here:", p.Cannot)
	list("To run once, as root:", p.Commands)
	if p.Config != "" {
		fmt.Fprintf(w, "\nFor picket.yml:\n%s", p.Config)
	}
}

// sized writes a number of bytes for people.
func sized(n uint64) string {
	const units = "kMGTPE"
	f, i := float64(n), -1
	for f >= 1000 && i < len(units)-1 {
		f, i = f/1000, i+1
	}
	if i < 0 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.1f %cB", f, units[i])
}
