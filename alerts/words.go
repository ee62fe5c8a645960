package alerts

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"picket/evidence"
	"picket/geo"
	"picket/sensor/handset"
	"picket/spellcheck"
)

// Severity is what an episode asks of people.
type Severity string

// The severities, mildest first. Off is for conditions alone: nothing is kept.
const (
	Off     Severity = "off"
	Observe Severity = "observe" // kept and counted; nobody is told
	Ticket  Severity = "ticket"  // to a review queue
	Page    Severity = "page"    // to a person, now
)

var severities = []string{"off", "observe", "ticket", "page"}

// rank orders severities; unknown ones rank lowest.
func (s Severity) rank() int { return slices.Index(severities, string(s)) }

// told reports whether somebody is told of it.
func (s Severity) told() bool { return s == Page || s == Ticket }

func mildest(a, b Severity) Severity {
	if a.rank() < b.rank() {
		return a
	}
	return b
}

// conditions are those of package evidence, mildest first.
var conditions = []string{"seen", "tried", "connected", "sent", "identifier", "hidden"}

// classes are the classes of a verdict.
var classes = []string{"handset", "tablet", "laptop", "tv", "wearable", "iot", "router", "server", "unknown"}

// families are the independent sources of evidence.
var families = []string{"hardware", "dhcp", "names", "user-agent", "local", "push", "tls", "tcp"}

var confidences = []string{"none", "weak", "likely", "certain"}

var planes = []string{"web", "app", "os"}

var bases = []string{
	string(geo.Location), string(geo.Registration), string(geo.Operator), string(geo.Owner), string(geo.LocationSuspected),
}

// Confidence is a band of a verdict, as policies write it.
type Confidence handset.Confidence

// Plane is who asks a name, as policies write it.
type Plane handset.Plane

// Condition is one of package evidence's, as policies write it.
type Condition evidence.Condition

// Basis is one of package geo's, as policies write it.
type Basis geo.Basis

// Class is the class of a verdict, or any.
type Class string

// Family is a source of evidence.
type Family string

// UnmarshalYAML reads page, ticket, observe or off.
func (s *Severity) UnmarshalYAML(n ast.Node) error { return word(n, s, "severity", severities) }

// UnmarshalYAML reads weak, likely or certain. Nobody is accused on none.
func (c *Confidence) UnmarshalYAML(n ast.Node) error {
	if text(n) == confidences[handset.None] {
		return located(n, errors.New("confidence none accuses everybody; want weak, likely or certain"))
	}
	return numbered(n, c, "confidence", confidences)
}

// UnmarshalYAML reads os, app or web.
func (p *Plane) UnmarshalYAML(n ast.Node) error { return numbered(n, p, "plane", planes) }

// UnmarshalYAML reads one of the conditions.
func (c *Condition) UnmarshalYAML(n ast.Node) error { return word(n, c, "condition", conditions) }

// UnmarshalYAML reads one of the bases.
func (b *Basis) UnmarshalYAML(n ast.Node) error { return word(n, b, "basis", bases) }

// UnmarshalYAML reads a class or any.
func (c *Class) UnmarshalYAML(n ast.Node) error {
	return word(n, c, "class", append([]string{anyWord}, classes...))
}

// UnmarshalYAML reads a family.
func (f *Family) UnmarshalYAML(n ast.Node) error { return word(n, f, "family", families) }

// MarshalYAML writes the word.
func (c Confidence) MarshalYAML() ([]byte, error) { return []byte(confidences[c]), nil }

// MarshalYAML writes the word.
func (p Plane) MarshalYAML() ([]byte, error) { return []byte(planes[p]), nil }

// anyWord stands for every class, maker or owner.
const anyWord = "any"

func word[T ~string](n ast.Node, dst *T, what string, known []string) error {
	return scalar(n, dst, func(s string) (T, error) {
		if slices.Contains(known, s) {
			return T(s), nil
		}
		return "", unknownWord(what, s, known)
	})
}

func numbered[T ~uint8](n ast.Node, dst *T, what string, known []string) error {
	return scalar(n, dst, func(s string) (T, error) {
		if i := slices.Index(known, s); i >= 0 {
			return T(i), nil
		}
		return 0, unknownWord(what, s, known)
	})
}

func unknownWord(what, got string, known []string) error {
	if near := spellcheck.Nearest(got, known); near != "" {
		return fmt.Errorf("%s %q is not known; did you mean %q?", what, got, near)
	}
	return fmt.Errorf("%s %q is not known; want one of %s", what, got, strings.Join(known, " "))
}
