//go:build !cgo

package capture

import (
	"fmt"

	"golang.org/x/net/bpf"
)

// Libpcap says whether this build has libpcap.
const Libpcap = false

func openLibpcap(c Config, _ *iface) (driver, error) {
	if c.Filter != "" {
		return nil, fmt.Errorf("filter: %w (built with CGO_ENABLED=0)", ErrNoLibpcap)
	}
	return nil, fmt.Errorf("%w (built with CGO_ENABLED=0)", ErrNoLibpcap)
}

func compileFilter(LinkType, int, string) ([]bpf.RawInstruction, error) {
	return nil, fmt.Errorf("filter: %w (built with CGO_ENABLED=0)", ErrNoLibpcap)
}
