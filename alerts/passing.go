package alerts

import (
	"cmp"
	"slices"
	"time"

	"picket/evidence"
)

const (
	// saveEvery is how often the totals of an open episode are written and
	// told, in packet time. Opening, raising and closing are written at once.
	saveEvery = 30 * time.Second
	// sweepEvery is how often dossiers are looked through.
	sweepEvery = time.Minute
)

// Tick lets packet time pass: quiet episodes end, totals are written.
func (j *Judge) Tick(now time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.advance(now)
	for _, a := range j.sortedOpen(func(a *account) bool { return !now.Before(j.quietAt(a)) }) {
		j.close(j.open[a], a, j.quietAt(a), "quiet")
	}
	for _, a := range j.sortedOpen(func(a *account) bool { return a.dirty && now.Sub(a.saved) >= saveEvery }) {
		j.flush(a)
	}
	if !now.Before(j.sweepAt) {
		j.sweepAt = now.Add(sweepEvery)
		j.sweep(now)
	}
}

// Flush writes every open episode, as at the end of a capture file.
func (j *Judge) Flush() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, a := range j.sortedOpen(func(a *account) bool { return a.dirty }) {
		j.flush(a)
	}
}

func (j *Judge) flush(a *account) {
	j.describe(j.open[a], a)
	if a.episode.Firing {
		j.notify(Changed, *a.episode, time.Time{})
	}
	j.save(a)
	j.show(a)
}

// quietAt is when an open episode ends without more data. One that opened
// long after its last byte, because the verdict came late, stands as long as
// any other: rules see it at a scrape or never.
func (j *Judge) quietAt(a *account) time.Time {
	return later(a.last, a.episode.Opened).Add(time.Duration(a.rule.Policy.Quiet))
}

// sortedOpen lists the open accounts that meet a condition, oldest episode
// first: what is told does not depend on the order of a map.
func (j *Judge) sortedOpen(meets func(*account) bool) []*account {
	var out []*account
	for a := range j.open {
		if meets(a) {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b *account) int { return compareEpisodes(a.episode, b.episode) })
	return out
}

func compareEpisodes(a, b *evidence.Episode) int {
	return cmp.Or(a.Opened.Compare(b.Opened), cmp.Compare(a.Policy, b.Policy), cmp.Compare(a.ID, b.ID))
}

func sortEpisodes(list []evidence.Episode) {
	slices.SortFunc(list, func(a, b evidence.Episode) int { return compareEpisodes(&a, &b) })
}

// advance takes over packet time, and weighs every device anew when an
// exemption has ended.
func (j *Judge) advance(now time.Time) {
	if !now.After(j.now) {
		return
	}
	j.now = now
	if !j.changeAt.IsZero() && !now.Before(j.changeAt) {
		j.schedule(now)
		j.weighAll("exemption ended: ")
	}
}

// schedule finds when the next exemption ends.
func (j *Judge) schedule(now time.Time) {
	j.changeAt = time.Time{}
	for _, r := range j.rules {
		for _, t := range r.changesAt {
			if t.After(now) && (j.changeAt.IsZero() || t.Before(j.changeAt)) {
				j.changeAt = t
			}
		}
	}
	j.metrics.exemptions(j.rules, now)
}

// sortedDossiers lists the dossiers by device.
func (j *Judge) sortedDossiers() []*dossier {
	out := make([]*dossier, 0, j.dossiers.count)
	for d := range j.dossiers.all {
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b *dossier) int { return cmp.Compare(a.id, b.id) })
	return out
}

func (j *Judge) weighAll(cause string) {
	for _, d := range j.sortedDossiers() {
		j.weighDevice(d, cause)
	}
}

// sweep forgets devices not heard for as long as anything of theirs is kept.
func (j *Judge) sweep(now time.Time) {
	for d := range j.dossiers.all {
		if unixNano(now)-d.at < int64(keep) {
			break
		}
		if !slices.ContainsFunc(d.accounts(), (*account).open) {
			j.remove(d)
		}
	}
	j.sweepHeard(now)
	if j.metrics == nil {
		return
	}
	var held uint64
	for d := range j.dossiers.all {
		for _, a := range d.accounts() {
			if a.episode == nil {
				held += a.held
			}
		}
	}
	j.metrics.devices.Set(float64(j.dossiers.count))
	j.metrics.heldBytes.Set(float64(held))
}

// sortBySent puts what sent most first.
func sortBySent(list []evidence.Episode) {
	slices.SortFunc(list, func(a, b evidence.Episode) int {
		return cmp.Or(cmp.Compare(b.Sent, a.Sent), compareEpisodes(&a, &b))
	})
}
