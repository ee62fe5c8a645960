package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"

	"picket/bench/traffic"
)

// key names a conversation.
type key struct {
	client, server         netip.Addr
	clientPort, serverPort uint16
	proto                  string
}

// seen is what a reader says of one, all its lines together.
type seen struct {
	truth                     *traffic.Flow
	name, visibility          string
	sent, handshake, received uint64
	attempt                   bool
	lines                     int
}

// flowLine is the part of a flow line that is compared.
type flowLine struct {
	Type       string     `json:"type"`
	Client     netip.Addr `json:"client"`
	ClientPort uint16     `json:"client_port"`
	Server     netip.Addr `json:"server"`
	ServerPort uint16     `json:"server_port"`
	Proto      string     `json:"proto"`
	Name       string     `json:"name"`
	Visibility string     `json:"visibility"`
	Sent       uint64     `json:"sent"`
	Handshake  uint64     `json:"handshake"`
	Received   uint64     `json:"received"`
	Attempt    bool       `json:"attempt"`
}

func runVerify(args []string, stdin io.Reader, stdout io.Writer) error {
	if len(args) < 1 {
		return fmt.Errorf("verify: which capture?")
	}
	if len(args) > 1 {
		f, err := os.Open(args[1])
		if err != nil {
			return err
		}
		defer f.Close()
		stdin = f
	}
	truth, err := os.Open(args[0] + ".truth")
	if err != nil {
		return err
	}
	defer truth.Close()
	v, err := verify(truth, stdin)
	if err != nil {
		return err
	}
	v.print(stdout)
	if v.wrong() {
		return fmt.Errorf("%s: what was read is not what was sent", args[0])
	}
	return nil
}

// verdict counts what differs.
type verdict struct {
	flows, named, found, falseNames                    int
	missing, extra, names, sent, handshakes, receiveds int
	visibilities, attempts                             int
	examples                                           []string
}

func (v *verdict) wrong() bool {
	return v.missing+v.extra+v.names+v.sent+v.handshakes+v.receiveds > 0
}

func verify(truth, lines io.Reader) (*verdict, error) {
	flows := map[key]*seen{}
	if err := each(truth, func(f *traffic.Flow) {
		flows[key{f.Client, f.Server, f.ClientPort, f.ServerPort, f.Proto}] = &seen{truth: f}
	}); err != nil {
		return nil, fmt.Errorf("truth: %w", err)
	}
	v := &verdict{}
	err := each(lines, func(l *flowLine) {
		if l.Type != "flow" {
			return
		}
		s := flows[key{l.Client, l.Server, l.ClientPort, l.ServerPort, l.Proto}]
		if s == nil {
			v.extra++
			v.example("no such flow: %+v", *l)
			return
		}
		s.lines++
		s.sent += l.Sent
		s.handshake += l.Handshake
		s.received += l.Received
		s.attempt = l.Attempt
		if l.Name != "" {
			s.name = l.Name
		}
		s.visibility = l.Visibility
	})
	if err != nil {
		return nil, fmt.Errorf("flow lines: %w", err)
	}
	for _, s := range flows {
		v.compare(s)
	}
	return v, nil
}

// each decodes one JSON object a line.
func each[T any](r io.Reader, do func(*T)) error {
	d := json.NewDecoder(bufio.NewReaderSize(r, 1<<20))
	for {
		v := new(T)
		switch err := d.Decode(v); err {
		case nil:
			do(v)
		case io.EOF:
			return nil
		default:
			return err
		}
	}
}

func (v *verdict) compare(s *seen) {
	v.flows++
	t := s.truth
	if t.Name != "" && t.Visibility != "" {
		v.named++
		if s.name == t.Name {
			v.found++
		}
	}
	if s.lines == 0 {
		v.missing++
		v.example("not reported: %+v", *t)
		return
	}
	count := func(n *int, differs bool, what string) {
		if differs {
			*n++
			v.example("%s: is %+v, read %q %s sent %d handshake %d received %d attempt %v",
				what, *t, s.name, s.visibility, s.sent, s.handshake, s.received, s.attempt)
		}
	}
	if t.Visibility != "" {
		count(&v.names, s.name != t.Name, "name")
		count(&v.visibilities, s.visibility != t.Visibility, "visibility")
		if s.name != "" && s.name != t.Name {
			v.falseNames++
		}
	}
	count(&v.sent, s.sent != t.Sent, "sent")
	count(&v.handshakes, s.handshake != t.Handshake, "handshake")
	count(&v.receiveds, s.received != t.Received, "received")
	count(&v.attempts, s.attempt != t.Attempt, "attempt")
}

// maxExamples keeps the report short.
const maxExamples = 12

func (v *verdict) example(format string, args ...any) {
	if len(v.examples) < maxExamples {
		v.examples = append(v.examples, fmt.Sprintf(format, args...))
	}
}

func (v *verdict) print(w io.Writer) {
	fmt.Fprintf(w, "%d flows: %d not reported, %d reported that were not sent\n", v.flows, v.missing, v.extra)
	fmt.Fprintf(w, "%d names: %d found, %d wrong or missing, %d of them false\n", v.named, v.found, v.names, v.falseNames)
	fmt.Fprintf(w, "bytes that differ: sent %d, handshake %d, received %d\n", v.sent, v.handshakes, v.receiveds)
	fmt.Fprintf(w, "words that differ: visibility %d, attempt %d\n", v.visibilities, v.attempts)
	for _, e := range v.examples {
		fmt.Fprintln(w, " ", e)
	}
}
