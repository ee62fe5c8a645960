package main

import (
	"cmp"
	"time"

	"picket/evidence"
	"picket/geo"
	"picket/sensor"
	"picket/sensor/handset"
	"picket/sensor/observation"
)

// count adds a transfer to the ledger.
func (k *keeper) count(t *sensor.Transfer) {
	if k.pseudonym == nil || t.Last.Sub(k.keyedAt) >= 24*time.Hour {
		p, err := k.store.Pseudonym(t.Last, cmp.Or(k.countedEvery, pseudonymEvery))
		if err != nil {
			k.log.Error("devices not counted", "err", err)
			return
		}
		k.pseudonym, k.keyedAt = p, t.Last
	}
	w := evidence.Watched{Named: t.Sent}
	if t.Visibility == observation.Unnamed || t.Name == "" {
		w = evidence.Watched{Unnamed: t.Sent}
	}
	k.store.Watch(t.Last, w)
	if geo.Placeless(t.Server.Addr()) && t.Name == "" {
		return // it stayed here
	}
	j := k.places.Judge(geo.Query{Addr: t.Server.Addr(), Name: t.Name, CNAMEs: t.CNAMEs, Tunnel: t.Tunnel != ""})
	v := t.Device.Verdict
	k.mu.Lock()
	epoch := k.epoch
	k.mu.Unlock()
	r := evidence.Residence{
		Class: v.Class, Owner: j.Owner.Name, Plane: t.Plane.String(), Location: string(j.Location), Registration: string(j.Registration),
		OperatorHome: string(j.Operator.Home), OwnerHome: string(j.Owner.Home), Operator: j.Operator.Name, Epoch: epoch,
	}
	if v.Confidence > handset.None {
		r.Maker = v.Maker
	}
	f := evidence.Flow{
		At: t.Last, Device: k.pseudonym(string(t.Device.ID)), Sent: t.Sent, Handshake: t.Handshake, Received: t.Received,
		Low: j.LocationConfidence == geo.Low || j.LocationConfidence == geo.NoIdea,
	}
	if t.Final {
		f.Flows = 1
	}
	k.store.Count(r, f)
}

// countCrowd keeps how many devices there are of each maker and class.
func (k *keeper) countCrowd(now time.Time) {
	sums := map[[2]string]int{}
	for _, c := range k.crowd() {
		maker := c.Maker
		if c.Confidence == handset.None.String() {
			maker = ""
		}
		sums[[2]string{maker, c.Class}] += c.N
	}
	for g, n := range sums {
		k.store.Crowd(now, g[0], g[1], n)
	}
}
