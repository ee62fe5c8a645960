package sensor

import (
	"net/netip"
	"testing"

	"picket/sensor/capture"
)

// syn is an Ethernet frame with a TCP SYN from 10.0.0.last to 203.0.113.1.
func syn(mac, last, ttl byte) []byte {
	return []byte{
		2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, mac, 8, 0,
		0x45, 0, 0, 40, 0, 0, 0x40, 0, ttl, 6, 0, 0, 10, 0, 0, last, 203, 0, 113, 1,
		0x9c, 0x40, 1, 187, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0xff, 0xff, 0, 0, 0, 0,
	}
}

func TestSurveyPosition(t *testing.T) {
	home := netip.MustParsePrefix("10.0.0.0/8").Contains
	s := Survey{Home: home}
	for last := range byte(20) { // a router's two sides: many addresses behind one MAC, one hop away
		s.Frame(&capture.Frame{Data: syn(7, last, 63), Wire: 54, Link: capture.LinkEthernet})
	}
	if macs, addrs, most := s.Senders(); macs != 1 || addrs != 20 || most != 20 || s.Behind != 20 || s.Direct != 0 || s.Translators() != 0 {
		t.Errorf("behind a router: %d MACs, %d addresses, at most %d, %d behind, %d direct, %d translators", macs, addrs, most, s.Behind, s.Direct, s.Translators())
	}
	s = Survey{Home: home} // a phone that shares its connection with a Windows machine behind it
	s.Frame(&capture.Frame{Data: syn(7, 1, 64), Wire: 54, Link: capture.LinkEthernet})
	s.Frame(&capture.Frame{Data: syn(7, 1, 127), Wire: 54, Link: capture.LinkEthernet})
	s.Frame(&capture.Frame{Data: syn(8, 2, 64), Wire: 54, Link: capture.LinkEthernet})
	if s.Translators() != 1 {
		t.Errorf("%d translators, want 1", s.Translators())
	}
	s.Frame(&capture.Frame{Data: syn(8, 2, 64)[:40], Wire: 54, Link: capture.LinkEthernet})
	if s.Cut != 1 || s.Frames != 4 {
		t.Errorf("%d of %d frames cut, want 1 of 4", s.Cut, s.Frames)
	}
}

func TestSurveyBounded(t *testing.T) {
	s := Survey{Home: netip.MustParsePrefix("10.0.0.0/8").Contains}
	frame := syn(7, 1, 64)
	for i := range 3 * maxSurveyed {
		frame[27], frame[28], frame[29] = byte(i>>16), byte(i>>8), byte(i)
		frame[9], frame[10], frame[11] = byte(i>>16), byte(i>>8), byte(i)
		s.Frame(&capture.Frame{Data: frame, Wire: 54, Link: capture.LinkEthernet})
	}
	if len(s.pairs) > maxSurveyed || len(s.owners) > maxSurveyed || len(s.ttls) > maxSurveyed {
		t.Errorf("%d pairs, %d owners, %d addresses; at most %d each", len(s.pairs), len(s.owners), len(s.ttls), maxSurveyed)
	}
}
