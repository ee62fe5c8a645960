package alerts

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"picket/evidence"
	"picket/sensor/handset"
)

// settle opens, continues or raises the episode of an account, if the device
// is prohibited and what it did has a severity.
func (j *Judge) settle(d *dossier, i int, a *account) {
	if d.view == nil || d.standing(i) != Prohibited && !(a.trusted && a.open()) || !j.about(d, a) {
		return
	}
	j.sumUp(d, a)
	severity, _ := a.severity(j.confidence(d, a))
	if severity == Off {
		return
	}
	switch {
	case a.open():
		j.raise(d, a, severity)
	case a.episode != nil:
		a.episode.Closed, a.episode.CloseReason = time.Time{}, ""
		a.episode.Continued++
		j.opened(d, a)
		j.raise(d, a, severity)
	default:
		j.begin(d, a, severity)
	}
	if m := j.metrics; m != nil && a.open() {
		m.open.total(a.episode.ID, a.sent)
	}
}

// confidence is that of the verdict, or of the store while that holds.
func (j *Judge) confidence(d *dossier, a *account) handset.Confidence {
	c := d.view.Verdict.Confidence
	if a.trusted && a.episode != nil {
		if k := slices.Index(confidences, a.episode.Confidence); k > int(c) {
			c = handset.Confidence(k)
		}
	}
	return c
}

// begin opens a new episode.
func (j *Judge) begin(d *dossier, a *account, severity Severity) {
	a.episode = &evidence.Episode{
		ID:       episodeID(string(d.id), a.rule.Policy.Name, a.first),
		Policy:   a.rule.Policy.Name,
		Severity: string(Observe),
		Opened:   j.now,
	}
	if a.held > 0 {
		a.caveats = addWord(a.caveats, Size(a.held).String()+" of it was sent before the device was identified", maxReasons)
	}
	j.opened(d, a)
	j.raise(d, a, severity)
	j.metrics.opened(a.episode)
	j.log.Info("episode opened", "episode", a.episode.ID, "policy", a.episode.Policy, "device", d.id, "condition", a.episode.Condition, "severity", a.episode.Severity)
}

// opened puts an account among the open ones.
func (j *Judge) opened(d *dossier, a *account) {
	if len(j.open) >= j.limits.Episodes {
		j.closeOldest()
	}
	j.held--
	j.open[a] = d
	a.dirty, a.saved = true, time.Time{}
}

// closeOldest ends the episode that has been quiet for longest.
func (j *Judge) closeOldest() {
	var old *account
	for a := range j.open {
		if old == nil || a.last.Before(old.last) || a.last.Equal(old.last) && a.episode.ID < old.episode.ID {
			old = a
		}
	}
	j.close(j.open[old], old, j.now, "more episodes at once than the sensor can hold")
	j.metrics.evict(evictedEpisode)
}

// raise takes over a severity and tells of it, if it is higher than what was
// told before. An episode that is continued is not told again.
func (j *Judge) raise(d *dossier, a *account, severity Severity) {
	e := a.episode
	before := *e
	if severity.rank() > Severity(e.Severity).rank() {
		e.Severity = string(severity)
	}
	rose := severity.told() && severity.rank() > Severity(e.AlertedAs).rank()
	if !rose && e.Condition != "" && !a.saved.IsZero() {
		return // flush will write it
	}
	j.describe(d, a)
	fired := e.Firing
	if rose {
		e.Announced, e.Firing, e.AlertedAs = true, true, string(severity)
		e.Sentence = Sentence(*e)
	}
	j.save(a) // before anybody is told: no page without its evidence
	if rose {
		if fired {
			before.Firing, before.Closed, before.CloseReason = false, j.now, "raised to "+string(severity)
			j.notify(Resolved, before, time.Time{})
		}
		since := a.reachAt
		if a.held > 0 || since.IsZero() {
			since = j.now
		}
		j.notify(Opened, *e, since)
	}
	j.show(a)
}

// close ends an episode at a time.
func (j *Judge) close(d *dossier, a *account, at time.Time, reason string) {
	j.describe(d, a)
	e := a.episode
	firing := e.Firing
	e.Closed, e.CloseReason, e.Firing = later(e.Opened, at), reason, false
	j.save(a)
	if firing {
		j.notify(Resolved, *e, time.Time{})
	}
	if j.metrics != nil {
		j.metrics.open.remove(e.ID)
	}
	delete(j.open, a)
	j.held++
	a.window, a.reached, a.trusted, a.held = window{}, [len(conditionOrder)]bool{}, false, 0
	a.portions, a.sumOf = portions{}, nil
	j.log.Info("episode closed", "episode", e.ID, "policy", e.Policy, "device", d.id, "reason", reason)
}

// notify hands a copy over.
func (j *Judge) notify(k NoticeKind, e evidence.Episode, since time.Time) {
	if j.tell != nil {
		j.tell.Announce(Notice{k, e, since})
	}
}

// show updates the gauges of an open episode. One that continues and was
// told before shows as observe, so that rules do not page it either.
func (j *Judge) show(a *account) {
	if j.metrics == nil {
		return
	}
	e, shown := a.episode, Observe
	if e.Firing {
		shown = Severity(e.AlertedAs)
	}
	j.metrics.open.set(e, shown, familiesOf(j.open[a]))
}

// familiesOf lists the families of evidence that speak for a device's maker.
func familiesOf(d *dossier) []string {
	if d == nil || d.view == nil {
		return nil
	}
	var out []string
	for _, r := range d.view.Verdict.Reasons {
		out = addWord(out, r.Family, maxReasons)
	}
	return out
}

// save writes the episode; a failed write is tried again with the next flush.
func (j *Judge) save(a *account) {
	a.dirty, a.saved = false, j.now
	if j.store == nil {
		return
	}
	if err := j.store.SaveEpisode(*a.episode); err != nil {
		a.dirty = true
		j.metrics.storeFailed()
		j.log.Error("episode not stored", "episode", a.episode.ID, "err", err)
	}
}

func episodeID(device, policy string, first time.Time) string {
	sum := sha256.Sum256([]byte(device + "\x00" + policy + "\x00" + first.UTC().Format(time.RFC3339Nano)))
	return "e-" + hex.EncodeToString(sum[:8])
}

// describe brings the episode up to date with the account and the device.
// Slices are made anew: copies handed out earlier never change.
func (j *Judge) describe(d *dossier, a *account) {
	e := a.episode
	e.Device = string(d.id)
	e.First, e.Last, e.Sent, e.Handshake, e.Hidden = a.first, a.last, a.sent, a.hands, a.hourHid
	e.Caveats, e.Identifiers, e.Databases = slices.Clone(a.caveats), slices.Clone(a.ids), slices.Clone(a.dbs)
	e.PolicyHash, e.SumOf = a.rule.Hash, slices.Clone(a.sumOf)
	if d.view != nil && !(a.trusted && d.view.Verdict.Confidence < handset.Certain) {
		describeDevice(e, d)
	}
	if d.view != nil {
		e.Realm, e.Place = d.view.Realm, placeWords(d.view)
	}
	if _, k := a.severity(handset.Certain); a.reached[k] {
		e.Condition = stronger(a.rule, e.Condition, conditionOrder[k])
	}
	describeServers(e, a)
	describeFlows(e, a)
	e.Sentence = Sentence(*e)
}

// stronger is the condition with the higher severity, at equality the one
// that proves more.
func stronger(r *Rule, a, b evidence.Condition) evidence.Condition {
	i, k := slices.Index(conditionOrder[:], a), slices.Index(conditionOrder[:], b)
	if i < 0 {
		return b
	}
	si, sk := r.severity[i].rank(), r.severity[k].rank()
	if si > sk || si == sk && i > k {
		return a
	}
	return b
}

func describeDevice(e *evidence.Episode, d *dossier) {
	v := d.view.Verdict
	e.Maker, e.Model, e.Class = v.Maker, v.Model, v.Class
	e.Confidence, e.Posterior, e.Signatures = v.Confidence.String(), v.Posterior, v.Signatures
	e.Reasons, e.Against = reasonTexts(v.Reasons), reasonTexts(v.Against)
}

func reasonTexts(rs []handset.Reason) []string {
	out := []string{}
	for _, r := range rs {
		out = addWord(out, r.Text, maxReasons)
	}
	return out
}

// describeServers lists where the bytes went, most bytes first.
func describeServers(e *evidence.Episode, a *account) {
	e.Servers, e.Names, e.Countries, e.Basis = []evidence.Server{}, []string{}, []string{}, []string{}
	for i := range a.servers {
		c := &a.servers[i]
		e.Servers = append(e.Servers, serverOf(c.serverKey, &c.server))
	}
	if a.others != nil && a.others.flows > 0 {
		e.Servers = append(e.Servers, serverOf(serverKey{name: othersName}, a.others))
	}
	slices.SortFunc(e.Servers, func(x, y evidence.Server) int {
		return cmp.Or(cmp.Compare(y.Sent, x.Sent), strings.Compare(x.Name+x.Addr.String(), y.Name+y.Addr.String()))
	})
	for i := range e.Servers {
		s := &e.Servers[i]
		if s.Name != othersName {
			e.Names = addWord(e.Names, s.Name, maxNames)
		}
		for _, h := range s.Hits {
			e.Basis = addWord(e.Basis, h, maxReasons)
			e.Countries = addWord(e.Countries, s.By(h), maxReasons)
		}
	}
}
