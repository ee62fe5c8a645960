package main

import (
	"flag"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"

	"picket/sensor/capture"
)

// runLive counts the frames of an interface for a while, by one driver, and
// says what that cost: the capture room alone, without anything behind it.
func runLive(args []string, stdout io.Writer) error {
	c := capture.Default()
	fs := flag.NewFlagSet("live", flag.ExitOnError)
	name := fs.String("i", "", "interface")
	workers := fs.Int("workers", 1, "rings")
	seconds := fs.Int("seconds", 10, "how long")
	homes := fs.String("home", "10.0.0.0/8,fd00::/8", "home networks, for the spreading and restraint")
	fs.Func("driver", "auto, ring or libpcap", func(s string) error { return c.Driver.UnmarshalText([]byte(s)) })
	fs.Func("ring", "size of each ring", func(s string) error { return c.RingSize.UnmarshalText([]byte(s)) })
	fs.BoolVar(&c.Restraint, "restraint", c.Restraint, "leave bulk in the kernel")
	_ = fs.Parse(args)
	for _, s := range strings.Split(*homes, ",") {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return err
		}
		c.HomeNetworks = append(c.HomeNetworks, p)
	}
	sources, err := capture.Open(c, *name, 0, *workers)
	if err != nil {
		return err
	}
	before, err := processorTime() // allocating the rings is paid once
	if err != nil {
		return err
	}
	end := time.Now().Add(time.Duration(*seconds) * time.Second)
	counts := make([]count, len(sources))
	var group sync.WaitGroup
	for i := range sources {
		group.Go(func() { counts[i].run(sources[i], end) })
	}
	group.Wait()
	after, err := processorTime()
	if err != nil {
		return err
	}
	var all count
	var dropped uint64
	for i, n := range counts {
		s := sources[i].Stats()
		fmt.Fprintf(stdout, "%s %d: %d frames, %d dropped, %d bytes lent of %d; interface dropped %d, softnet %d\n",
			sources[i].Driver(), i, n.frames, s.DroppedKernel, n.lent, n.wire, s.DroppedInterface, s.DroppedSoftnet)
		all.frames += n.frames
		dropped += s.DroppedKernel
		if n.err != nil {
			return n.err
		}
	}
	fmt.Fprintf(stdout, "%d frames, %d dropped, %.0f ns CPU a frame\n", all.frames, dropped, float64(after-before)/float64(max(all.frames, 1)))
	return nil
}

// processorTime is what the process used so far, user and system together.
func processorTime() (time.Duration, error) {
	var u syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), err
}

// count is what one source delivered.
type count struct {
	frames, lent, wire uint64
	err                error
}

func (n *count) run(l *capture.Live, end time.Time) {
	batch := make([]capture.Frame, 256)
	for time.Now().Before(end) {
		k, err := l.Next(batch)
		if err != nil {
			n.err = err
			return
		}
		for i := range batch[:k] {
			n.lent += uint64(len(batch[i].Data))
			n.wire += uint64(batch[i].Wire)
		}
		n.frames += uint64(k)
	}
}
