package device

import "picket/sensor/observation"

// place is where a device is, as some source said. It never changes: devices
// and Views share it. Of most no more is known than the VLAN.
type place struct {
	at   int64 // ns
	said *spot // nil: frames showed the VLAN
	vlan uint16
}

// spot is what a source knew besides the VLAN.
type spot struct{ accessPoint, ssid, wire, port, source string }

const bySight = "vlan" // observation.Place.Source of a VLAN that frames showed

func wordsOf(p *observation.Place) spot {
	return spot{p.AccessPoint, p.SSID, p.Switch, p.Port, p.Source}
}

// placeFrom returns nil for the zero Place.
func placeFrom(p *observation.Place) *place {
	if *p == (observation.Place{}) {
		return nil
	}
	return place{at: nanos(p.At), vlan: p.VLAN}.with(wordsOf(p))
}

// with returns p to keep, with the words of a source if it has none yet.
func (p place) with(words spot) *place {
	if p.said == nil && words != (spot{source: bySight}) {
		said := words // kept; the words themselves need not be
		p.said = &said
	}
	return &p
}

func (p *place) words() spot {
	if p.said == nil {
		return spot{source: bySight}
	}
	return *p.said
}

func (p *place) observed() observation.Place {
	if p == nil {
		return observation.Place{}
	}
	w := p.words()
	return observation.Place{AccessPoint: w.accessPoint, SSID: w.ssid, Switch: w.wire, Port: w.port, VLAN: p.vlan, Source: w.source, At: timeOf(p.at)}
}

// time is in nanoseconds, 0 for no place.
func (p *place) time() int64 {
	if p == nil {
		return 0
	}
	return p.at
}
