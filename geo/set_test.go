package geo

import (
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

func TestCountrySetFromYAML(t *testing.T) {
	_, groups, err := ReadRules(os.DirFS("../configs"), "operators", "owners", "groups")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		yaml    string
		in, out []Country
		word    string
	}{
		{"countries: CN", []Country{"CN"}, []Country{"HK", "TW", "MO", "", "US"}, "CN"},
		{"countries: [CN, RU]", []Country{"CN", "RU"}, []Country{"US", ""}, "CN, RU"},
		{"countries: [NO]", []Country{"NO"}, []Country{"SE"}, "NO"},
		{"countries: NO", []Country{"NO"}, []Country{"SE"}, "NO"},
		{"countries: [no-such]", nil, nil, ""},
		{"countries: [eu]", []Country{"DE", "FR", "SE"}, []Country{"GB", "NO", "CH", ""}, "eu"},
		{"countries: [eea, CH]", []Country{"DE", "NO", "CH"}, []Country{"GB"}, "eea, CH"},
		{"countries: [five-eyes]", []Country{"AU", "CA", "GB", "NZ", "US"}, []Country{"IE"}, "five-eyes"},
		{"countries: [china-and-sars]", []Country{"CN", "HK", "MO"}, []Country{"TW"}, "china-and-sars"},
		{"countries: {anywhere-but: [IN]}", []Country{"CN", "US", "HK"}, []Country{"IN", ""}, "anywhere but IN"},
		{"countries: {anywhere-but: [eu, NO]}", []Country{"CN", "US"}, []Country{"DE", "NO", ""}, "anywhere but eu, NO"},
	} {
		var v struct {
			Countries CountrySet `yaml:"countries"`
		}
		err := yaml.UnmarshalWithOptions([]byte(c.yaml), &v, yaml.Strict())
		if err == nil {
			err = v.Countries.Resolve(groups)
		}
		if (err != nil) != (c.word == "") {
			t.Errorf("%s: %v", c.yaml, err)
			continue
		}
		if err != nil {
			continue
		}
		for _, in := range c.in {
			if !v.Countries.Contains(in) {
				t.Errorf("%s: %q is not in it", c.yaml, in)
			}
		}
		for _, out := range c.out {
			if v.Countries.Contains(out) {
				t.Errorf("%s: %q is in it", c.yaml, out)
			}
		}
		if v.Countries.String() != c.word {
			t.Errorf("%s: reads %q, want %q", c.yaml, v.Countries.String(), c.word)
		}
	}
}

func TestCountryMistakesNameTheNearest(t *testing.T) {
	groups := Groups{"eu": {"DE"}, "five-eyes": {"US"}}
	for in, want := range map[string]string{
		"cn":       "write CN in capitals",
		"UK":       "did you mean GB?",
		"EU":       "the group eu?",
		"NC1":      "not known",
		"five-eye": `did you mean "five-eyes"?`,
		"XX":       "not a code of ISO 3166-1",
		"A1":       "not a code",
		"ZZ":       "not a code",
		"Mars":     "two capital letters or the name of a group",
		"":         "empty",
		"fiveeyes": `did you mean "five-eyes"?`,
		"EM":       "did you mean ME?",
	} {
		_, err := ParseCountrySet([]string{in}, groups)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", in, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: more than one line: %v", in, err)
		}
	}
}

func TestEverySetKnowsItsMembers(t *testing.T) {
	all := CountrySet{but: true}
	if n := len(all.Countries()); n != 250 { // 249 of ISO 3166-1, and XK
		t.Errorf("%d countries, want 250", n)
	}
	if !(CountrySet{}).Empty() || all.Empty() {
		t.Error("empty set")
	}
}
