package alerts

import (
	"errors"
	"fmt"
	"strings"

	"picket/geo"
	"picket/sensor/handset"
)

// Quick is the policy of --prohibit and --restrict: handsets of these makers
// may not send one byte to these countries, by location, operator or owner.
// It pages when the device is certain, and writes a ticket when it is likely.
// Countries may be codes or groups.
func Quick(prohibit, restrict []string) (Policy, error) {
	if len(prohibit) == 0 || len(restrict) == 0 {
		return Policy{}, errors.New("--prohibit and --restrict need each other: which makers, and which countries")
	}
	countries, err := geo.ParseCountrySet(restrict, nil)
	if err != nil {
		// Groups are known only when the policy is compiled.
		if countries, err = lateCountries(restrict); err != nil {
			return Policy{}, fmt.Errorf("--restrict: %w", err)
		}
	}
	p := Policy{
		Name:       quickName(prohibit, restrict),
		Severity:   Page,
		SeverityAt: map[string]Severity{"likely": Ticket},
		Devices:    Devices{Class: OneOrMore[Class]{"handset"}, Confidence: Confidence(handset.Likely)},
		Restricted: Restricted{Countries: countries, Basis: OneOrMore[Basis]{Basis(geo.Location), Basis(geo.Operator), Basis(geo.Owner)}},
		Threshold:  Threshold{Sent: 1},
	}
	for _, m := range prohibit {
		p.Devices.Makers = append(p.Devices.Makers, strings.ToLower(m))
	}
	return p, nil
}

// lateCountries reads the words as YAML would, leaving groups to Resolve.
func lateCountries(words []string) (geo.CountrySet, error) {
	var s geo.CountrySet
	err := s.UnmarshalYAML(func(v any) error {
		list, ok := v.(*[]string)
		if !ok {
			return errors.New("not a list")
		}
		*list = words
		return nil
	})
	return s, err
}

func quickName(prohibit, restrict []string) string {
	name := strings.ToLower(strings.Join(prohibit, "-") + "-to-" + strings.Join(restrict, "-"))
	if nameRule().MatchString(name) {
		return name
	}
	return "quick"
}
