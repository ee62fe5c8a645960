//go:build cgo

package capture

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcap"
	"golang.org/x/net/bpf"
)

// Libpcap says whether this build has libpcap.
const Libpcap = true

// arenaSize bounds the bytes of one batch. libpcap's own bytes are valid only
// until the next frame is read, so that a batch has to be copied.
const arenaSize = 1 << 20

// libpcap reads an interface through libpcap, by way of gopacket/pcap: the
// library chosen for live capture, which no binding of our own replaces,
// though one would save the start of gopacket/layers (3 ms, 6 MiB).
type libpcap struct {
	handle *pcap.Handle
	iface  *iface
	link   LinkType
	arena  []byte
	spare  Frame // read but did not fit: first of the next batch
	config Config

	drops   atomic.Uint64
	closed  uint64 // drops of handles that were closed
	counted int64  // time of the frame that drops were asked at
}

func openLibpcap(c Config, i *iface) (driver, error) {
	l := &libpcap{iface: i, config: c, arena: make([]byte, arenaSize)}
	if err := l.open(); err != nil && !errors.Is(err, errDown) {
		return nil, err
	}
	return l, nil // with the interface down, it is opened once it is up
}

// errDown: libpcap opens no interface that is down.
var errDown = errors.New("interface is down")

func (l *libpcap) open() error {
	in, err := pcap.NewInactiveHandle(l.iface.name)
	if err != nil {
		return err
	}
	defer in.CleanUp()
	c := l.config
	if err := errors.Join(in.SetSnapLen(c.SnapLength), in.SetPromisc(c.Promiscuous && !l.iface.any),
		in.SetTimeout(pause), in.SetBufferSize(int(min(c.RingSize, 1<<31-1)))); err != nil {
		return err
	}
	h, err := in.Activate()
	if err != nil {
		return activation(err)
	}
	if c.Filter != "" {
		if err := h.SetBPFFilter(c.Filter); err != nil {
			h.Close()
			return fmt.Errorf("filter %q: %w", c.Filter, err)
		}
	}
	if c.IgnoreOutgoing {
		if err := h.SetDirection(pcap.DirectionIn); err != nil {
			h.Close()
			return fmt.Errorf("ignore_outgoing: %w", err)
		}
	}
	l.handle, l.link = h, LinkType(h.LinkType())
	return nil
}

// activation turns libpcap's errors into ours.
func activation(err error) error {
	for _, s := range [...]string{"ermission", "not permitted"} {
		if strings.Contains(err.Error(), s) {
			return ErrPermission
		}
	}
	if strings.Contains(strings.ToLower(err.Error()), "not up") {
		return errDown
	}
	return fmt.Errorf("libpcap: %w", err)
}

func (l *libpcap) name() Driver { return DriverLibpcap }

func (l *libpcap) next(batch []Frame) (n int, down bool, err error) {
	if l.handle == nil {
		return 0, true, l.reopen()
	}
	free := l.arena
	if l.spare.Data != nil {
		batch[0] = l.spare
		l.spare.Data = nil
		n = 1
	}
	for n < len(batch) {
		data, ci, err := l.handle.ZeroCopyReadPacketData()
		if err != nil {
			down, err = l.stopped(err)
			return n, down, err
		}
		f := Frame{Data: data, At: ci.Timestamp.UnixNano(), Wire: max(ci.Length, len(data)), Link: l.link, Iface: l.iface.index}
		if len(data) > len(free) { // the arena is full: keep the frame for the next batch
			f.Data = append([]byte(nil), data...)
			l.spare = f
			break
		}
		f.Data = free[:copy(free, data):len(data)]
		free = free[len(data):]
		batch[n] = f
		n++
		if f.At-batch[0].At > int64(pause) { // frames come slowly: do not wait for a full batch
			break
		}
	}
	l.count(batch[:n])
	return n, false, nil
}

// stopped tells a timeout from an interface that went down from a failure.
func (l *libpcap) stopped(err error) (down bool, _ error) {
	if errors.Is(err, pcap.NextErrorTimeoutExpired) {
		l.count(nil)
		return false, nil
	}
	if _, gone := l.iface.state(); gone != nil {
		return true, gone
	}
	text := l.handle.Error()
	l.shut()
	if err == io.EOF || err == pcap.NextErrorReadError {
		return true, nil // opened again by the next call
	}
	return true, fmt.Errorf("libpcap: %w: %w", err, text)
}

// reopen waits for the interface to come up.
func (l *libpcap) reopen() error {
	time.Sleep(pause)
	if up, err := l.iface.state(); err != nil || !up {
		return err
	}
	if err := l.open(); !errors.Is(err, errDown) {
		return err
	}
	return nil
}

// count asks libpcap what was dropped, about once a second.
func (l *libpcap) count(lent []Frame) {
	if len(lent) > 0 {
		if lent[0].At-l.counted < int64(time.Second) {
			return
		}
		l.counted = lent[0].At
	}
	if s, err := l.handle.Stats(); err == nil {
		l.drops.Store(l.closed + uint64(s.PacketsDropped))
	}
}

func (l *libpcap) dropped() uint64 { return l.drops.Load() }

// shut closes the handle and keeps its drops.
func (l *libpcap) shut() {
	if l.handle == nil {
		return
	}
	l.count(nil)
	l.closed = l.drops.Load()
	l.handle.Close()
	l.handle = nil
}

func (l *libpcap) close() { l.shut() }

func compileFilter(link LinkType, snap int, expr string) ([]bpf.RawInstruction, error) {
	prog, err := pcap.CompileBPFFilter(layers.LinkType(link), snap, expr)
	if err != nil {
		return nil, fmt.Errorf("filter %q: %w", expr, err)
	}
	raw := make([]bpf.RawInstruction, len(prog))
	for i, p := range prog {
		raw[i] = bpf.RawInstruction{Op: p.Code, Jt: p.Jt, Jf: p.Jf, K: p.K}
	}
	return raw, nil
}
