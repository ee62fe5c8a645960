package handset

import (
	"slices"
	"time"
)

// Verdict judges the evidence as of its last piece: the same evidence and
// the same set always give the same verdict. now is when it is asked; a
// dossier without evidence is judged the same at any time.
func (d *Dossier) Verdict(s *Set, now time.Time, n Network) Verdict { return *d.Judge(s, now, n) }

// Judge is Verdict without a copy: what it returns may be shared with others
// of whom the same is known, and must not be changed.
func (d *Dossier) Judge(s *Set, _ time.Time, n Network) *Verdict {
	d.adopt(s)
	if len(d.items) == 0 {
		return s.knowsNothing(n)
	}
	j := judgement{set: s, net: n}
	j.collect(d)
	j.candidates()
	j.crowds()
	j.relate()
	j.score()
	c := j.top()
	if c == nil {
		return s.knowsNothing(n)
	}
	v := &Verdict{Signatures: s.hash}
	v.Class, v.Handset = j.shape(c)
	v.Maker, v.Confidence, v.Posterior = s.makers[c.maker].name, c.conf, c.post
	v.Shared = j.shared(c)
	v.Model = d.model(c.maker, j.since)
	v.Also = j.also(c)
	j.explain(c, v)
	return v
}

func (s *Set) knowsNothing(n Network) *Verdict {
	if n.SharedAddress {
		return &s.nothing[1]
	}
	return &s.nothing[0]
}

// also lists the other makers for whom anything speaks, best first.
func (j *judgement) also(top *candidate) []Candidate {
	if j.c < 2 {
		return nil
	}
	list := make([]Candidate, 0, j.c-1)
	for i := range j.c {
		if c := &j.cands[i]; c != top {
			list = append(list, Candidate{j.set.makers[c.maker].name, c.post, c.conf})
		}
	}
	if len(list) > 1 {
		slices.SortFunc(list, func(a, b Candidate) int {
			switch {
			case a.Posterior > b.Posterior || a.Posterior == b.Posterior && a.Maker < b.Maker:
				return -1
			}
			return 1
		})
	}
	return list
}

// explain fills in the reasons for and against, in lists without room to
// spare: verdicts are many.
func (j *judgement) explain(c *candidate, v *Verdict) {
	j.account(c)
	ours, against := 0, 0
	j.ruleReasons(c, v, func(isFor bool, _ float64, _ string) {
		if isFor {
			ours++
		} else {
			against++
		}
	})
	for i := range j.n {
		switch l := &j.lines[i]; {
		case j.retold(i):
		case j.speaks(c, l):
			ours++
		case !j.set.kin(l.maker, c.maker):
			against++
		}
	}
	v.Reasons, v.Against = make([]Reason, 0, ours), make([]Reason, 0, against)
	for i := range j.n {
		l := &j.lines[i]
		switch {
		case j.retold(i):
		case j.speaks(c, l):
			v.Reasons = append(v.Reasons, j.reason(l, l.counted))
		case !j.set.kin(l.maker, c.maker):
			v.Against = append(v.Against, j.reason(l, l.w))
		}
	}
	j.ruleReasons(c, v, func(isFor bool, w float64, text string) {
		to := &v.Against
		if isFor {
			to = &v.Reasons
		}
		*to = append(*to, Reason{j.set.ruled(c.maker, text), w})
	})
	v.WouldChange = wordsFor(j, c)
}

// retold reports a line that says no more than one before it: the same
// signature seen within a visit and apart, which weighs once.
func (j *judgement) retold(i int) bool {
	if !j.lines[i].again {
		return false
	}
	for k := range i {
		if j.lines[k].sig == j.lines[i].sig {
			return true
		}
	}
	return false
}

// speaks reports whether a line counts for the verdict, or would if it
// weighed anything.
func (j *judgement) speaks(c *candidate, l *line) bool {
	return j.counts(c, l) || l.family == Names && l.plane == OS && c.strong >= j.set.rules.Weight && int16(l.maker) == j.set.makers[c.maker].system
}

// account works out what every line brought, after discount and cap.
func (j *judgement) account(c *candidate) {
	if j.forward {
		return
	}
	all := 1.0
	var total float64
	var best [families]bool
	copied := false
	for i := range j.n {
		l := &j.lines[i]
		if !j.speaks(c, l) {
			continue
		}
		if l.family != Names {
			if !best[l.family] {
				l.counted = l.w
			}
			best[l.family] = true
			continue
		}
		if l.base == 0 || l.plane == App && j.noApps || l.again || l.strength == Copied && copied {
			continue
		}
		copied = copied || l.strength == Copied
		l.counted = l.w * all
		all *= j.set.rules.Discount
		total += l.counted
	}
	if limit := c.fam[Names] + c.app; total > limit && total > 0 {
		for i := range j.n {
			if l := &j.lines[i]; l.family == Names && l.counted > 0 {
				l.counted *= limit / total
			}
		}
	}
}

func (j *judgement) reason(l *line, w float64) Reason { return Reason{j.set.says(l), w} }
