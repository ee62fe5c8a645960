package alerts

import (
	"slices"
	"time"

	"picket/evidence"
	"picket/sensor"
	"picket/sensor/device"
	"picket/sensor/handset"
)

// SetRules replaces the policies. Episodes go on under the policy of the
// same name; those that it voids, and those of policies that are gone, end
// with that reason.
func (j *Judge) SetRules(rules []*Rule) {
	j.mu.Lock()
	defer j.mu.Unlock()
	byName := map[string]*Rule{}
	for _, r := range rules {
		byName[r.Policy.Name] = r
	}
	j.rules, j.places, j.early = rules, newPlaces(), earlies{}
	j.schedule(j.now)
	for _, d := range j.sortedDossiers() {
		for _, a := range slices.Clone(d.accounts()) {
			j.replaceRule(d, a, byName[a.rule.Policy.Name])
		}
		j.weighDevice(d, "policy changed: ")
	}
}

func (j *Judge) replaceRule(d *dossier, a *account, r *Rule) {
	if r == nil {
		if a.open() {
			j.close(d, a, j.now, "policy removed")
		}
		j.drop(d, a)
		return
	}
	old := a.rule
	a.rule = r
	if old.Hash == r.Hash {
		return
	}
	if old.sameMaker != r.sameMaker {
		a.maker = ""
		if r.sameMaker && d.view != nil {
			a.maker = d.view.Verdict.Maker
		}
		j.unite(d, a)
	}
	a.portions = portions{} // their stretches are those of the old window
	j.rejudge(d, a, "policy changed")
}

// unite merges an account with another one that now has the same key.
func (j *Judge) unite(d *dossier, a *account) {
	for _, b := range d.accounts() {
		if b != a && b.rule == a.rule && b.maker == a.maker {
			j.move(a, d, d)
			return
		}
	}
}

// Retell announces again every episode that stands, for somebody who has just
// come to be told.
func (j *Judge) Retell() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, d := range j.sortedDossiers() {
		for _, a := range d.accounts() {
			if a.open() && a.episode.Firing {
				j.notify(Resumed, *a.episode, time.Time{})
			}
		}
	}
}

// Replaced is called when geography has changed: every server is placed anew,
// and episodes that this voids end.
func (j *Judge) Replaced() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.places = newPlaces()
	for _, d := range j.sortedDossiers() {
		for _, a := range slices.Clone(d.accounts()) {
			j.rejudge(d, a, "geography changed")
		}
	}
}

// rejudge places the servers of an account anew. Those no longer restricted
// leave it with their bytes; if none is left, the episode is void.
func (j *Judge) rejudge(d *dossier, a *account, cause string) {
	maker := a.maker
	if maker == "" && d.view != nil {
		maker = d.view.Verdict.Maker
	}
	left := a.servers[:0]
	for i := range a.servers {
		c := &a.servers[i]
		k, s := c.serverKey, &c.server
		t := sensor.Transfer{Server: k.addr, Name: k.name, Plane: s.plane, NameMaker: s.maker, Device: d.view, First: s.first, Last: s.last}
		pk := placeKey{addr: k.addr.Addr(), name: k.name, cname: k.cname, tunnel: k.tunnel, question: !k.addr.IsValid()}
		at := j.geo.Judge(pk.query(nil))
		s.geo = &at
		s.hits = a.rule.Places(at)
		if len(s.hits) == 0 || !j.stillAsked(a.rule, &t, s.geo.Owner.Name, maker) {
			a.flows.drop(k)
			a.portions = portions{} // which of them went there is not known
			a.sent -= s.sent
			a.hands -= s.hands
			continue
		}
		left = append(left, *c)
	}
	clear(a.servers[len(left):])
	a.servers = left
	a.dirty = true
	went := a.reached[tried] || a.reached[connected] || a.reached[sent] || a.reached[identifier]
	void := went && len(a.servers) == 0 && (a.others == nil || a.others.flows == 0) && len(a.ids) == 0
	if void {
		a.reached[tried], a.reached[connected], a.reached[sent], a.reached[identifier] = false, false, false, false
		a.window, a.sumOf = window{}, nil
	}
	severity, _ := a.severity(handset.Certain)
	if !a.open() || severity != Off {
		return
	}
	why := cause + ": nothing it did is restricted any longer"
	if !void {
		why = cause + ": what it did is no longer kept"
	}
	j.close(d, a, j.now, why)
	a.episode = nil // void: what comes next is told
	a.reset()
}

// stillAsked is restricted without what a server does not remember: address
// and VLAN of the device, and the hour.
func (j *Judge) stillAsked(r *Rule, t *sensor.Transfer, owner, maker string) bool {
	timeless := *r
	timeless.hours, timeless.networks, timeless.Policy.Zones = nil, nil, Zones{}
	ok, _ := timeless.restricted(t, true, owner, maker)
	return ok
}

// remove takes a dossier off the books.
func (j *Judge) remove(d *dossier) {
	for len(d.accounts()) > 0 {
		j.drop(d, d.accounts()[0])
	}
	j.dossiers.remove(d)
}

// rename moves an account to another device. Its alert keeps the label it
// was told under.
func (j *Judge) rename(a *account, from, into *dossier) {
	from.loseAccount(a)
	into.addAccount(a)
	a.trusted = a.open()
	if a.episode == nil {
		return
	}
	if a.episode.Firing && a.episode.AlertDevice == "" {
		a.episode.AlertDevice = string(from.id)
	}
	if a.open() {
		j.open[a] = into
		j.describe(into, a)
		j.save(a)
		j.show(a)
	}
}

// merge puts b into a, both of d by now. b's episode ends.
func (j *Judge) merge(d *dossier, a, b *account) {
	if b.episode != nil && a.episode != nil {
		b.episode.MergedInto = a.episode.ID
	}
	if b.open() {
		j.close(j.open[b], b, j.now, "joined into "+a.episode.ID)
		j.held--
	} else if b.episode != nil && j.store != nil {
		if err := j.store.SaveEpisode(*b.episode); err != nil {
			j.metrics.storeFailed()
		}
	}
	a.absorb(b)
	if a.open() {
		j.describe(d, a)
		j.save(a)
		j.show(a)
	}
}

// restore takes over what the store has: open episodes go on without being
// told again, closed ones can be continued.
func (j *Judge) restore(now time.Time) error {
	if j.store == nil {
		return nil
	}
	since := time.Time{}
	if !now.IsZero() {
		since = now.Add(-keep)
	}
	list, err := j.store.Episodes(since)
	if err != nil {
		return err
	}
	sortEpisodes(list)
	for i := range list {
		if list[i].Sensor == "" { // another sensor's goes on there
			j.resume(&list[i])
		}
	}
	return nil
}

func (j *Judge) resume(e *evidence.Episode) {
	d := j.dossiers.get(device.ID(e.Device))
	if d == nil {
		d = j.newDossier(device.ID(e.Device))
		j.touch(d)
		d.undecided(len(j.rules))
	}
	a := accountOf(e)
	i := slices.IndexFunc(j.rules, func(r *Rule) bool { return r.Policy.Name == e.Policy })
	if i < 0 {
		a.rule = &Rule{Policy: Policy{Name: e.Policy}, Hash: e.PolicyHash}
	} else {
		a.rule = j.rules[i]
	}
	if a.rule.sameMaker {
		a.maker = e.Maker
	}
	if k := slices.IndexFunc(d.accounts(), func(b *account) bool { return b.rule == a.rule && b.maker == a.maker }); k >= 0 {
		if !a.open() { // an older one, ended
			return
		}
		j.drop(d, d.accounts()[k])
	}
	d.addAccount(a)
	if !a.open() {
		j.held++
		return
	}
	j.open[a] = d
	switch {
	case i < 0:
		j.close(d, a, j.now, "policy removed")
		j.drop(d, a)
	case e.PolicyHash != a.rule.Hash:
		j.rejudge(d, a, "policy changed")
	}
	if a.open() {
		if e.Firing {
			j.notify(Resumed, *e, time.Time{})
		}
		j.show(a)
	}
}

// accountOf is the account behind a stored episode.
func accountOf(e *evidence.Episode) *account {
	a := &account{
		first: e.First, last: e.Last, sent: e.Sent, hands: e.Handshake, hourHid: e.Hidden,
		ids: e.Identifiers, caveats: e.Caveats, dbs: e.Databases, episode: e, saved: e.Last,
	}
	a.flows, a.sumOf = flowsOf(e), e.SumOf
	a.trusted = a.open()
	if k := slices.Index(conditionOrder[:], e.Condition); k >= 0 && a.open() {
		a.reached[k] = true
	}
	for _, s := range e.Servers {
		k, v := fromEvidence(s)
		if s.Name == othersName {
			a.others = v
			continue
		}
		if mine := a.known(k); mine != nil {
			*mine = *v
		} else {
			a.servers = append(a.servers, contact{k, *v})
		}
	}
	return a
}
