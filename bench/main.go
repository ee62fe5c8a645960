// Bench measures picket beside its peers, on captures whose every flow is
// known.
//
//	go run ./bench                        make the captures, verify picket, time all, print the table
//	go run ./bench make -o F [...]        make one capture, and F.truth beside it
//	go run ./bench verify F [FLOWS]       compare flow lines (stdin or FLOWS) with F.truth
//	go run ./bench live -i IFACE [...]    count the frames of an interface, and what that costs
//	go run ./bench rates -capture F       send F ever faster to a span, for picket and for tcpdump (root)
//
// A reader is verified by giving its flow lines:
//
//	picket read --json --show flows F | go run ./bench verify F
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"picket/bench/traffic"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(args []string, stdin io.Reader, stdout io.Writer) error {
	if len(args) > 0 {
		switch args[0] {
		case "make":
			return runMake(args[1:], stdout)
		case "verify":
			return runVerify(args[1:], stdin, stdout)
		case "live":
			return runLive(args[1:], stdout)
		case "rates":
			return runRates(args[1:], stdout)
		}
	}
	return runAll(args, stdout)
}

func runMake(args []string, stdout io.Writer) error {
	c := traffic.Config{}
	fs := flag.NewFlagSet("make", flag.ExitOnError)
	out := fs.String("o", "", "file to write; the truth goes beside it, with .truth")
	fs.Uint64Var(&c.Seed, "seed", 1, "another seed, other traffic")
	fs.IntVar(&c.Devices, "devices", 500, "clients")
	fs.IntVar(&c.Frames, "frames", 1_000_000, "frames")
	fs.IntVar(&c.FramesPerFlow, "per-flow", 0, "mean frames of a flow; 0: by the number of devices")
	encap := fs.String("encap", "none", "none, erspan or capwap")
	_ = fs.Parse(args)
	c.Encap = traffic.Encap(*encap)
	if *out == "" {
		return errors.New("make: -o FILE is missing")
	}
	s, err := generate(*out, c)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s: %s\n", *out, describe(s))
	return nil
}

func describe(s traffic.Summary) string {
	return fmt.Sprintf("%d frames, %d MiB, %.0f %% bulk, %d flows, %d TLS, %d QUIC",
		s.Frames, s.Bytes>>20, 100*float64(s.Bulk)/float64(s.Frames), s.Flows, s.TLS, s.QUIC)
}

// generate writes a capture and its truth.
func generate(path string, c traffic.Config) (traffic.Summary, error) {
	var none traffic.Summary
	if c.Devices < 1 || c.Devices > 1<<20 || c.Frames < 1 {
		return none, fmt.Errorf("%d devices, %d frames: want 1 to %d, at least 1", c.Devices, c.Frames, 1<<20)
	}
	file, err := os.Create(path)
	if err != nil {
		return none, err
	}
	defer file.Close()
	side, err := os.Create(path + ".truth")
	if err != nil {
		return none, err
	}
	defer side.Close()
	buf := bufio.NewWriterSize(side, 1<<20)
	lines := json.NewEncoder(buf)
	s, err := traffic.Generate(c, file, func(f *traffic.Flow) { _ = lines.Encode(f) })
	return s, errors.Join(err, buf.Flush(), side.Close(), file.Close())
}
