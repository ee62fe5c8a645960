package alerts

import (
	"slices"
	"testing"

	"picket/geo"
)

// TestPlaces: one basis suffices, every one is asked for, or only those that
// are sure enough.
func TestPlaces(t *testing.T) {
	cn := geo.Party{Home: "CN"}
	rented := geo.Jurisdiction{Location: "SG", LocationConfidence: geo.High, Operator: cn, Registration: "SG"}
	home := geo.Jurisdiction{Location: "CN", LocationConfidence: geo.Medium, Operator: cn, Owner: cn, Registration: "CN"}
	for _, c := range []struct {
		name   string
		change func(*Restricted)
		server geo.Jurisdiction
		want   []geo.Basis
	}{
		{"any of three", func(*Restricted) {}, rented, []geo.Basis{geo.Operator}},
		{"all of three, one met", func(r *Restricted) { r.Match = allOf }, rented, nil},
		{"all of three, all met", func(r *Restricted) { r.Match = allOf }, home, []geo.Basis{geo.Location, geo.Operator, geo.Owner}},
		{"medium is not high", func(r *Restricted) {
			r.LocationConfidence, r.Basis = "high", OneOrMore[Basis]{Basis(geo.Location)}
		}, home, nil},
		{"registration is asked for by name", func(r *Restricted) { r.Basis = OneOrMore[Basis]{Basis(geo.Registration)} }, home, []geo.Basis{geo.Registration}},
		{"anywhere but", func(r *Restricted) {
			r.Basis = OneOrMore[Basis]{Basis(geo.Location)}
			p, err := parsePolicy(t, "name: p\nrestricted: {countries: {anywhere-but: [CN]}}\n")
			if err != nil {
				t.Fatal(err)
			}
			r.Countries = p.Restricted.Countries
		}, rented, []geo.Basis{geo.Location}},
	} {
		p := xiaomiToCN()
		c.change(&p.Restricted)
		got := slices.Clone(compile(t, p)[0].Places(c.server))
		slices.Sort(got)
		slices.Sort(c.want)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
