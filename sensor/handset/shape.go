package handset

// shape says what kind of product the device is, apart from who made it.
// What a device says of itself (DHCP, User-Agent, announcements, hardware)
// goes before the names it asks for, since tablets and televisions of a
// maker ask for many of a phone's names.
func (j *judgement) shape(c *candidate) (class, isHandset string) {
	if j.forward {
		return classNames[router], "no"
	}
	var self, asked [forms]float64
	for i := range j.n {
		l := &j.lines[i]
		if l.form == anyForm || l.plane == Web && l.family == Names || c != nil && j.shared(c) && !j.ofLeaseholder(c, l) {
			continue
		}
		switch {
		case l.family == Names:
			asked[l.form] += l.w
		case l.family == Hardware:
			self[l.form] += max(l.w/2, j.set.rules.Form)
		default:
			self[l.form] += l.w
		}
	}
	f := heaviest(&self, j.set.rules.Form)
	if f == anyForm {
		f = heaviest(&asked, j.set.rules.Form)
	}
	switch f {
	case anyForm:
		return classNames[anyForm], "unknown"
	case phone:
		return classNames[phone], "yes"
	}
	return classNames[f], "no"
}

// ofLeaseholder reports whether a line tells about the device of the
// verdict, where others stand behind the same address.
func (j *judgement) ofLeaseholder(c *candidate, l *line) bool {
	return j.counts(c, l) || l.family == Hardware && j.set.kin(l.maker, c.maker)
}

// heaviest is the form with the most points; any when there are too few of
// them, or when phone and not-phone are about even.
func heaviest(points *[forms]float64, least float64) form {
	best := anyForm
	for f := phone; f < forms; f++ {
		if points[f] > points[best] {
			best = f
		}
	}
	if points[best] < least {
		return anyForm
	}
	for f := phone; f < forms; f++ {
		if (f == phone) != (best == phone) && points[f] > points[best]*0.8 {
			return anyForm
		}
	}
	return best
}
