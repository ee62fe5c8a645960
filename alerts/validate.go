package alerts

import (
	"errors"
	"fmt"
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"picket/sensor/packet"
)

// FieldError is a mistake in one field of a policy. Path is relative to the
// policy, in the words of goccy's yaml.PathString: ".devices.models[0]".
type FieldError struct {
	Policy, Path string
	Err          error
}

// Error names policy and field.
func (e *FieldError) Error() string {
	return fmt.Sprintf("policy %q: %s: %v", e.Policy, strings.TrimPrefix(e.Path, "."), e.Err)
}

// Unwrap returns the cause.
func (e *FieldError) Unwrap() error { return e.Err }

// Prefix is a network, or an address as the network of itself alone.
type Prefix struct{ netip.Prefix }

// ParsePrefix reads 10.0.0.0/8 or 10.1.2.3.
func ParsePrefix(s string) (Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return Prefix{netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen())}, nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return Prefix{}, fmt.Errorf("network %q: want an address or a prefix, as 10.0.0.0/8", s)
	}
	if p != p.Masked() {
		return Prefix{}, fmt.Errorf("network %q has bits set beyond its length; did you mean %s?", s, p.Masked())
	}
	return Prefix{p}, nil
}

// UnmarshalYAML reads and checks p.
func (p *Prefix) UnmarshalYAML(n ast.Node) error { return scalar(n, p, ParsePrefix) }

// UnmarshalYAML reads t.
func (t *Threshold) UnmarshalYAML(n ast.Node) error {
	type plain Threshold // without this method
	return positive(n, (*plain)(t), "sent", "within")
}

// UnmarshalYAML reads h.
func (h *Hidden) UnmarshalYAML(n ast.Node) error {
	type plain Hidden
	return positive(n, (*plain)(h), "sent")
}

// positive reads the mapping n into dst. A zero under one of keys is refused:
// it would stand for the default, which is not what was written.
func positive(n ast.Node, dst any, keys ...string) error {
	if m, ok := n.(*ast.MappingNode); ok {
		for _, v := range m.Values {
			key := v.Key.GetToken().Value
			_, single := v.Value.(ast.ScalarNode)
			if !single || !slices.Contains(keys, key) {
				continue
			}
			size, notSize := ParseSize(text(v.Value))
			span, notSpan := ParseDuration(text(v.Value))
			if notSize == nil && size == 0 || notSpan == nil && span == 0 {
				return located(v.Value, fmt.Errorf("%s %s: want more than 0; leave the key out for the default", key, text(v.Value)))
			}
		}
	}
	return yaml.NodeToValue(n, dst, yaml.Strict())
}

// UnmarshalYAML reads a bare value or the mapping with until and comment.
func (e *Exemption) UnmarshalYAML(n ast.Node) error {
	if _, ok := n.(ast.ScalarNode); ok {
		e.Value = text(n)
		return nil
	}
	type plain Exemption // without this method
	return yaml.NodeToValue(n, (*plain)(e), yaml.Strict())
}

// nameRule keeps a policy's name fit for a label, a file name and a URL.
var nameRule = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`) })

// Validate checks everything that can be checked without knowing makers,
// groups and databases. Every error is a *FieldError; they are joined.
func (p *Policy) Validate() error {
	var errs []error
	bad := func(path, format string, args ...any) {
		errs = append(errs, &FieldError{p.Name, path, fmt.Errorf(format, args...)})
	}
	if !nameRule().MatchString(p.Name) {
		bad(".name", "%q: want lower-case letters, digits, dots and dashes, at most 63", p.Name)
	}
	if p.Severity == Off {
		bad(".severity", "off is for single conditions; remove the policy instead")
	}
	for band := range p.SeverityAt {
		if !slices.Contains(confidences, band) {
			bad(".severity_at", "%v", unknownWord("confidence", band, confidences))
		}
	}
	for i, m := range p.Devices.Models {
		if _, err := path.Match(strings.ToLower(m), ""); err != nil {
			bad(fmt.Sprintf(".devices.models[%d]", i), "pattern %q: %w", m, err)
		}
	}
	if m := p.Restricted.Match; m != "" && m != anyOf && m != allOf {
		bad(".restricted.match", "%v", unknownWord("match", m, []string{anyOf, allOf}))
	}
	if c := p.Restricted.LocationConfidence; c != "" && !slices.Contains(locationBands, c) {
		bad(".restricted.location_confidence", "%v", unknownWord("location confidence", c, locationBands))
	}
	if c := p.Threshold.Count; c != "" && c != payload && c != all {
		bad(".threshold.count", "%v", unknownWord("count", c, []string{payload, all}))
	}
	if s := p.Hidden.Share; s < 0 || s > 1 {
		bad(".hidden.share", "%v is no share; want a number from 0 to 1", s)
	}
	for i, v := range p.Zones.VLANs {
		if v == 0 || v > maxVLAN {
			bad(fmt.Sprintf(".zones.vlans[%d]", i), "%d is no VLAN; want 1 to %d", v, maxVLAN)
		}
	}
	if p.Hours != nil {
		if _, err := p.Hours.compile(); err != nil {
			bad(".hours", "%w", err)
		}
	}
	for _, list := range p.Except.lists() {
		for i, e := range *list.entries {
			err := list.check(e.Value)
			if e.Value == "" { // the YAML reader splits [02:00:5e:00:53:01] at its colons
				err = errors.New("empty: write addresses with colons in quotes")
			}
			if err != nil {
				bad(fmt.Sprintf(".except.%s[%d]", list.name, i), "%w", err)
			}
		}
	}
	for i := range p.Examples {
		if err := p.Examples[i].validate(); err != nil {
			bad(fmt.Sprintf(".examples[%d]", i), "%w", err)
		}
	}
	return errors.Join(errs...)
}

// maxVLAN is the highest id that a frame can carry (IEEE 802.1Q-2022, 9.6).
const maxVLAN = 4094

var locationBands = []string{"low", "medium", "high"}

type exceptList struct {
	name    string
	entries *[]Exemption
	check   func(string) error
}

func (e *Except) lists() []exceptList {
	prefix := func(s string) error { _, err := ParsePrefix(s); return err }
	return []exceptList{
		{"macs", &e.MACs, func(s string) error { _, err := parseMAC(s); return err }},
		{"networks", &e.Networks, prefix},
		{"names", &e.Names, checkName},
		{"devices", &e.Devices, checkDevice},
		{"servers", &e.Servers, prefix},
	}
}

// parseMAC reads six octets divided by colons or dashes.
func parseMAC(s string) (packet.MAC, error) {
	var m packet.MAC
	parts := strings.Split(strings.ReplaceAll(s, "-", ":"), ":")
	bad := fmt.Errorf("MAC address %q: want six octets, as 02:00:5e:00:53:01", s)
	if len(parts) != len(m) {
		return m, bad
	}
	for i, p := range parts {
		if len(p) != 2 {
			return m, bad
		}
		if _, err := fmt.Sscanf(p, "%02x", &m[i]); err != nil {
			return m, bad
		}
	}
	return m, nil
}

var domainRule = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
})

func checkName(s string) error {
	if !domainRule().MatchString(s) {
		return fmt.Errorf("name %q: want a domain in lower case, without a leading or final dot", s)
	}
	return nil
}

var deviceRule = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^d-[0-9a-f]{12}$`) })

func checkDevice(s string) error {
	if !deviceRule().MatchString(s) {
		return fmt.Errorf("device %q: want an id, as d-0123456789ab", s)
	}
	return nil
}
