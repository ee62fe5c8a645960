package handset

import (
	"strings"
)

// Family is an independent source of evidence; none may count twice.
type Family uint8

// The families (DNS, SNI, QUIC and HTTP host together are Names: one
// connection yields them all).
const (
	Hardware Family = iota
	DHCP
	Names
	UserAgent
	Local
	Push
	TLS
	families
)

var familyNames = [families]string{"hardware", "dhcp", "names", "user-agent", "local", "push", "tls"}

// String returns the word used in reasons.
func (f Family) String() string { return familyNames[f] }

// form is a kind of product.
type form uint8

const (
	anyForm form = iota
	phone
	tablet
	laptop
	tv
	wearable
	iot
	router
	server
	forms
)

var formNames = [forms]string{"any", "phone", "tablet", "pc", "tv", "wearable", "iot", "router", "server"}

// classNames are the device classes that the forms stand for.
var classNames = [forms]string{"unknown", "handset", "tablet", "laptop", "tv", "wearable", "iot", "router", "server"}

// verification says how a signature was verified.
type verification uint8

const (
	inferred verification = iota // by our own reasoning: supports no certainty
	report                       // by users, from their own logs
	document                     // by a vendor's documents or code, or a maintained data set
	onDevice                     // on a device of ours
)

var verificationNames = [...]string{"inferred", "report", "document", "device"}

// signature is one compiled entry.
type signature struct {
	id       string
	maker    uint8 // index into Set.makers
	family   Family
	plane    Plane
	strength Strength
	form     form
	service  uint16 // entries with the same service are one piece of evidence
	verified verification
	each     bool
	probe    bool
	class    bool // a DHCP vendor class: of all that the maker makes
	is       string
	text     string // what a reason says
	source   string

	local *local // what the site's overlay says of it, nil for nothing
}

// local is what signatures.d says of an entry.
type local struct {
	added    bool     // the entry exists because of the overlay
	strength Strength // instead of the entry's, Nothing when disabled
	plane    Plane
	until    int64  // Unix seconds after which the entry is as it was; 0: for ever
	text     string // what a reason says while it holds
}

// at is the strength and plane of the entry at a time, and whether a site
// rule decided.
func (g *signature) at(t int64) (Strength, Plane, bool) {
	l := g.local
	switch {
	case l == nil:
		return g.strength, g.plane, false
	case l.until == 0 || t <= l.until:
		return l.strength, l.plane, true
	}
	return g.strength, g.plane, false
}

// expired reports whether the entry is one that a site added for a time
// that is over.
func (g *signature) expired(t int64) bool {
	return g.local != nil && g.local.added && g.local.until != 0 && t > g.local.until
}

// pattern is a compiled regular expression of an entry.
type pattern struct {
	sig    uint16
	re     *expression
	prefix string // literal that every match begins with, when anchored
}

// find returns the part of s that matches, preferring the group "model".
func (p *pattern) find(s string) (string, bool) {
	if p.prefix != "" && !strings.HasPrefix(s, p.prefix) {
		return "", false
	}
	if !p.re.may(s) {
		return "", false
	}
	m := p.re.get().FindStringSubmatchIndex(s)
	if m == nil {
		return "", false
	}
	if i := p.re.get().SubexpIndex("model"); i > 0 && m[2*i] >= 0 {
		return s[m[2*i]:m[2*i+1]], true
	}
	return s[m[0]:m[1]], true
}

// maker is one file's head.
type maker struct {
	name, title, company, home string
	kind                       makerKind
	system                     int16 // index of its platform, -1 for none
	group                      int16 // index of its group, -1 for none
	before                     int16 // index of the maker whose software it once ran, -1
}

type makerKind uint8

const (
	realMaker makerKind = iota
	groupOf
	platform
)

var kindNames = [...]string{"maker", "group", "platform"}

func index(words []string, w string) int {
	for i, x := range words {
		if x == w {
			return i
		}
	}
	return -1
}
