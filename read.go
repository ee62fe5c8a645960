package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"picket/alerts"
	"picket/configs"
	"picket/evidence"
	"picket/sensor"
	"picket/sensor/capture"
	"picket/sensor/device"
	"picket/sensor/observation"
)

type readCmd struct {
	policyFlags
	State string   `placeholder:"DIR" help:"Keep episodes and evidence there; without it nothing is kept."`
	JSON  bool     `help:"Print JSON lines."`
	Show  []string `placeholder:"KIND" enum:"events,flows,devices,episodes,stats" default:"devices,episodes,stats" help:"What to print with --json: events, flows, devices, episodes, stats (${default})."`
	Jobs  int      `short:"j" default:"1" placeholder:"N" help:"Workers that share the frames; the result is the same."`
	Files []string `arg:"" name:"file" help:"Captures: pcap, pcapng, also .gz and .zst; - is standard input."`
}

// maxJobs is far beyond what helps: one goroutine judges what all observe.
const maxJobs = 64

// Run reads captures as if they were happening.
func (r *readCmd) Run(a *app) error {
	c, err := r.load()
	if err != nil {
		return err
	}
	if r.Jobs < 1 || r.Jobs > maxJobs {
		return usageError{fmt.Errorf("-j %d: want 1 to %d", r.Jobs, maxJobs)}
	}
	c.Limits.Workers = r.Jobs
	j, err := compileWith(c, importedData(r.State), logger(a, c))
	if err != nil {
		return err
	}
	s := newSession(a, c, j)
	s.state = r.State
	if r.JSON {
		s.show(a.stdout, r.Show)
	}
	err = s.read(r.Files)
	switch {
	case err != nil && newStatsLine(s.workers, 0).Frames == 0:
		return err // nothing was read: nothing to show
	case r.JSON:
		s.printJSON(r.Show)
	default:
		s.summary().print(a.stdout)
	}
	s.advise()
	s.closeStore()
	return errors.Join(err, s.lines.err)
}

// session is one run over captures, with what came of it.
type session struct {
	app      *app
	cfg      *configs.Config
	j        *judgement
	judge    *alerts.Judge
	store    alerts.Store
	kept     *evidence.Store // nil: nothing is kept
	keeper   *keeper
	next     sensor.Sink // the judge, behind the keeper where there is one
	a        *assembly
	lines    lineWriter
	flows    bool
	state    string // directory of the site key, "" keeps nothing
	totals   destinations
	strays   sensor.Strays
	started  time.Time
	workers  []*sensor.Worker
	registry *prometheus.Registry
	tapped   func(*observation.Observation)
}

// lineWriter writes JSON lines and remembers the first error.
type lineWriter struct {
	mu  sync.Mutex
	enc *json.Encoder
	err error
}

func (l *lineWriter) write(v any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if v != nil && l.enc != nil && l.err == nil {
		l.err = l.enc.Encode(v)
	}
}

func newSession(a *app, c *configs.Config, j *judgement) *session {
	return &session{app: a, cfg: c, j: j, started: time.Now()}
}

// show prints what is asked for as it happens.
func (s *session) show(w io.Writer, kinds []string) {
	s.lines.enc = json.NewEncoder(w)
	s.lines.enc.SetEscapeHTML(false)
	s.flows = slices.Contains(kinds, "flows")
	if slices.Contains(kinds, "events") {
		s.tapped = func(o *observation.Observation) {
			for _, l := range eventLines(o) {
				s.lines.write(l)
			}
		}
	}
}

// read runs the pipeline over files, one after the other. What could be
// read is judged even when a file is damaged.
func (s *session) read(files []string) error {
	sources, err := openFiles(files, s.app.stdin)
	if err != nil {
		return err
	}
	defer sources.close()
	stop := sources.progress(s.app.stderr)
	defer stop()
	return s.run(sources)
}

// run judges what source delivers.
func (s *session) run(source sensor.Source) error {
	s.registry = prometheus.NewRegistry()
	metrics := alerts.NewMetrics(s.registry, alerts.MetricsConfig{
		Makers: s.j.set.Makers(), Policies: policyNames(s.j.rules),
		Snapshot: func() alerts.Snapshot { return fileCounts(s.a) },
	})
	var err error
	if err := s.openStore(metrics); err != nil {
		return err
	}
	s.a, err = assemble(s.app.ctx, s.cfg, s.j, s, []sensor.Source{source}, false, s.state, logger(s.app, s.cfg))
	if err != nil {
		return err
	}
	s.workers = s.a.pipeline.Workers
	s.a.identify.OnAhead(s.judge.Ahead)
	if s.tapped == nil {
		for _, w := range s.workers {
			w.LeaveOutJA3()
		}
	}
	if s.keeper != nil {
		s.keeper.export = s.a.table.Export
		if err := s.keeper.holdFrames(s.a); err != nil {
			return err
		}
	}
	learn := learnNAT64(s.j.geo, s.judge.Replaced, logger(s.app, s.cfg))
	s.a.tap(func(o *observation.Observation) {
		if s.tapped != nil {
			s.tapped(o)
		}
		s.strays.See(o)
		learn(o)
	})
	err = s.a.pipeline.Run(context.WithoutCancel(s.app.ctx))
	s.judge.Flush()
	metrics.Reloaded(true, time.Now())
	return err
}

// openStore makes the judge, with evidence on disk when a state directory is
// given and in memory otherwise.
func (s *session) openStore(metrics *alerts.Metrics) (err error) {
	s.store = alerts.NewMemory()
	if s.state != "" {
		if s.kept, err = evidence.Open(storeConfig(s.cfg, s.state)); err != nil {
			return err
		}
		s.store = keptEpisodes{alerts.Kept{Store: s.kept}, func(e *evidence.Episode) {
			if s.keeper != nil {
				s.keeper.saved(e)
			}
		}}
	}
	s.judge, err = alerts.NewJudge(alerts.JudgeConfig{Rules: s.j.rules, Geo: s.j.geo, Store: s.store, Metrics: metrics,
		Limits: alerts.Limits{Devices: s.cfg.Limits.Devices}})
	if err != nil {
		return err
	}
	s.next = s.judge
	if s.kept != nil {
		s.keeper, err = newKeeper(s.judge, s.kept, s.j.geo, logger(s.app, s.cfg))
		if err != nil {
			return err
		}
		s.keeper.judgedBy(s.j, time.Now())
		s.next = s.keeper
	}
	return nil
}

// closeStore writes what is kept to the end; what cannot be is an error of
// the run.
func (s *session) closeStore() {
	if s.kept == nil {
		return
	}
	s.judge.Flush()
	s.keeper.records()
	s.lines.err = errors.Join(s.lines.err, s.kept.Close())
}

// Transfer prints the flow, adds it up and hands it to the judge.
func (s *session) Transfer(t sensor.Transfer) {
	where := s.judge.Where(&t)
	if s.flows && (t.Packets > 0 || t.Sent+t.Received > 0) { // the end of a flow may add nothing
		s.lines.write(newFlowLine(&t, where.Location))
	}
	if s.lines.enc == nil { // for people
		s.totals.add(&t, where)
	}
	s.next.Transfer(t)
}

// Verdict, Identifier, Question and Tick hand on to the judge.
func (s *session) Verdict(v sensor.VerdictChange) { s.next.Verdict(v) }
func (s *session) Identifier(i sensor.Identifier) { s.next.Identifier(i) }
func (s *session) Question(q sensor.Question)     { s.next.Question(q) }
func (s *session) Tick(now time.Time)             { s.next.Tick(now) }

// episodes returns all that came of the run, open or closed, oldest first.
func (s *session) episodes() []evidence.Episode {
	if s.store == nil {
		return nil
	}
	list, _ := s.store.Episodes(time.Time{}) // memory does not fail
	open := map[string]evidence.Episode{}
	for _, e := range s.judge.Open() { // with what came after they were last saved
		open[e.ID] = e
	}
	for i := range list {
		if e, ok := open[list[i].ID]; ok {
			list[i] = e
		}
	}
	slices.SortFunc(list, func(a, b evidence.Episode) int { return a.First.Compare(b.First) })
	return list
}

func (s *session) devices(yield func(*device.View) bool) {
	if s.a != nil {
		s.a.identify.Devices(yield)
	}
}

func (s *session) printJSON(kinds []string) {
	if slices.Contains(kinds, "devices") {
		s.devices(func(v *device.View) bool { s.lines.write(newDeviceLine(v)); return true })
	}
	if slices.Contains(kinds, "episodes") {
		for _, e := range s.episodes() {
			s.lines.write(newEpisodeLine(&e))
		}
	}
	if slices.Contains(kinds, "stats") {
		s.lines.write(newStatsLine(s.workers, time.Since(s.started).Seconds()))
	}
}

// advise says on stderr what the operator should change.
func (s *session) advise() {
	total := newStatsLine(s.workers, 0)
	if text := s.strays.Advice(total.BytesWithoutHome, total.Bytes); text != "" {
		fmt.Fprintln(s.app.stderr, text)
	}
}

// fileSequence is capture files read one after the other.
type fileSequence struct {
	files []*capture.File
	at    int
	errs  []error
}

// openFiles opens all files before the first is read, so that a misspelt
// name is told at once.
func openFiles(names []string, stdin io.Reader) (*fileSequence, error) {
	q := &fileSequence{}
	for _, name := range names {
		f, err := capture.OpenFile(name, stdin)
		if err != nil {
			q.close()
			return nil, err
		}
		q.files = append(q.files, f)
	}
	return q, nil
}

// Next implements sensor.Source. A damaged file ends early: the next one is
// read all the same, and the error comes at the end.
func (q *fileSequence) Next(batch []capture.Frame) (int, error) {
	for q.at < len(q.files) {
		n, err := q.files[q.at].Next(batch)
		if err == nil || n > 0 && errors.Is(err, io.EOF) {
			return n, nil
		}
		q.at++
		if !errors.Is(err, io.EOF) {
			q.errs = append(q.errs, err)
		}
		if n > 0 {
			return n, nil
		}
	}
	if err := errors.Join(q.errs...); err != nil {
		return 0, err
	}
	return 0, io.EOF
}

func (q *fileSequence) close() {
	for _, f := range q.files {
		f.Close()
	}
}

// progress draws a bar with rate and remaining time when stderr is a
// terminal. The returned function ends it.
func (q *fileSequence) progress(stderr io.Writer) (stop func()) {
	f, ok := stderr.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return func() {}
	}
	var total int64
	for _, f := range q.files {
		_, size := f.Progress()
		total += size
	}
	bar := progressbar.NewOptions64(max(total, -1), progressbar.OptionSetWriter(stderr), progressbar.OptionShowBytes(true),
		progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(), progressbar.OptionSetDescription("reading"))
	done := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		t := time.NewTicker(200 * time.Millisecond)
		defer t.Stop()
		for {
			select {
			case <-done:
				_ = bar.Finish()
				return
			case <-t.C:
				var read int64
				for _, f := range q.files {
					n, _ := f.Progress()
					read += n
				}
				_ = bar.Set64(read)
			}
		}
	}()
	return func() { close(done); <-ended }
}
