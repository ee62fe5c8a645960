package alerts

import (
	"slices"
	"time"

	"picket/evidence"
	"picket/sensor"
	"picket/sensor/device"
)

// sums is what a judge needs to have thresholds hold for a fleet and not for
// each sensor: which accounts the others are told of, and what they told.
type sums struct {
	self    string
	near    map[partialKey]*nearPart
	before  map[partialKey]time.Time // ours of before the start, of devices not seen since: until when they hold
	heard   map[heardKey]map[heardID]*Partial
	ids     map[heardID]heardKey
	version uint64
	dropped uint64
	passed  uint64
}

type partialKey struct {
	device              device.ID
	policy, hash, maker string
}

type heardKey struct{ device, hash, realm string }

type heardID struct{ sensor, id string }

// nearPart is how far the others know of one account.
type nearPart struct {
	realm string
	told  uint64    // version; 0: not told
	at    time.Time // when, the caller's clock
	now   bool      // it passed just now: the others wait for it
}

const (
	// nearShare is which part of its threshold makes a sensor tell the others
	// first; then all tell that have anything. So nothing is missed that at
	// most so many sensors see together.
	nearShare = 16
	// maxNear bounds the accounts that others are told of.
	maxNear = 1 << 12
	// maxHeard bounds the partials of others, maxHeardOf those of one case.
	maxHeard   = 1 << 14
	maxHeardOf = 16
	// partialEvery is how often a changed partial is told at most, partialOpen
	// that of an account that has passed its threshold.
	partialEvery = time.Second
	partialOpen  = 10 * time.Second
)

func newSums(self string) *sums {
	return &sums{
		self: self, near: map[partialKey]*nearPart{}, before: map[partialKey]time.Time{},
		heard: map[heardKey]map[heardID]*Partial{}, ids: map[heardID]heardKey{},
	}
}

func keyOfAccount(d *dossier, a *account) partialKey {
	return partialKey{d.id, a.rule.Policy.Name, a.rule.Hash, a.maker}
}

func (p *Partial) key() partialKey {
	return partialKey{device.ID(p.Device), p.Policy, p.Hash, p.Maker}
}

// portion notes what a transfer adds towards the threshold of an account.
func (j *Judge) portion(a *account, key uint64, t *sensor.Transfer) {
	n := a.counted(t)
	if j.sums == nil || t.Attempt || n == 0 {
		return
	}
	if a.portions.add(key, a.rule.stretchOf(t.Last), n) {
		j.sums.dropped++
	}
	j.sums.version++
	a.portions.version = j.sums.version
}

// sumUp has a prohibited device's account pass the threshold that it passes
// together with what other sensors saw, and has them told of it.
func (j *Judge) sumUp(d *dossier, a *account) {
	if j.sums == nil || len(a.portions.list) == 0 || a.rule.span() == 0 || j.standing(d, a.rule) != Prohibited {
		return
	}
	x := j.sums
	heard := x.heard[heardKey{string(d.id), a.rule.Hash, d.view.Realm}]
	k := keyOfAccount(d, a)
	n := x.near[k]
	if n == nil {
		if len(heard) == 0 && a.window.sum < (uint64(a.rule.Policy.Threshold.Sent)+nearShare-1)/nearShare {
			return
		}
		if len(x.near) >= maxNear {
			x.dropped++
			return
		}
		n = &nearPart{realm: d.view.Realm}
		x.near[k] = n
	}
	if len(heard) == 0 || a.reached[sent] {
		return
	}
	if which := j.passes(a, heard); len(which) > 0 {
		a.reach(sent, j.now)
		n.now = true
		if len(which) > 1 {
			a.sumOf = which
			x.passed++
		}
	}
}

// passes lists the sensors that saw a threshold passed together; none: it is
// not. What was before the last end of an episode does not count again.
func (j *Judge) passes(a *account, heard map[heardID]*Partial) []string {
	names, lists := []string{j.sums.self}, [][]Portion{a.portions.list}
	var all uint64
	for _, q := range a.portions.list {
		all += q.Sent
	}
	for at, p := range heard {
		if p.Maker != a.maker && !a.rule.kin(p.Maker, a.maker) {
			continue
		}
		i := slices.Index(names, at.sensor)
		if i < 0 {
			i, names, lists = len(names), append(names, at.sensor), append(lists, nil)
		}
		lists[i] = append(slices.Clip(lists[i]), p.Bytes...)
		for _, q := range p.Bytes {
			all += q.Sent
		}
	}
	enough := uint64(a.rule.Policy.Threshold.Sent)
	if all < enough {
		return nil
	}
	from := a.rule.heldFrom(j.now)
	if a.episode != nil && !a.open() && a.episode.Condition == evidence.Sent {
		from = max(from, a.rule.stretchOf(a.episode.Closed)+1)
	}
	var out []string
	for _, i := range sumOf(lists, a.rule.span(), from, enough) {
		out = append(out, names[i])
	}
	slices.Sort(out)
	return out
}

// Hear takes what another sensor saw, in place of what it said before under
// the same id; nil withdraws that. It reports whether there was room.
func (j *Judge) Hear(name, id string, p *Partial) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	x := j.sums
	if x == nil || name == x.self {
		return true
	}
	at := heardID{name, id}
	if p == nil {
		j.unhear(at)
		return true
	}
	k := heardKey{p.Device, p.Hash, p.Realm}
	if was, there := x.ids[at]; there && was != k {
		j.unhear(at)
	}
	if _, there := x.ids[at]; !there && (len(x.ids) >= maxHeard || len(x.heard[k]) >= maxHeardOf) {
		x.dropped++
		return false
	}
	if x.heard[k] == nil {
		x.heard[k] = map[heardID]*Partial{}
	}
	x.ids[at], x.heard[k][at] = k, p
	d := j.dossiers.get(device.ID(p.Device))
	if d == nil || d.view == nil {
		return true
	}
	for i, r := range j.rules {
		for _, a := range slices.Clone(d.accounts()) {
			if a.rule == r && r.Hash == p.Hash {
				j.settle(d, i, a)
			}
		}
	}
	return true
}

func (j *Judge) unhear(at heardID) {
	k, there := j.sums.ids[at]
	if !there {
		return
	}
	delete(j.sums.ids, at)
	delete(j.sums.heard[k], at)
	if len(j.sums.heard[k]) == 0 {
		delete(j.sums.heard, k)
	}
}

// Recall takes what this sensor had told before it was started again. It goes
// on holding where the store has its evidence, which is an open episode, below
// its threshold or above; else it is withdrawn.
func (j *Judge) Recall(p Partial) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.sums == nil || len(j.sums.near) >= maxNear {
		return
	}
	k := p.key()
	j.sums.near[k] = &nearPart{realm: p.Realm, told: 1}
	j.sums.version = max(j.sums.version, 1)
	d := j.dossiers.get(k.device)
	if d == nil {
		return
	}
	for _, a := range d.accounts() {
		if a.open() && a.rule.Hash == k.hash && a.rule.Policy.Name == k.policy && a.maker == k.maker {
			a.portions, j.sums.before[k] = portions{slices.Clone(p.Bytes), 1}, p.Until
		}
	}
}

// ForgetPartials forgets what counts towards thresholds of a device, here and
// of other sensors.
func (j *Judge) ForgetPartials(id device.ID) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.sums == nil {
		return
	}
	for at, k := range j.sums.ids {
		if k.device == string(id) {
			j.unhear(at)
		}
	}
	for k := range j.sums.before {
		if k.device == id {
			delete(j.sums.before, k)
		}
	}
	if d := j.dossiers.get(id); d != nil {
		for _, a := range d.accounts() {
			a.portions = portions{}
		}
	}
}

// Partials lists up to limit of those that changed since they were listed; the
// ones that hold no longer have no bytes.
func (j *Judge) Partials(now time.Time, limit int) []Partial {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.sums == nil {
		return nil
	}
	var out []Partial
	for k, n := range j.sums.near {
		if len(out) >= limit {
			break
		}
		if until, there := j.sums.before[k]; there {
			if d := j.dossiers.get(k.device); d != nil && d.view == nil && now.Before(until) {
				continue
			}
			delete(j.sums.before, k)
		}
		p := Partial{Device: string(k.device), Realm: n.realm, Policy: k.policy, Hash: k.hash, Maker: k.maker}
		a := j.nearAccount(k, n)
		if a == nil {
			delete(j.sums.near, k)
			if n.told != 0 {
				out = append(out, p)
			}
			continue
		}
		wait := partialEvery
		if a.reached[sent] {
			wait = partialOpen
		}
		if a.portions.version == n.told && !n.now || !n.now && now.Sub(n.at) < wait {
			continue
		}
		n.told, n.at, n.now = a.portions.version, now, false
		p.Bytes = slices.SortedFunc(slices.Values(a.portions.list), comparePortions)
		last := time.Unix(0, (p.Bytes[len(p.Bytes)-1].Stretch+1)*a.rule.stretchWidth()).UTC()
		p.Until = last.Add(time.Duration(a.rule.Policy.Threshold.Within) + portionsKept)
		out = append(out, p)
	}
	return out
}

// nearAccount is the account that others are to know of; nil when there is
// nothing to be known any longer.
func (j *Judge) nearAccount(k partialKey, n *nearPart) *account {
	d := j.dossiers.get(k.device)
	if d == nil || d.view == nil || d.view.Realm != n.realm {
		return nil
	}
	for _, a := range d.accounts() {
		if a.rule.Hash != k.hash || a.rule.Policy.Name != k.policy || a.maker != k.maker {
			continue
		}
		if s := j.standing(d, a.rule); s != Prohibited && !(s == Undecided && a.trusted) {
			continue
		}
		a.portions.forget(a.rule.heldFrom(j.now))
		if len(a.portions.list) > 0 {
			return a
		}
	}
	return nil
}

// sweepHeard forgets what holds no longer, whoever does not say so.
func (j *Judge) sweepHeard(now time.Time) {
	if j.sums == nil {
		return
	}
	for at, k := range j.sums.ids {
		if p := j.sums.heard[k][at]; p == nil || !now.Before(p.Until) {
			j.unhear(at)
		}
	}
}

// Summing counts the accounts that others are told of, the partials that they
// told, what there was no room for, and the thresholds passed together.
func (j *Judge) Summing() (near, heard int, dropped, passed uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.sums == nil {
		return 0, 0, 0, 0
	}
	return len(j.sums.near), len(j.sums.ids), j.sums.dropped, j.sums.passed
}
