package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"picket/bench/traffic"
)

// captures are what is measured. The big one takes 10 GB and is made on demand.
var captures = [...]struct {
	name string
	traffic.Config
}{
	{"500", traffic.Config{Devices: 500, Frames: 1_000_000}},
	{"5k", traffic.Config{Devices: 5_000, Frames: 1_000_000}},
	{"50k", traffic.Config{Devices: 50_000, Frames: 1_000_000}},
	{"erspan", traffic.Config{Devices: 500, Frames: 1_000_000, Encap: traffic.ERSPAN}},
	{"capwap", traffic.Config{Devices: 500, Frames: 1_000_000, Encap: traffic.CAPWAP}},
	{"10M", traffic.Config{Devices: 500, Frames: 10_000_000}},
}

// program is one reader of captures; FILE in its arguments is the capture.
type program struct {
	name string
	args []string
}

// programs are run in this order, floor first.
func programs(picket, floor string) []program {
	return []program{
		{"libpcap, empty loop", []string{floor, "FILE"}},
		{"picket", []string{picket, "read", "--prohibit", "xiaomi", "--restrict", "CN", "FILE"}},
		{"tcpdump -w", []string{"tcpdump", "-r", "FILE", "-w", "/dev/null"}},
		{"softflowd", []string{"softflowd", "-d", "-6", "-m", "10000000", "-r", "FILE"}},
		{"argus", []string{"argus", "-r", "FILE", "-w", "/dev/null"}},
		{"ndpiReader", []string{"ndpiReader", "-q", "-i", "FILE"}},
	}
}

type options struct {
	dir, picket, only, skip string
	rounds, frames          int
}

func runAll(args []string, stdout io.Writer) error {
	var o options
	fs := flag.NewFlagSet("bench", flag.ExitOnError)
	fs.StringVar(&o.dir, "dir", filepath.Join(os.TempDir(), "picket-bench"), "where captures are made and kept")
	fs.StringVar(&o.picket, "picket", "./picket", "picket to measure; empty: peers alone")
	fs.StringVar(&o.only, "captures", "500,5k,50k,erspan,capwap", "which captures; 10M takes 10 GB of disk")
	fs.StringVar(&o.skip, "skip", "", "programs to leave out, by the first word of their name")
	fs.IntVar(&o.rounds, "rounds", 5, "how often each program runs on each capture")
	fs.IntVar(&o.frames, "frames", 0, "frames of each capture, for a quick look")
	_ = fs.Parse(args)
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return err
	}
	for _, name := range [...]string{"floor", "measure"} {
		gcc := exec.Command("gcc", "-O2", "-o", filepath.Join(o.dir, name), "bench/floor/"+name+".c", "-lpcap")
		if out, err := gcc.CombinedOutput(); err != nil {
			return fmt.Errorf("build bench/floor/%s.c: %w: %s", name, err, out)
		}
	}
	for _, c := range captures {
		if !slices.Contains(strings.Split(o.only, ","), c.name) {
			continue
		}
		if o.frames > 0 {
			c.Frames = o.frames
		}
		if err := o.measure(c.name, c.Config, stdout); err != nil {
			return err
		}
	}
	return nil
}

// measure makes one capture, verifies picket on it, and prints its table.
func (o *options) measure(name string, c traffic.Config, stdout io.Writer) error {
	path := filepath.Join(o.dir, fmt.Sprintf("%s-%d.pcap", name, c.Frames))
	c.Seed = 1
	s, err := generate(path, c)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "\n### %s: %d devices, %s\n\n", name, c.Devices, describe(s))
	if o.picket != "" {
		if err := o.check(path, stdout); err != nil {
			return err
		}
	}
	var results []result
	for _, p := range programs(o.picket, filepath.Join(o.dir, "floor")) {
		word, _, _ := strings.Cut(p.name, " ")
		if o.picket == "" && word == "picket" || slices.Contains(strings.Split(o.skip, ","), word) {
			continue
		}
		if _, err := exec.LookPath(p.args[0]); err != nil {
			fmt.Fprintf(stdout, "(%s is not installed)\n", p.name)
			continue
		}
		results = append(results, result{program: p})
	}
	for range o.rounds + 1 { // in turn, so that what else the machine does falls on all; the first round warms up
		for i := range results {
			if err := results[i].once(filepath.Join(o.dir, "measure"), path); err != nil {
				return err
			}
		}
	}
	table(stdout, results, c.Frames)
	return nil
}

// check compares picket's flow lines with the truth.
func (o *options) check(path string, stdout io.Writer) error {
	cmd := exec.Command(o.picket, "read", "--json", "--show", "flows", path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	truth, err := os.Open(path + ".truth")
	if err != nil {
		return err
	}
	defer truth.Close()
	v, err := verify(truth, out)
	if err != nil {
		return err
	}
	v.print(stdout)
	fmt.Fprintln(stdout)
	return cmd.Wait()
}

// result is what one program took, a value for each run.
type result struct {
	program
	cpu, wall []time.Duration
	rss       []int64 // KiB
}

// once runs the program by way of bench/floor/measure.c.
func (r *result) once(measure, path string) error {
	args := slices.Clone(r.args)
	for i, a := range args {
		if a == "FILE" {
			args[i] = path
		}
	}
	figures, tell, err := os.Pipe()
	if err != nil {
		return err
	}
	defer figures.Close()
	cmd := exec.Command(measure, args...)
	cmd.ExtraFiles = []*os.File{tell}
	begin := time.Now()
	out, err := cmd.CombinedOutput()
	tell.Close()
	if err != nil {
		return fmt.Errorf("%s: %w: %.300s", strings.Join(args, " "), err, out)
	}
	var user, system, rss int64
	if _, err := fmt.Fscan(figures, &user, &system, &rss); err != nil {
		return fmt.Errorf("%s: no figures: %w", measure, err)
	}
	r.wall = append(r.wall, time.Since(begin))
	r.cpu = append(r.cpu, time.Duration(user+system)*time.Microsecond)
	r.rss = append(r.rss, rss)
	return nil
}

// table prints medians, and the extremes of processor time.
func table(w io.Writer, results []result, frames int) {
	fmt.Fprintln(w, "| program | CPU, ns a frame (min to max) | × floor | wall, ns a frame | MiB |")
	fmt.Fprintln(w, "|---|---|---|---|---|")
	per := func(d time.Duration) float64 { return float64(d) / float64(frames) }
	floor := 0.0
	for _, r := range results {
		cpu, wall, rss := r.cpu[1:], r.wall[1:], r.rss[1:] // without the first
		slices.Sort(cpu)
		slices.Sort(wall)
		slices.Sort(rss)
		mid := len(cpu) / 2
		if floor == 0 {
			floor = per(cpu[mid])
		}
		fmt.Fprintf(w, "| %s | %.0f (%.0f to %.0f) | %.2f | %.0f | %d |\n", r.name,
			per(cpu[mid]), per(cpu[0]), per(cpu[len(cpu)-1]), per(cpu[mid])/floor, per(wall[mid]), rss[mid]>>10)
	}
}
