package sensor

import (
	"context"
	"errors"
	"io"
	"time"

	"golang.org/x/sync/errgroup"

	"picket/sensor/capture"
	"picket/sensor/observation"
)

// Source lends frames: a live interface, a ring, a file, a test.
type Source interface {
	// Next fills batch and returns how many; their bytes are valid until the
	// following call. A live source returns 0 and no error now and then, so
	// that time can pass. io.EOF is the end of the input.
	Next(batch []capture.Frame) (int, error)
}

// frameBatch is how many frames a source lends at once: enough to make the
// interface call cheap, few enough to stay in the processor's cache.
const frameBatch = 256

// Pipeline runs the sensor: one worker for each source, and behind them one
// goroutine that takes their observations in turn. One worker that reads files
// does both.
type Pipeline struct {
	Sources []Source
	Workers []*Worker // Share for each source
	Share   int       // workers that share the frames of one source; 0 means 1
	Base    []uint16  // realm of each source's interface; nil: the default realm

	// Observe takes each observation; it must not keep the pointer. Flush is
	// called at the end of the input, by the same goroutine.
	Observe func(*observation.Observation)
	Flush   func()
	// Ahead, when set, is shown what Observe will be given next, a few at a
	// time.
	Ahead func([]observation.Observation)
	// Feeds bring observations from elsewhere (lease files, a controller) by
	// way of Queue's channel, until ctx is done; they end before the sources'
	// last observations are taken.
	Feeds []func(ctx context.Context) error
	// Now is the time of an idle live source; nil for files.
	Now func() time.Time
	// Tick, when set, is called by the observing goroutine about once a
	// second of wall time, for the time to pass where nothing is seen.
	Tick func(time.Time)

	out   chan []observation.Observation
	spare chan []observation.Observation
}

// Queue returns the channels between workers and observer, room for n
// batches: give them to NewWorker.
func (p *Pipeline) Queue(n int) (chan<- []observation.Observation, <-chan []observation.Observation) {
	p.out = make(chan []observation.Observation, n)
	p.spare = make(chan []observation.Observation, n)
	return p.out, p.spare
}

// Run works until every source has ended, one fails, or ctx is done. Then
// what is still open is reported and observed. The end of ctx is no error.
func (p *Pipeline) Run(ctx context.Context) error {
	if p.alone() {
		return p.runAlone(ctx)
	}
	workers, ctx := errgroup.WithContext(ctx)
	n := max(p.Share, 1)
	for i, s := range p.Sources {
		mine := p.Workers[i*n : (i+1)*n]
		for _, w := range mine {
			if p.Base != nil {
				w.base = p.Base[i]
			}
		}
		if n > 1 {
			workers.Go(func() error { return p.workTogether(ctx, s, mine) })
			continue
		}
		workers.Go(func() error { return p.work(ctx, s, mine[0]) })
	}
	observed := make(chan struct{})
	go func() {
		defer close(observed)
		p.observe()
	}()
	feeds, stop := context.WithCancel(ctx)
	fed, feeds := errgroup.WithContext(feeds)
	for _, f := range p.Feeds {
		fed.Go(func() error { return f(feeds) })
	}
	err := workers.Wait()
	stop()
	if e := fed.Wait(); e != nil && !errors.Is(e, context.Canceled) {
		err = errors.Join(err, e)
	}
	close(p.out)
	<-observed
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// alone reports that one worker would only wait for the observer: a file. Then
// both are one goroutine, which saves the hand-over.
func (p *Pipeline) alone() bool {
	return len(p.Workers) == 1 && p.Workers[0].cfg.Wait && p.Now == nil && p.Tick == nil && len(p.Feeds) == 0
}

func (p *Pipeline) runAlone(ctx context.Context) error {
	w := p.Workers[0]
	if p.Base != nil {
		w.base = p.Base[0]
	}
	w.observe = p.observeAll
	err := p.work(ctx, p.Sources[0], w)
	if p.Flush != nil {
		p.Flush()
	}
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// work moves frames from one source to its worker.
func (p *Pipeline) work(ctx context.Context, s Source, w *Worker) error {
	defer w.Close()
	batch := make([]capture.Frame, frameBatch)
	for ctx.Err() == nil {
		n, err := s.Next(batch)
		switch {
		case n == len(batch):
			w.Follow(batch)
		case n > 0:
			w.Frames(batch[:n])
		case p.Now != nil:
			w.Tick(p.Now().UnixNano())
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// observe takes batches until the channel is closed, and gives them back.
func (p *Pipeline) observe() {
	var ticks <-chan time.Time
	if p.Tick != nil {
		t := time.NewTicker(time.Second)
		defer t.Stop()
		ticks = t.C
	}
	for {
		select {
		case now := <-ticks:
			p.Tick(now)
		case batch, ok := <-p.out:
			if !ok {
				if p.Flush != nil {
					p.Flush()
				}
				return
			}
			p.observeAll(batch)
			clear(batch)
			select {
			case p.spare <- batch:
			default:
			}
		}
	}
}

// aheadOf is how many observations Ahead is shown at once.
const aheadOf = 48

func (p *Pipeline) observeAll(batch []observation.Observation) {
	for i := range batch {
		if p.Ahead != nil && i%aheadOf == 0 {
			p.Ahead(batch[i:min(i+aheadOf, len(batch))])
		}
		p.Observe(&batch[i])
	}
}
