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
	d := j.dossiers.of(v)
	if d == nil {
		if d = j.dossiers.get(v.ID); d == nil {
			d = j.newDossier(v.ID)
		}
		j.dossiers.bringNear(v.Seq, d)
	}
	j.touch(d)
	if d.view != v {
		d.view = v
		j.weighDevice(d, "verdict withdrawn: ")
	}
	return d
}

func (j *Judge) newDossier(id device.ID) *dossier {
	if j.dossiers.count >= j.limits.Devices {
		j.forgetOldest()
	}
	d := j.dossiers.add(id)
	d.at = unixNano(j.now)
	return d
}

// touchEvery is how exactly the order of dossiers is kept: moving one at
// every transfer would cost three cache misses.
const touchEvery = int64(5 * time.Second)

// touch makes d the one heard most recently.
func (j *Judge) touch(d *dossier) {
	now := unixNano(j.now)
	if now-d.at < touchEvery {
		return
	}
	d.at = now
	if j.dossiers.newest != d.self {
		j.dossiers.unlink(d)
		j.dossiers.push(d)
	}
}

// unixNano is 0 for the zero time.
func unixNano(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// forgetOldest drops the dossier heard least recently that has no open
// episode; if all have one, the oldest episode ends.
func (j *Judge) forgetOldest() {
	for d := range j.dossiers.all {
		if !slices.ContainsFunc(d.accounts(), (*account).open) {
			j.forget(d)
			return
		}
	}
	d := j.dossiers.at(j.dossiers.oldest)
	for _, a := range d.accounts() {
		if a.open() {
			j.close(d, a, j.now, "more devices at once than the sensor can hold")
			j.metrics.evict(evictedEpisode)
		}
	}
	j.forget(d)
}

func (j *Judge) forget(d *dossier) {
	j.remove(d)
	j.metrics.evict(evictedDevice)
}

// weighDevice asks every rule how the device stands, opens what was held for
// that answer and closes what it withdraws.
// cause begins the reason of a withdrawal.
func (j *Judge) weighDevice(d *dossier, cause string) {
	d.concerned = false
	d.leave(len(j.rules))
	for i, r := range j.rules {
		s, why := r.Standing(d.view, j.now)
		d.stand(i, s)
		if s != Permitted {
			d.concerned = true
		}
		j.settleAll(d, i, cause, why)
	}
}

// settleAll settles the accounts of rule i; settling may drop some.
func (j *Judge) settleAll(d *dossier, i int, cause, why string) {
	if len(d.accounts()) == 0 {
		return
	}
	j.own(d, i)
	for _, a := range slices.Clone(d.accounts()) {
		if a.rule != j.rules[i] {
			continue
		}
		if a.open() && j.withdrawn(d, i, a) {
			j.close(d, a, j.now, cause+why)
		}
		if d.standing(i) == Permitted && !a.open() && a.episode == nil {
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
	if !r.sameMaker || d.standing(i) != Prohibited {
		return
	}
	maker := d.view.Verdict.Maker
	for _, a := range slices.Clone(d.accounts()) {
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
	switch d.standing(i) {
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
	for _, a := range d.accounts() {
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
	d.addAccount(a)
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
	if i := slices.Index(j.rules, r); i >= 0 {
		return d.standing(i)
	}
	return Permitted
}

// drop forgets an account.
func (j *Judge) drop(d *dossier, a *account) {
	if a.open() {
		return
	}
	if d.loseAccount(a) {
		j.held--
	}
}

// dropHeld makes room: of the devices heard least recently, a sixteenth of
// all that is held, so that the search is paid for once.
func (j *Judge) dropHeld() {
	want := max(1, j.limits.Held/16)
	for d := range j.dossiers.all {
		list := d.accounts()
		for k := len(list) - 1; k >= 0 && want > 0; k-- {
			if a := list[k]; !a.open() {
				j.drop(d, a)
				j.metrics.evict(evictedHeld)
				want--
			}
		}
		if want == 0 {
			return
		}
	}
}

// gone takes leave of a device: evicted, or joined into another. The open
// episode of an evicted device ends when it is quiet; the device has the
// same id when it comes back.
func (j *Judge) gone(c sensor.VerdictChange) {
	d := j.dossiers.get(c.Device.ID)
	if d == nil || c.Into == "" || c.Into == c.Device.ID {
		return
	}
	into := j.dossiers.get(c.Into)
	if into == nil {
		into = j.newDossier(c.Into)
		into.undecided(len(j.rules))
		if d = j.dossiers.get(c.Device.ID); d == nil { // it had to make room
			return
		}
	}
	j.touch(into)
	for _, a := range slices.Clone(d.accounts()) {
		j.move(a, d, into)
	}
	j.dossiers.remove(d)
}

// move gives an account of from to into, or adds it to the one that is there.
// Of two open episodes the one that was told, else the older, goes on.
func (j *Judge) move(a *account, from, into *dossier) {
	i := slices.IndexFunc(into.accounts(), func(b *account) bool { return b != a && b.rule == a.rule && b.maker == a.maker })
	if i < 0 {
		j.rename(a, from, into)
		return
	}
	b := into.accounts()[i]
	if older(a, b) { // a goes on, b goes into it
		into.loseAccount(b)
		if !b.open() {
			j.held--
		}
		j.rename(a, from, into)
		j.merge(into, a, b)
		return
	}
	from.loseAccount(a)
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
