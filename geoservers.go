package main

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"

	"picket/geo"
)

// readServers reads ADDR [NAME] lines; without a file, a sample of all
// addresses stands for them.
func readServers(stdin io.Reader, path string) ([]geo.Query, error) {
	if path == "" {
		return sampleServers(), nil
	}
	in := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("geo diff: %w", err)
		}
		defer f.Close()
		in = f
	}
	var out []geo.Query
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		f := strings.Fields(lines.Text())
		if len(f) == 0 || strings.HasPrefix(f[0], "#") {
			continue
		}
		a, err := netip.ParseAddr(f[0])
		if err != nil {
			return nil, fmt.Errorf("geo diff: %s:%d: %w", path, n, err)
		}
		q := geo.Query{Addr: a}
		if len(f) > 1 {
			q.Name = f[1]
		}
		out = append(out, q)
	}
	return out, lines.Err()
}

// sampleServers are 50,000 public IPv4 addresses, spread evenly by the golden
// ratio: always the same ones.
func sampleServers() []geo.Query {
	var out []geo.Query
	for i := uint32(1); len(out) < 50_000; i++ {
		n := i * 2654435769
		a := netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
		if !geo.Placeless(a) {
			out = append(out, geo.Query{Addr: a})
		}
	}
	return out
}
