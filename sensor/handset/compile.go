package handset

import (
	"fmt"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// compiler turns the entries of one file into signatures.
type compiler struct {
	*Set
	file    string
	maker   uint8
	checked bool // expressions and rules were checked when the set was compiled
}

// patternsOf lists the pattern keys of an entry with what they mean.
func (e *sigEntry) patternsOf() [9]patternKey {
	return [...]patternKey{
		{"names", e.Names, Names, -1, "dns", "qname"},
		{"hostname", e.Hostname, DHCP, hostnames, "dhcp", "hostname"},
		{"vendor_class", e.VendorClass, DHCP, vendorClasses, "dhcp", "vendor_class"},
		{"param_list", e.ParamList, DHCP, -1, "dhcp", "param_list"},
		{"user_agent", e.UserAgent, UserAgent, userAgents, "ua", "user_agent"},
		{"model", e.Model, UserAgent, models, "push", "model"},
		{"mdns", e.MDNS, Local, announcements, "mdns", "name"},
		{"ssdp", e.SSDP, Local, ssdpServers, "ssdp", "server"},
		{"ja4", e.JA4, TLS, -1, "tls", "ja4"},
	}
}

type patternKey struct {
	key      string
	patterns []text
	family   Family
	kind     int
	evFamily string
	evField  string
}

// entry compiles one signature.
func (c *compiler) entry(e *sigEntry) error {
	var p patternKey
	for _, k := range e.patternsOf() {
		switch {
		case len(k.patterns) == 0:
		case p.key != "":
			return c.errorf(e, "%s: an entry has one kind of pattern, and this one has %s", k.key, p.key)
		default:
			p = k
		}
	}
	if p.key == "" {
		return c.errorf(e, "no pattern; want names, hostname, vendor_class, param_list, user_agent, model, mdns, ssdp or ja4")
	}
	g, err := c.signature(e, p)
	if err != nil {
		return err
	}
	n := uint16(len(c.sigs))
	c.byID[g.id] = int(n)
	c.sigs = append(c.sigs, g)
	for _, t := range p.patterns {
		if err := c.pattern(t, p, n); err != nil {
			return err
		}
	}
	c.example(e.Example, p, n, true)
	c.example(e.Not, p, n, false)
	return nil
}

// maxSignatures keeps their numbers in 16 bits with one to spare.
const maxSignatures = 1<<16 - 2

func (c *compiler) signature(e *sigEntry, p patternKey) (signature, error) {
	g := signature{id: e.ID.s, maker: c.maker, family: p.family, each: e.Each, probe: e.Probe, class: p.kind == vendorClasses, is: e.Is, text: e.Says, source: e.Source.s}
	if !isID(g.id) {
		return g, c.errorf(e, "id: want lower-case letters, digits, dots and hyphens, not %q", g.id)
	}
	if _, twice := c.byID[g.id]; twice {
		return g, c.errorf(e, "id: %s is taken by another entry", g.id)
	}
	if len(c.sigs) >= maxSignatures {
		return g, c.errorf(e, "more than %d entries", maxSignatures)
	}
	if err := c.planeAndStrength(e, &g); err != nil {
		return g, err
	}
	f := 0
	if e.Form.s != "" {
		if f = index(formNames[:], e.Form.s); f < 0 {
			return g, wrong(c.file, e.Form, "form", formNames[:])
		}
	}
	g.form = form(f)
	v := index(verificationNames[:], e.Verified.s)
	switch {
	case v < 0:
		return g, wrong(c.file, orLine(e.Verified, e.ID), "verified", verificationNames[:])
	case g.source == "":
		return g, c.errorf(e, "source: every entry says where it is from")
	case g.text == "":
		return g, c.errorf(e, "says: every entry says in words what the device did")
	}
	g.verified = verification(v)
	g.service = c.serviceID(e)
	return g, nil
}

func (c *compiler) planeAndStrength(e *sigEntry, g *signature) error {
	if g.family == Names {
		p := index(planeNames[:], e.Plane.s)
		if p < 0 {
			return wrong(c.file, orLine(e.Plane, e.ID), "plane", planeNames[:])
		}
		if g.plane = Plane(p); g.plane != OS {
			if e.Strength.s != "" {
				return c.errorf(e, "strength: names of the %s plane have none", g.plane)
			}
			return nil
		}
	} else if e.Plane.s != "" {
		return c.errorf(e, "plane: only names have one")
	} else {
		g.plane = OS
	}
	st := index(strengthNames[:], e.Strength.s)
	if st < 0 {
		return wrong(c.file, orLine(e.Strength, e.ID), "strength", strengthNames[:])
	}
	g.strength = Strength(st)
	return nil
}

// serviceID numbers the service of an entry: its own id unless it names one
// that it shares with others of the maker.
func (c *compiler) serviceID(e *sigEntry) uint16 {
	key := e.ID.s
	if e.Service != "" {
		key = c.makers[c.maker].name + "/" + e.Service
	}
	n, ok := c.byService[key]
	if !ok {
		n = uint16(len(c.byService) + 1)
		c.byService[key] = n
	}
	return n
}

func (c *compiler) pattern(t text, p patternKey, n uint16) error {
	switch p.key {
	case "names":
		if !c.checked {
			if err := checkRule(t.s); err != nil {
				return fmt.Errorf("%s:%d: names: %w", c.file, t.line, err)
			}
		}
		if !c.names.add(strings.ToLower(t.s), n) {
			return fmt.Errorf("%s:%d: names: %s is in another entry", c.file, t.line, t.s)
		}
		if !strings.Contains(t.s, "*") {
			c.example([]text{t}, p, n, true)
		}
	case "param_list", "ja4":
		key := p.key + " " + t.s
		if _, twice := c.exact[key]; twice {
			return fmt.Errorf("%s:%d: %s: %s is in another entry", c.file, t.line, p.key, t.s)
		}
		c.exact[key] = n
		c.example([]text{t}, p, n, true)
	default:
		x := t.s
		if p.key == "model" {
			x = "^(?:" + x + ")"
		}
		re := &expression{source: x, longest: p.key == "model"} // the longest match of all patterns wins
		if !c.checked {
			if err := re.check(); err != nil {
				return fmt.Errorf("%s:%d: %s: bad regular expression: %w", c.file, t.line, p.key, err)
			}
		}
		c.patterns[p.kind] = append(c.patterns[p.kind], pattern{sig: n, re: re, prefix: literalStart(x)})
	}
	return nil
}

// checkRule says what is wrong with a name rule.
func checkRule(rule string) error {
	if len(rule) > 253 || strings.HasSuffix(rule, ".") || strings.ContainsAny(rule, " /:@") || rule == "" {
		return fmt.Errorf("%q is no host name, *.suffix or glob*.suffix", rule)
	}
	_, suffix, _ := splitRule(rule)
	if suffix == "" || strings.Contains(suffix, "*") || strings.Contains(suffix, "..") {
		return fmt.Errorf("%q: want labels right of the last star", rule)
	}
	if ps, icann := publicsuffix.PublicSuffix(suffix); suffix == ps && icann {
		return fmt.Errorf("%q: %s is a public suffix, everybody's", rule, suffix)
	}
	return nil
}

func (c *compiler) example(list []text, p patternKey, n uint16, match bool) {
	for _, t := range list {
		c.examples = append(c.examples, example{c.file, t.line, n, Evidence{Family: p.evFamily, Field: p.evField, Value: t.s}, match})
	}
}

// owns enters the domains of a company: who reads what is sent there, and
// evidence of the web plane where no entry knows better.
func (c *compiler) owns(f *makerFile) error {
	m := &c.makers[c.maker]
	for i := range f.Owns {
		o := &f.Owns[i]
		company, home := o.Company, o.Home.s
		if company == "" {
			company, home = m.company, m.home
		}
		if company == "" || !isCountry(home) {
			return fmt.Errorf("%s:%d: owns: want a company and its home country (ISO 3166-1)", c.file, orLine(o.Source, f.Maker).line)
		}
		n := uint16(len(c.sigs))
		id := fmt.Sprintf("%s.web%d", m.name, i+1)
		c.byID[id] = int(n)
		c.byService[id] = uint16(len(c.byService) + 1)
		c.sigs = append(c.sigs, signature{id: id, maker: c.maker, family: Names, plane: Web, service: c.byService[id], verified: document,
			text: "visits a site of " + company + ", as anyone's browser may", source: o.Source.s})
		for _, d := range o.Domains {
			if !c.checked {
				if err := checkRule(d.s); err != nil {
					return fmt.Errorf("%s:%d: owns: %w", c.file, d.line, err)
				}
			}
			c.names.add("*."+strings.ToLower(d.s), n)
			c.owner = append(c.owner, Owner{Domain: strings.ToLower(d.s), Company: company, Home: home, Source: o.Source.s})
		}
	}
	return nil
}

func orLine(t, other text) text {
	if t.line == 0 {
		t.line = other.line
	}
	return t
}

func (c *compiler) errorf(e *sigEntry, format string, args ...any) error {
	where := fmt.Sprintf("%s:%d: ", c.file, max(e.ID.line, 1))
	return fmt.Errorf(where+format, args...)
}
