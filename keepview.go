package main

import (
	"net"
	"net/netip"
	"time"

	"picket/evidence"
	"picket/sensor"
	"picket/sensor/device"
	"picket/sensor/handset"
	"picket/sensor/packet"
)

// deviceOf is what is kept of a device.
func deviceOf(d *keptDevice, at time.Time) evidence.Device {
	v := d.view
	out := evidence.Device{
		ID: string(v.ID), Realm: v.Realm, Concern: d.concern, Policies: d.policies,
		Maker: v.Verdict.Maker, Model: v.Verdict.Model, Class: v.Verdict.Class, Handset: v.Verdict.Handset,
		Confidence: v.Verdict.Confidence.String(), Posterior: v.Verdict.Posterior, Shared: v.Shared || v.Verdict.Shared,
		RandomMAC: v.RandomMAC, Leased: v.Leased, Hostname: v.Hostname(), Place: v.Where(),
		MACs: macTexts(v), Addrs: addrTexts(v), First: v.First(), Last: v.Last(),
		Reasons: reasonWords(v.Verdict.Reasons), Against: reasonWords(v.Verdict.Against), WouldChange: append([]string{}, v.Verdict.WouldChange...),
		Signatures: v.Verdict.Signatures,
	}
	if at.After(out.Last) {
		out.Last = at.UTC()
	}
	return out
}

// viewOf is what policies ask of a device that is kept.
func viewOf(d *evidence.Device) *device.View {
	verdict := &handset.Verdict{Maker: d.Maker, Model: d.Model, Class: d.Class, Handset: d.Handset, Posterior: d.Posterior, Shared: d.Shared}
	for c := handset.None; c <= handset.Certain; c++ {
		if c.String() == d.Confidence {
			verdict.Confidence = c
		}
	}
	known := device.Details{First: d.First, Last: d.Last, Hostname: d.Hostname}
	for _, text := range d.MACs {
		var m packet.MAC
		if hw, err := net.ParseMAC(text); err == nil && copy(m[:], hw) == len(m) {
			known.MACs = append(known.MACs, m)
		}
	}
	for _, text := range d.Addrs {
		if a, err := netip.ParseAddr(text); err == nil {
			known.Addrs = append(known.Addrs, a)
		}
	}
	return device.View{ID: device.ID(d.ID), Realm: d.Realm, RandomMAC: d.RandomMAC, Verdict: verdict}.With(known)
}

func verdictOf(v *device.View, c *sensor.VerdictChange) evidence.Verdict {
	return evidence.Verdict{
		At: c.At.UTC(), Device: string(v.ID), Maker: v.Verdict.Maker, Model: v.Verdict.Model, Class: v.Verdict.Class,
		Confidence: v.Verdict.Confidence.String(), Posterior: v.Verdict.Posterior, Shared: v.Verdict.Shared,
		Reasons: reasonWords(v.Verdict.Reasons), Against: reasonWords(v.Verdict.Against), Signatures: v.Verdict.Signatures,
		Why: c.Why, Into: string(c.Into),
	}
}

func macTexts(v *device.View) []string {
	out := []string{}
	for _, m := range v.MACs() {
		out = append(out, net.HardwareAddr(m[:]).String())
	}
	return out
}

func addrTexts(v *device.View) []string {
	out := []string{}
	for _, a := range v.Addrs() {
		out = append(out, a.String())
	}
	return out
}

func reasonWords(list []handset.Reason) []string {
	out := make([]string, 0, len(list))
	for _, r := range list {
		out = append(out, r.Text)
	}
	return out
}
