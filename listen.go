package main

import (
	"fmt"
	"net"

	"github.com/coreos/go-systemd/v22/activation"
)

// listen opens the endpoint's listeners: those that systemd hands over
// (picket.socket), else one for each address.
func listen(addrs []string) ([]net.Listener, error) {
	given, err := activation.Listeners()
	if err != nil {
		return nil, fmt.Errorf("socket activation: %w", err)
	}
	var listeners []net.Listener
	for _, l := range given {
		if l != nil { // nil: handed over for something else
			listeners = append(listeners, l)
		}
	}
	if len(listeners) > 0 {
		return listeners, nil
	}
	for _, a := range addrs {
		l, err := net.Listen("tcp", a)
		if err != nil {
			for _, open := range listeners {
				open.Close()
			}
			return nil, fmt.Errorf("web.listen_addresses: %w", err)
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}
