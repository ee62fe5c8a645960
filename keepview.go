package main

import (
	"net"
	"time"

	"picket/evidence"
	"picket/sensor"
	"picket/sensor/device"
	"picket/sensor/handset"
)

// deviceOf is what is kept of a device.
func deviceOf(d *keptDevice, at time.Time) evidence.Device {
	v := d.view
	out := evidence.Device{
		ID: string(v.ID), Realm: v.Realm, Concern: d.concern, Policies: d.policies,
		Maker: v.Verdict.Maker, Model: v.Verdict.Model, Class: v.Verdict.Class, Handset: v.Verdict.Handset,
		Confidence: v.Verdict.Confidence.String(), Posterior: v.Verdict.Posterior, Shared: v.Shared || v.Verdict.Shared,
		RandomMAC: v.RandomMAC, Leased: v.Leased, Hostname: v.Hostname, Place: v.Where(),
		MACs: macTexts(v), Addrs: addrTexts(v), First: v.First.UTC(), Last: v.Last.UTC(),
		Reasons: reasonWords(v.Verdict.Reasons), Against: reasonWords(v.Verdict.Against), WouldChange: append([]string{}, v.Verdict.WouldChange...),
		Signatures: v.Verdict.Signatures,
	}
	if at.After(out.Last) {
		out.Last = at.UTC()
	}
	return out
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
	out := make([]string, 0, len(v.MACs))
	for _, m := range v.MACs {
		out = append(out, net.HardwareAddr(m[:]).String())
	}
	return out
}

func addrTexts(v *device.View) []string {
	out := make([]string, 0, len(v.Addrs))
	for _, a := range v.Addrs {
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
