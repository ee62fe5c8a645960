package handset

// score gives every candidate its log-odds, posterior and band.
func (j *judgement) score() {
	for i := range j.c {
		j.logOdds(&j.cands[i])
	}
	for i := range j.c {
		j.contest(i)
	}
	for i := range j.c {
		j.band(&j.cands[i])
	}
	j.rankAll()
}

// logOdds adds up the families of one candidate.
func (j *judgement) logOdds(c *candidate) {
	r := &j.set.rules
	if c.sharing == 0 {
		c.share(c.maker)
	}
	own := c.alone
	if c.sharing > 1 {
		j.sum(c, false, &own)
	}
	s := own
	if own.strong >= r.Weight && j.set.makers[c.maker].system >= 0 {
		j.sum(c, true, &s) // it runs that platform's system: its names fit
	}
	c.fam, c.app, c.strong = s.fam, s.app, own.strong
	c.l, c.sure = j.set.prior, j.set.prior
	for f := range families {
		c.l += s.fam[f]
		c.sure += s.sure[f]
		c.anyOS = max(c.anyOS, own.fam[f])
		if own.sure[f] >= r.Weight {
			c.heavy++
		}
	}
	if own.fam[Names] >= r.Weight {
		c.days = min(r.Days.Most, r.Days.Each*float64(max(own.days-1, 0)))
		c.l += c.days
		c.sure += c.days
	}
	if c.kind == platform {
		c.l = min(c.l, j.set.prior+r.PlatformCap)
	}
}

// contest compares candidate i with all that are not its kin.
func (j *judgement) contest(i int) {
	r := &j.set.rules
	c := &j.cands[i]
	mine := max(c.fam[DHCP], c.fam[Hardware], c.fam[Local])
	for k := range j.c {
		o := &j.cands[k]
		if k == i || j.set.kin(c.maker, o.maker) {
			continue
		}
		if o.own[DHCP] >= r.DHCP.Likely && c.fam[DHCP] < r.DHCP.Likely {
			c.guest = true
		}
		// A system that writes its own vendor class does not send the model
		// of somebody's phone: that is another device.
		if o.own[DHCP] >= r.DHCP.Exclusive && c.fam[DHCP] < r.DHCP.Likely && max(c.own[UserAgent], c.own[Push]) >= r.Rival.Names {
			c.mixed = true
		}
		identity := max(o.own[DHCP], o.own[Hardware], o.own[Local])
		if identity >= r.Rival.Identity {
			c.conflict = true
		}
		if o.own[Names] >= r.Rival.Names || max(o.own[UserAgent], o.own[Push]) >= r.Rival.Names {
			c.mixed = true
		}
		if mine < r.Weight && !j.net.SharedAddress && max(o.own[DHCP], o.own[Local], o.own[Hardware]) >= r.Rival.Names {
			c.counter = r.Counter
		}
	}
	c.l -= c.counter
	c.sure -= c.counter
}

// shared reports whether several devices stand behind the address, as far
// as candidate c is concerned.
func (j *judgement) shared(c *candidate) bool { return j.net.SharedAddress || c.mixed || j.forward }

// leaseholder reports whether DHCP names c as the holder of the address.
func (j *judgement) leaseholder(c *candidate) bool { return c.fam[DHCP] >= j.set.rules.DHCP.Likely }

// band turns log-odds into a posterior and a band. App names move the
// posterior within the band that the rest has earned, and never above weak.
func (j *judgement) band(c *candidate) {
	b := &j.set.rules.Bands
	if j.forward {
		c.l, c.app = j.set.prior, 0
	}
	c.post = logistic(c.l)
	switch {
	case c.kind == platform || c.post < b.Weak:
	case c.post < b.Likely:
		c.conf = Weak
	case c.post < b.Certain || c.heavy < 2 || c.conflict || logistic(c.sure) < b.Certain || j.shared(c) && !j.leaseholder(c):
		c.conf = Likely
	default:
		c.conf = Certain
	}
	// Two brands of one group: neither is named. And of those who share the
	// address of somebody whom DHCP names, none is more than suspected.
	if c.split || c.guest && j.shared(c) {
		c.conf = min(c.conf, Weak)
		c.post = min(c.post, below(b.Likely))
	}
	if c.app > 0 && c.kind != platform {
		c.post = c.withApps(b.Weak, b.Likely, b.Certain)
		if c.conf == None && c.post >= b.Weak {
			c.conf = Weak
		}
	}
}

func (c *candidate) withApps(weak, likely, certain float64) float64 {
	p := max(c.post, logistic(c.l+c.app))
	switch {
	case c.post < weak:
		return min(p, below(likely))
	case c.post < likely:
		return min(p, below(likely))
	case c.post < certain:
		return min(p, below(certain))
	}
	return c.post
}

// below is a posterior just under a threshold.
func below(p float64) float64 { return p - 1e-6 }

// rankAll orders candidates by what an officer would say first: a maker
// with evidence of its own comes before the platform that it runs.
func (j *judgement) rankAll() {
	for i := range j.c {
		j.cands[i].rank = j.cands[i].post
	}
	for i := range j.c {
		c := &j.cands[i]
		system := j.set.makers[c.maker].system
		if system < 0 || c.anyOS < j.set.rules.Names.Copied/2 {
			continue
		}
		if p := j.find(system); p != nil && !j.forward {
			p.rank = min(p.rank, c.rank-1e-9)
		}
	}
}

// top is the best-supported candidate, nil when nothing speaks for anyone.
func (j *judgement) top() *candidate {
	var best *candidate
	for i := range j.c {
		if c := &j.cands[i]; best == nil || j.ahead(c, best) {
			best = c
		}
	}
	return best
}

func (j *judgement) ahead(a, b *candidate) bool {
	if a.conf != b.conf {
		return a.conf > b.conf
	}
	if a.rank != b.rank {
		return a.rank > b.rank
	}
	x, y := &j.set.makers[a.maker], &j.set.makers[b.maker]
	switch { // equal: the brand before its group, the later name before the earlier
	case x.group == int16(b.maker) || x.before == int16(b.maker):
		return true
	case y.group == int16(a.maker) || y.before == int16(a.maker):
		return false
	case a.kind != b.kind:
		return a.kind < b.kind
	}
	return x.name < y.name
}
