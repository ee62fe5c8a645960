package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"

	"picket/geo"
)

// lookupCmd answers under whose law servers are. It is passive: no name is
// resolved, nothing leaves this machine.
type lookupCmd struct {
	Query    []string `arg:"" optional:"" name:"addr|name" help:"Addresses and names. A name is not resolved: its owner is known, its place is not. ADDR/NAME judges the address under that name."`
	Facts    string   `placeholder:"FILE" help:"Judge JSON lines of facts instead (- for stdin)."`
	JSON     bool     `name:"json" help:"JSON lines."`
	Restrict []string `placeholder:"CN,RU" help:"Say which bases meet these countries or groups."`
	Basis    []string `default:"location,operator,owner" enum:"location,registration,operator,owner" help:"Bases that count for --restrict."`
	CNAME    []string `name:"cname" placeholder:"NAME" help:"Aliases that led from the name to the address, in order."`
	Geo      geoFlags `embed:""`
}

// lookupLine is the lookup output (contract).
type lookupLine struct {
	ID                 string         `json:"id,omitempty"`
	Query              string         `json:"query"`
	Addr               string         `json:"addr"`
	Outer              string         `json:"outer,omitempty"`
	Location           string         `json:"location"`
	LocationConfidence geo.Confidence `json:"location_confidence"`
	LocationFrom       string         `json:"location_from,omitempty"`
	Registration       string         `json:"registration"`
	Operator           operatorLine   `json:"operator"`
	Owner              ownerLine      `json:"owner"`
	Anycast            bool           `json:"anycast"`
	Agree              bool           `json:"agree"`
	Disagreement       string         `json:"disagreement,omitempty"`
	Sources            []geo.Source   `json:"sources"`
	Hits               []geo.Basis    `json:"hits"`
	Signature          *signatureLine `json:"signature,omitempty"`
}

// signatureLine is what the signatures say of the name: who asks for it.
type signatureLine struct {
	ID       string `json:"id"`
	Maker    string `json:"maker"`
	Plane    string `json:"plane"`
	Strength string `json:"strength"`
}

type operatorLine struct {
	ASN    uint32 `json:"asn"`
	Name   string `json:"name"`
	Home   string `json:"home"`
	Source string `json:"source,omitempty"`
}

type ownerLine struct {
	Name   string `json:"name"`
	Home   string `json:"home"`
	Source string `json:"source,omitempty"`
}

// orUnknown is how the lookup output says that a country is not known.
func orUnknown(c geo.Country) string {
	if c == "" {
		return "unknown"
	}
	return string(c)
}

func newLookupLine(query string, j geo.Jurisdiction, hits []geo.Basis) lookupLine {
	l := lookupLine{
		Query: query, Location: orUnknown(j.Location), LocationConfidence: j.LocationConfidence, LocationFrom: j.LocationFrom,
		Registration: orUnknown(j.Registration),
		Operator:     operatorLine{j.Operator.ASN, j.Operator.Name, orUnknown(j.Operator.Home), j.OperatorFrom},
		Owner:        ownerLine{j.Owner.Name, orUnknown(j.Owner.Home), j.OwnerFrom},
		Anycast:      j.Anycast, Agree: j.Agree, Disagreement: j.Disagreement,
		Sources: append([]geo.Source{}, j.Sources...), Hits: hits,
	}
	if j.Addr.IsValid() {
		l.Addr = j.Addr.String()
	}
	if j.Outer.IsValid() {
		l.Outer = j.Outer.String()
	}
	return l
}

// Run judges every query, or every line of the facts file.
func (c *lookupCmd) Run(a *app) error {
	if (len(c.Query) == 0) == (c.Facts == "") {
		return usageError{fmt.Errorf("lookup: want addresses or names, or --facts FILE")}
	}
	queries, err := c.queries()
	if err != nil {
		return err
	}
	g, err := c.Geo.open(c.named(queries))
	if err != nil {
		return err
	}
	set, err := geo.ParseCountrySet(c.Restrict, g.groups)
	if err != nil {
		return usageError{fmt.Errorf("--restrict: %w", err)}
	}
	if c.Facts != "" {
		return c.facts(a, g, set)
	}
	for i, q := range queries {
		j := g.Judge(q)
		l := newLookupLine(c.Query[i], j, c.hits(j, set))
		l.Signature = g.signature(q.Name)
		if err := c.print(a.stdout, l, q); err != nil {
			return err
		}
	}
	return nil
}

// queries reads the arguments.
func (c *lookupCmd) queries() ([]geo.Query, error) {
	var out []geo.Query
	for _, s := range c.Query {
		q, err := parseQuery(s)
		if err != nil {
			return nil, usageError{fmt.Errorf("lookup: %w", err)}
		}
		q.CNAMEs = c.CNAME
		out = append(out, q)
	}
	return out, nil
}

// named reports whether any name is asked for, so that signatures are needed.
func (c *lookupCmd) named(queries []geo.Query) bool {
	return c.Facts != "" || slices.ContainsFunc(queries, func(q geo.Query) bool { return q.Name != "" })
}

func (c *lookupCmd) hits(j geo.Jurisdiction, set geo.CountrySet) []geo.Basis {
	bases := make([]geo.Basis, len(c.Basis))
	for i, b := range c.Basis {
		bases[i] = geo.Basis(b)
	}
	return geo.Hits(j, set, bases)
}

// signature is nil for a name that no signature knows.
func (g *atlas) signature(name string) *signatureLine {
	if g.set == nil || name == "" {
		return nil
	}
	m := g.set.Name(strings.TrimSuffix(name, "."))
	if m.ID == "" {
		return nil
	}
	return &signatureLine{m.ID, m.Maker, m.Plane.String(), m.Strength.String()}
}

// parseQuery reads ADDR, NAME or ADDR/NAME.
func parseQuery(s string) (geo.Query, error) {
	if addr, name, both := strings.Cut(s, "/"); both {
		a, err := netip.ParseAddr(addr)
		if err != nil || name == "" {
			return geo.Query{}, fmt.Errorf("%q is neither an address nor ADDR/NAME", s)
		}
		return geo.Query{Addr: a, Name: geo.ASCII(name)}, nil
	}
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return geo.Query{Addr: a}, nil
	}
	if strings.ContainsAny(s, " :,") || s == "" {
		return geo.Query{}, fmt.Errorf("%q is neither an address nor a name", s)
	}
	return geo.Query{Name: geo.ASCII(s), Question: true}, nil
}

// facts judges a file of JSON lines. A line that cannot be read is said and
// the others go on; the status is then 1.
func (c *lookupCmd) facts(a *app, g *atlas, set geo.CountrySet) error {
	in := a.stdin
	if c.Facts != "-" {
		f, err := os.Open(c.Facts)
		if err != nil {
			return fmt.Errorf("lookup: %w", err)
		}
		defer f.Close()
		in = f
	}
	w := bufio.NewWriter(a.stdout)
	defer w.Flush()
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	n, bad := 1, 0
	for ; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		f, err := geo.ParseFacts(line)
		if err != nil {
			bad++
			fmt.Fprintf(a.stderr, "picket: %s:%d: %v\n", c.Facts, n, err)
			continue
		}
		j := g.JudgeFacts(f)
		out := newLookupLine(f.Name, j, c.hits(j, set))
		out.ID, out.Signature = f.ID, g.signature(f.Name)
		if err := json.NewEncoder(w).Encode(out); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("lookup: %s:%d: %w", c.Facts, n, err)
	}
	if bad > 0 {
		return fmt.Errorf("lookup: %s: lines that could not be read: %d", c.Facts, bad)
	}
	return nil
}

func (c *lookupCmd) print(w io.Writer, l lookupLine, q geo.Query) error {
	if c.JSON {
		return json.NewEncoder(w).Encode(l)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", l.Query)
	if l.Outer != "" {
		fmt.Fprintf(&b, "  address       %s inside %s\n", l.Addr, l.Outer)
	}
	switch {
	case q.Addr.IsValid():
		fmt.Fprintf(&b, "  location      %s (%s: %s)\n", l.Location, l.LocationConfidence, l.LocationFrom)
		fmt.Fprintf(&b, "  registration  %s\n", l.Registration)
		fmt.Fprintf(&b, "  operator      %s%s%s\n", l.Operator.Home, named(l.Operator.Name), network(l.Operator.ASN, l.Operator.Source))
	default:
		fmt.Fprintf(&b, "  location      unknown (none: a name is not resolved here)\n")
		if l.Operator.Home != "unknown" {
			fmt.Fprintf(&b, "  operator      %s%s%s\n", l.Operator.Home, named(l.Operator.Name), network(0, l.Operator.Source))
		}
	}
	if q.Name != "" {
		fmt.Fprintf(&b, "  owner         %s%s%s\n", l.Owner.Home, named(l.Owner.Name), network(0, l.Owner.Source))
	}
	if g := l.Signature; g != nil {
		fmt.Fprintf(&b, "  signature     %s, %s plane, %s (%s)\n", g.Maker, g.Plane, g.Strength, g.ID)
	}
	if l.Disagreement != "" {
		fmt.Fprintf(&b, "  disagreement  %s\n", l.Disagreement)
	}
	if len(c.Restrict) > 0 {
		fmt.Fprintf(&b, "  hits          %s\n", joinHits(l.Hits))
	}
	for _, s := range l.Sources {
		fmt.Fprintf(&b, "  source        %s of %s\n", s.DB, s.Built.Format("2006-01-02"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func named(name string) string {
	if name == "" {
		return ""
	}
	return ", " + name
}

func network(asn uint32, from string) string {
	switch {
	case asn != 0 && from != "":
		return fmt.Sprintf(" (AS%d, by %s)", asn, from)
	case asn != 0:
		return fmt.Sprintf(" (AS%d)", asn)
	case from != "":
		return " (by " + from + ")"
	}
	return ""
}

func joinHits(hits []geo.Basis) string {
	if len(hits) == 0 {
		return "none"
	}
	words := make([]string, len(hits))
	for i, h := range hits {
		words[i] = string(h)
	}
	return strings.Join(words, ", ")
}
