// Demo records the capture that `picket demo` plays: a small campus in
// network namespaces, with real DHCP clients, a real resolver, and real TLS
// and QUIC clients that talk to a real server. It needs root, iproute2,
// dnsmasq and dhclient, and writes the capture and beside it what was truly
// sent, as the clients' own sockets counted it.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"picket/lab"
)

func main() {
	out := flag.String("o", "demo.pcap", "capture to write; the truth goes to the same name with .json")
	flag.Parse()
	if err := record(*out); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// sent is the truth of one conversation, from the client's own socket.
type sent struct {
	Device string `json:"device"`
	Client string `json:"client"`
	Server string `json:"server"`
	Proto  string `json:"proto"`
	Name   string `json:"name"`
	Up     int64  `json:"up"`   // TCP: bytes written; QUIC: of UDP payload
	Down   int64  `json:"down"` // bytes read
}

func record(out string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	net, err := lab.New()
	if err != nil {
		return err
	}
	defer net.Close()
	c, err := build(net)
	if err != nil {
		return err
	}
	if err := c.serve(ctx); err != nil {
		return err
	}
	stop, err := c.tape(out)
	if err != nil {
		return err
	}
	var truth []sent
	for _, d := range cast {
		if err := c.lease(ctx, d); err != nil {
			return err
		}
	}
	for _, d := range cast {
		for _, t := range d.tasks {
			s, err := c.do(ctx, d, t)
			if err != nil {
				return fmt.Errorf("%s: %+v: %w", d.name, t, err)
			}
			if s != nil {
				truth = append(truth, *s)
			}
		}
	}
	time.Sleep(500 * time.Millisecond) // the last acknowledgements
	if err := stop(); err != nil {
		return err
	}
	slices.SortFunc(truth, func(a, b sent) int { return strings.Compare(a.Client, b.Client) })
	data, err := json.MarshalIndent(truth, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(strings.TrimSuffix(out, ".pcap")+".json", append(data, '\n'), 0o644)
}
