package handset

// relate decides whose evidence counts for whom: brands of a group share
// what the group shares, but a brand is named only from its own evidence.
func (j *judgement) relate() {
	for i := range j.c {
		c := &j.cands[i]
		m := &j.set.makers[c.maker]
		if m.group < 0 || !j.named(c) {
			continue
		}
		rivals := 0
		for k := range j.c {
			o := &j.cands[k]
			if k != i && j.set.makers[o.maker].group == m.group && j.named(o) {
				rivals++
			}
		}
		switch {
		case rivals == 0:
			c.share(uint8(m.group))
		case m.before >= 0 && j.find(m.before) != nil && j.named(j.find(m.before)):
			// Software of the old maker, name of the new: a device from
			// before the split, which both may call theirs.
			c.share(uint8(m.group))
			c.share(uint8(m.before))
			c.conflict = true
			j.find(m.before).conflict = true
		case !j.succeeded(c):
			c.split = true
			if g := j.candidate(uint8(m.group)); g != nil {
				if g.sharing == 0 {
					g.share(g.maker)
				}
				g.share(c.maker)
			}
		}
	}
}

// named reports whether a brand has evidence of its own that is strong
// enough to name it.
func (j *judgement) named(c *candidate) bool { return c.strong >= j.set.rules.Weight }

// succeeded reports whether a candidate that split off from c is named.
func (j *judgement) succeeded(c *candidate) bool {
	for i := range j.c {
		o := &j.cands[i]
		if j.set.makers[o.maker].before == int16(c.maker) && j.named(o) {
			return true
		}
	}
	return false
}

// share lets the lines of maker m count for c.
func (c *candidate) share(m uint8) {
	if int(c.sharing) < len(c.with) {
		c.with[c.sharing] = m
		c.sharing++
	}
}

// kin reports whether evidence for a does not speak against b: the same
// maker, its group or a brand of it, its platform, its predecessor.
func (s *Set) kin(a, b uint8) bool {
	if a == b {
		return true
	}
	x, y := &s.makers[a], &s.makers[b]
	return x.group == int16(b) || y.group == int16(a) || x.group >= 0 && x.group == y.group ||
		x.system == int16(b) || y.system == int16(a) || x.before == int16(b) || y.before == int16(a)
}

// crowds applies the two rules about many makers at once: app names of
// several are a library that carries all of them, and system names of many
// are not one device.
func (j *judgement) crowds() {
	apps, systems := 0, 0
	var asks, runs [maxCandidates]bool // app names, system names
	for k := range j.n {
		l := &j.lines[k]
		if l.family != Names || l.plane == Web || l.plane == OS && l.strength <= Copied {
			continue
		}
		for i := range j.c {
			if j.cands[i].maker == l.maker {
				asks[i] = asks[i] || l.plane == App
				runs[i] = runs[i] || l.plane == OS
			}
		}
	}
	for i := range j.c {
		c := &j.cands[i]
		if asks[i] && c.kind != platform && j.leads(i, &asks) {
			apps++
		}
		if runs[i] && c.own[Names] >= j.set.rules.Weight && (c.kind != platform || !j.isSystem(c.maker)) && j.leads(i, &runs) {
			systems++
		}
	}
	j.noApps = apps >= j.set.rules.Aggregator
	j.forward = systems >= j.set.rules.Forwarder
}

// leads reports whether no candidate of the group before i is marked: a
// group counts once.
func (j *judgement) leads(i int, marked *[maxCandidates]bool) bool {
	for k := range i {
		if marked[k] && j.sameGroup(j.cands[k].maker, j.cands[i].maker) {
			return false
		}
	}
	return true
}

func (j *judgement) sameGroup(a, b uint8) bool {
	x, y := j.set.makers[a].group, j.set.makers[b].group
	return x >= 0 && x == y || x == int16(b) || y == int16(a)
}

// isSystem reports whether a platform is what some maker's handsets run:
// its names alone say nothing about a second device.
func (j *judgement) isSystem(m uint8) bool {
	for i := range j.set.makers {
		if j.set.makers[i].system == int16(m) {
			return true
		}
	}
	return false
}
