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
	special := j.special()
	behind := c != nil && j.shared(c) && (j.net.SharedAddress || !c.guest) // else the holder is what is told
	for i := range j.n {
		l := &j.lines[i]
		if !j.formed(l, &special) || behind && !j.ofLeaseholder(c, l) {
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

// formed reports whether a line says anything of the form. Copied probes and
// what anyone's browser asks do not; nor does a phone's vendor class, model
// code or name of a kind that its maker's tablets have too, where one of
// those calls itself so.
func (j *judgement) formed(l *line, special *makerBits) bool {
	if l.form == anyForm || l.family == Names && (l.plane == Web || l.strength == Copied) {
		return false
	}
	general := j.set.sigs[l.sig].class || l.family != Names && l.family != Hardware && l.strength < Exclusive
	return l.form != phone || !general || !special.has(l.maker)
}

// special are the makers, one bit each, whose tablets, watches or other
// things call themselves so here. The vendor class of such a maker's DHCP
// client is the same on its phones, and says no more then than who made it.
func (j *judgement) special() (bits makerBits) {
	for i := range j.n {
		l := &j.lines[i]
		if l.family != Names && l.family != Hardware && l.form > phone && l.strength >= Mostly {
			bits.set(l.maker)
			if older := j.set.makers[l.maker].before; older >= 0 {
				bits.set(uint8(older)) // whose software it runs
			}
		}
	}
	return bits
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

// makerBits is a set of makers.
type makerBits [maxMakers / 64]uint64

func (b *makerBits) set(m uint8)      { b[m/64] |= 1 << (m % 64) }
func (b *makerBits) has(m uint8) bool { return b[m/64]&(1<<(m%64)) != 0 }
