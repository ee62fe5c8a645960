package alerts

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"picket/evidence"
	"picket/geo"
	"picket/sensor"
	"picket/sensor/device"
	"picket/sensor/handset"
	"picket/sensor/observation"
)

// Try replays what a store has of the past against other policies, and
// returns the episodes they would have made. The store has only what some
// policy concerned: it can say how a narrower or otherwise weighed policy
// would have done, and nothing about places no policy looked at. Each server
// counts as one transfer at its last byte, so that thresholds are met a
// little sooner than they were.
func Try(rules []*Rule, place Placer, past []evidence.Episode, now time.Time) ([]evidence.Episode, error) {
	store := NewMemory()
	j, err := NewJudge(JudgeConfig{Rules: rules, Geo: place, Store: store})
	if err != nil {
		return nil, err
	}
	var all []sensor.Transfer
	done := map[tryKey]bool{}
	for i := range past {
		if past[i].MergedInto != "" {
			continue
		}
		for _, s := range past[i].Servers {
			key := tryKey{past[i].Device, s.Addr, s.Name, s.First}
			if done[key] || s.Name == othersName { // several policies saw the same bytes
				continue
			}
			done[key] = true
			all = append(all, transferOf(&past[i], s))
		}
	}
	slices.SortStableFunc(all, func(a, b sensor.Transfer) int { return a.Last.Compare(b.Last) })
	for _, t := range all {
		j.Tick(t.Last)
		j.Transfer(t)
	}
	j.Tick(now)
	j.Flush()
	return store.Episodes(time.Time{})
}

type tryKey struct {
	device string
	addr   netip.AddrPort
	name   string
	first  time.Time
}

func transferOf(e *evidence.Episode, s evidence.Server) sensor.Transfer {
	verdict := &handset.Verdict{
		Maker: e.Maker, Model: e.Model, Class: e.Class, Posterior: e.Posterior, Signatures: e.Signatures, Handset: "unknown",
		Confidence: handset.Confidence(max(0, slices.Index(confidences, e.Confidence))),
	}
	if e.Class == "handset" {
		verdict.Handset = "yes"
	}
	for _, text := range e.Reasons {
		verdict.Reasons = append(verdict.Reasons, handset.Reason{Said: &handset.Said{Maker: e.Maker, Text: text}})
	}
	v := device.View{ID: device.ID(e.Device), Realm: e.Realm, Verdict: verdict}.With(device.Details{First: e.First, Last: e.Last})
	t := sensor.Transfer{
		Device: v, Server: s.Addr, Name: s.Name, Plane: handset.Plane(max(0, slices.Index(planes, s.Plane))), NameMaker: s.NameMaker,
		Visibility: observation.BySNI, Sent: s.Sent, Handshake: s.Handshake, Packets: 1, First: s.First, Last: cmp.Or(s.Last, s.First),
		Attempt: e.Condition == evidence.Tried,
	}
	if s.CNAME != "" {
		t.CNAMEs = []string{s.CNAME}
	}
	if s.Tunnel {
		t.Tunnel = "tunnel"
	}
	return t
}

var _ Placer = fixedPlace(geo.Jurisdiction{})
