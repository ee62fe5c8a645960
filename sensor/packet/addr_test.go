package packet

import (
	"net/netip"
	"testing"
)

func TestRouted(t *testing.T) {
	for text, want := range map[string]bool{
		"10.1.2.3": true, "192.0.2.1": true, "2001:db8::1": true, "fd00::1": true,
		"0.0.0.0": false, "255.255.255.255": false, "224.0.0.251": false, "127.0.0.1": false, "169.254.1.1": false,
		"::": false, "::1": false, "ff02::fb": false, "fe80::1": false,
	} {
		if got := AddrFrom(netip.MustParseAddr(text)).Routed(); got != want {
			t.Errorf("%s: routed %v, want %v", text, got, want)
		}
	}
}
