package handset

// The sentences of rules that decided, and of what would change a verdict.
const (
	saysDays      = "its system names were seen on several days: background of the system, not a visit"
	saysCounter   = "what the device says of itself (DHCP, hardware address, announcements) is another maker's"
	saysConflict  = "evidence of identity points to more than one maker: no certainty"
	saysMixed     = "system names or a User-Agent of another maker come from the same address: more than one device stands behind it"
	saysShared    = "several devices are known to stand behind the address"
	saysHolder    = "several devices stand behind the address, but DHCP identifies its holder"
	saysGuest     = "several devices stand behind the address, and DHCP names another maker's as its holder: at most weak"
	saysForwarder = "system names of many makers come from one address: a resolver or NAT, nobody's handset; tap on the device's side of it"
	saysApps      = "app names of three or more makers at once are a library that carries them all: they count for nothing"
	saysOneFamily = "one kind of evidence alone never passes likely"
	saysInferred  = "without entries that are only inferred it would not be certain"
	saysSplit     = "evidence of two brands of one group: the group can be said, a brand cannot"
	saysPlatform  = "an operating system names no maker"

	wantSystem   = "a name that only one maker's system asks for"
	wantMore     = "another service that only one maker's system asks for"
	wantIdentity = "a second, independent kind of evidence: a DHCP host name or vendor class, an assigned hardware address, a model in a User-Agent in clear"
	wantOther    = "a second, independent kind of evidence: a name that only one maker's system asks for, or one of DHCP, hardware address and model in a User-Agent that was not seen yet"
	wantHolder   = "DHCP of the device that holds the address, or a tap on the device's side of it"
	wantBrand    = "evidence that only one brand of the group shows: host name, model or its own update server"
	wantAgree    = "evidence of identity that agrees: now it points to more than one maker"
	wantRefute   = "DHCP, a User-Agent or system names of another maker; a new hardware address starts afresh, and names fade by half in seven days"
	wantTraffic  = "traffic outside a tunnel: little was visible"
)

// ruleReasons tells of the rules that decided, for the verdict or against it.
func (j *judgement) ruleReasons(c *candidate, v *Verdict, rule func(isFor bool, w float64, text string)) {
	if j.forward {
		rule(false, 0, saysForwarder)
		return
	}
	if c.days > 0 {
		rule(true, c.days, saysDays)
	}
	if c.counter > 0 {
		rule(false, c.counter, saysCounter)
	}
	if c.conflict {
		rule(false, 0, saysConflict)
	}
	switch {
	case v.Shared && j.leaseholder(c):
		rule(false, 0, saysHolder)
	case j.net.SharedAddress:
		rule(false, 0, saysShared)
	case c.guest && c.mixed:
		rule(false, 0, saysGuest)
	case c.mixed:
		rule(false, 0, saysMixed)
	}
	if j.noApps {
		rule(false, 0, saysApps)
	}
	switch b := &j.set.rules.Bands; {
	case c.kind == platform:
		rule(false, 0, saysPlatform)
	case c.split:
		rule(false, 0, saysSplit)
	case c.post >= b.Certain && c.heavy < 2:
		rule(false, 0, saysOneFamily)
	case c.post >= b.Certain && logistic(c.sure) < b.Certain:
		rule(false, 0, saysInferred)
	}
}

// The lists of what would change a verdict: verdicts share them.
var (
	wantsAny      = []string{wantSystem, wantTraffic}
	wantsHolder   = []string{wantHolder}
	wantsRefute   = []string{wantRefute}
	wantsAgree    = []string{wantAgree}
	wantsOwn      = []string{wantHolder, wantIdentity}
	wantsBrand    = []string{wantIdentity, wantBrand}
	wantsProof    = []string{wantIdentity, wantRefute}
	wantsOther    = []string{wantOther, wantRefute}
	wantsMore     = []string{wantMore, wantIdentity, wantTraffic}
	wantsIdentity = []string{wantSystem, wantIdentity, wantTraffic}
)

// wordsFor says what would change the verdict.
func wordsFor(j *judgement, c *candidate) []string {
	switch {
	case j.forward:
		return wantsHolder
	case c.conf == Certain:
		return wantsRefute
	case c.conflict:
		return wantsAgree
	case j.shared(c) && !j.leaseholder(c):
		return wantsOwn
	case c.kind == groupOf && c.conf == Likely:
		return wantsBrand
	case c.conf == Likely && c.fam[Names] < j.set.rules.Weight:
		return wantsOther
	case c.conf == Likely:
		return wantsProof
	case c.own[Names] >= j.set.rules.Weight:
		return wantsMore
	case c.fam[Names] >= j.set.rules.Weight || c.strong == 0:
		return wantsIdentity
	}
	return wantsAny
}

// knowNothing makes the verdicts on devices for which nothing speaks.
func (s *Set) knowNothing() {
	for i := range s.nothing {
		s.nothing[i] = Verdict{Class: classNames[anyForm], Handset: "unknown", Shared: i == 1, Signatures: s.hash, WouldChange: wantsAny}
	}
}
