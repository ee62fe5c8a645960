package capture

import (
	"errors"
	"fmt"
	"time"
)

// pause is how long Next may wait for frames: time and cancellation pass at
// least this often.
const pause = 100 * time.Millisecond

var (
	// ErrInterfaceGone: the interface was deleted, perhaps made anew under
	// the same name. Nothing will ever come from this source again.
	ErrInterfaceGone = errors.New("interface is gone")
	// ErrPermission: the process may not capture.
	ErrPermission = errors.New("no permission to capture: run with sudo, or once: sudo setcap cap_net_raw+ep \"$(command -v picket)\"")
	// ErrNoLibpcap: this build cannot do what was asked, which needs libpcap.
	ErrNoLibpcap = errors.New("this build has no libpcap")
)

// driver is one way to read an interface. Called once a batch.
type driver interface {
	// next fills batch, or returns 0 after at most pause. down reports that
	// the interface went down since the call before.
	next(batch []Frame) (n int, down bool, err error)
	// dropped returns the frames lost because the ring was full, since it was opened.
	dropped() uint64
	name() Driver
	close()
}

// Live reads one interface, or its share of one. Not safe for concurrent use,
// but for Stats.
type Live struct {
	iface  *iface
	driver driver
	counts liveCounts
	base   interfaceDrops // what the counters said at the start
	err    error

	looked time.Time // when the interface was last looked at
	downAt time.Time // since when it is down; zero: it is up
}

// Open opens the interface name for reading, index being its Frame.Iface. It
// returns one source for each of workers, or a single one where only libpcap
// serves (Driver tells): the frames of that one have to be spread by the caller.
func Open(c Config, name string, index uint16, workers int) ([]*Live, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	i, err := findInterface(name, index)
	if err != nil {
		return nil, err
	}
	drivers, err := openDrivers(c, i, max(workers, 1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var sources []*Live
	for _, d := range drivers {
		l := &Live{iface: i, driver: d, base: i.drops(), looked: time.Now()}
		sources = append(sources, l)
	}
	return sources, nil
}

// openDrivers chooses between ring and libpcap.
func openDrivers(c Config, i *iface, workers int) ([]driver, error) {
	switch {
	case c.Driver == DriverRing || c.Driver == DriverAuto && ringServes(c, i):
		return openRings(c, i, workers)
	default:
		d, err := openLibpcap(c, i)
		if err != nil {
			return nil, err
		}
		return []driver{d}, nil
	}
}

// ringServes reports whether a ring can read i as c wants it.
func ringServes(c Config, i *iface) bool {
	return !i.any && i.ringLink() && (c.Filter == "" || Libpcap && !vlanWord().MatchString(c.Filter))
}

// Next fills batch and returns how many frames; their bytes are valid until
// the following call. When nothing arrives it returns 0 and no error after a
// tenth of a second. An interface that goes down and up again is resumed and
// counted in Stats; one that is gone is ErrInterfaceGone.
func (l *Live) Next(batch []Frame) (int, error) {
	if l.err != nil || len(batch) == 0 {
		return 0, l.err
	}
	n, down, err := l.driver.next(batch)
	if err != nil {
		l.err = fmt.Errorf("%s: %w", l.iface.name, err)
		return 0, l.err
	}
	l.counts.frames.Add(uint64(n))
	if n > 0 && !down && l.downAt.IsZero() {
		return n, nil
	}
	if err := l.watch(down); err != nil {
		l.err = fmt.Errorf("%s: %w", l.iface.name, err)
	}
	return n, nil
}

// lookEvery is how often a quiet interface is looked at: a deletion that the
// socket did not report is found that late.
const lookEvery = time.Second

// watch looks after the interface while nothing comes.
func (l *Live) watch(down bool) error {
	now := time.Now()
	if !down && l.downAt.IsZero() && now.Sub(l.looked) < lookEvery {
		return nil
	}
	l.looked = now
	up, err := l.iface.state()
	if err != nil {
		return err
	}
	if (down || !up) && l.downAt.IsZero() {
		l.counts.gaps.Add(1)
		l.downAt = now
	}
	if !l.downAt.IsZero() {
		l.counts.gap.Store(int64(l.counts.closed + now.Sub(l.downAt)))
		if up {
			l.counts.closed += now.Sub(l.downAt)
			l.downAt = time.Time{}
		}
	}
	return nil
}

// Driver says how the interface is read.
func (l *Live) Driver() Driver { return l.driver.name() }

// Interface returns the interface's name.
func (l *Live) Interface() string { return l.iface.name }

// Stats may be called from another goroutine, before Close.
func (l *Live) Stats() Stats {
	now := l.iface.drops()
	return Stats{
		Frames:           l.counts.frames.Load(),
		DroppedKernel:    l.driver.dropped(),
		DroppedInterface: now.device - min(l.base.device, now.device),
		DroppedSoftnet:   now.softnet - min(l.base.softnet, now.softnet),
		Gaps:             l.counts.gaps.Load(),
		Gap:              time.Duration(l.counts.gap.Load()),
	}
}

// Close ends the capture. The frames lent last are no longer valid.
func (l *Live) Close() {
	l.driver.close()
	l.err = errClosed
}

var errClosed = errors.New("capture is closed")
