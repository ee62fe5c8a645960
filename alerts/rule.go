package alerts

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"picket/evidence"
	"picket/geo"
	"picket/sensor/handset"
)

// Known is what policies may name: it comes with signatures and geography.
type Known struct {
	Makers    []string            // closed list; nil: not checked
	Groups    map[string][]string // groups of makers, and makers that stand for several: oppo-group, huawei-or-honor
	Countries geo.Groups
}

// Rule is a Policy ready to judge. It never changes; it may be shared.
type Rule struct {
	Policy Policy // with its defaults filled in
	Hash   string // of the policy, 12 hexadecimal digits

	makers    map[string]bool // nil: any
	anyMaker  bool
	models    []string // lower case
	classes   map[string]bool
	bases     []geo.Basis
	sameMaker bool
	owners    map[string]bool // lower case; nil: any
	planes    [3]bool
	minLoc    geo.Confidence
	hours     *schedule
	networks  []netip.Prefix
	except    exceptions
	severity  [len(conditionOrder)]Severity
	groups    map[string][]string
	changesAt []time.Time // when exemptions end, soonest first
}

// conditionOrder is by how much is proven: the later one names the episode
// when severities are equal.
var conditionOrder = [...]evidence.Condition{
	evidence.Seen, evidence.Tried, evidence.Connected, evidence.Hidden, evidence.Sent, evidence.Identifier,
}

const (
	seen = iota
	tried
	connected
	hidden
	sent
	identifier
)

// Compile checks p and makes it ready.
func Compile(p Policy, k Known) (*Rule, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	p.fill()
	r := &Rule{Policy: p, minLoc: geo.Confidence(p.Restricted.LocationConfidence), groups: k.Groups}
	if err := r.Policy.Restricted.Countries.Resolve(k.Countries); err != nil {
		return nil, &FieldError{p.Name, ".restricted.countries", err}
	}
	if err := r.prohibit(p.Devices, k); err != nil {
		return nil, err
	}
	for _, b := range p.Restricted.Basis {
		r.bases = append(r.bases, geo.Basis(b))
	}
	for _, pl := range p.Restricted.Plane {
		r.planes[pl] = true
	}
	for _, o := range p.Restricted.Owners {
		switch {
		case o == sameAsMaker:
			r.sameMaker = true
		case o != anyWord:
			if r.owners == nil {
				r.owners = map[string]bool{}
			}
			r.owners[strings.ToLower(o)] = true
		}
	}
	if slices.Contains(p.Restricted.Owners, anyWord) {
		r.sameMaker, r.owners = false, nil
	}
	if p.Hours != nil {
		r.hours, _ = p.Hours.compile() // Validate did
	}
	for _, n := range p.Zones.Networks {
		r.networks = append(r.networks, n.Prefix)
	}
	r.except = p.Except.compile()
	r.changesAt = p.Except.ends()
	r.setSeverities()
	b, err := yaml.Marshal(hashed(p))
	sum := sha256.Sum256(append(b, fmt.Sprint(r.Policy.Restricted.Countries.Countries())...))
	r.Hash = hex.EncodeToString(sum[:6])
	return r, err
}

// CompileAll compiles every policy; names must differ.
func CompileAll(ps []Policy, k Known) ([]*Rule, error) {
	var rules []*Rule
	var errs []error
	names := map[string]bool{}
	for _, p := range ps {
		r, err := Compile(p, k)
		if err == nil && names[p.Name] {
			err = &FieldError{p.Name, ".name", errors.New("another policy has this name")}
		}
		names[p.Name] = true
		rules, errs = append(rules, r), append(errs, err)
	}
	return rules, errors.Join(errs...)
}

// hashed is what of a policy decides.
func hashed(p Policy) Policy {
	p.Examples = nil
	return p
}

// fill puts the defaults in place of what was not written.
func (p *Policy) fill() {
	d, r, t := &p.Devices, &p.Restricted, &p.Threshold
	p.Severity = or(p.Severity, Observe)
	p.Quiet = or(p.Quiet, defaultQuiet)
	d.Confidence = or(d.Confidence, Confidence(handset.Certain))
	t.Sent = or(t.Sent, defaultSent)
	t.Within = or(t.Within, defaultWithin)
	t.Count = or(t.Count, payload)
	p.Hidden.Share = or(p.Hidden.Share, defaultShare)
	p.Hidden.Sent = or(p.Hidden.Sent, defaultHiddenSent)
	r.Match = or(r.Match, anyOf)
	r.LocationConfidence = or(r.LocationConfidence, "medium")
	if d.Class == nil {
		d.Class = OneOrMore[Class]{"handset"}
	}
	if r.Basis == nil {
		r.Basis = OneOrMore[Basis]{Basis(geo.Location), Basis(geo.Operator), Basis(geo.Owner)}
	}
	if r.Plane == nil {
		r.Plane = OneOrMore[Plane]{Plane(handset.OS), Plane(handset.App), Plane(handset.Web)}
	}
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// prohibit expands groups to makers.
func (r *Rule) prohibit(d Devices, k Known) error {
	r.makers = map[string]bool{}
	for _, m := range d.Makers {
		if m == anyWord {
			r.anyMaker = true
		}
		r.addMaker(strings.ToLower(m), k)
	}
	for i, g := range d.Groups {
		if _, ok := k.Groups[g]; !ok {
			names := make([]string, 0, len(k.Groups))
			for name := range k.Groups {
				names = append(names, name)
			}
			slices.Sort(names)
			return &FieldError{r.Policy.Name, fmt.Sprintf(".devices.groups[%d]", i), unknownWord("group", g, names)}
		}
		r.addMaker(g, k)
	}
	for _, m := range d.Models {
		r.models = append(r.models, strings.ToLower(m))
	}
	if !slices.Contains(d.Class, anyWord) {
		r.classes = map[string]bool{}
		for _, c := range d.Class {
			r.classes[string(c)] = true
		}
	}
	return nil
}

// addMaker adds m, everyone it stands for, and the names that stand only for
// makers that are all prohibited: who prohibits oppo, realme and oneplus
// prohibits oppo-group too, and who prohibits huawei alone does not prohibit
// huawei-or-honor.
func (r *Rule) addMaker(m string, k Known) {
	r.makers[m] = true
	for _, member := range k.Groups[m] {
		r.makers[member] = true
	}
	for name, members := range k.Groups {
		if len(members) > 0 && !slices.ContainsFunc(members, func(x string) bool { return !r.makers[x] }) {
			r.makers[name] = true
		}
	}
}

// setSeverities fills in each condition's severity: what was written, else
// the policy's for bytes and identifiers, observe for what may have been an
// accident or a block that worked, and nothing for presence.
func (r *Rule) setSeverities() {
	for i, c := range conditionOrder {
		s := r.Policy.Severity
		switch c {
		case evidence.Seen:
			s = Off
		case evidence.Tried, evidence.Connected, evidence.Hidden:
			s = Observe
		}
		if w, ok := r.Policy.Severities[Condition(c)]; ok {
			s = w
		}
		r.severity[i] = s
	}
}

// severityOf is the severity of condition i at confidence c.
func (r *Rule) severityOf(i int, c handset.Confidence) Severity {
	s := r.severity[i]
	if at, ok := r.Policy.SeverityAt[c.String()]; ok {
		s = mildest(s, at)
	}
	return s
}
