package alerts

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"picket/evidence"
	"picket/spellcheck"
)

// Sentence says the policy in English, defaults and exemptions included.
func (r *Rule) Sentence() string {
	p := &r.Policy
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s when %s", p.Name, severityVerb(p.Severity), r.subject())
	fmt.Fprintf(&b, " sends at least %s%s within %s to %s", p.Threshold.Sent, countWord(p.Threshold.Count), p.Threshold.Within, r.object())
	for _, s := range r.limits() {
		b.WriteString(", ")
		b.WriteString(s)
	}
	fmt.Fprintf(&b, "; resolved after %s without data.", p.Quiet)
	b.WriteString(r.otherSeverities())
	for _, l := range p.Except.lists() {
		for _, e := range *l.entries {
			fmt.Fprintf(&b, " Not for %s %s.", strings.TrimSuffix(l.name, "s"), strings.TrimPrefix(e.why(), "exempt: "))
		}
	}
	return b.String()
}

func severityVerb(s Severity) string {
	switch s {
	case Page:
		return "page"
	case Ticket:
		return "write a ticket"
	}
	return "note, telling nobody,"
}

func countWord(count string) string {
	if count == all {
		return ", handshakes included,"
	}
	return " (handshakes apart)"
}

func (r *Rule) subject() string {
	d := &r.Policy.Devices
	var what []string
	if r.anyMaker {
		what = append(what, "any maker")
	} else if len(d.Makers)+len(d.Groups) > 0 {
		what = append(what, orList(append(slices.Clone([]string(d.Makers)), d.Groups...)))
	}
	if len(d.Models) > 0 {
		what = append(what, "model "+orList(d.Models))
	}
	if len(what) == 0 {
		what = []string{"no maker at all"}
	}
	class := "device"
	if r.classes != nil {
		class = orList(d.Class)
	}
	s := fmt.Sprintf("a %s of %s, at least %s", class, strings.Join(what, ", or "), confidences[d.Confidence])
	if len(d.Families) > 0 {
		s += " and with evidence from " + andList(d.Families)
	}
	return s
}

func (r *Rule) object() string {
	t := &r.Policy.Restricted
	join := orList[Basis]
	if t.Match == allOf {
		join = andList[Basis]
	}
	where := t.Countries.String()
	if t.Countries.Empty() {
		where = "no country at all"
	}
	s := fmt.Sprintf("%s by %s", where, join(t.Basis))
	if slices.Contains(t.Basis, "location") {
		s += " (location known at " + t.LocationConfidence + " confidence or better)"
	}
	return s
}

func (r *Rule) limits() []string {
	p := &r.Policy
	var out []string
	if o := p.Restricted.Owners; len(o) > 0 && !slices.Contains(o, anyWord) {
		names := slices.Clone([]string(o))
		for i, n := range names {
			if n == sameAsMaker {
				names[i] = "the device's own maker"
			}
		}
		out = append(out, "to servers of "+orList(names))
	}
	if r.planes != [3]bool{true, true, true} {
		var names []string
		for _, pl := range p.Restricted.Plane {
			names = append(names, planes[pl])
		}
		out = append(out, "by names of the "+orList(names)+" plane")
	}
	if h := p.Hours; h != nil {
		out = append(out, fmt.Sprintf("%s from %s to %s %s", orList(or2(h.Days, []string{"every day"})), or(h.From, "00:00"), or(h.To, "24:00"), or(h.Timezone, "UTC")))
	}
	if z := p.Zones; len(z.VLANs)+len(z.Networks)+len(z.Realms) > 0 {
		out = append(out, "in "+zoneWords(z))
	}
	return out
}

func or2(v, otherwise []string) []string {
	if len(v) == 0 {
		return otherwise
	}
	return v
}

func zoneWords(z Zones) string {
	var parts []string
	if len(z.VLANs) > 0 {
		parts = append(parts, "VLAN "+orList(z.VLANs))
	}
	if len(z.Networks) > 0 {
		parts = append(parts, "network "+orList(z.Networks))
	}
	if len(z.Realms) > 0 {
		parts = append(parts, "realm "+orList(z.Realms))
	}
	return strings.Join(parts, " and ")
}

func (r *Rule) otherSeverities() string {
	var parts []string
	for i, c := range conditionOrder {
		s := r.severity[i]
		if c == evidence.Sent || s == Off && c == evidence.Seen {
			continue
		}
		parts = append(parts, fmt.Sprintf("%s: %s", c, s))
	}
	for _, band := range confidences {
		if s, ok := r.Policy.SeverityAt[band]; ok {
			parts = append(parts, fmt.Sprintf("if only %s: %s at most", band, s))
		}
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

func orList[T any](l []T) string  { return list(l, " or ") }
func andList[T any](l []T) string { return list(l, " and ") }

func list[T any](l []T, last string) string {
	words := make([]string, len(l))
	for i, v := range l {
		words[i] = fmt.Sprint(v)
	}
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + last + words[len(words)-1]
}

// soon is how long before its end an exemption is warned of.
const soon = 14 * 24 * time.Hour

// Warnings says what of the policy can never match, and which exemptions
// have ended or are about to, at now. makers is the closed list of the
// signature set; nil skips that check.
func (r *Rule) Warnings(makers []string, now time.Time) []string {
	p := &r.Policy
	var out []string
	warn := func(format string, args ...any) { out = append(out, p.Name+": "+fmt.Sprintf(format, args...)) }
	if len(r.makers) == 0 && len(r.models) == 0 && !r.anyMaker {
		warn("names no maker, group or model: it can never match")
	}
	r.warnMakers(makers, warn)
	if r.classes != nil && len(r.classes) == 0 {
		warn("class is empty: it can never match")
	}
	if len(r.classes) == 1 && r.classes["router"] {
		warn("a router is nobody: it can never match")
	}
	if slices.Contains(p.Devices.Families, "tcp") {
		warn("no signature speaks from tcp: it can never match")
	}
	if p.Restricted.Countries.Empty() {
		warn("restricts no country: no transfer can ever match")
	}
	if len(r.bases) == 0 {
		warn("basis is empty: no transfer can ever match")
	}
	if r.planes == [3]bool{} {
		warn("plane is empty: no transfer can ever match")
	}
	if confidences[p.Devices.Confidence] == "weak" {
		warn("accuses on weak evidence: app and web names alone reach it, also on phones of other makers")
	}
	if time.Duration(p.Quiet) < time.Duration(p.Threshold.Within) {
		warn("quiet %s is shorter than within %s: an episode can end while its threshold is still filling", p.Quiet, p.Threshold.Within)
	}
	for _, l := range p.Except.lists() {
		for _, e := range *l.entries {
			switch {
			case e.Until.Passed(now):
				warn("exemption %s ended on %s and has no effect", e.Value, e.Until)
			case !time.Time(e.Until).IsZero() && e.Until.Passed(now.Add(soon)):
				warn("exemption %s ends on %s", e.Value, e.Until)
			}
			if strings.HasSuffix(e.Value, "/0") {
				warn("exemption %s covers everything: the policy can never match", e.Value)
			}
		}
	}
	return out
}

// Unseen says what of the zones of r the sensor never sees: networks outside
// home, and realms that are not among the configured ones.
func (r *Rule) Unseen(home []netip.Prefix, realms []string) []string {
	var out []string
	for _, n := range r.networks {
		if len(home) > 0 && !slices.ContainsFunc(home, n.Overlaps) {
			out = append(out, fmt.Sprintf("%s: zone %s is outside home_networks: no device is there", r.Policy.Name, n))
		}
	}
	for _, z := range r.Policy.Zones.Realms {
		if !slices.Contains(realms, z) {
			out = append(out, fmt.Sprintf("%s: no realm is named %s: no device is there", r.Policy.Name, z))
		}
	}
	return out
}

// UnknownMaker returns an error when the policy names a maker that is neither
// among makers nor a group.
func (r *Rule) UnknownMaker(makers []string) error {
	return errors.Join(r.unknownMakers(makers)...)
}

func (r *Rule) unknownMakers(makers []string) []error {
	var out []error
	for _, m := range r.Policy.Devices.Makers {
		if m == anyWord || slices.Contains(makers, m) || r.groups[m] != nil {
			continue
		}
		near := ""
		if n := spellcheck.Nearest(m, makers); n != "" {
			near = fmt.Sprintf(", did you mean %q?", n)
		}
		out = append(out, fmt.Errorf("no signature knows the maker %q%s", m, near))
	}
	return out
}

func (r *Rule) warnMakers(makers []string, warn func(string, ...any)) {
	if makers == nil {
		return
	}
	for _, err := range r.unknownMakers(makers) {
		warn("it can never match: %v", err)
	}
	for name, members := range r.groups {
		if r.makers[name] || r.anyMaker || !slices.ContainsFunc(members, func(m string) bool { return r.makers[m] }) {
			continue
		}
		if slices.Contains(makers, name) {
			warn("devices known only as %s stay undecided: name all of %s to include them", name, andList(members))
		}
	}
}
