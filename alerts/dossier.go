package alerts

import (
	"net/netip"
	"slices"
	"time"

	"picket/sensor"
	"picket/sensor/device"
)

func addrPort(a netip.Addr) netip.AddrPort { return netip.AddrPortFrom(a, 0) }

// dossier finds or makes the dossier of a device and brings it up to date.
func (j *Judge) dossier(v *device.View) *dossier {
	d := j.near.get(v)
	if d == nil {
		if d = j.dossiers[v.ID]; d == nil {
			d = j.newDossier(v.ID)
		}
		j.near.put(v.Seq, d, len(j.dossiers))
	}
	j.touch(d)
	if d.view != v {
		d.view = v
		j.weighDevice(d, "verdict withdrawn: ")
	}
	return d
}

func (j *Judge) newDossier(id device.ID) *dossier {
	if len(j.dossiers) >= j.limits.Devices {
		j.forgetOldest()
	}
	d := &dossier{id: id}
	d.standings = d.few[:0]
	d.prev, d.next = d, d
	j.dossiers[id] = d
	return d
}

// touchEvery is how exactly the order of dossiers is kept: moving one at
// every transfer would cost three cache misses.
const touchEvery = 5 * time.Second

// touch makes d the one heard most recently.
func (j *Judge) touch(d *dossier) {
	if d.next != d && j.now.Sub(d.at) < touchEvery {
		return
	}
	d.at = j.now
	if j.oldest.prev == d {
		return
	}
	d.prev.next, d.next.prev = d.next, d.prev
	d.prev, d.next = j.oldest.prev, &j.oldest
	d.prev.next, d.next.prev = d, d
}

// forgetOldest drops the dossier heard least recently that has no open
// episode; if all have one, the oldest episode ends.
func (j *Judge) forgetOldest() {
	for d := j.oldest.next; d != &j.oldest; d = d.next {
		if !slices.ContainsFunc(d.accounts, (*account).open) {
			j.forget(d)
			return
		}
	}
	d := j.oldest.next
	for _, a := range d.accounts {
		if a.open() {
			j.close(d, a, j.now, "more devices at once than the sensor can hold")
			j.metrics.evict(evictedEpisode)
		}
	}
	j.forget(d)
}

func (j *Judge) forget(d *dossier) {
	for len(d.accounts) > 0 {
		j.drop(d, d.accounts[0])
	}
	j.unlist(d)
	j.metrics.evict(evictedDevice)
}

// weighDevice asks every rule how the device stands, opens what was held for
// that answer and closes what it withdraws.
// cause begins the reason of a withdrawal.
func (j *Judge) weighDevice(d *dossier, cause string) {
	d.standings = slices.Grow(d.standings[:0], len(j.rules))[:len(j.rules)]
	d.concerned = false
	for i, r := range j.rules {
		var why string
		d.standings[i], why = r.Standing(d.view, j.now)
		if d.standings[i] != Permitted {
			d.concerned = true
		}
		j.settleAll(d, i, cause+why)
	}
}

// settleAll settles the accounts of rule i; settling may drop some.
func (j *Judge) settleAll(d *dossier, i int, why string) {
	if len(d.accounts) == 0 {
		return
	}
	j.own(d, i)
	for _, a := range slices.Clone(d.accounts) {
		if a.rule != j.rules[i] {
			continue
		}
		if a.open() && j.withdrawn(d, i, a) {
			j.close(d, a, j.now, why)
		}
		if d.standings[i] == Permitted && !a.open() && a.episode == nil {
			j.drop(d, a)
			continue
		}
		j.settle(d, i, a)
	}
}

// own unites, once the maker is known, what a rule about the maker's own
// servers held under the makers it may have been.
func (j *Judge) own(d *dossier, i int) {
	r := j.rules[i]
	if !r.sameMaker || d.standings[i] != Prohibited {
		return
	}
	maker := d.view.Verdict.Maker
	for _, a := range slices.Clone(d.accounts) {
		if a.rule == r && a.maker != maker && (a.maker == "" || r.kin(a.maker, maker)) {
			a.maker = maker
			j.unite(d, a)
		}
	}
}

// withdrawn reports whether the device no longer stands as the episode says.
// After a restart the evidence comes in anew: until then the verdict of the
// store holds, and only another one contradicts it.
func (j *Judge) withdrawn(d *dossier, i int, a *account) bool {
	switch d.standings[i] {
	case Prohibited:
		a.trusted = false
		return !j.about(d, a)
	case Undecided:
		return !a.trusted
	}
	return true
}

// about reports whether an account about a maker's own servers is about this
// device's maker.
func (j *Judge) about(d *dossier, a *account) bool {
	return !a.rule.sameMaker || a.maker == "" || a.rule.kin(a.maker, d.view.Verdict.Maker)
}

// account finds or makes the account of d under r at a time. What is too old
// to belong to the same story is forgotten.
func (j *Judge) account(d *dossier, r *Rule, maker string, at time.Time) *account {
	for _, a := range d.accounts {
		if a.rule != r || a.maker != maker {
			continue
		}
		j.refresh(d, a, at)
		return a
	}
	if j.held >= j.limits.Held {
		j.dropHeld()
	}
	a := &account{rule: r, maker: maker}
	d.accounts = append(d.accounts, a)
	j.held++
	return a
}

// refresh forgets what an account without an open episode no longer needs.
func (j *Judge) refresh(d *dossier, a *account, at time.Time) {
	switch {
	case a.open() || a.last.IsZero():
	case a.episode != nil:
		if !continues(a, at) {
			a.reset()
		}
	case at.Sub(a.last) >= keep:
		a.reset()
	case at.Sub(a.last) >= time.Duration(a.rule.Policy.Quiet) && j.standing(d, a.rule) == Prohibited:
		a.reset() // below its threshold, and quiet since
	}
}

func continues(a *account, at time.Time) bool {
	return at.Sub(a.episode.Closed) < keep && at.Sub(a.episode.Opened) < maxContinued
}

func (j *Judge) standing(d *dossier, r *Rule) Standing {
	if i := slices.Index(j.rules, r); i >= 0 && i < len(d.standings) {
		return d.standings[i]
	}
	return Permitted
}

// drop forgets an account.
func (j *Judge) drop(d *dossier, a *account) {
	if a.open() {
		return
	}
	if i := slices.Index(d.accounts, a); i >= 0 {
		d.accounts = slices.Delete(d.accounts, i, i+1)
		j.held--
	}
}

// dropHeld makes room: of the devices heard least recently, a sixteenth of
// all that is held, so that the search is paid for once.
func (j *Judge) dropHeld() {
	want := max(1, j.limits.Held/16)
	for d := j.oldest.next; d != &j.oldest && want > 0; d = d.next {
		for k := len(d.accounts) - 1; k >= 0 && want > 0; k-- {
			if a := d.accounts[k]; !a.open() {
				j.drop(d, a)
				j.metrics.evict(evictedHeld)
				want--
			}
		}
	}
}

// gone takes leave of a device: evicted, or joined into another. The open
// episode of an evicted device ends when it is quiet; the device has the
// same id when it comes back.
func (j *Judge) gone(c sensor.VerdictChange) {
	d := j.dossiers[c.Device.ID]
	if d == nil || c.Into == "" || c.Into == c.Device.ID {
		return
	}
	into := j.dossiers[c.Into]
	if into == nil {
		into = j.newDossier(c.Into)
		into.standings = slices.Grow(into.standings[:0], len(j.rules))[:len(j.rules)]
		for i := range into.standings {
			into.standings[i] = Undecided
		}
		into.concerned = true
	}
	j.touch(into)
	for _, a := range slices.Clone(d.accounts) {
		j.move(a, d, into)
	}
	j.unlist(d)
}

// move gives an account of from to into, or adds it to the one that is there.
// Of two open episodes the one that was told, else the older, goes on.
func (j *Judge) move(a *account, from, into *dossier) {
	i := slices.IndexFunc(into.accounts, func(b *account) bool { return b != a && b.rule == a.rule && b.maker == a.maker })
	if i < 0 {
		j.rename(a, from, into)
		return
	}
	b := into.accounts[i]
	if older(a, b) { // a goes on, b goes into it
		into.accounts = slices.Delete(into.accounts, i, i+1)
		if !b.open() {
			j.held--
		}
		j.rename(a, from, into)
		j.merge(into, a, b)
		return
	}
	if k := slices.Index(from.accounts, a); k >= 0 {
		from.accounts = slices.Delete(from.accounts, k, k+1)
	}
	if !a.open() {
		j.held--
	}
	j.merge(into, b, a)
}

// older reports whether a's episode and not b's is to go on.
func older(a, b *account) bool {
	switch {
	case a.episode == nil || b.episode == nil:
		return a.episode != nil
	case a.open() != b.open():
		return a.open()
	case a.episode.Firing != b.episode.Firing:
		return a.episode.Firing
	}
	return a.episode.Opened.Before(b.episode.Opened)
}
