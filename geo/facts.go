package geo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
)

// Facts is one line of `picket lookup --facts`: what a sensor saw, and what
// the databases are to have said. Unknown keys are passed over.
type Facts struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	CNAME    []string `json:"cname"`
	PTR      []string `json:"ptr"`
	Addr     string   `json:"addr"`
	ASN      *asnFact `json:"asn"`
	ASNName  string   `json:"asn_name"`
	Registry string   `json:"registry_country"`
	Geo      string   `json:"geo_country"`
	Geo2     string   `json:"geo_country_2"`
	Anycast  flag     `json:"anycast"`
	FlowSeen *flag    `json:"flow_seen"` // absent: seen
	Tunnel   flag     `json:"tunnel"`
}

// asnFact is a number, or text such as "AS16509".
type asnFact uint32

// UnmarshalJSON reads both forms.
func (a *asnFact) UnmarshalJSON(b []byte) error {
	s := strings.Trim(string(b), `"`)
	if len(s) > 2 && strings.EqualFold(s[:2], "AS") {
		s = s[2:]
	}
	if s == "" || s == "null" {
		return nil
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return fmt.Errorf("asn %s: want a number", b)
	}
	*a = asnFact(n)
	return nil
}

// flag is a boolean, or text that names a kind ("wireguard"), which is true.
type flag bool

// UnmarshalJSON reads both forms.
func (f *flag) UnmarshalJSON(b []byte) error {
	switch s := string(b); {
	case s == "true":
		*f = true
	case s == "false" || s == "null" || s == `""` || s == `"none"` || s == `"false"` || s == "0":
		*f = false
	case strings.HasPrefix(s, `"`) || s == "1":
		*f = true
	default:
		return fmt.Errorf("%s: want true or false", b)
	}
	return nil
}

var errNoFacts = errors.New("want one JSON object a line")

// notRead says in words what is wrong with a line.
func notRead(err error) error {
	var t *json.UnmarshalTypeError
	switch {
	case errors.As(err, &t) && t.Field == "":
		return errNoFacts
	case errors.As(err, &t) && t.Type.Kind() == reflect.Slice:
		return fmt.Errorf("%s: want a list of names, not %s", t.Field, inWords(t.Value))
	case errors.As(err, &t):
		return fmt.Errorf("%s: want text, not %s", t.Field, inWords(t.Value))
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("%w: %w", errNoFacts, err)
	}
	return err
}

// inWords names what JSON calls a value.
func inWords(value string) string {
	switch {
	case value == "array":
		return "a list"
	case value == "string":
		return "text"
	case value == "object":
		return "an object"
	case strings.HasPrefix(value, "bool"):
		return "true or false"
	}
	return "a number"
}

// ParseFacts reads one line: the object itself, or {"id", "input": {...}}.
// A byte order mark in front is passed over.
func ParseFacts(line []byte) (Facts, error) {
	line = bytes.TrimPrefix(line, []byte("\ufeff"))
	var wrapped struct {
		ID    string          `json:"id"`
		Input json.RawMessage `json:"input"`
	}
	if err := json.Unmarshal(line, &wrapped); err != nil {
		return Facts{}, notRead(err)
	}
	if wrapped.Input != nil {
		line = wrapped.Input
	}
	if len(line) == 0 || line[0] != '{' {
		return Facts{}, errNoFacts
	}
	f := Facts{}
	if err := json.Unmarshal(line, &f); err != nil {
		return Facts{}, notRead(err)
	}
	if f.ID == "" {
		f.ID = wrapped.ID
	}
	return f, nil
}

// Query is what the sensor saw, by f. An address in place of a name is the
// address, where f has no other.
func (f *Facts) Query() Query {
	addr, err := netip.ParseAddr(f.Addr)
	if err != nil {
		addr, _ = netip.ParseAddr(strings.Trim(f.Name, "[]"))
	}
	return Query{
		Addr: plain(addr), Name: ASCII(f.Name), CNAMEs: asciiNames(f.CNAME), PTRs: asciiNames(f.PTR),
		Tunnel: bool(f.Tunnel), Question: f.FlowSeen != nil && !bool(*f.FlowSeen),
	}
}

func asciiNames(list []string) []string {
	out := make([]string, len(list))
	for i, name := range list {
		out[i] = ASCII(name)
	}
	return out
}

// JudgeFacts judges f by the rules of g, as if its databases had said what f
// says. What g's databases say of f.Addr is not asked.
func (g *Geo) JudgeFacts(f Facts) Jurisdiction {
	s := g.snap.Load()
	q := f.Query()
	addr, translated := inner(q.Addr, *g.nat64.Load())
	special := addr.IsValid() && Placeless(addr)
	c := claims{anycast: bool(f.Anycast)}
	c.place(knownCountry(f.Geo), 0)
	c.place(knownCountry(f.Geo2), 1)
	c.register(knownCountry(f.Registry), 0)
	if f.ASN != nil {
		c.operate(uint32(*f.ASN), f.ASNName, 0)
	}
	if addr.IsValid() && !special {
		if r, ok := s.rules.prefixes.Lookup(addr); ok {
			c.override = r
		}
		if r, ok := s.rules.sites.Lookup(addr); ok {
			c.site = r
		}
	}
	var j Jurisdiction
	decide(&j, &q, &c, s.rules, special)
	if j.Addr = addr; translated {
		j.Outer = q.Addr
	}
	return j
}
