package alerts

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"picket/sensor/device"
	"picket/sensor/packet"
)

// exceptions is Except made ready.
type exceptions struct {
	macs     map[packet.MAC]Exemption
	devices  map[device.ID]Exemption
	networks []exemptPrefix
	servers  []exemptPrefix
	names    map[string]Exemption
}

type exemptPrefix struct {
	netip.Prefix
	Exemption
}

// compile is called on checked values only.
func (e *Except) compile() exceptions {
	x := exceptions{macs: map[packet.MAC]Exemption{}, devices: map[device.ID]Exemption{}, names: map[string]Exemption{}}
	for _, m := range e.MACs {
		if mac, err := parseMAC(m.Value); err == nil {
			x.macs[mac] = m
		}
	}
	for _, d := range e.Devices {
		x.devices[device.ID(d.Value)] = d
	}
	for _, n := range e.Names {
		x.names[n.Value] = n
	}
	x.networks, x.servers = prefixes(e.Networks), prefixes(e.Servers)
	return x
}

func prefixes(list []Exemption) []exemptPrefix {
	var out []exemptPrefix
	for _, e := range list {
		if p, err := ParsePrefix(e.Value); err == nil {
			out = append(out, exemptPrefix{p.Prefix, e})
		}
	}
	return out
}

// ends lists when exemptions end, soonest first.
func (e *Except) ends() []time.Time {
	var out []time.Time
	for _, l := range e.lists() {
		for _, x := range *l.entries {
			if t := time.Time(x.Until); !t.IsZero() {
				out = append(out, t)
			}
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return out
}

// device finds the exemption of a device at now.
func (x *exceptions) device(v *device.View, now time.Time) (Exemption, bool) {
	if e, ok := x.devices[v.ID]; ok && !e.Until.Passed(now) {
		return e, true
	}
	for _, m := range v.MACs() {
		if e, ok := x.macs[m]; ok && !e.Until.Passed(now) {
			return e, true
		}
	}
	return Exemption{}, false
}

// transfer finds the exemption of one conversation at now.
func (x *exceptions) transfer(client, server netip.Addr, name string, now time.Time) (Exemption, bool) {
	if e, ok := covering(x.networks, client, now); ok {
		return e, true
	}
	if e, ok := covering(x.servers, server, now); ok {
		return e, true
	}
	for n := name; n != "" && len(x.names) > 0; {
		if e, ok := x.names[n]; ok && !e.Until.Passed(now) {
			return e, true
		}
		_, n, _ = strings.Cut(n, ".")
	}
	return Exemption{}, false
}

func covering(list []exemptPrefix, a netip.Addr, now time.Time) (Exemption, bool) {
	if !a.IsValid() {
		return Exemption{}, false
	}
	for _, p := range list {
		if p.Contains(a) && !p.Until.Passed(now) {
			return p.Exemption, true
		}
	}
	return Exemption{}, false
}

// why says the exemption in words.
func (e Exemption) why() string {
	s := "exempt: " + e.Value
	if e.Comment != "" {
		s += " (" + e.Comment + ")"
	}
	if !time.Time(e.Until).IsZero() {
		s += " until " + e.Until.String()
	}
	return s
}
