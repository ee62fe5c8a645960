package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"picket/lab"
)

// reader is one program that listens on the span. DIR in its arguments is a
// directory for what it keeps, CONFIG its configuration file.
type reader struct {
	name, config string
	args         []string
	counted      *regexp.Regexp // frames and drops in what it prints at its end
}

const policies = `
policies:
  - {name: bench, severity: page, devices: {makers: [xiaomi]}, restricted: {countries: [CN]}}
`

var (
	picketCounts  = regexp.MustCompile(`(\d+) frames received, (\d+) dropped by kernel`)
	tcpdumpCounts = regexp.MustCompile(`(?s)(\d+) packets captured.*?(\d+) packets dropped by kernel`)
)

func readers(picket string) []reader {
	run := []string{picket, "run", "-c", "CONFIG", "--state", "DIR", "-i", "span", "--web.listen-address", "127.0.0.1:9710"}
	return []reader{
		{"tcpdump, its 2 MiB ring", "", []string{"tcpdump", "-i", "span", "-w", "/dev/null"}, tcpdumpCounts},
		{"tcpdump -B 65536", "", []string{"tcpdump", "-i", "span", "-B", "65536", "-w", "/dev/null"}, tcpdumpCounts},
		{"picket, libpcap", "capture: {driver: libpcap}" + policies, run, picketCounts},
		{"picket, ring", "capture: {driver: ring}" + policies, run, picketCounts},
		{"picket, ring without restraint", "capture: {driver: ring, restraint: false}" + policies, run, picketCounts},
		{"picket, two rings", "capture: {driver: ring}\nlimits: {workers: 2}" + policies, run, picketCounts},
		{"picket, ring of 1 MiB", "capture: {driver: ring, ring_size: 1MiB, restraint: false}" + policies, run, picketCounts},
	}
}

// runRates sends a capture into a veth pair at one rate after the other, for
// each reader in turn, and prints what each one got and what it cost.
func runRates(args []string, stdout io.Writer) error {
	fs := flag.NewFlagSet("rates", flag.ExitOnError)
	file := fs.String("capture", "", "capture to send, with tcpreplay")
	picket := fs.String("picket", "./picket", "picket to measure")
	rates := fs.String("rates", "50000,100000,200000,300000,400000", "frames a second; 0: as fast as they go")
	seconds := fs.Int("seconds", 20, "how long each")
	only := fs.String("only", "", "readers whose name contains this")
	_ = fs.Parse(args)
	if *file == "" {
		return errors.New("rates: -capture FILE is missing")
	}
	binary, err := filepath.Abs(*picket)
	if err != nil {
		return err
	}
	net, err := lab.New()
	if err != nil {
		return err
	}
	defer net.Close()
	tap, err := span(net)
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, "| reader | frames/s | sent | received | dropped by the ring | ns CPU a frame |\n|---|---|---|---|---|---|")
	for _, r := range readers(binary) {
		if !strings.Contains(r.name, *only) {
			continue
		}
		for _, word := range strings.Split(*rates, ",") {
			rate, err := strconv.Atoi(word)
			if err != nil {
				return err
			}
			if err := r.measure(tap, *file, rate, *seconds, stdout); err != nil {
				return fmt.Errorf("%s at %d: %w", r.name, rate, err)
			}
		}
	}
	return nil
}

// span is a host with a cable from itself to itself, on which nothing of the
// host's own is heard.
func span(net *lab.Net) (*lab.Host, error) {
	tap, err := net.Host("tap")
	if err != nil {
		return nil, err
	}
	if err := tap.Do(func() error {
		return os.WriteFile("/proc/sys/net/ipv6/conf/default/disable_ipv6", []byte("1"), 0)
	}); err != nil {
		return nil, err
	}
	if err := net.Link(tap, "wire", tap, "span"); err != nil {
		return nil, err
	}
	return tap, errors.Join(tap.IP("link set wire mtu 9000 arp off"), tap.IP("link set span mtu 9000 arp off"))
}

func (r *reader) measure(tap *lab.Host, file string, rate, seconds int, stdout io.Writer) error {
	dir, err := os.MkdirTemp("", "rates")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	config := filepath.Join(dir, "picket.yml")
	if err := os.WriteFile(config, []byte(r.config), 0o600); err != nil {
		return err
	}
	args := strings.Fields(strings.NewReplacer("CONFIG", config, "DIR", dir).Replace(strings.Join(r.args, " ")))
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(seconds+60)*time.Second)
	defer cancel()
	var said bytes.Buffer
	listener := tap.Command(ctx, args[0], args[1:]...)
	listener.Stderr, listener.Stdout = &said, &said
	if err := listener.Start(); err != nil {
		return err
	}
	time.Sleep(2 * time.Second)          // the ring must stand before the first frame
	before := used(listener.Process.Pid) // what starting costs is told elsewhere
	sent, err := send(ctx, tap, file, rate, seconds)
	time.Sleep(time.Second)
	cpu := used(listener.Process.Pid) - before
	_ = listener.Process.Signal(syscall.SIGINT)
	if waited := listener.Wait(); err != nil || waited != nil {
		return fmt.Errorf("%w; %.500s", errors.Join(err, waited), said.String())
	}
	m := r.counted.FindSubmatch(said.Bytes())
	if m == nil {
		return fmt.Errorf("no counts: %.500s", said.String())
	}
	received, _ := strconv.Atoi(string(m[1]))
	fmt.Fprintf(stdout, "| %s | %d | %d | %s | %s | %.0f |\n", r.name, sent/seconds, sent, m[1], m[2], float64(cpu)/float64(max(received, 1)))
	return nil
}

// used is the processor time of a running process, 0 when it cannot be read;
// proc_pid_stat(5) counts it in hundredths of a second.
func used(pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // fields 3 and on; 14 and 15 are utime and stime
	words := strings.Fields(rest)
	if len(words) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(words[11])
	system, _ := strconv.Atoi(words[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

var replayed = regexp.MustCompile(`Actual: (\d+) packets`)

// send replays the capture for about so many seconds, and returns how many
// frames went out.
func send(ctx context.Context, tap *lab.Host, file string, rate, seconds int) (int, error) {
	pace := []string{"--topspeed"}
	if rate > 0 {
		pace = []string{"--pps=" + strconv.Itoa(rate)}
	}
	args := append([]string{"--preload-pcap", "-i", "wire", "--loop", "0", "--duration", strconv.Itoa(seconds)}, append(pace, file)...)
	out, err := tap.Command(ctx, "tcpreplay", args...).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("tcpreplay: %w: %.300s", err, out)
	}
	m := replayed.FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("tcpreplay said nothing of frames: %.300s", out)
	}
	return strconv.Atoi(string(m[1]))
}
