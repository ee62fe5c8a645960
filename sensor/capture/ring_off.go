//go:build !linux

package capture

import (
	"errors"
	"fmt"
)

func openRings(Config, *iface, int) ([]driver, error) {
	return nil, fmt.Errorf("driver ring: only on Linux: %w", errors.ErrUnsupported)
}

func hardware(string) int { return -1 }
