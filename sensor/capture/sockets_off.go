//go:build !linux

package capture

// Sockets exist on Linux alone.
type Sockets struct{}
